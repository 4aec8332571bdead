"""The weights that training starts with."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike

from sk_twolayer._typing import Array
from sk_twolayer.layers._registry import Activation, make_activation, probe

DRAW_BLOCK_ELEMENTS = 2**13  # numbers
MAX_DEVIATE = 10.0  # by chance, once in 1e23 numbers


def draw_weights(
    W: Array, std: float | str, rectifies: bool, random_state: np.random.RandomState
) -> None:
    """Fill a weight matrix from a normal distribution around 0.

    "auto" takes He's standard deviation [1]_ where the activation rectifies, otherwise
    Glorot's [2]_.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", ICCV 2015.
    .. [2] X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010.
    """
    if isinstance(std, str):
        std = math.sqrt(2 / (len(W) if rectifies else sum(W.shape)))
    if std * MAX_DEVIATE > float(np.finfo(W.dtype).max):
        raise ValueError(f"weight_init_std={std:g} is too large for weights of {W.dtype}")
    flat = W.reshape(-1)
    for start in range(
        0, flat.size if std else 0, DRAW_BLOCK_ELEMENTS
    ):  # a RandomState draws float64
        piece = flat[start : start + DRAW_BLOCK_ELEMENTS]
        piece[:] = std * random_state.standard_normal(piece.size)


def rectifies(activation: Activation, n_units: int, dtype: DTypeLike = np.float64) -> bool:
    """Tell whether a layer passes large inputs on, and less than half of large negative ones.

    That is so for relu and its relatives, for which half of the variance is lost, and He's rule
    makes up for it. A layer is asked by its `forward`, so that it need not declare anything.

    Examples
    --------
    >>> from sk_twolayer.network._initialization import rectifies
    >>> {name: rectifies(name, 1) for name in ("relu", "gelu", "elu", "tanh", "identity")}
    {'relu': True, 'gelu': True, 'elu': True, 'tanh': False, 'identity': False}
    """
    x = probe(n_units, dtype)
    negative, positive = np.asarray(make_activation(activation).forward(x.copy()))
    return bool((positive > x[1] / 2).all() and (2 * np.abs(negative) < positive).all())
