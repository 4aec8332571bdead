"""Warnings of this package, located at the line of the user's code that led to them."""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sk_twolayer._data.targets import is_one_hot
from sk_twolayer._numerics.matrices import as_dense, blocks, is_sparse, mean_squares
from sk_twolayer._training.loop import FitResult
from sk_twolayer._typing import Array, Matrix
from sk_twolayer.optimizers._base import StopReason
from sk_twolayer.optimizers._registry import uses_minibatches

MAX_RMS = 10.0  # root mean square of a column; benchmarks/defaults.py measures the effect
SAMPLE_ROWS = 10_000  # at most this number of rows are checked
BLOCK_ELEMENTS = 2**17  # of the rows above, that are compared at a time
MIN_VALUES = 25  # nonzeros in a column: if there are fewer, all may be unusual by chance
MIN_RELATIVE_FALL = 0.02  # decrease of the loss in the second half, divided by the first loss
# Packages and modules whose frames may be between the user's code and a warning: this package,
# scikit-learn, and those that run fits in parallel or load files.
SKIPPED = {
    "concurrent",
    "contextlib",
    "joblib",
    "multiprocessing",
    "pickle",
    "runpy",
    "sk_twolayer",
    "sklearn",
    "skops",
    "threading",
}
SHOWN_ONCE = ("default", "module", "once")  # the actions of filters that do not repeat a warning


def warn_if_unscaled(X: Matrix, feature_names: Array | None, class_name: str) -> None:
    """Warn about the largest column of X, if the network would learn little from the others."""
    squares = mean_squares(X[:: 1 + X.shape[0] // SAMPLE_ROWS])
    largest = int(squares.argmax())
    if float(np.sqrt(squares[largest])) > MAX_RMS:
        # The text has no number, which would differ between the fits of a search: see `warn`.
        warn(
            f"column {_name(largest, feature_names)} of X is not scaled (its root mean square is "
            f"above {MAX_RMS:g}). Neural networks train best on features of about unit scale; add "
            f"a scaler: make_pipeline(StandardScaler(), {class_name}()), or MaxAbsScaler() for a "
            "sparse X"
        )


def warn_if_scaled_differently(X: Matrix, X_val: Matrix, feature_names: Array | None) -> None:
    """Warn if X_val has another scale than X, for example because a pipeline scaled X only."""
    X, X_val = (part[:: 1 + part.shape[0] // SAMPLE_ROWS] for part in (X, X_val))
    with np.errstate(over="ignore", invalid="ignore"):
        differs = _columns_of_another_scale(X, X_val)
    if not differs.any():
        return
    name = _name(int(differs.argmax()), feature_names)
    warn(
        f"X_val is not scaled like X: compare column {name} of both. A pipeline transforms only X; "
        "with metadata routing, Pipeline(steps, transform_input=['X_val']) transforms X_val too"
    )


def _name(column: int, feature_names: Array | None) -> str:
    """Return the name of a column, in quotes, or its number."""
    return str(column) if feature_names is None else repr(str(feature_names[column]))


def _columns_of_another_scale(X: Matrix, X_val: Matrix) -> Array:
    """Return for each column whether the scale in X_val is not that in X.

    If X and X_val are a random split of the same rows, there are no such columns, whatever their
    distribution. There are two cases:

    - Most nonzero values in X_val are outside the range in X. A trend over time has this effect
      too. Therefore it counts only if it is found in half of the columns, or if the values are even
      outside the range extended by its length on both sides.
    - The whole range in X_val is less than a fourth of the interquartile range in X, in half of
      the columns. It is not checked for a sparse X.
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
    comparable &= high > low
    small: Array = comparable & (high - low < _interquartile_ranges(X) / 4)
    return small if 2 * small.sum() >= comparable.sum() else np.zeros_like(small)


def _ranges(X: Matrix) -> tuple[Array, Array]:
    """Return the smallest and the largest value of each column."""
    return as_dense(X.min(axis=0)).ravel(), as_dense(X.max(axis=0)).ravel()


def _n_values(X: Matrix, low: Array | None = None, high: Array | None = None) -> Array:
    """Return the number of nonzero values in each column; with limits, of those outside them."""
    if is_sparse(X):
        counts = X.data != 0
        if low is not None and high is not None:
            counts &= (X.data < low[X.indices]) | (X.data > high[X.indices])
        return np.bincount(X.indices, counts, minlength=X.shape[1])
    n_values = np.empty(X.shape[1])
    for columns in _column_blocks(X):
        values = X[:, columns]
        counts = values != 0
        if low is not None and high is not None:
            counts &= (values < low[columns]) | (values > high[columns])
        n_values[columns] = np.count_nonzero(counts, axis=0)
    return n_values


def _interquartile_ranges(X: Array) -> Array:
    """Return the distance between the quartiles of each column."""
    ranges = []
    for columns in _column_blocks(X):
        quartiles = np.percentile(X[:, columns], [25, 75], axis=0)
        ranges.append(quartiles[1] - quartiles[0])
    return np.concatenate(ranges)


def _column_blocks(X: Array) -> list[slice]:
    """Return slices of columns, for which temporary arrays are small."""
    return blocks(X.shape[1], max(1, BLOCK_ELEMENTS // X.shape[0]))


def warn_if_one_hot(t: Matrix) -> None:
    """Warn if an indicator matrix looks like one-hot encoded classes."""
    if is_one_hot(t):
        warn(
            f"every row of y has exactly one 1 in its {t.shape[1]} columns. They are treated as "
            "independent labels (multilabel), so that the probabilities of a row do not sum to 1. "
            "If y is one-hot encoded, use y.argmax(axis=1) instead"
        )


def warn_if_not_converged(result: FitResult) -> None:
    """Warn if training was interrupted, or reached its limits before it converged."""
    settings, reason, n_iter = result.settings, result.stop_reason, result.state.n_iter
    if reason is StopReason.INTERRUPT:
        kept = "best epoch" if settings.early_stopping else "last step"
        epochs = "1 epoch" if n_iter == 1 else f"{n_iter} epochs"
        warn(f"fit was interrupted after {epochs}. The model has the parameters of the {kept}")
    elif reason in (StopReason.MAX_ITER, StopReason.MAX_FUN) and settings.tol is not None:
        if settings.fixed_length and not _is_still_falling(result):
            return
        limit, remedy = f"Maximum number of epochs ({n_iter})", "max_iter"
        if reason is StopReason.MAX_FUN:
            limit, remedy = "Maximum number of evaluations of the objective", "LBFGS(max_fun=...)"
        elif settings.fixed_length and settings.max_iter >= settings.auto_epochs:
            remedy = 'max_iter, with learning_rate_schedule="cosine"'
        tune = "tune learning_rate, " if uses_minibatches(settings.solver) else ""
        warn(
            f"{limit} reached before convergence. Increase {remedy}, {tune}or set tol=None to "
            "train for exactly max_iter epochs without this warning",
            ConvergenceWarning,
        )


def _is_still_falling(result: FitResult) -> bool:
    """Return whether the loss was still decreasing fast when a schedule of fixed length ended.

    With "cosine", 82 % of the sum of all learning rates belong to the first half of the epochs. So
    the loss should decrease much less in the second half than in the first half. It decreases fast
    if it decreases more in the second half, and by more than 2 % of the first loss. In training for
    fewer epochs than the automatic number, the 2 % alone decide.
    """
    curve = result.state.loss_curve[-result.state.n_iter :]
    first, middle, last = curve[0], curve[(len(curve) - 1) // 2], curve[-1]
    is_short = len(curve) < result.settings.auto_epochs
    enough = MIN_RELATIVE_FALL * first
    return middle - last > (enough if is_short else max(first - middle, enough))


def warn(message: str | Warning, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user's code, once per line and text unless a filter repeats warnings.

    Python itself shows a warning once per line and text. But it forgets which warnings it has shown
    whenever a filter changes, and scikit-learn changes the filters for each fit of a search: twenty
    fits would show the same text twenty times. So there is a second record of the warnings that
    were shown, in the same place as Python's own.

    In a worker process of joblib, no code of the user is on the stack. The warning is then located
    in the public method of the estimator.

    Parameters
    ----------
    message : str or Warning
        The text, or a warning that contains it. It should have no number that differs between the
        fits of a search, so that it is shown once.
    category : type, default=UserWarning
        The class of the warning, if `message` is a text.
    """
    text, category = str(message), type(message) if isinstance(message, Warning) else category
    frame = _frame_of_user()
    module, line = frame.f_globals.get("__name__", ""), frame.f_lineno
    registry: dict[Any, Any] = frame.f_globals.setdefault("__warningregistry__", {})
    shown = registry.get("sk_twolayer", set())
    if _action(text, category, module, line) in SHOWN_ONCE:
        if (text, category, line) in shown:
            return
        shown.add((text, category, line))
    try:
        path = frame.f_code.co_filename
        warnings.warn_explicit(message, category, path, line, module, registry)
    finally:
        registry["sk_twolayer"] = shown


def _frame_of_user() -> FrameType:
    """Return the innermost frame of the user's code; without any, the outermost of this package."""
    frame: FrameType | None = sys._getframe(1)
    outermost = sys._getframe(1)
    while frame is not None:
        package = _package(frame)
        if package not in SKIPPED:
            return frame
        if package == "sk_twolayer":
            outermost = frame
        frame = frame.f_back
    return outermost


def _package(frame: FrameType) -> str:
    """Return the name of the package, or of the module, to which the code of a frame belongs."""
    # The name of a module of joblib that runs as a worker process is "__main__"; its spec has the
    # real name.
    spec = frame.f_globals.get("__spec__")
    name: str = frame.f_globals.get("__name__", "") if spec is None else spec.name
    return name.partition(".")[0]


def _action(text: str, category: type[Warning], module: str, line: int) -> str:
    """Return the action of the first filter that matches a warning."""
    for action, pattern, of, module_pattern, of_line in warnings.filters:
        if (
            issubclass(category, of)
            and of_line in (0, line)
            and _matches(pattern, text)
            and _matches(module_pattern, module)
        ):
            return action
    return "default"


def _matches(pattern: Any, text: str) -> bool:
    """Return whether the pattern of a filter matches a text: a regular expression, str or None."""
    if pattern is None or isinstance(pattern, str):
        return pattern in (None, text)
    return bool(pattern.match(text))
