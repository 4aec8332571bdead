"""The layers of a two-layer network in order, and the forward and backward pass through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

import numpy as np

from sk_twolayer._typing import Array, Matrix, Operation
from sk_twolayer.layers import Affine, Dropout
from sk_twolayer.layers import _base as base
from sk_twolayer.layers._base import SupportsBackward
from sk_twolayer.layers._registry import Activation, make_activation

Layers: TypeAlias = Mapping[str, SupportsBackward]

OTHER_NAMES = ("Affine1", "Dropout", "Affine2")  # names that the activation must not have


def affine_layers(
    W1: Array, b1: Array, W2: Array, b2: Array, activation: Activation, dropout: float = 0.0
) -> dict[str, SupportsBackward]:
    """Return the layers of a two-layer network, in order, that use existing arrays of parameters.

    Parameters
    ----------
    W1, b1 : ndarray of shapes (inputs, hidden) and (hidden,)
        Parameters of the first affine layer; kept, not copied.
    W2, b2 : ndarray of shapes (hidden, outputs) and (outputs,)
        Parameters of the second affine layer; kept, not copied.
    activation : str or layer
        The layer of the hidden units: a name, a class, or an object, which is copied.
    dropout : float, default=0.0
        Rate of the `Dropout` after the activation. There is none if the rate is 0.

    Returns
    -------
    dict of str to layer
        The layers by name, in order.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.network._chain import affine_layers
    >>> list(affine_layers(np.ones((2, 3)), np.ones(3), np.ones((3, 1)), np.ones(1), "relu"))
    ['Affine1', 'Relu', 'Affine2']
    """
    hidden = make_activation(activation)
    name = type(hidden).__name__
    if name in OTHER_NAMES:
        name = "Activation"
    layers: dict[str, SupportsBackward] = {"Affine1": Affine(W1, b1), name: hidden}
    if dropout:
        layers["Dropout"] = dropped = Dropout(dropout)
        dropped.factors = np.ones_like(b1)  # layers are bound to this array; draw() fills it
    return {**layers, "Affine2": Affine(W2, b2)}


def forward(layers: Layers, x: Matrix) -> Array:
    """Return the output of the last layer for an input of the first one.

    Parameters
    ----------
    layers : dict of str to layer
        The layers in order.
    x : ndarray or sparse container
        Input of the first layer.

    Returns
    -------
    ndarray
        Output of the last layer.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import Relu, Sigmoid
    >>> from sk_twolayer.network._chain import forward
    >>> forward({"Relu": Relu(), "Sigmoid": Sigmoid()}, np.array([-3.0, 0.0]))
    array([0.5, 0.5])
    """
    for layer in layers.values():
        x = layer.forward(x)
    return cast(Array, x)


def backward(layers: Layers, dout: Array) -> None:
    """Propagate a gradient back through layers, after `forward`.

    Afterwards, each affine layer has `dW` and `db`. The gradient with respect to the input of the
    first layer is not computed if it is affine, since nothing uses it.

    Parameters
    ----------
    layers : dict of str to layer
        The layers in order.
    dout : ndarray
        Gradient with respect to the output of the last one.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.network._chain import affine_layers, backward, forward
    >>> layers = affine_layers(np.eye(2), np.zeros(2), np.ones((2, 1)), np.zeros(1), "relu")
    >>> forward(layers, np.array([[3.0, -4.0]]))
    array([[3.]])
    >>> backward(layers, np.ones((1, 1)))
    >>> layers["Affine1"].dW
    array([[ 3.,  0.],
           [-4.,  0.]])
    """
    first, *others = layers.values()
    for layer in reversed(others):
        dout = np.asarray(layer.backward(dout))
    if isinstance(first, Affine):
        first.set_dout(dout)
    else:
        first.backward(dout)


def bind_forward(layers: Layers, x: Matrix, out: Sequence[Array]) -> list[Operation]:
    """Bind the forward pass through layers to arrays.

    Parameters
    ----------
    layers : dict of str to layer
        The layers in order.
    x : ndarray or sparse container
        Input of the first layer.
    out : sequence of ndarray
        An array for the output of each layer. For a layer that works element by element, it may be
        the array of its input.

    Returns
    -------
    list of callables
        Functions without arguments that compute those arrays from the current contents of `x`.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers._base import run_all
    >>> from sk_twolayer.network._chain import bind_forward
    >>> from sk_twolayer.layers import Relu, Sigmoid
    >>> x = np.array([-3.0, 0.0])
    >>> operations = bind_forward({"Relu": Relu(), "Sigmoid": Sigmoid()}, x, (x, x))
    >>> run_all(operations)
    >>> x
    array([0.5, 0.5])
    """
    operations: list[Operation] = []
    for layer, result in zip(layers.values(), out, strict=True):
        operations += base.bind_forward(layer, x, result)
        x = result
    return operations


def bind_backward(layers: Layers, dout: Array, out: Array) -> list[Operation]:
    """Bind the backward pass through layers to arrays.

    Parameters
    ----------
    layers : dict of str to layer
        The layers in order, bound to arrays by `bind_forward`. The first one is an `Affine`. Those
        between the first and the last one work element by element.
    dout : ndarray
        Gradient with respect to the output of the last layer.
    out : ndarray
        Overwritten with the gradient with respect to the input of the last layer, and then of each
        layer before it. In the end, it is that with respect to the output of the first layer.

    Returns
    -------
    list of callables
        Functions without arguments that compute `out` from the current contents of `dout`.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers._base import run_all
    >>> from sk_twolayer.network._chain import affine_layers, bind_backward, bind_forward
    >>> layers = affine_layers(np.eye(2), np.zeros(2), np.ones((2, 1)), np.zeros(1), "relu")
    >>> x, hidden, scores = np.array([[3.0, -4.0]]), np.empty((1, 2)), np.empty((1, 1))
    >>> run_all(bind_forward(layers, x, (hidden, hidden, scores)))
    >>> run_all(bind_backward(layers, np.ones((1, 1)), hidden.copy()))
    >>> layers["Affine1"].dW
    array([[ 3.,  0.],
           [-4.,  0.]])
    """
    first, *between, last = layers.values()
    operations = base.bind_backward(last, dout, out)
    for layer in reversed(between):
        operations += base.bind_backward(layer, out, out)
    cast(Affine, first).set_dout(out)
    return operations
