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

ARMIJO_C1, WOLFE_C2 = 1e-4, 0.9  # the constants c_1 and c_2 of Nocedal and Wright
MAX_TRIALS = 40  # lengths per line search: after 40 halvings, a step is negligible


class LBFGS(Optimizer):
    """L-BFGS: a quasi-Newton method with full-batch steps and a line search.

    The direction of a step is ``-H g``, with the gradient ``g`` and an estimate ``H`` of the
    inverse Hessian. ``-H g`` is computed by the two-loop recursion [1]_ from the last steps ``s``
    of theta, and the changes ``y`` of the gradient in these steps. The line search doubles the
    length of the step, or bisects between two lengths, until the step meets the weak Wolfe
    conditions [2]_: the objective is low enough, and its slope is flat enough. These conditions are
    suitable for objectives with kinks, such as that of a network with relu.

    There is no learning rate. Steps are taken in place, in the dtype of `theta`.

    Parameters
    ----------
    history_size : int, default=10
        Number of pairs ``s, y`` that are kept.
    max_fun : int, default=15000
        Largest number of evaluations of the objective in one run.
    gtol : float, default=1e-5
        A run ends if the absolute values of all elements of the gradient are at most this large.

    Attributes
    ----------
    pairs_ : list of (ndarray, ndarray)
        The ``s`` and ``y`` above, each of shape (n_parameters,).
    n_evaluations_ : int
        Number of evaluations of the objective in the last run.
    is_done_ : bool
        Whether the last run ended because of `gtol` or `max_fun`.

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
        """Return 1, because the line search determines the length of the steps."""
        return 1.0

    def step(self, theta: Array, add_gradient: AddGradient, learning_rate: float) -> None:
        raise TypeError(
            "L-BFGS has no step(), because it needs the objective as well as its gradient: use "
            "iterations()"
        )

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
        """Minimise the objective in place, by one step per item of this generator.

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
            The length of the step, as a multiple of that of the direction. If no step is possible,
            there is one item, with length 0.
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
                self._add_pair(theta - old_theta, gradient - old_gradient)
                self._update_is_done(gradient)
                has_moved = True
                yield objective, length
            elif self.pairs_:  # the pairs may be outdated: try the gradient alone
                self.pairs_.clear()
                gradient[:] = old_gradient
            else:
                break
        if not has_moved:
            yield objective, 0.0

    def _peak_vectors(self, n_epochs: int) -> int:
        """Return 5, plus 2 for each pair that is kept and for the one that is being added."""
        return 5 + 2 * min(self.history_size + 1, n_epochs)

    def _stop_reason(self) -> StopReason:
        has_budget = self.n_evaluations_ < self.max_fun
        return StopReason.OPTIMUM if has_budget else StopReason.MAX_FUN

    def _update_is_done(self, gradient: Array) -> None:
        largest = max(float(gradient.max()), -float(gradient.min()))
        self.is_done_ = self.n_evaluations_ >= self.max_fun or largest <= self.gtol

    def _direction(self, gradient: Array) -> Array:
        """Return ``-H g``, by the two loops of Nocedal and Wright over the pairs.

        Without pairs, it is ``-g``, shortened to length 1 if it is longer.
        """
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
        """Move `theta` to a point that meets the weak Wolfe conditions.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            Changed in place. It is equal to `start` if no point is found.
        start, direction : ndarray of shape (n_parameters,)
            The points are ``start + length * direction``.
        evaluate : callable
            As for `iterations`.
        gradient : ndarray of shape (n_parameters,)
            The gradient at `start`; overwritten with the gradient at the last point.
        objective : float
            The objective at `start`.

        Returns
        -------
        objective : float
            The objective at `theta`.
        length : float
            The length of the step; 0 if no point is found.
        """
        slope = float(direction @ gradient)
        low, high, length, found = 0.0, math.inf, 1.0, False
        try:
            for _ in range(min(MAX_TRIALS, self.max_fun - self.n_evaluations_)):
                add_scaled(theta, start, keep=0)
                add_scaled(theta, direction, scale=length)
                self.n_evaluations_ += 1
                lower = evaluate(gradient)
                if not lower <= objective + ARMIJO_C1 * length * slope:  # or it is NaN
                    high = length
                elif float(direction @ gradient) < WOLFE_C2 * slope:
                    low = length
                else:
                    found = True
                    return lower, length
                length = 2 * low if high == math.inf else (low + high) / 2
            return objective, 0.0
        finally:
            if not found:  # or interrupted
                add_scaled(theta, start, keep=0)

    def _add_pair(self, s: Array, y: Array) -> None:
        """Keep a pair, unless ``H`` would not be positive definite with it."""
        if float(s @ y) > np.finfo(s.dtype).eps * float(y @ y):
            self.pairs_ = [*self.pairs_, (s, y)][-self.history_size :]
