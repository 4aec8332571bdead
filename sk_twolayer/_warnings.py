"""Floor 5: what a classifier warns of."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning

from sk_twolayer._checks import is_lbfgs


def warn_of_the_end(clf: Any, ended: str) -> None:
    """Warn if training ended before its time; for the line that called `fit`.

    Parameters
    ----------
    clf : TwoLayerClassifier
        The classifier, fitted.
    ended : str
        What ended the training, as `Training.run` returns it.

    Warns
    -----
    ConvergenceWarning
        If it might have gone further. Training that is made to last for `max_iter` epochs, by
        ``tol=None`` or a cosine, might not.
    UserWarning
        If it was interrupted.
    """
    if ended == "interrupt":
        warnings.warn(
            f"fit was interrupted after {clf.n_iter_} whole epochs: the model is "
            + ("the best of them" if clf.early_stopping else "as far as training had come"),
            stacklevel=3,
        )
    elif ended in ("max_iter", "max_fun") and not _lasts_as_planned(clf):
        spent, what = f"max_iter={clf.max_iter} epochs", "max_iter"
        if ended == "max_fun":
            spent, what = "the optimizer's max_fun evaluations", "LBFGS(max_fun=...)"
        warnings.warn(
            f"training took all of {spent}, and might have gone further: raise {what}, "
            + ("" if is_lbfgs(clf.solver) else "search for a better learning_rate, ")
            + "or set tol=None to ask for this many",
            ConvergenceWarning,
            stacklevel=3,
        )


def _lasts_as_planned(clf: Any) -> bool:
    cosine = clf._schedule(ends=not clf.warm_start) == "cosine"
    return clf.tol is None or (cosine and not is_lbfgs(clf.solver))
