"""The rule when to stop."""

from __future__ import annotations

import math
from typing import Any


class StoppingRule:
    """Tell when an objective has not fallen by more than `tol` for a number of epochs in a row.

    Parameters
    ----------
    tol : float or None
        The least fall below the best value so far that counts; None never stops.
    n_iter_no_change : int
        After how many epochs in a row without such a fall to stop.

    Attributes
    ----------
    ever_stops : bool
        Whether there is a tolerance.

    Examples
    --------
    >>> from sk_twolayer._training.stopping import StoppingRule
    >>> rule = StoppingRule(tol=0.1, n_iter_no_change=2)
    >>> [rule.should_stop(loss) for loss in (1.0, 0.5, 0.45, 0.44)]
    [False, False, False, True]
    """

    def __init__(self, tol: float | None, n_iter_no_change: int) -> None:
        self.ever_stops = tol is not None
        self._tol = -math.inf if tol is None else tol
        self._patience = n_iter_no_change
        self._waited = 0
        self._best = math.inf

    def memory(self) -> dict[str, Any]:
        """Return what has been noted.

        Returns
        -------
        dict of str to float
            What `go_on_from` takes.
        """
        return {"waited": self._waited, "best": self._best}

    def go_on_from(self, memory: dict[str, Any]) -> None:
        """Take over what another rule has noted.

        Parameters
        ----------
        memory : dict
            What its `memory` returned.
        """
        self._waited, self._best = memory["waited"], memory["best"]

    def forget(self) -> None:
        """Judge what comes by itself, so that one lucky epoch does not spoil all after it."""
        self._waited = 0
        self._best = math.inf

    def should_stop(self, objective: float) -> bool:
        """Take note of an epoch's objective, and tell whether it was the last.

        Parameters
        ----------
        objective : float
            What training lowers, as it was in this epoch.

        Returns
        -------
        bool
            Whether to stop.
        """
        self._waited = 0 if objective < self._best - self._tol else self._waited + 1
        self._best = min(self._best, objective)
        return self.ever_stops and self._waited >= self._patience
