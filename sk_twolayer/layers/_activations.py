"""Activations without parameters: relu, sigmoid, tanh and the identity."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.special import expit

from sk_twolayer._typing import Array, Operation
from sk_twolayer.layers._base import AddNode, ElementwiseLayer

MAX_ZEROS = 2**16  # elements, which fit the cache


class Relu(ElementwiseLayer):
    """Rectified linear unit: ``y = max(x, 0)``.

    Backward: ``dx = dout * (y > 0)``. Since the output is positive exactly where the input is, only
    the output is kept. A nan stays nan.

    References
    ----------
    .. [1] X. Glorot, A. Bordes, Y. Bengio, "Deep Sparse Rectifier Neural Networks",
       AISTATS 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import Relu
    >>> layer = Relu()
    >>> layer.forward(np.array([[1.0, -0.5], [-2.0, 3.0]]))
    array([[1., 0.],
           [0., 3.]])
    >>> layer.backward(np.array([[10.0, 10.0], [10.0, 10.0]]))
    array([[10.,  0.],
           [ 0., 10.]])
    """

    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        self.y = out
        return [partial(np.maximum, x, zeros_to_compare(x), out=out)]

    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        is_positive = np.empty_like(self.y, bool)
        return [
            partial(np.greater, self.y, number_like(0, self.y), is_positive),
            partial(np.multiply, dout, is_positive, out),
        ]

    def onnx_nodes(self, add: AddNode, x: str) -> str:
        return add("Relu", x)


class Sigmoid(ElementwiseLayer):
    """Logistic sigmoid: ``y = 1 / (1 + exp(-x))``, between 0 and 1.

    Backward, from the output alone: ``dx = dout * y * (1 - y)``. Both are finite for every finite
    input.

    References
    ----------
    .. [1] D. Rumelhart, G. Hinton, R. Williams, "Learning representations by
       back-propagating errors", Nature 323, 1986.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import Sigmoid
    >>> layer = Sigmoid()
    >>> layer.forward(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    >>> layer.backward(np.array([1.0, 1.0, 1.0]))
    array([0.  , 0.25, 0.  ])
    """

    keeps_integers = False

    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        self.y = out
        return [partial(expit, x, out)]

    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        slope = np.empty_like(self.y)
        return [
            partial(np.subtract, number_like(1, slope), self.y, slope),
            partial(np.multiply, slope, self.y, slope),
            partial(np.multiply, dout, slope, out),
        ]

    def onnx_nodes(self, add: AddNode, x: str) -> str:
        return add("Sigmoid", x)


class Tanh(ElementwiseLayer):
    """Hyperbolic tangent: ``y = tanh(x)``, between -1 and 1.

    Backward, from the output alone: ``dx = dout * (1 - y**2)``.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, G. Orr, K.-R. Mueller, "Efficient BackProp", 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import Tanh
    >>> layer = Tanh()
    >>> layer.forward(np.array([0.0, 1000.0]))
    array([0., 1.])
    >>> layer.backward(np.array([1.0, 1.0]))
    array([1., 0.])
    """

    keeps_integers = False

    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        self.y = out
        return [partial(np.tanh, x, out)]

    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        slope = np.empty_like(self.y)
        return [
            partial(np.multiply, self.y, self.y, slope),
            partial(np.subtract, number_like(1, slope), slope, slope),
            partial(np.multiply, dout, slope, out),
        ]

    def onnx_nodes(self, add: AddNode, x: str) -> str:
        return add("Tanh", x)


class Identity(ElementwiseLayer):
    """The identity, ``y = x``: a network with this activation is a linear model.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import Identity
    >>> layer = Identity()
    >>> layer.forward(np.array([-1.0, 2.0]))
    array([-1.,  2.])
    >>> layer.backward(np.array([3.0, 4.0]))
    array([3., 4.])
    """

    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        self.y = out
        return copy_to(x, out)

    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        return copy_to(dout, out)

    def onnx_nodes(self, add: AddNode, x: str) -> str:
        return add("Identity", x)


def copy_to(x: Array, out: Array) -> list[Operation]:
    """Bind copying `x` to `out`; if they are the same array, there is no operation."""
    return [] if out is x else [partial(np.copyto, out, x)]


def number_like(value: float, x: Array) -> Array:
    """Return a number as an array of shape (), because a ufunc would convert it in each call."""
    return np.array(value, x.dtype)


def zeros_to_compare(x: Array) -> Array:
    """Return zeros for `np.maximum` and `np.minimum` of an array and 0.

    These two functions use SIMD instructions only if both operands are contiguous: with an array of
    zeros they take a fifth of the time that they take with a number. For a large `x` the zeros are
    one row, which is broadcast: that takes 40 % of the time, and no memory.

    Parameters
    ----------
    x : ndarray
        The array that is compared.

    Returns
    -------
    ndarray
        Zeros of the shape of `x`, or of its last axis if `x` has more than `MAX_ZEROS` elements.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers._activations import zeros_to_compare
    >>> zeros_to_compare(np.ones((2, 3))).shape, zeros_to_compare(np.ones((1000, 300))).shape
    ((2, 3), (300,))
    """
    return np.zeros_like(x) if x.size <= MAX_ZEROS else np.zeros(x.shape[-1], x.dtype)
