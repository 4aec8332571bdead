"""The honest, slow definition of a gradient, to hold the fast one against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from sk_twolayer._typing import Array

__all__ = ["check_gradients", "numerical_gradient"]


def numerical_gradient(f: Callable[[Array], float], x: Array, *, step: float = 1e-5) -> Array:
    """Return the gradient of a function by central differences, one element at a time.

    ``(f(x + h e_i) - f(x - h e_i)) / 2h`` is off by about ``h**2`` times the third derivative,
    plus the rounding of `f` divided by ``h``.

    Parameters
    ----------
    f : callable
        Function of an array that returns a number. It is called with `x` itself, so it may
        also look at a larger structure of which `x` is a part.
    x : ndarray, float64
        Where to take the gradient; changed while `f` is called, then restored bit for bit.
    step : float, default=1e-5
        The ``h`` above.

    Returns
    -------
    ndarray in the shape of `x`
        The gradient.

    Raises
    ------
    ValueError
        If `x` is not float64: in a smaller type the differences drown in rounding, and in
        integers the step is lost altogether.

    References
    ----------
    .. [1] C. Bishop, "Pattern Recognition and Machine Learning", 2006, section 5.3.3.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.gradient_check import numerical_gradient
    >>> numerical_gradient(lambda x: (x**2).sum(), np.array([3.0, 4.0])).round(6)
    array([6., 8.])
    """
    if x.dtype != np.float64:
        raise ValueError(f"a numerical gradient needs float64, but x is {x.dtype}")
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        middle = x[i].copy()
        try:
            x[i] = middle + step
            above = f(x)
            x[i] = middle - step
            below = f(x)
        finally:
            x[i] = middle
        gradient[i] = (above - below) / (2 * step)
    return gradient


class _Net(Protocol):
    """What has both gradients of its loss, by parameter name."""

    def gradient(self, x: Any, t: Any) -> dict[str, Array]: ...

    def numerical_gradient(self, x: Any, t: Any) -> dict[str, Array]: ...


def check_gradients(net: _Net, x: Any, t: Any) -> dict[str, float]:
    """Hold backpropagation against the central difference, for every parameter of a net.

    Parameters
    ----------
    net : TwoLayerNet
        The net, in float64. Any object with ``gradient(x, t)`` and
        ``numerical_gradient(x, t)`` will do.
    x : ndarray of shape (batch, inputs)
        A few rows of input.
    t : array-like
        Their targets.

    Returns
    -------
    dict of str to float
        The largest absolute difference for each parameter: below 1e-7 where
        backpropagation is right, except at the kink of a relu.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer import TwoLayerNet
    >>> from sk_twolayer.gradient_check import check_gradients
    >>> net = TwoLayerNet(4, 5, 3, weight_init_std=1.0, activation="tanh", random_state=0)
    >>> x = np.random.RandomState(0).standard_normal((6, 4))
    >>> differences = check_gradients(net, x, np.array([0, 1, 2, 0, 1, 2]))
    >>> sorted(differences)
    ['W1', 'W2', 'b1', 'b2']
    >>> max(differences.values()) < 1e-7
    True
    """
    backpropagated, numerical = net.gradient(x, t), net.numerical_gradient(x, t)
    return {name: float(np.abs(backpropagated[name] - numerical[name]).max()) for name in numerical}
