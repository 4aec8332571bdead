"""L-BFGS: full-batch quasi-Newton steps with a line search."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from sk_twolayer._numerics.gemm import add_scaled
from sk_twolayer._sklearn_compat import RealInterval
from sk_twolayer._typing import AddGradient, Array
from sk_twolayer.optimizers._base import EpochResult, Objective, Optimizer, StopReason
from sk_twolayer.schedules import LearningRate

ARMIJO_C1, WOLFE_C2 = 1e-4, 0.9  # the constants of Nocedal and Wright
MAX_TRIALS = 40  # halving a step that often leaves nothing of it


class LBFGS(Optimizer):
    """Quasi-Newton descent that remembers a few steps instead of a matrix.

    With gradient ``g``, and the last steps ``s`` of theta and the changes ``y`` of the gradient
    they brought about, the direction is ``-H g``, where ``H`` is the inverse Hessian those pairs
    suggest (the two-loop recursion [1]_). The length of a step is doubled and halved until the
    objective is lower and its slope flatter (the weak Wolfe conditions [2]_, which suit the
    kinks of a net of relus).

    It takes all rows at once, has no learning rate, and works in place in the dtype of `theta`.

    Parameters
    ----------
    history_size : int, default=10
        How many steps are remembered.
    max_fun : int, default=15000
        Largest number of evaluations of the objective in one run.
    gtol : float, default=1e-5
        A run ends where no element of the gradient is larger.

    Attributes
    ----------
    pairs_ : list of (ndarray, ndarray)
        The ``s`` and ``y`` above, each of shape (n_parameters,).
    n_evaluations_ : int
        Evaluations of the objective in the last run.
    is_done_ : bool
        Whether that run has come to where `gtol` or `max_fun` ends it.

    References
    ----------
    .. [1] J. Nocedal, S. Wright, "Numerical Optimization", 2006, algorithms 7.4 and 7.5.
    .. [2] A. Lewis, M. Overton, "Nonsmooth optimization via quasi-Newton methods",
       Mathematical Programming 141, 2013, algorithm 2.6.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.optimizers import LBFGS
    >>> theta, curvature = np.array([1.0, -2.0]), np.array([1.0, 100.0])
    >>> def evaluate(gradient):
    ...     gradient[:] = curvature * theta
    ...     return (curvature * theta**2).sum() / 2
    >>> for objective, length in LBFGS().iterations(theta, evaluate):
    ...     pass
    >>> bool(objective < 1e-10)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "history_size": [RealInterval(Integral, 1, None, closed="left")],
        "max_fun": [RealInterval(Integral, 1, None, closed="left")],
        "gtol": [RealInterval(Real, 0, None, closed="left")],
    }

    pairs_: list[tuple[Array, Array]]
    n_evaluations_: int
    is_done_: bool

    def __init__(self, history_size: int = 10, max_fun: int = 15000, gtol: float = 1e-5) -> None:
        self.history_size = history_size
        self.max_fun = max_fun
        self.gtol = gtol

    uses_minibatches = False

    def default_learning_rate(
        self, inputs_per_row: float, hidden_size: int, *, decays: bool
    ) -> float:
        """Return 1: the line search finds the size of the steps."""
        return 1.0

    def step(self, theta: Array, add_gradient: AddGradient, learning_rate: float) -> None:
        raise TypeError("L-BFGS needs the objective besides its gradient: use iterations()")

    def epochs(
        self, objective: Objective, learning_rate: LearningRate
    ) -> Generator[EpochResult, None, StopReason]:
        for value, length in self.iterations(objective.theta, objective.evaluate):
            stop = self._stop_reason() if self.is_done_ else None
            yield EpochResult(value - objective.penalty, value, length, stop)
        return self._stop_reason()

    def iterations(
        self, theta: Array, evaluate: Callable[[Array], float]
    ) -> Iterator[tuple[float, float]]:
        """Descend in place, by one step each time the next item is asked for.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            All parameters; changed in place.
        evaluate : callable
            ``evaluate(gradient)`` fills an array like `theta` with the gradient of the objective
            at `theta`, and returns the objective.

        Yields
        ------
        objective : float
            The objective after the step.
        length : float
            The step, as a multiple of the direction's length; 0 in the only item where no step
            can be taken at all.
        """
        self.pairs_ = getattr(self, "pairs_", [])[-self.history_size :]
        self.n_evaluations_ = 1
        gradient = np.empty_like(theta)
        objective = evaluate(gradient)
        self._update_is_done(gradient)
        has_moved = False
        while not self.is_done_:
            old_theta, old_gradient = theta.copy(), gradient.copy()
            direction = self._direction(gradient)
            objective, length = self._search(
                theta, old_theta, direction, evaluate, gradient, objective
            )
            if length > 0:
                self._remember(theta - old_theta, gradient - old_gradient)
                self._update_is_done(gradient)
                has_moved = True
                yield objective, length
            elif self.pairs_:  # they may be out of date: try steepest descent
                self.pairs_.clear()
                gradient[:] = old_gradient
            else:
                break
        if not has_moved:
            yield objective, 0.0

    def _peak_vectors(self, n_epochs: int) -> int:
        """Return 5, and two for each remembered pair and for the pair that is added."""
        return 5 + 2 * min(self.history_size + 1, n_epochs)

    def _stop_reason(self) -> StopReason:
        has_budget = self.n_evaluations_ < self.max_fun
        return StopReason.OPTIMUM if has_budget else StopReason.MAX_FUN

    def _update_is_done(self, gradient: Array) -> None:
        largest = max(float(gradient.max()), -float(gradient.min()))
        self.is_done_ = self.n_evaluations_ >= self.max_fun or largest <= self.gtol

    def _direction(self, gradient: Array) -> Array:
        """Return ``-H g``: Nocedal and Wright's two loops over the remembered pairs."""
        direction = np.negative(gradient)
        if not self.pairs_:
            direction /= max(1.0, math.sqrt(float(gradient @ gradient)))
            return direction
        shares = []
        for s, y in reversed(self.pairs_):
            share = float(s @ direction) / float(s @ y)
            add_scaled(direction, y, scale=-share)
            shares.append(share)
        s, y = self.pairs_[-1]
        direction *= float(s @ y) / float(y @ y)
        for (s, y), share in zip(self.pairs_, reversed(shares), strict=True):
            add_scaled(direction, s, scale=share - float(y @ direction) / float(s @ y))
        return direction

    def _search(
        self,
        theta: Array,
        start: Array,
        direction: Array,
        evaluate: Callable[[Array], float],
        gradient: Array,
        objective: float,
    ) -> tuple[float, float]:
        """Move `theta` to where it is lower and flatter; a length of 0 means there was no such."""
        slope = float(direction @ gradient)
        low, high, length, found = 0.0, math.inf, 1.0, False
        try:
            for _ in range(min(MAX_TRIALS, self.max_fun - self.n_evaluations_)):
                add_scaled(theta, start, keep=0)
                add_scaled(theta, direction, scale=length)
                self.n_evaluations_ += 1
                lower = evaluate(gradient)
                if not lower <= objective + ARMIJO_C1 * length * slope:  # so written for a nan
                    high = length
                elif float(direction @ gradient) < WOLFE_C2 * slope:
                    low = length
                else:
                    found = True
                    return lower, length
                length = 2 * low if high == math.inf else (low + high) / 2
            return objective, 0.0
        finally:
            if not found:  # or interrupted: a trial may be worse than where it started
                add_scaled(theta, start, keep=0)

    def _remember(self, s: Array, y: Array) -> None:
        if float(s @ y) > np.finfo(s.dtype).eps * float(y @ y):  # else H would not point downhill
            self.pairs_ = [*self.pairs_, (s, y)][-self.history_size :]
