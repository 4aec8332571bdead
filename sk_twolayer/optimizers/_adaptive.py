"""Gradient descent with an adaptive step size for each parameter."""

from __future__ import annotations

import math
from functools import cache
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from sk_twolayer._numerics.gemm import bind_add_scaled
from sk_twolayer._sklearn_compat import RealInterval
from sk_twolayer._typing import AddGradient, Array
from sk_twolayer.optimizers._base import Optimizer, _block_like, in_blocks

MAX_LEARNING_RATE = 0.05  # if it is "auto"
MIN_FACTOR = 2.0**-6  # if a or b of Adam is smaller, the means are multiplied by them


class AdaGrad(Optimizer):
    """Gradient descent with steps divided by the root of the sum of past squared gradients.

    With gradient ``g`` and learning rate ``r``::

        v <- v + g**2
        theta <- theta - r g / (sqrt(v) + epsilon)

    Parameters
    ----------
    epsilon : float, default=1e-10
        Small number that keeps the step finite if gradients are 0. Below the root of the smallest
        normal number of the dtype, which is 1.1e-19 in float32, that root is used instead.

    Attributes
    ----------
    square_ : ndarray of shape (n_parameters,)
        The ``v`` above, from the first step on.

    References
    ----------
    .. [1] J. Duchi, E. Hazan, Y. Singer, "Adaptive Subgradient Methods for Online Learning and
       Stochastic Optimization", JMLR 12, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.optimizers import AdaGrad
    >>> theta, optimizer = np.array([1.0, -200.0]), AdaGrad()
    >>> def add_gradient(into, *, scale, keep):  # of (theta**2).sum() / 2
    ...     into[:] = scale * theta
    >>> optimizer.step(theta, add_gradient, learning_rate=0.1)
    >>> theta
    array([   0.9, -199.9])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "epsilon": [RealInterval(Real, 0, None, closed="neither")],
    }

    square_: Array

    def __init__(self, epsilon: float = 1e-10) -> None:
        self.epsilon = epsilon

    def default_learning_rate(
        self, inputs_per_row: float, hidden_size: int, *, decays: bool
    ) -> float:
        """Return the learning rate for standardised inputs."""
        return 2.5 * _unit_rate(inputs_per_row, hidden_size)

    def step(self, theta: Array, add_gradient: AddGradient, learning_rate: float) -> None:
        if not hasattr(self, "square_"):
            self.square_ = np.zeros_like(theta)
        gradient, epsilon, blocks = self._bound_to(_bind_blocks, theta, self.square_)
        epsilon.fill(_epsilon(self.epsilon, theta))
        add_gradient(gradient, scale=1, keep=0)
        for g, v, step, add_step_to_v, add_step_to_x in blocks:
            np.square(g, step)
            add_step_to_v(1.0, 1.0)
            _divide_by_root(g, v, epsilon, step)
            add_step_to_x(-learning_rate, 1.0)


class RMSProp(Optimizer):
    """Gradient descent with gradients divided by their running root mean square.

    With gradient ``g`` and learning rate ``r``::

        v <- decay v + (1 - decay) g**2
        theta <- theta - r g / (sqrt(v) + epsilon)

    Parameters
    ----------
    decay : float in [0, 1), default=0.9
        Decay rate of the running mean of squared gradients.
    epsilon : float, default=1e-8
        Small number that keeps the step finite if gradients are 0. Below the root of the smallest
        normal number of the dtype, which is 1.1e-19 in float32, that root is used instead.

    Attributes
    ----------
    square_ : ndarray of shape (n_parameters,)
        The ``v`` above, from the first step on.

    References
    ----------
    .. [1] T. Tieleman, G. Hinton, "Lecture 6.5: rmsprop", Coursera, Neural Networks for Machine
       Learning, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.optimizers import RMSProp
    >>> theta, optimizer = np.array([1.0, -200.0]), RMSProp(decay=0.75)
    >>> def add_gradient(into, *, scale, keep):  # of (theta**2).sum() / 2
    ...     into[:] = scale * theta
    >>> optimizer.step(theta, add_gradient, learning_rate=0.1)
    >>> theta.round(6)
    array([   0.8, -199.8])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "decay": [RealInterval(Real, 0, 1, closed="left")],
        "epsilon": [RealInterval(Real, 0, None, closed="neither")],
    }

    square_: Array

    def __init__(self, decay: float = 0.9, epsilon: float = 1e-8) -> None:
        self.decay = decay
        self.epsilon = epsilon

    def default_learning_rate(
        self, inputs_per_row: float, hidden_size: int, *, decays: bool
    ) -> float:
        """Return the learning rate for standardised inputs."""
        return min(0.5 * _unit_rate(inputs_per_row, hidden_size), MAX_LEARNING_RATE)

    def step(self, theta: Array, add_gradient: AddGradient, learning_rate: float) -> None:
        if not hasattr(self, "square_"):
            self.square_ = np.zeros_like(theta)
        decay = float(self.decay)
        gradient, epsilon, blocks = self._bound_to(_bind_blocks, theta, self.square_)
        epsilon.fill(_epsilon(self.epsilon, theta))
        add_gradient(gradient, scale=1, keep=0)
        for g, v, step, add_step_to_v, add_step_to_x in blocks:
            np.square(g, step)
            add_step_to_v(1 - decay, decay)
            _divide_by_root(g, v, epsilon, step)
            add_step_to_x(-learning_rate, 1.0)


class Adam(Optimizer):
    """Adam: gradient descent with running means of gradients and of squared gradients.

    With gradient ``g``, learning rate ``r``, and the number ``k`` of the step::

        m <- beta_1 m + (1 - beta_1) g
        v <- beta_2 v + (1 - beta_2) g**2
        theta <- theta - r sqrt(1 - beta_2**k) / (1 - beta_1**k) m / (sqrt(v) + epsilon)

    Parameters
    ----------
    beta_1 : float in [0, 1), default=0.9
        Decay rate of the running mean of gradients.
    beta_2 : float in [0, 1), default=0.999
        Decay rate of the running mean of squared gradients.
    epsilon : float, default=1e-8
        Small number that keeps the step finite if gradients are 0. Below the root of the smallest
        normal number of the dtype, which is 1.1e-19 in float32, that root is used instead.

    Attributes
    ----------
    mean_, square_ : ndarray of shape (n_parameters,)
        The ``m`` and ``v`` above, from the first step on.
    n_steps_ : int
        The ``k`` above: the number of steps taken.

    Notes
    -----
    Multiplying two long arrays by beta_1 and beta_2 in each step takes time. Therefore the means
    are stored as ``m = a M`` and ``v = b V``, and a step multiplies the numbers a and b instead.
    With ``s = sqrt(b)``, the formulas above become::

        a <- beta_1 a          M <- M + (1 - beta_1) / a g
        b <- beta_2 b          V <- V + (1 - beta_2) / b g**2
        theta <- theta - r sqrt(1 - beta_2**k) / (1 - beta_1**k) a/s M / (sqrt(V) + epsilon/s)

    M and V are multiplied by a and b, and a and b are set to 1, in three cases: if a or b has
    become small, at the end of each epoch, and if `mean_` or `square_` is read or saved.

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
        "beta_1": [RealInterval(Real, 0, 1, closed="left")],
        "beta_2": [RealInterval(Real, 0, 1, closed="left")],
        "epsilon": [RealInterval(Real, 0, None, closed="neither")],
    }

    n_steps_: int
    _M: Array
    _V: Array
    _a: float
    _b: float

    def __init__(self, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def default_learning_rate(
        self, inputs_per_row: float, hidden_size: int, *, decays: bool
    ) -> float:
        """Return the learning rate for standardised inputs."""
        rate = min(_unit_rate(inputs_per_row, hidden_size), MAX_LEARNING_RATE)
        return rate if decays else rate / 4

    def step(self, theta: Array, add_gradient: AddGradient, learning_rate: float) -> None:
        self._step(theta, add_gradient, learning_rate)

    def _step(
        self, theta: Array, add_gradient: AddGradient, learning_rate: float, keep: float = 1.0
    ) -> None:
        """Take a step from ``keep * theta``, with the gradient at `theta`; `keep` is for AdamW."""
        if not hasattr(self, "n_steps_"):
            self.mean_, self.square_ = np.zeros_like(theta), np.zeros_like(theta)
            self.n_steps_ = 0
        self.n_steps_ += 1
        beta_1, beta_2 = float(self.beta_1), float(self.beta_2)
        self._a *= beta_1
        self._b *= beta_2
        if min(self._a, self._b) < MIN_FACTOR:
            self._multiply_means()
        a, b, s = self._a, self._b, math.sqrt(self._b)
        # both means start at 0, so they are too small in the first steps
        correction = math.sqrt(1 - beta_2**self.n_steps_) / (1 - beta_1**self.n_steps_)
        gradient, epsilon, blocks = self._bound_to(_bind_adam_blocks, theta, self._M, self._V)
        epsilon.fill(_epsilon(self.epsilon, theta) / s)
        add_gradient(gradient, scale=1, keep=0)
        for g, M, V, add_g_to_M, add_g_to_V, add_g_to_x in blocks:
            add_g_to_M((1 - beta_1) / a, 1.0)
            np.square(g, g)
            add_g_to_V((1 - beta_2) / b, 1.0)
            _divide_by_root(M, V, epsilon, g)
            add_g_to_x(-learning_rate * correction * a / s, keep)

    @property
    def mean_(self) -> Array:
        """Running mean of gradients.

        Returns
        -------
        ndarray of shape (n_parameters,)
            The ``m`` of the formula.
        """
        self._check_started("mean_")
        self._multiply_means()
        return self._M

    @mean_.setter
    def mean_(self, mean: Array) -> None:  # numpydoc ignore=GL08
        self._M, self._a = mean, 1.0

    @property
    def square_(self) -> Array:
        """Running mean of squared gradients.

        Returns
        -------
        ndarray of shape (n_parameters,)
            The ``v`` of the formula.
        """
        self._check_started("square_")
        self._multiply_means()
        return self._V

    @square_.setter
    def square_(self, square: Array) -> None:  # numpydoc ignore=GL08
        self._V, self._b = square, 1.0

    def _check_started(self, attribute: str) -> None:
        """Raise an error that names the attribute if the optimizer has no state yet."""
        if not (hasattr(self, "_M") and hasattr(self, "_V")):
            raise AttributeError(
                f"this {type(self).__name__} has no {attribute!r} yet: it has no state before its "
                "first step"
            )

    def _multiply_means(self) -> None:
        """Make ``m = M`` and ``v = V``."""
        for mean, factor in ((self._M, self._a), (self._V, self._b)):
            if factor != 1:
                np.multiply(mean, factor, mean)
        self._a = self._b = 1.0

    def _peak_vectors(self, n_epochs: int) -> int:
        return 5  # with two arrays of state

    def flush_denormals(self) -> None:  # numpydoc ignore=GL08
        if hasattr(self, "_M"):
            self._multiply_means()
        super().flush_denormals()

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        if "_M" not in state:
            return state
        state = {name: state[name] for name in state if name not in {"_M", "_V", "_a", "_b"}}
        return {**state, "mean_": self.mean_, "square_": self.square_}


class AdamW(Adam):
    """Adam with decoupled weight decay: each step also shrinks all parameters.

    With the step ``s`` of `Adam`, and learning rate ``r``::

        theta <- (1 - r weight_decay) theta + s

    Unlike the gradient of a penalty, the decay does not enter the running means, and it also
    shrinks the biases. The parameter `alpha` of the classifier, which is "auto" by default, adds a
    penalty: set ``alpha=0`` to use the decay alone.

    Parameters
    ----------
    beta_1, beta_2, epsilon : float
        As in `Adam`.
    weight_decay : float >= 0, default=0.01
        Strength of the weight decay.

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.optimizers import AdamW
    >>> theta = np.array([1.0, -200.0])
    >>> def add_gradient(into, *, scale, keep):  # of (theta**2).sum() / 2
    ...     into[:] = scale * theta
    >>> AdamW(weight_decay=0.5).step(theta, add_gradient, learning_rate=0.1)
    >>> theta.round(6)
    array([   0.85, -189.9 ])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Adam._parameter_constraints,
        "weight_decay": [RealInterval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(beta_1, beta_2, epsilon)
        self.weight_decay = weight_decay

    def step(self, theta: Array, add_gradient: AddGradient, learning_rate: float) -> None:
        self._step(theta, add_gradient, learning_rate, 1 - learning_rate * float(self.weight_decay))


def _bind_blocks(theta: Array, square: Array) -> tuple[Array, Array, list[tuple[Any, ...]]]:
    """Return arrays for the gradient and epsilon, and the arrays and updates of each block.

    For each block these are the gradient, `square`, an array for the step that all blocks share,
    and the functions that add this array to `square` and to `theta`.
    """
    gradient, shared = np.empty_like(theta), _block_like(theta)
    blocks: list[tuple[Any, ...]] = []
    for x, g, v in in_blocks(theta, gradient, square):
        step = shared[: len(x)]
        blocks.append((g, v, step, bind_add_scaled(v, step), bind_add_scaled(x, step)))
    return gradient, np.empty((), theta.dtype), blocks


def _bind_adam_blocks(
    theta: Array, mean: Array, square: Array
) -> tuple[Array, Array, list[tuple[Any, ...]]]:
    """Return arrays for the gradient and epsilon, and the arrays and updates of each block.

    For each block these are the gradient, both means, and the functions that add the array of the
    gradient to `mean`, to `square` and to `theta`.
    """
    gradient = np.empty_like(theta)
    blocks: list[tuple[Any, ...]] = []
    for x, g, m, v in in_blocks(theta, gradient, mean, square):
        blocks.append((g, m, v, *(bind_add_scaled(into, g) for into in (m, v, x))))
    return gradient, np.empty((), theta.dtype), blocks


def _epsilon(epsilon: float, theta: Array) -> float:
    """Return `epsilon`, or the root of the smallest normal number of the dtype if that is larger.

    The square of a gradient below this root may be rounded to 0, and so may a smaller `epsilon`.
    Then ``g / (sqrt(v) + epsilon)`` would be infinite, very large, or ``0 / 0``.
    """
    return max(float(epsilon), _root_of_tiny(theta.dtype))


@cache  # because each step asks for it
def _root_of_tiny(dtype: np.dtype[Any]) -> float:
    """Return the root of the smallest normal number of a dtype."""
    return math.sqrt(np.finfo(dtype).tiny)


def _divide_by_root(x: Array, square: Array, epsilon: Array, out: Array) -> None:
    """Compute ``x / (sqrt(square) + epsilon)``.

    `epsilon` is an array of shape () and of the same dtype, because NumPy takes half as long to add
    it as to add a Python float.
    """
    np.sqrt(square, out)
    np.add(out, epsilon, out)
    np.divide(x, out, out)


def _unit_rate(inputs_per_row: float, hidden_size: int) -> float:
    """Return ``1 / sqrt(max(k, 16) * h)`` for k inputs per row and h hidden units.

    An adaptive step changes each parameter by about the learning rate, whatever the size of the
    gradient. So the more weights a score depends on, the more a step changes it.
    """
    return float(1 / math.sqrt(max(inputs_per_row, 16.0) * hidden_size))
