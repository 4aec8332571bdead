"""Floor 1: optimizers: they see one vector and one action, no layer and no data.

The action is ``add_gradient(into, *, scale, keep)``: ``into <- keep*into + scale*gradient``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import Interval

from sk_twolayer._linalg import add_scaled
from sk_twolayer._typing import Array

__all__ = ["SGD", "SOLVERS", "Adam", "Optimizer", "make_optimizer"]


class Optimizer(BaseEstimator, ABC):
    """Base of the optimizers: hyperparameters in ``__init__``, state in attributes.

    An optimizer is a scikit-learn estimator as far as parameters go: it can be cloned, and a
    grid search reaches its parameters as ``solver__momentum``. The classifier trains with a
    clone, so the object it was given never changes. An optimizer remembers its last steps: by
    hand, take a new one for each net.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    @property
    @abstractmethod
    def auto_learning_rate(self) -> float:
        """The learning rate that suits inputs of unit scale: float."""

    def resolve_learning_rate(self, learning_rate: float | str) -> float:
        """Return the learning rate to use.

        Parameters
        ----------
        learning_rate : float or "auto"
            What was asked for.

        Returns
        -------
        float
            The same, or `auto_learning_rate`.
        """
        # A NumPy scalar would turn float32 arithmetic into float64, here as below.
        return float(self.auto_learning_rate if learning_rate == "auto" else learning_rate)

    @abstractmethod
    def step(self, theta: Array, add_gradient: Callable[..., None], learning_rate: float) -> None:
        """Take one step downhill, in place.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            All parameters; changed in place.
        add_gradient : callable
            ``add_gradient(into, *, scale, keep)`` sets ``into <- keep*into + scale*gradient``
            for an array like `theta`, or for `theta` itself.
        learning_rate : float
            Length of the step.
        """


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked for.

    With gradient ``g``, learning rate ``r`` and momentum ``m``::

        plain       theta <- theta - r g
        momentum    v <- m v - r g        theta <- theta + v
        Nesterov    v <- m v - r g        theta <- theta + m v - r g

    Parameters
    ----------
    momentum : float in [0, 1), default=0.0
        How much of the last step is taken again.
    nesterov : bool, default=False
        Whether the gradient is the one that momentum is about to run into.

    Attributes
    ----------
    velocity_ : ndarray of shape (n_parameters,)
        The ``v`` above, there once a step with momentum was taken.

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
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "nesterov": ["boolean"],
    }

    velocity_: Array

    def __init__(self, momentum: float = 0.0, nesterov: bool = False) -> None:
        self.momentum = momentum
        self.nesterov = nesterov

    @property
    def auto_learning_rate(self) -> float:
        """The learning rate that suits inputs of unit scale: float.

        Momentum lengthens the average step by ``1 / (1 - momentum)``, which is taken back.
        """
        return 0.1 * (1 - self.momentum)

    def step(self, theta: Array, add_gradient: Callable[..., None], learning_rate: float) -> None:  # noqa: D102
        momentum = float(self.momentum)
        if momentum == 0:
            add_gradient(theta, scale=-learning_rate, keep=1)
            return
        if not hasattr(self, "velocity_"):
            self.velocity_ = np.zeros_like(theta)
        if not self.nesterov:
            add_gradient(self.velocity_, scale=-learning_rate, keep=momentum)
            theta += self.velocity_
            return
        downhill = np.empty_like(theta)
        add_gradient(downhill, scale=-learning_rate, keep=0)
        add_scaled(self.velocity_, downhill, keep=momentum)
        theta += downhill
        add_scaled(theta, self.velocity_, scale=momentum)


class Adam(Optimizer):
    """Gradient descent with a step of its own size for each parameter.

    With gradient ``g``, learning rate ``r``, and ``k`` the number of the step::

        m <- beta_1 m + (1 - beta_1) g
        v <- beta_2 v + (1 - beta_2) g**2
        theta <- theta - r sqrt(1 - beta_2**k) / (1 - beta_1**k) m / (sqrt(v) + epsilon)

    Parameters
    ----------
    beta_1 : float in [0, 1), default=0.9
        How slowly the running mean of gradients forgets.
    beta_2 : float in [0, 1), default=0.999
        How slowly the running mean of squared gradients forgets.
    epsilon : float, default=1e-8
        Keeps the step finite where gradients vanish.

    Attributes
    ----------
    mean_, square_ : ndarray of shape (n_parameters,)
        The ``m`` and ``v`` above, there once a step was taken.
    n_steps_ : int
        The ``k`` above.

    References
    ----------
    .. [1] D. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, end of
       section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.optimizers import Adam
    >>> theta = np.array([1.0, -200.0])
    >>> def add_gradient(into, *, scale, keep):  # of (theta**2).sum() / 2
    ...     into[:] = scale * theta
    >>> Adam().step(theta, add_gradient, learning_rate=0.1)
    >>> theta.round(6)
    array([   0.9, -199.9])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
    }

    mean_: Array
    square_: Array
    n_steps_: int

    def __init__(self, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    @property
    def auto_learning_rate(self) -> float:
        """The learning rate that suits inputs of unit scale: float."""
        return 0.001

    def step(self, theta: Array, add_gradient: Callable[..., None], learning_rate: float) -> None:  # noqa: D102
        if not hasattr(self, "n_steps_"):
            self.mean_, self.square_ = np.zeros_like(theta), np.zeros_like(theta)
            self.n_steps_ = 0
        self.n_steps_ += 1
        beta_1, beta_2, epsilon = float(self.beta_1), float(self.beta_2), float(self.epsilon)
        work = np.empty_like(theta)
        add_gradient(work, scale=1, keep=0)
        add_scaled(self.mean_, work, scale=1 - beta_1, keep=beta_1)
        np.multiply(work, work, out=work)
        add_scaled(self.square_, work, scale=1 - beta_2, keep=beta_2)
        np.sqrt(self.square_, out=work)
        work += epsilon
        np.divide(self.mean_, work, out=work)
        # both means start at 0, and are too small at first
        correction = math.sqrt(1 - beta_2**self.n_steps_) / (1 - beta_1**self.n_steps_)
        add_scaled(theta, work, scale=-learning_rate * correction)


SOLVERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam}


def make_optimizer(solver: str | Optimizer) -> Optimizer:
    """Return an optimizer that has taken no step yet, and is the caller's to change.

    Parameters
    ----------
    solver : {"sgd", "adam"} or Optimizer
        A name for the defaults, or an optimizer to take the parameters from.

    Returns
    -------
    Optimizer
        A new one.

    Raises
    ------
    ValueError
        If there is no such name, or a parameter of the optimizer is out of its range.

    Examples
    --------
    >>> from sk_twolayer.optimizers import SGD, make_optimizer
    >>> make_optimizer("sgd"), make_optimizer(SGD(momentum=0.5))
    (SGD(), SGD(momentum=0.5))
    """
    if isinstance(solver, str) and solver not in SOLVERS:
        raise ValueError(f"solver must be one of {sorted(SOLVERS)} or an Optimizer, got {solver!r}")
    optimizer: Optimizer = SOLVERS[solver]() if isinstance(solver, str) else clone(solver)
    optimizer._validate_params()
    return optimizer
