"""Dropout of hidden units."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import DTypeLike

from sk_twolayer._typing import Array, Operation
from sk_twolayer.layers._base import ElementwiseLayer


class Dropout(ElementwiseLayer):
    """Set random units to 0, and scale the others: ``y = x * mask / (1 - rate)``.

    Backward: ``dx = dout * mask / (1 - rate)``.

    The mask of zeros and ones is drawn by :meth:`draw`, with zeros of probability `rate`, and is
    used until the next draw. Before the first draw, ``y = x``. All rows of a minibatch have the
    same mask [2]_, so that a row of weight k is equivalent to k copies of that row, and a draw is
    fast. Predictions do not use this layer, because the mean of ``y`` over all masks is ``x``.

    Parameters
    ----------
    rate : float in [0, 1)
        Probability that a unit is set to 0.

    Attributes
    ----------
    factors : ndarray of shape (units,)
        Factors of the units: 0 or ``1 / (1 - rate)``; before the first draw, 1. Each draw writes to
        the same array, unless `units` or `dtype` changes. So bind the layer after the first draw.

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

    keeps_integers = False
    factors: Array

    def __init__(self, rate: float) -> None:
        if not 0 <= rate < 1:
            raise ValueError(f"rate of Dropout must be in [0, 1), got {rate}")
        self.rate = rate
        self.factors = np.ones(())

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
        if self.factors.shape != (units,) or self.factors.dtype != dtype:
            self.factors = np.empty(units, dtype)
        kept = 1 - float(self.rate)
        self.factors[:] = random_state.binomial(1, kept, units)
        self.factors /= kept

    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        self.y = out
        return [partial(np.multiply, x, self.factors, out)]

    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        return [partial(np.multiply, dout, self.factors, out)]
