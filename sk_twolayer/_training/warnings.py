"""What a classifier warns of."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sk_twolayer._data.targets import is_one_hot
from sk_twolayer._numerics.matrices import mean_squares
from sk_twolayer._training.checks import is_lbfgs

LARGE = 10.0  # times the unit scale; benchmarks/defaults.py measures what they cost
ENOUGH_ROWS = 10_000  # to see it


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


def warn_if_one_hot(y: Any) -> None:
    """Warn if an indicator matrix looks like one-hot rows of one label each."""
    if is_one_hot(y):
        warnings.warn(
            f"every row of y has exactly one 1 among its {y.shape[1]} columns, which are taken as "
            "independent labels (multilabel): the probabilities of a row do not sum to 1. If "
            "these are one-hot rows of a single class each, give y.argmax(axis=1) instead",
            stacklevel=_level_of_the_caller(),
        )


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
