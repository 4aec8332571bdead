"""Initial weights."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike

from sk_twolayer._numerics.matrices import blocks
from sk_twolayer._typing import Array
from sk_twolayer.layers._registry import Activation, make_activation, probe

DRAW_BLOCK_ELEMENTS = 2**13
MAX_DEVIATE = 10.0  # 1 in 1e23 numbers of a standard normal distribution is larger


def draw_weights(
    W: Array, std: float | str, rectifies: bool, random_state: np.random.RandomState
) -> None:
    """Draw a weight matrix from a normal distribution with mean 0, in place.

    Parameters
    ----------
    W : ndarray of shape (inputs, outputs), contiguous
        Overwritten.
    std : float or "auto"
        Standard deviation. With 0, `W` is not changed, and no numbers are drawn. "auto" keeps the
        variance of the signal about the same from layer to layer: it is ``sqrt(2 / inputs)`` if the
        activation sets half of its inputs to about 0 [1]_, else ``sqrt(2 / (inputs + outputs))``
        [2]_.
    rectifies : bool
        Whether the activation sets half of its inputs to about 0: see the function `rectifies`.
    random_state : RandomState
        Source of the weights.

    Raises
    ------
    ValueError
        If `std` is too large for the dtype of `W`.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", ICCV 2015.
    .. [2] X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.network._initialization import draw_weights
    >>> W = np.empty((200, 1000))
    >>> draw_weights(W, "auto", True, np.random.RandomState(0))
    >>> round(float(W.std()), 3)  # sqrt(2 / 200)
    0.1
    """
    if isinstance(std, str):
        std = math.sqrt(2 / (len(W) if rectifies else sum(W.shape)))
    if std * MAX_DEVIATE > float(np.finfo(W.dtype).max):
        raise ValueError(
            f"weight_init_std={std:g} is too large for weights of {W.dtype}: choose a smaller one"
        )
    if not std:
        return
    flat = W.reshape(-1)
    # in blocks, because a RandomState draws numbers of float64, also for float32 weights
    for block in blocks(flat.size, DRAW_BLOCK_ELEMENTS):
        numbers = flat[block]
        numbers[:] = std * random_state.standard_normal(numbers.size)


def rectifies(activation: Activation, n_units: int, dtype: DTypeLike = np.float64) -> bool:
    """Tell whether a layer is similar to relu, by its output for -8 and 8.

    The output for 8 must be more than half of it, and more than twice that for -8. Such layers
    remove half of the variance, for which He's rule compensates. Since `forward` is called, a layer
    need not declare anything.

    Examples
    --------
    >>> from sk_twolayer.network._initialization import rectifies
    >>> {name: rectifies(name, 1) for name in ("relu", "gelu", "elu", "tanh", "identity")}
    {'relu': True, 'gelu': True, 'elu': True, 'tanh': False, 'identity': False}
    """
    x = probe(n_units, dtype)
    negative, positive = np.asarray(make_activation(activation).forward(x.copy()))
    return bool(np.all(positive > x[1] / 2) and np.all(2 * np.abs(negative) < positive))
