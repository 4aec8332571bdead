"""Layers with ``forward()`` and ``backward()``: the chain rule, nothing else.

The layers that explain backpropagation are the layers the classifier trains with.
"""

from sk_twolayer.layers._activations import Identity, Relu, Sigmoid, Tanh
from sk_twolayer.layers._affine import Affine
from sk_twolayer.layers._arithmetic import AddLayer, MulLayer
from sk_twolayer.layers._dropout import Dropout

__all__ = ["AddLayer", "Affine", "Dropout", "Identity", "MulLayer", "Relu", "Sigmoid", "Tanh"]
