"""Layers with ``forward()`` and ``backward()``, each of which is one step of the chain rule.

The classifier is trained with these layers.
"""

from sk_twolayer.layers._activations import Identity, Relu, Sigmoid, Tanh
from sk_twolayer.layers._affine import Affine
from sk_twolayer.layers._arithmetic import AddLayer, MulLayer
from sk_twolayer.layers._base import Layer
from sk_twolayer.layers._dropout import Dropout
from sk_twolayer.layers._rectifiers import Elu, Gelu, LeakyRelu, Mish, Silu, Softplus

__all__ = [
    "AddLayer",
    "Affine",
    "Dropout",
    "Elu",
    "Gelu",
    "Identity",
    "Layer",
    "LeakyRelu",
    "Mish",
    "MulLayer",
    "Relu",
    "Sigmoid",
    "Silu",
    "Softplus",
    "Tanh",
]
