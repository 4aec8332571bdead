"""Layers as students write them: with `forward` and `backward`, and nothing else."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from sk_twolayer.layers import Layer, Relu


class MyRelu:
    """As in the book: keeps a mask, writes into `dout` and returns it."""

    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        return dout


class MySigmoid:
    """Keeps its output, and returns the array that it keeps."""

    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out) * self.out


class MySoftplus:
    """Keeps its input, by reference."""

    def forward(self, x):
        self.x = x
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    def backward(self, dout):
        return dout / (1 + np.exp(-self.x))


class MyIdentity:
    """Returns its argument itself."""

    def forward(self, x):
        return x

    def backward(self, dout):
        return dout


class InPlaceRelu:
    """Writes into its input."""

    def forward(self, x):
        self.positive = x > 0
        x *= self.positive
        return x

    def backward(self, dout):
        dout *= self.positive
        return dout


class MyLayer(Layer):
    """Derives from the base class of the package, and returns lists."""

    def forward(self, x):
        self.x = np.asarray(x)
        return np.tanh(self.x).tolist()

    def backward(self, dout):
        return (dout * np.float64(1) * (1 - np.tanh(self.x) ** 2)).tolist()


class OwnFormula(Relu):
    """Overrides the formula of a layer that is bound by itself."""

    def forward(self, x, out=None):
        self.x = x
        return np.where(x > 0, x, 0.5 * x)

    def backward(self, dout, out=None):
        return np.where(self.x > 0, dout, 0.5 * dout)


class MyLeakyRelu(BaseEstimator):
    """Has a parameter, after scikit-learn's convention."""

    def __init__(self, slope=0.1):
        self.slope = slope

    def forward(self, x):
        self.slopes = np.where(x > 0, 1, self.slope)
        return x * self.slopes

    def backward(self, dout):
        return dout * self.slopes


STUDENTS = [
    MyRelu,
    MySigmoid,
    MySoftplus,
    MyIdentity,
    InPlaceRelu,
    MyLayer,
    OwnFormula,
    MyLeakyRelu,
]
