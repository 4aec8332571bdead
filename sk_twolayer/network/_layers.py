"""The layers of a network by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import partial
from typing import Any

import numpy as np

from sk_twolayer._numerics.gemm import add_scaled
from sk_twolayer._typing import AddInPlace, Array
from sk_twolayer.layers import Affine
from sk_twolayer.layers._base import SupportsBackward


class NamedLayers(MutableMapping[str, Any]):
    """The layers of a network in order; assigning to a name checks the layer and replaces it.

    The affine layers always use the parameters of the network: a new one is refused unless its `W`
    and `b` are the arrays in `params`.

    Examples
    --------
    >>> from sk_twolayer import TwoLayerNet
    >>> from sk_twolayer.layers import Softplus
    >>> net = TwoLayerNet(2, 3, 2)
    >>> net.layers["Relu"] = Softplus()
    >>> net.layers["Relu"], net.layers["Affine2"]
    (Softplus(), Affine(): W (3, 2), b (2,))
    """

    def __init__(self, layers: dict[str, Any], params: Mapping[str, Array]) -> None:
        self._layers, self._params = layers, params
        self.replaced: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        return self._layers[name]

    def __setitem__(self, name: str, layer: SupportsBackward) -> None:
        if name not in self._layers:
            raise KeyError(f"the network has no layer {name!r} to replace: it has {list(self)}")
        for method in ("forward", "backward"):
            if not callable(getattr(layer, method, None)):
                raise TypeError(f"{layer!r} cannot be a layer of a network: it has no {method}()")
        if isinstance(layer, type):
            raise TypeError(
                f"the class {layer.__name__} cannot be a layer of a network: give an object, such "
                f"as {layer.__name__}()"
            )
        if name in ("Affine1", "Affine2"):
            for attribute in ("W", "b"):
                parameter = f"{attribute}{name[-1]}"
                if not _is_view_of(getattr(layer, attribute, None), self._params[parameter]):
                    raise ValueError(
                        f"the attribute {attribute} of a new {name} must be the array "
                        f'net.params["{parameter}"] itself, not a copy. To change the parameter, '
                        f'assign to net.params["{parameter}"]'
                    )
        self._layers[name] = layer
        self.replaced.add(name)

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"{name} cannot be deleted: replace it, by Identity() for example")

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._layers!r})"


def relink(layer: Any, name: str, params: Mapping[str, Array]) -> Any:
    """Give a copied affine layer the parameters of its new network, and return the layer."""
    if name in ("Affine1", "Affine2"):
        W, b = params[f"W{name[-1]}"], params[f"b{name[-1]}"]
        if isinstance(layer, Affine):  # its setters would write to the copied arrays
            layer._W, layer._b = W, b
        else:
            layer.W, layer.b = W, b
    return layer


def bind_parameter_gradient(layer: Any, attribute: str, into: Array) -> AddInPlace:
    """Bind the gradient of a parameter, "W" or "b", to an array.

    If a layer of the user has no `bind_dW`, its attribute `dW` is added.
    """
    bind: Callable[[Array], AddInPlace] | None = getattr(layer, f"bind_d{attribute}", None)
    return bind(into) if bind is not None else partial(_add_attribute, layer, attribute, into)


def _add_attribute(layer: Any, attribute: str, into: Array, scale: float, keep: float) -> None:
    gradient = np.asarray(getattr(layer, f"d{attribute}"), into.dtype).reshape(into.shape)
    add_scaled(into, gradient, scale=scale, keep=keep)


def _is_view_of(value: Any, parameter: Array) -> bool:
    """Tell whether an array is the parameter itself, or another view of all its memory."""
    if not isinstance(value, np.ndarray):
        return False
    one, other = value.__array_interface__, parameter.__array_interface__
    return all(one[key] == other[key] for key in ("data", "shape", "strides", "typestr"))
