"""Floor 2, below the net: affine layers with an activation between, and the way through them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

from sk_twolayer._typing import Array
from sk_twolayer.layers import Affine, Dropout, Identity, Relu, Sigmoid, Tanh

__all__ = ["ACTIVATIONS", "affine_layers", "forward"]

ACTIVATIONS = {"relu": Relu, "sigmoid": Sigmoid, "tanh": Tanh, "identity": Identity}


def affine_layers(
    W1: Array, b1: Array, W2: Array, b2: Array, activation: str, dropout: float = 0.0
) -> dict[str, Any]:
    """Put the layers of a two-layer net in order over arrays that exist already.

    Parameters
    ----------
    W1, b1 : ndarray of shapes (inputs, hidden) and (hidden,)
        Parameters of the first affine layer; kept, not copied.
    W2, b2 : ndarray of shapes (hidden, outputs) and (outputs,)
        Parameters of the second affine layer; kept, not copied.
    activation : {"relu", "sigmoid", "tanh", "identity"}
        What lies between.
    dropout : float, default=0.0
        Rate of the `Dropout` behind the activation, if it is not 0.

    Returns
    -------
    dict of str to layer
        The layers by name, in the order of `forward`.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.chain import affine_layers
    >>> list(affine_layers(np.ones((2, 3)), np.ones(3), np.ones((3, 1)), np.ones(1), "relu"))
    ['Affine1', 'Relu', 'Affine2']
    """
    between = [ACTIVATIONS[activation](), *([Dropout(dropout)] if dropout else [])]
    named = {type(layer).__name__: layer for layer in between}
    return {"Affine1": Affine(W1, b1), **named, "Affine2": Affine(W2, b2)}


def forward(layers: dict[str, Any], x: Any, out: Sequence[Array | None] | None = None) -> Array:
    """Walk an input through layers.

    Parameters
    ----------
    layers : dict of str to layer
        The layers in order.
    x : ndarray or sparse container
        Input of the first layer.
    out : sequence of ndarray, default=None
        Where each layer puts its result. Neighbours may share an array where the second
        works element by element.

    Returns
    -------
    ndarray
        Output of the last layer.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import Relu, Sigmoid
    >>> from sk_twolayer.chain import forward
    >>> forward({"Relu": Relu(), "Sigmoid": Sigmoid()}, np.array([-3.0, 0.0]))
    array([0.5, 0.5])
    """
    for layer, buffer in zip(layers.values(), out or repeat(None, len(layers)), strict=True):
        x = layer.forward(x, out=buffer)
    scores: Array = x
    return scores
