"""The activations by name, and the layers that the parameter `activation` stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike
from sklearn.base import clone

from sk_twolayer._typing import Array
from sk_twolayer.layers._activations import Identity, Relu, Sigmoid, Tanh
from sk_twolayer.layers._base import SupportsBackward
from sk_twolayer.layers._dropout import Dropout
from sk_twolayer.layers._rectifiers import Elu, Gelu, LeakyRelu, Mish, Silu, Softplus

Activation: TypeAlias = str | SupportsBackward | type[SupportsBackward]

#: The network and the classifier accept all layers in this dict.
ACTIVATIONS: dict[str, type[SupportsBackward]] = {
    "relu": Relu,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "identity": Identity,
    "leaky_relu": LeakyRelu,
    "elu": Elu,
    "softplus": Softplus,
    "silu": Silu,
    "gelu": Gelu,
    "mish": Mish,
}


def make_activation(activation: Activation) -> SupportsBackward:
    """Return a new layer for a name or a class, and a copy of an object.

    Examples
    --------
    >>> from sk_twolayer.layers import LeakyRelu
    >>> from sk_twolayer.layers._registry import make_activation
    >>> make_activation("relu"), make_activation(LeakyRelu(slope=0.1))
    (Relu(), LeakyRelu(slope=0.1))
    """
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"activation must be one of {sorted(ACTIVATIONS)}, or a layer with forward() and "
                f"backward(), got {activation!r}"
            )
        return ACTIVATIONS[activation]()
    if isinstance(activation, type):
        return activation()
    return copy_layer(activation)


def copy_layer(layer: SupportsBackward) -> SupportsBackward:
    """Return a copy of a layer; if it has scikit-learn's `get_params`, it is without state."""
    return clone(layer, safe=False)  # type: ignore[no-any-return]


def copy_activation(activation: Activation) -> str | SupportsBackward:
    """Return the activation for a fitted model to keep: its name, or a copy."""
    return activation if isinstance(activation, str) else make_activation(activation)


def check_activation(activation: Any, n_units: int, dtype: DTypeLike) -> None:
    """Refuse an activation that cannot be used between two affine layers.

    The methods of a copy are called once, with two rows of hidden units. So mistakes are reported
    before training, in an error that names the method.
    """
    if isinstance(activation, str):
        make_activation(activation)  # raises an error for an unknown name
        return
    name = activation.__name__ if isinstance(activation, type) else type(activation).__name__
    for method_name in ("forward", "backward"):
        if not callable(getattr(activation, method_name, None)):
            raise ValueError(
                f"activation must be one of {sorted(ACTIVATIONS)}, or a layer with forward() and "
                f"backward(), but {activation!r} has no {method_name}()"
            )
    if activation is Dropout or isinstance(activation, Dropout):
        raise ValueError("Dropout cannot be an activation: use the parameter dropout")
    layer = _make_checked(activation, name)
    x = probe(n_units, dtype)
    for method_name, method in (("forward", layer.forward), ("backward", layer.backward)):
        try:
            returned = method(x.copy())
        except TypeError as error:
            reason = f"{method_name}() raised TypeError: {error}"
            if not _accepts(method, x):
                reason = f"forward(x) and backward(dout) must take one array each ({error})"
            raise ValueError(f"{name} cannot be an activation: {reason}") from error
        result = np.asarray(returned)
        if result.shape != x.shape or result.dtype.kind not in "biuf":
            raise ValueError(
                f"{name} cannot be an activation: {method_name}() must return real numbers in the "
                f"shape of its argument {x.shape}, but returned {result.dtype} of shape "
                f"{result.shape}"
            )
    _refuse_parameters_to_learn(name, layer, x.shape)


def _make_checked(activation: Activation, name: str) -> SupportsBackward:
    """Return `make_activation` of a class or an object; a TypeError becomes a ValueError."""
    try:
        return make_activation(activation)
    except TypeError as error:
        reason = f"{name} cannot be an activation: copying it raised TypeError: {error}"
        if isinstance(activation, type):
            reason = f"{name} cannot be an activation: {name}() raised TypeError: {error}"
            if not _accepts(activation):
                reason = (
                    f"the class {name} cannot be an activation, because it needs arguments: give "
                    f"an object, such as {name}(...)"
                )
        raise ValueError(reason) from error


def _accepts(function: Callable[..., Any], *args: Any) -> bool:
    """Tell whether the signature of a function accepts these arguments; True if it has none.

    A call with other arguments raises TypeError, but so does an error inside the function.
    """
    try:
        parameters = signature(function)
    except ValueError:  # of some functions that are written in C
        return True
    try:
        parameters.bind(*args)
    except TypeError:
        return False
    return True


def probe(n_units: int, dtype: DTypeLike) -> Array:
    """Return an input for an activation: two rows, one of -8 and one of 8."""
    x = np.full((2, n_units), 8, dtype)
    x[0] = -8
    return x


def _refuse_parameters_to_learn(
    name: str, layer: SupportsBackward, batch_shape: tuple[int, ...]
) -> None:
    """Refuse a layer with gradients of its own parameters, because training would not change them.

    Such a gradient is an attribute `dW` of a layer with an attribute `W`, unless it has the shape
    of the batch, like a `dx` of a layer that keeps `x`; or it is in a list or dict `grads`, as in
    textbooks.
    """
    attributes: dict[str, Any] = vars(layer) if hasattr(layer, "__dict__") else {}
    grads = attributes.get("grads")
    learned = ["params"] if isinstance(grads, Mapping | list | tuple) and grads else []
    for key in attributes:
        gradient = getattr(layer, f"d{key.lstrip('_')}", None)
        if isinstance(gradient, int | float | np.ndarray) and np.shape(gradient) != batch_shape:
            learned.append(key.lstrip("_"))
    if learned:
        raise ValueError(
            f"{name} cannot be an activation: it has parameters to learn ({', '.join(learned)}), "
            "but training changes only the weights and biases of the two affine layers. Make them "
            "parameters of its __init__, which a search can tune as activation__NAME"
        )
