"""The weights that training starts with."""

from __future__ import annotations

import math

import numpy as np

from sk_twolayer._typing import Array

DRAWN_AT_ONCE = 2**13  # numbers
LARGEST_DRAWN = 10.0  # by chance, once in 1e23 numbers


def draw_weights(
    W: Array, std: float | str, activation: str, random_state: np.random.RandomState
) -> None:
    """Fill a weight matrix from a normal distribution around 0.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", ICCV 2015.
    .. [2] X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010.
    """
    if isinstance(std, str):
        if std != "auto":
            raise ValueError(f"weight_init_std must be a number or 'auto', got {std!r}")
        std = math.sqrt(2 / (len(W) if activation == "relu" else sum(W.shape)))
    if std * LARGEST_DRAWN > float(np.finfo(W.dtype).max):
        raise ValueError(f"weight_init_std={std:g} is too large for weights of {W.dtype}")
    flat = W.reshape(-1)
    for start in range(0, flat.size if std else 0, DRAWN_AT_ONCE):  # a RandomState draws float64
        piece = flat[start : start + DRAWN_AT_ONCE]
        piece[:] = std * random_state.standard_normal(piece.size)
