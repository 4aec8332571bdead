"""The layer that leaves units out, so that none can rely on another."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from sk_twolayer._layer import Layer
from sk_twolayer._typing import Array


class Dropout(Layer):
    """Leave out some units, and make up for it with the rest: ``y = x * mask / (1 - rate)``.

    The mask of zeros and ones is drawn by :meth:`draw`, a zero with probability `rate`, and
    holds until the next draw; before the first, nothing is left out. All rows of a minibatch
    share it [2]_: so a row of weight k is k copies of that row, and a draw costs next to nothing.
    Predictions leave this layer out altogether: the mean of ``y`` over masks is ``x``.

    Parameters
    ----------
    rate : float in [0, 1)
        Probability that a unit is left out.

    Attributes
    ----------
    factors : ndarray of shape (units,) or float
        What a row is multiplied by: 0 or ``1 / (1 - rate)``.

    References
    ----------
    .. [1] N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, "Dropout: A
       Simple Way to Prevent Neural Networks from Overfitting", JMLR 15, 2014.
    .. [2] B. Graham, J. Reizenstein, L. Robinson, "Efficient batchwise dropout training using
       submatrices", arXiv:1502.02478, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import Dropout
    >>> layer = Dropout(0.5)
    >>> layer.draw(np.random.RandomState(0), units=4)
    >>> layer.forward(np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]))
    array([[ 2.,  4.,  6.,  8.],
           [10., 12., 14., 16.]])
    """

    factors: Array | float = 1.0

    def __init__(self, rate: float) -> None:
        if not 0 <= rate < 1:
            raise ValueError(f"rate must be in [0, 1), got {rate}")
        self.rate = float(rate)

    def draw(
        self, random_state: np.random.RandomState, units: int, dtype: DTypeLike = np.float64
    ) -> None:
        """Draw a new mask.

        Parameters
        ----------
        random_state : RandomState
            Source of the mask.
        units : int
            Number of columns of `x`.
        dtype : dtype, default=float64
            Floating type of the factors: that of `x`.
        """
        kept = random_state.binomial(1, 1 - self.rate, units)
        self.factors = kept.astype(dtype) / (1 - self.rate)

    def forward(self, x: Array, out: Array | None = None) -> Array:
        """Return ``x * factors``, row by row.

        Parameters
        ----------
        x : ndarray of shape (..., units)
            Input.
        out : ndarray of the same shape, default=None
            Where to put the result; may be `x`.

        Returns
        -------
        ndarray of shape (..., units)
            The output.
        """
        y: Array = np.multiply(x, self.factors, out=out)
        return y

    def backward(self, dout: Array, out: Array | None = None) -> Array:
        """Return ``dout * factors``: no gradient flows through what was left out.

        Parameters
        ----------
        dout : ndarray of shape (..., units)
            Gradient with respect to the output.
        out : ndarray of the same shape, default=None
            Where to put the result; may be `dout`, which is otherwise left alone.

        Returns
        -------
        ndarray of shape (..., units)
            Gradient with respect to the input.
        """
        dx: Array = np.multiply(dout, self.factors, out=out)
        return dx
