"""What a classifier warns of."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sk_twolayer._numerics.matrices import as_dense, is_sparse, mean_squares
from sk_twolayer._training.checks import is_lbfgs
from sk_twolayer._typing import Array

LARGE = 10.0  # times the unit scale; benchmarks/defaults.py measures what they cost
ENOUGH_ROWS = 10_000  # to see it
MIN_VALUES = 25  # of a column: fewer may all be unusual by chance


def warn_of_scale(clf: Any, X: Any) -> None:
    """Warn if a column of X is so large that the net will learn little from the others."""
    squares = mean_squares(X[:: 1 + X.shape[0] // ENOUGH_ROWS])
    largest = int(squares.argmax())
    size = float(np.sqrt(squares[largest]))
    if size > LARGE:
        names = getattr(clf, "feature_names_in_", None)
        column = largest if names is None else repr(str(names[largest]))
        warnings.warn(
            f"column {column} of X has a root mean square of {size:.3g}, and a net learns well "
            "from columns of about unit scale: put a scaler in front, make_pipeline("
            f"StandardScaler(), {type(clf).__name__}()), or MaxAbsScaler() for a sparse X",
            stacklevel=_level_of_the_caller(),
        )


def warn_if_scaled_differently(clf: Any, X: Any, X_val: Any) -> None:
    """Warn if X_val has another scale than X, as where a pipeline has scaled X only."""
    X, X_val = (part[:: 1 + part.shape[0] // ENOUGH_ROWS] for part in (X, X_val))
    with np.errstate(over="ignore", invalid="ignore"):
        differs = _columns_of_another_scale(X, X_val)
    if not differs.any():
        return
    column = int(differs.argmax())
    names = getattr(clf, "feature_names_in_", None)
    (low, high), (low_val, high_val) = (_ranges(part[:, [column]]) for part in (X, X_val))
    warnings.warn(
        f"X_val is not scaled as X is: column {column if names is None else repr(names[column])} "
        f"ranges from {low[0]:.3g} to {high[0]:.3g} in X, and from {low_val[0]:.3g} to "
        f"{high_val[0]:.3g} in X_val. A pipeline transforms X only; with metadata routing, "
        "Pipeline(steps, transform_input=['X_val']) transforms X_val too",
        stacklevel=_level_of_the_caller(),
    )


def _columns_of_another_scale(X: Any, X_val: Any) -> Array:
    """Tell for each column of X_val whether its scale is not that of X.

    No random split of the same rows makes such columns, whatever their distribution:

    - most values in X_val that are not zero are outside the range of X. A trend over time does
      this too; so it must be in half of the columns, or outside the range of X widened by its
      length on both sides;
    - or the whole range in X_val is a fourth of the interquartile range of X, in half of the
      columns.
    """
    low, high = _ranges(X)
    length, in_X, in_X_val = high - low, _n_values(X), _n_values(X_val)
    comparable = (length > 0) & (np.minimum(in_X, in_X_val) >= MIN_VALUES)
    for widened, enough in ((length, 1), (0, max(1, comparable.sum() / 2))):
        outside = _n_values(X_val, low - widened, high + widened) > in_X_val / 2
        if np.sum(outside & comparable) >= enough:
            return outside & comparable
    if is_sparse(X):
        return np.zeros_like(comparable)
    low, high = _ranges(X_val)
    quartiles = np.percentile(X, [25, 75], axis=0)
    comparable &= high > low
    small: Array = comparable & (high - low < (quartiles[1] - quartiles[0]) / 4)
    return small if 2 * small.sum() >= comparable.sum() else np.zeros_like(small)


def _ranges(X: Any) -> tuple[Array, Array]:
    """Return the smallest and the largest value of each column."""
    return as_dense(X.min(axis=0)).ravel(), as_dense(X.max(axis=0)).ravel()


def _n_values(X: Any, low: Array | None = None, high: Array | None = None) -> Array:
    """Return the number of values in each column that are not zero; of those outside a range."""
    if is_sparse(X):
        columns, values = X.indices, X.data
    else:
        columns, values = np.tile(np.arange(X.shape[1]), X.shape[0]), X.ravel()
    counts = values != 0
    if low is not None and high is not None:
        counts &= (values < low[columns]) | (values > high[columns])
    return np.bincount(columns, counts, minlength=X.shape[1])


def warn_of_the_end(clf: Any, ended: str) -> None:
    """Warn if training ended before its time."""
    if ended == "interrupt":
        warnings.warn(
            f"fit was interrupted after {clf.n_iter_} whole epochs: the model is "
            + ("the best of them" if clf.early_stopping else "as far as training had come"),
            stacklevel=_level_of_the_caller(),
        )
    elif ended in ("max_iter", "max_fun") and not _lasts_as_planned(clf):
        spent, what = f"max_iter={clf.n_iter_} epochs", "max_iter"
        if ended == "max_fun":
            spent, what = "the optimizer's max_fun evaluations", "LBFGS(max_fun=...)"
        warnings.warn(
            f"training took all of {spent}, and might have gone further: raise {what}, "
            + ("" if is_lbfgs(clf.solver) else "search for a better learning_rate, ")
            + "or set tol=None to ask for this many",
            ConvergenceWarning,
            stacklevel=_level_of_the_caller(),
        )


def _lasts_as_planned(clf: Any) -> bool:
    cosine = clf._schedule(ends=not clf.warm_start) == "cosine"
    return clf.tol is None or (cosine and not is_lbfgs(clf.solver))


def _level_of_the_caller() -> int:
    """Return the `stacklevel` of whoever called the classifier, whatever lies between."""
    frame, level = sys._getframe(1), 1
    between = ("sk_twolayer.", "sklearn.")  # whose callbacks wrap a fit
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(between):
        frame, level = frame.f_back, level + 1
    return level
