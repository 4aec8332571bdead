"""Schedules of the learning rate, as functions of the number of epochs."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

from sk_twolayer._sklearn_compat import RealInterval

__all__ = ["LearningRate"]

DECAY_FACTOR = 5.0
MAX_DIVISOR = 1000.0
POSITIVE_REAL = RealInterval(Real, 0, None, closed="neither")
POSITIVE_INTEGER = RealInterval(Integral, 1, None, closed="left")


def _constant(progress: float, period: int) -> float:
    return 1.0


def _cosine(progress: float, period: int) -> float:
    return 0.5 * (1 + math.cos(math.pi * (progress % period) / period))


def _inverse_scaling(progress: float, period: int) -> float:
    return 1 / math.sqrt(1 + progress)


#: The schedules by name: factors as functions of the number of epochs so far, and of the period.
_SCHEDULES: dict[str, Callable[[float, int], float]] = {
    "constant": _constant,
    "cosine": _cosine,
    "invscaling": _inverse_scaling,
    "adaptive": _constant,  # until reduce() is called
}


class LearningRate:
    """The learning rate of the next step, as a function of the number of epochs so far.

    After ``e`` epochs, not necessarily a whole number, the learning rate is::

        constant      initial
        cosine        initial * (1 + cos(pi e / period)) / 2, repeated with this period
        invscaling    initial / sqrt(1 + e)
        adaptive      initial / 5**k after k calls of reduce(), but at least initial / 1000

    Parameters
    ----------
    initial : float > 0
        The learning rate to start with.
    schedule : {"constant", "cosine", "invscaling", "adaptive"}, default="constant"
        How the rate changes.
    period : int >= 1, default=1
        Number of epochs after which "cosine" reaches 0.

    Attributes
    ----------
    progress : float
        The ``e`` above, which the training loop sets.
    divisor : float
        The ``5**k`` above.

    Raises
    ------
    ValueError
        If a parameter is invalid.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
       ICLR 2017.

    Examples
    --------
    >>> from sk_twolayer.schedules import LearningRate
    >>> rate = LearningRate(0.1, "cosine", period=4)
    >>> for epoch in range(5):
    ...     rate.progress = epoch
    ...     print(round(rate.current, 4))
    0.1
    0.0854
    0.05
    0.0146
    0.1
    """

    def __init__(self, initial: float, schedule: str = "constant", period: int = 1) -> None:
        if not POSITIVE_REAL.is_satisfied_by(initial):
            raise ValueError(f"initial must be a positive number, got {initial!r}")
        if not (isinstance(schedule, str) and schedule in _SCHEDULES):
            raise ValueError(f"schedule must be one of {sorted(_SCHEDULES)}, got {schedule!r}")
        if not POSITIVE_INTEGER.is_satisfied_by(period):
            raise ValueError(f"period must be a positive integer, got {period!r}")
        self.initial, self.schedule, self.period = float(initial), schedule, period
        self.progress = 0.0
        self.divisor = 1.0

    @property
    def is_constant(self) -> bool:
        """Whether the learning rate does not depend on the progress."""
        return _SCHEDULES[self.schedule] is _constant

    @property
    def current(self) -> float:
        """The learning rate of the next step."""
        return self.initial * _SCHEDULES[self.schedule](self.progress, self.period) / self.divisor

    def get_state(self) -> dict[str, Any]:
        """Return the state, without the period.

        Returns
        -------
        dict of str to float or str
            The state, for `set_state`.
        """
        return {name: value for name, value in vars(self).items() if name != "period"}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from the progress of another learning rate.

        Its divisor is used, too, if it has the same initial rate and schedule.

        Parameters
        ----------
        state : dict
            What `get_state` of the other one returned.
        """
        self.progress = state["progress"]
        if (self.initial, self.schedule) == (state["initial"], state["schedule"]):
            self.divisor = state["divisor"]

    def reduce(self) -> bool:
        """Divide an "adaptive" rate by 5, unless the result would be below ``initial / 1000``.

        Returns
        -------
        bool
            Whether the rate was changed.
        """
        if self.schedule != "adaptive" or self.divisor * DECAY_FACTOR > MAX_DIVISOR:
            return False
        self.divisor *= DECAY_FACTOR
        return True
