"""Warnings of a classifier, each located at the line of the user's code that called it."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sk_twolayer._numerics.matrices import mean_squares
from sk_twolayer._training.loop import FitResult
from sk_twolayer._typing import Array
from sk_twolayer.optimizers._base import StopReason
from sk_twolayer.optimizers._registry import uses_minibatches

MAX_RMS = 10.0  # of a column; benchmarks/defaults.py measures what unscaled columns cost
SCALE_SAMPLE = 10_000  # rows that are looked at
MIN_FALL = 0.02  # of the first loss, in the second half of training


def warn_if_unscaled(X: Any, feature_names: Array | None, class_name: str) -> None:
    """Warn if a column of X is so large that the network will learn little from the others."""
    squares = mean_squares(X[:: 1 + X.shape[0] // SCALE_SAMPLE])
    largest = int(squares.argmax())
    rms = float(np.sqrt(squares[largest]))
    if rms > MAX_RMS:
        column = largest if feature_names is None else repr(str(feature_names[largest]))
        warnings.warn(
            f"column {column} of X is not scaled (root mean square {rms:.3g}). Neural networks "
            "train best on features of about unit scale; add a scaler: make_pipeline("
            f"StandardScaler(), {class_name}()), or MaxAbsScaler() for a sparse X",
            stacklevel=_stacklevel_of_user(),
        )


def warn_if_not_converged(result: FitResult) -> None:
    """Warn if training was interrupted, or reached its limits before it converged."""
    settings, reason, n_iter = result.settings, result.stop_reason, result.state.n_iter
    if reason is StopReason.INTERRUPT:
        kept = "the best of them" if settings.early_stopping else "the last of them"
        warnings.warn(
            f"fit was interrupted after {n_iter} whole epochs: the model is that of {kept}",
            stacklevel=_stacklevel_of_user(),
        )
    elif reason in (StopReason.MAX_ITER, StopReason.MAX_FUN) and settings.tol is not None:
        if settings.fixed_length and not _is_still_falling(result):
            return
        limit, remedy = f"Maximum number of epochs ({n_iter})", "max_iter"
        if reason is StopReason.MAX_FUN:
            limit, remedy = "Maximum number of evaluations of the objective", "LBFGS(max_fun=...)"
        elif settings.fixed_length and settings.max_iter >= settings.auto_epochs:
            remedy = 'max_iter, with learning_rate_schedule="cosine"'
        tune = "tune learning_rate, " if uses_minibatches(settings.solver) else ""
        warnings.warn(
            f"{limit} reached before convergence. Increase {remedy}, {tune}or set tol=None to "
            "train for exactly max_iter epochs without this warning",
            ConvergenceWarning,
            stacklevel=_stacklevel_of_user(),
        )


def _is_still_falling(result: FitResult) -> bool:
    """Return whether the loss had not settled when a schedule of fixed length ended.

    The cosine spends 82 % of its learning rate in the first half of the epochs. So the loss has
    not settled if it fell as much in the second half as in the first half. Training for fewer
    epochs than the automatic number is also too short if the loss fell by more than 2 % of its
    first value in the second half.
    """
    curve = result.state.loss_curve[-result.state.n_iter :]
    first, middle, last = curve[0], curve[(len(curve) - 1) // 2], curve[-1]
    is_short = len(curve) < result.settings.auto_epochs
    return middle - last > (MIN_FALL * first if is_short else max(first - middle, MIN_FALL * first))


def _stacklevel_of_user() -> int:
    """Return the `stacklevel` of the first caller outside this package and scikit-learn."""
    frame, level = sys._getframe(1), 1
    between = ("sk_twolayer.", "sklearn.")  # whose callbacks wrap a fit
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(between):
        frame, level = frame.f_back, level + 1
    return level
