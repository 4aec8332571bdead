"""Activations similar to relu: nearly linear for large x, and nearly flat for very negative x."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from scipy.special import expit, ndtr

from sk_twolayer._typing import Array, Operation
from sk_twolayer.layers._activations import number_like, zeros_to_compare
from sk_twolayer.layers._base import AddNode, ElementwiseLayer


class LeakyRelu(ElementwiseLayer):
    """Leaky rectified linear unit: ``y = max(x, slope * x)``.

    Backward: ``dx = dout`` if the output is positive, else ``dx = dout * slope``.

    Parameters
    ----------
    slope : float in [0, 1], default=0.01
        Slope for negative x.

    References
    ----------
    .. [1] A. Maas, A. Hannun, A. Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic
       Models", ICML 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import LeakyRelu
    >>> layer = LeakyRelu(slope=0.1)
    >>> layer.forward(np.array([-2.0, 3.0]))
    array([-0.2,  3. ])
    >>> layer.backward(np.array([1.0, 1.0]))
    array([0.1, 1. ])
    """

    keeps_integers = False

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope

    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        if not 0 <= self.slope <= 1:
            raise ValueError(f"slope of LeakyRelu must be in [0, 1], got {self.slope!r}")
        self.y = out
        scaled = np.empty_like(out)
        return [
            partial(np.multiply, x, number_like(self.slope, out), scaled),
            partial(np.maximum, x, scaled, out=out),
        ]

    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        slopes, is_positive = np.empty_like(self.y), np.empty_like(self.y, bool)
        return [
            partial(np.greater, self.y, number_like(0, self.y), is_positive),
            partial(np.copyto, slopes, number_like(self.slope, slopes)),
            partial(np.copyto, slopes, number_like(1, slopes), where=is_positive),
            partial(np.multiply, dout, slopes, out),
        ]

    def onnx_nodes(self, add: AddNode, x: str) -> str:
        return add("Max", x, add("Mul", x, self.slope))


class Elu(ElementwiseLayer):
    """Exponential linear unit: ``y = x`` for positive x, else ``y = alpha * (exp(x) - 1)``.

    Backward, from the output alone: ``dx = dout`` if y is positive, else
    ``dx = dout * (y + alpha)``.

    Parameters
    ----------
    alpha : float > 0, default=1.0
        The output is ``-alpha`` for very negative x.

    References
    ----------
    .. [1] D.-A. Clevert, T. Unterthiner, S. Hochreiter, "Fast and Accurate Deep Network Learning
       by Exponential Linear Units (ELUs)", ICLR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import Elu
    >>> layer = Elu()
    >>> layer.forward(np.array([-1.0, 0.0, 3.0])).round(4)
    array([-0.6321,  0.    ,  3.    ])
    >>> layer.backward(np.array([1.0, 1.0, 1.0])).round(4)
    array([0.3679, 1.    , 1.    ])
    """

    keeps_integers = False

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        if not 0 < self.alpha < math.inf:
            raise ValueError(f"alpha of Elu must be positive and finite, got {self.alpha!r}")
        self.y = out
        negative, zeros = np.empty_like(out), zeros_to_compare(out)
        return [
            partial(np.minimum, x, zeros, out=negative),
            partial(np.expm1, negative, negative),
            partial(np.multiply, negative, number_like(self.alpha, out), negative),
            partial(np.maximum, x, zeros, out=out),
            partial(np.add, out, negative, out),
        ]

    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        slope, is_positive = np.empty_like(self.y), np.empty_like(self.y, bool)
        return [
            partial(np.greater, self.y, number_like(0, self.y), is_positive),
            partial(np.add, self.y, number_like(self.alpha, slope), slope),
            partial(np.copyto, slope, number_like(1, slope), where=is_positive),
            partial(np.multiply, dout, slope, out),
        ]

    def onnx_nodes(self, add: AddNode, x: str) -> str:
        negative = add("Sub", add("Exp", add("Min", x, 0.0)), 1.0)
        return add("Add", add("Max", x, 0.0), add("Mul", negative, self.alpha))


class Softplus(ElementwiseLayer):
    """Smooth relu: ``y = log(1 + exp(x))``, computed as ``max(x, 0) + log(1 + exp(-abs(x)))``.

    Backward, from the output alone: ``dx = dout * (1 - exp(-y))``. The derivative is the sigmoid.

    References
    ----------
    .. [1] C. Dugas, Y. Bengio, F. Belisle, C. Nadeau, R. Garcia, "Incorporating Second-Order
       Functional Knowledge for Better Option Pricing", NIPS 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import Softplus
    >>> layer = Softplus()
    >>> layer.forward(np.array([-1000.0, 0.0, 10.0])).round(4)
    array([ 0.    ,  0.6931, 10.    ])
    >>> layer.backward(np.array([1.0, 1.0, 1.0])).round(4)
    array([0. , 0.5, 1. ])
    """

    keeps_integers = False

    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        self.y = out
        return bind_softplus(x, out)

    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        minus_slope = np.empty_like(self.y)
        return [
            partial(np.negative, self.y, minus_slope),
            partial(np.expm1, minus_slope, minus_slope),
            partial(np.multiply, dout, minus_slope, out),
            partial(np.negative, out, out),
        ]

    def onnx_nodes(self, add: AddNode, x: str) -> str:
        rest = add("Log", add("Add", add("Exp", add("Neg", add("Abs", x))), 1.0))
        return add("Add", add("Max", x, 0.0), rest)


class Silu(ElementwiseLayer):
    """Sigmoid linear unit, also called swish: ``y = x * s`` with ``s = 1 / (1 + exp(-x))``.

    Backward: ``dx = dout * (s + y * (1 - s))``.

    References
    ----------
    .. [1] S. Elfwing, E. Uchibe, K. Doya, "Sigmoid-Weighted Linear Units for Neural Network
       Function Approximation in Reinforcement Learning", Neural Networks 107, 2018.
    .. [2] P. Ramachandran, B. Zoph, Q. Le, "Searching for Activation Functions",
       arXiv:1710.05941, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import Silu
    >>> layer = Silu()
    >>> layer.forward(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.2689,  0.    ,  0.7311])
    >>> layer.backward(np.array([1.0, 1.0, 1.0])).round(4)
    array([0.0723, 0.5   , 0.9277])
    """

    keeps_integers = False

    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        self.y, self.sigmoid = out, np.empty_like(out)
        return [partial(expit, x, self.sigmoid), partial(np.multiply, x, self.sigmoid, out)]

    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        slope = np.empty_like(self.y)
        return [
            partial(np.subtract, number_like(1, slope), self.sigmoid, slope),
            partial(np.multiply, slope, self.y, slope),
            partial(np.add, slope, self.sigmoid, slope),
            partial(np.multiply, dout, slope, out),
        ]

    def onnx_nodes(self, add: AddNode, x: str) -> str:
        # onnxruntime 1.19 fuses x * Sigmoid(x) to an operator that does not support float64
        return add("Div", x, add("Add", add("Exp", add("Neg", x)), 1.0))


class Gelu(ElementwiseLayer):
    """Gaussian error linear unit: ``y = x * P(x)``, `P` the standard normal distribution function.

    Backward, with the normal density ``p``: ``dx = dout * (P(x) + x * p(x))``. This is the exact
    function, not its approximation by a tanh.

    References
    ----------
    .. [1] D. Hendrycks, K. Gimpel, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import Gelu
    >>> layer = Gelu()
    >>> layer.forward(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    >>> layer.backward(np.array([1.0, 1.0, 1.0])).round(4)
    array([-0.0833,  0.5   ,  1.0833])
    """

    keeps_integers = False

    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        self.x, self.y, self.distribution = np.empty_like(out), out, np.empty_like(out)
        return [
            partial(np.copyto, self.x, x),  # backward needs it, and `out` may be `x`
            partial(ndtr, x, self.distribution),
            partial(np.multiply, x, self.distribution, out),
        ]

    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        slope = np.empty_like(self.y)
        return [
            partial(np.multiply, self.x, self.x, slope),
            partial(np.multiply, slope, number_like(-0.5, slope), slope),
            partial(np.exp, slope, slope),
            partial(np.multiply, slope, number_like(1 / math.sqrt(2 * math.pi), slope), slope),
            partial(np.multiply, slope, self.x, slope),
            partial(np.add, slope, self.distribution, slope),
            partial(np.multiply, dout, slope, out),
        ]

    def onnx_nodes(self, add: AddNode, x: str) -> str:
        erf = add("Erf", add("Mul", x, math.sqrt(0.5)))
        return add("Mul", x, add("Mul", add("Add", erf, 1.0), 0.5))


class Mish(ElementwiseLayer):
    """Smooth activation, similar to silu: ``y = x * u`` with ``u = tanh(log(1 + exp(x)))``.

    Backward, with the sigmoid ``s`` of x: ``dx = dout * (u + x * s * (1 - u**2))``.

    References
    ----------
    .. [1] D. Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", BMVC 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import Mish
    >>> layer = Mish()
    >>> layer.forward(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.3034,  0.    ,  0.8651])
    >>> layer.backward(np.array([1.0, 1.0, 1.0])).round(4)
    array([0.0592, 0.6   , 1.049 ])
    """

    keeps_integers = False

    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        self.x, self.y, self.factor = np.empty_like(out), out, np.empty_like(out)
        return [
            partial(np.copyto, self.x, x),  # backward needs it, and `out` may be `x`
            *bind_softplus(self.x, self.factor),
            partial(np.tanh, self.factor, self.factor),
            partial(np.multiply, self.x, self.factor, out),
        ]

    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        slope, rest = np.empty_like(self.y), np.empty_like(self.y)
        return [
            partial(np.multiply, self.factor, self.factor, rest),
            partial(np.subtract, number_like(1, rest), rest, rest),
            partial(expit, self.x, slope),
            partial(np.multiply, slope, self.x, slope),
            partial(np.multiply, slope, rest, slope),
            partial(np.add, slope, self.factor, slope),
            partial(np.multiply, dout, slope, out),
        ]

    def onnx_nodes(self, add: AddNode, x: str) -> str:
        return add("Mul", x, add("Tanh", Softplus().onnx_nodes(add, x)))


def bind_softplus(x: Array, out: Array) -> list[Operation]:
    """Bind ``max(x, 0) + log(1 + exp(-abs(x)))``, which does not overflow; `out` may be `x`."""
    rest = np.empty_like(out)
    return [
        partial(np.abs, x, rest),
        partial(np.negative, rest, rest),
        partial(np.exp, rest, rest),
        partial(np.log1p, rest, rest),
        partial(np.maximum, x, zeros_to_compare(out), out=out),
        partial(np.add, out, rest, out),
    ]
