"""The layers that work element by element: what makes a net more than one matrix."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from sk_twolayer._layer import Layer
from sk_twolayer._typing import Array


class Relu(Layer):
    """Pass what is positive, stop the rest: ``y = max(x, 0)``.

    Backward lets `dout` through just where the input was positive. Its own output shows
    where that was, so nothing else is kept. A nan stays nan.

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

    y: Array

    def forward(self, x: Array, out: Array | None = None) -> Array:
        """Return ``max(x, 0)``, element by element.

        Parameters
        ----------
        x : ndarray
            Input of any shape.
        out : ndarray of the same shape, default=None
            Where to put the result; may be `x`.

        Returns
        -------
        ndarray
            The output, in the dtype of `x`.
        """
        self.y = np.maximum(x, 0, out=out)
        return self.y

    def backward(self, dout: Array, out: Array | None = None) -> Array:
        """Return `dout` where the input was positive, else 0: ``dout * (y > 0)``.

        Parameters
        ----------
        dout : ndarray
            Gradient with respect to the output.
        out : ndarray of the same shape, default=None
            Where to put the result; may be `dout`, which is otherwise left alone.

        Returns
        -------
        ndarray
            Gradient with respect to the input.
        """
        return np.multiply(dout, self.y > 0, out=out)


class Sigmoid(Layer):
    """Squash into (0, 1): ``y = 1 / (1 + exp(-x))``.

    Backward needs its own output alone: ``dx = dout * y * (1 - y)``.
    Both are finite for every finite input.

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

    y: Array

    def forward(self, x: Array, out: Array | None = None) -> Array:
        """Return ``1 / (1 + exp(-x))``, element by element.

        Parameters
        ----------
        x : ndarray
            Input of any shape.
        out : ndarray of the same shape, default=None
            Where to put the result; may be `x`.

        Returns
        -------
        ndarray
            The output, in the dtype of `x` where that is float32 or float64.
        """
        self.y = expit(x, out=out)
        return self.y

    def backward(self, dout: Array, out: Array | None = None) -> Array:
        """Return ``dout * y * (1 - y)``.

        Parameters
        ----------
        dout : ndarray
            Gradient with respect to the output.
        out : ndarray of the same shape, default=None
            Where to put the result; may be `dout`, which is otherwise left alone.

        Returns
        -------
        ndarray
            Gradient with respect to the input.
        """
        dx: Array = np.multiply(dout, self.y * (1 - self.y), out=out)
        return dx


class Tanh(Layer):
    """Squash into (-1, 1): ``y = tanh(x)``.

    Backward needs its own output alone: ``dx = dout * (1 - y**2)``.

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

    y: Array

    def forward(self, x: Array, out: Array | None = None) -> Array:
        """Return ``tanh(x)``, element by element.

        Parameters
        ----------
        x : ndarray
            Input of any shape.
        out : ndarray of the same shape, default=None
            Where to put the result; may be `x`.

        Returns
        -------
        ndarray
            The output, in the dtype of `x` where that is float32 or float64.
        """
        self.y = np.tanh(x, out=out)
        return self.y

    def backward(self, dout: Array, out: Array | None = None) -> Array:
        """Return ``dout * (1 - y**2)``.

        Parameters
        ----------
        dout : ndarray
            Gradient with respect to the output.
        out : ndarray of the same shape, default=None
            Where to put the result; may be `dout`, which is otherwise left alone.

        Returns
        -------
        ndarray
            Gradient with respect to the input.
        """
        dx: Array = np.multiply(dout, 1 - self.y * self.y, out=out)
        return dx


class Identity(Layer):
    """Change nothing: ``y = x``; a net with this activation is a linear model.

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

    def forward(self, x: Array, out: Array | None = None) -> Array:
        """Return `x`, copied.

        Parameters
        ----------
        x : ndarray
            Input of any shape.
        out : ndarray of the same shape, default=None
            Where to put the result; may be `x`, and then nothing is done.

        Returns
        -------
        ndarray
            The output, in the dtype of `x`.
        """
        return _copy(x, out)

    def backward(self, dout: Array, out: Array | None = None) -> Array:
        """Return `dout`, copied.

        Parameters
        ----------
        dout : ndarray
            Gradient with respect to the output.
        out : ndarray of the same shape, default=None
            Where to put the result; may be `dout`, and then nothing is done.

        Returns
        -------
        ndarray
            Gradient with respect to the input.
        """
        return _copy(dout, out)


def _copy(x: Array, out: Array | None) -> Array:
    if out is None:
        return np.array(x)
    if out is not x:
        out[...] = x
    return out
