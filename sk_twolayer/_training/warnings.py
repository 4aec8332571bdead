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
    elif reason in (StopReason.MAX_ITER, StopReason.MAX_FUN):
        if settings.tol is None or settings.fixed_length:
            return
        limit, remedy = f"Maximum number of epochs ({n_iter})", "max_iter"
        if reason is StopReason.MAX_FUN:
            limit, remedy = "Maximum number of evaluations of the objective", "LBFGS(max_fun=...)"
        tune = "tune learning_rate, " if uses_minibatches(settings.solver) else ""
        warnings.warn(
            f"{limit} reached before convergence. Increase {remedy}, {tune}or set tol=None to "
            "train for exactly max_iter epochs without this warning",
            ConvergenceWarning,
            stacklevel=_stacklevel_of_user(),
        )


def _stacklevel_of_user() -> int:
    """Return the `stacklevel` of the first caller outside this package and scikit-learn."""
    frame, level = sys._getframe(1), 1
    between = ("sk_twolayer.", "sklearn.")  # whose callbacks wrap a fit
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(between):
        frame, level = frame.f_back, level + 1
    return level
