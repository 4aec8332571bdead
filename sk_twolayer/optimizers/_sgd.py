"""Gradient descent with the same step size for all parameters."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np

from sk_twolayer._numerics.gemm import bind_add_scaled
from sk_twolayer._sklearn_compat import RealInterval
from sk_twolayer._typing import AddGradient, AddInPlace, Array
from sk_twolayer.optimizers._base import Optimizer, in_blocks


class SGD(Optimizer):
    """Stochastic gradient descent, optionally with momentum or Nesterov momentum.

    With gradient ``g``, learning rate ``r`` and momentum ``m``::

        plain       theta <- theta - r g
        momentum    v <- m v - r g        theta <- theta + v
        Nesterov    v <- m v - r g        theta <- theta + m v - r g

    Parameters
    ----------
    momentum : float in [0, 1), default=0.0
        Share of the last step that is added to the next one.
    nesterov : bool, default=False
        Whether to use Nesterov momentum.

    Attributes
    ----------
    velocity_ : ndarray of shape (n_parameters,)
        The ``v`` above, from the first step with momentum on.

    References
    ----------
    .. [1] I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization
       and momentum in deep learning", ICML 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.optimizers import SGD
    >>> theta = np.array([1.0, -2.0])
    >>> def add_gradient(into, *, scale, keep):  # of (theta**2).sum() / 2
    ...     into[:] = keep * into + scale * theta
    >>> optimizer = SGD(momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.step(theta, add_gradient, learning_rate=0.1)
    >>> theta
    array([ 0.76, -1.52])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "momentum": [RealInterval(Real, 0, 1, closed="left")],
        "nesterov": ["boolean"],
    }

    velocity_: Array

    def __init__(self, momentum: float = 0.0, nesterov: bool = False) -> None:
        self.momentum = momentum
        self.nesterov = nesterov

    def default_learning_rate(
        self, inputs_per_row: float, hidden_size: int, *, decays: bool
    ) -> float:
        """Return the learning rate for standardised inputs.

        It is ``0.2 * (1 - momentum)``, because momentum makes steps longer by a factor of
        ``1 / (1 - momentum)`` on average.
        """
        return 0.2 * (1 - self.momentum)

    def _peak_vectors(self, n_epochs: int) -> int:
        if not self.momentum:  # theta, to which the gradient is added directly
            return 1
        return 4 if self.nesterov else 3

    def step(self, theta: Array, add_gradient: AddGradient, learning_rate: float) -> None:
        momentum = float(self.momentum)
        if momentum == 0:
            add_gradient(theta, scale=-learning_rate, keep=1)
            return
        if not hasattr(self, "velocity_"):
            self.velocity_ = np.zeros_like(theta)
        if not self.nesterov:
            add_gradient(self.velocity_, scale=-learning_rate, keep=momentum)
            self._bound_to(bind_add_scaled, theta, self.velocity_)(1.0, 1.0)
            return
        downhill, blocks = self._bound_to(_bind_nesterov_blocks, theta, self.velocity_)
        add_gradient(downhill, scale=-learning_rate, keep=0)
        for add_step_to_v, add_step_to_x, add_v_to_x in blocks:
            add_step_to_v(1.0, momentum)
            add_step_to_x(1.0, 1.0)
            add_v_to_x(momentum, 1.0)


def _bind_nesterov_blocks(
    theta: Array, velocity: Array
) -> tuple[Array, list[tuple[AddInPlace, ...]]]:
    """Return an array for ``-r g``, and for each block the three updates of a Nesterov step."""
    downhill = np.empty_like(theta)
    return downhill, [
        (bind_add_scaled(v, step), bind_add_scaled(x, step), bind_add_scaled(x, v))
        for x, step, v in in_blocks(theta, downhill, velocity)
    ]
