"""The layers of a net by name."""

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
    """The layers of a net in order; assigning to a name replaces the layer, and is checked.

    The affine layers always use the parameters of the net: a new one is refused unless its `W` and
    `b` are those of `params`.

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
            raise KeyError(f"the net has no layer {name!r} to replace: it has {list(self)}")
        for method in ("forward", "backward"):
            if not callable(getattr(layer, method, None)):
                raise TypeError(f"{layer!r} cannot be a layer of a net: it has no {method}()")
        if isinstance(layer, type):
            raise TypeError(f"{layer.__name__} is a class: give an object, {layer.__name__}()")
        if name in ("Affine1", "Affine2"):
            for attribute in ("W", "b"):
                parameter = f"{attribute}{name[-1]}"
                if not _is_view_of(getattr(layer, attribute, None), self._params[parameter]):
                    raise ValueError(
                        f"a new {name} must have the attribute {attribute}, and it must be "
                        f'net.params["{parameter}"] itself, or the two would differ. To change '
                        f'the parameter, assign to net.params["{parameter}"]'
                    )
        self._layers[name] = layer
        self.replaced.add(name)

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"a net cannot lose its {name}: replace it, by Identity() for example")

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._layers!r})"


def relink(layer: Any, name: str, params: Mapping[str, Array]) -> Any:
    """Return a copied layer; an affine one gets the parameters of its new net."""
    if name in ("Affine1", "Affine2"):
        W, b = params[f"W{name[-1]}"], params[f"b{name[-1]}"]
        if isinstance(layer, Affine):  # whose setters would write into the copies
            layer._W, layer._b = W, b
        else:
            layer.W, layer.b = W, b
    return layer


def bind_parameter_gradient(layer: Any, attribute: str, into: Array) -> AddInPlace:
    """Bind the gradient of a parameter, "W" or "b", to an array.

    A layer of the user need not have `bind_dW`: then its attribute `dW` is added.
    """
    bind: Callable[[Array], AddInPlace] | None = getattr(layer, f"bind_d{attribute}", None)
    return bind(into) if bind is not None else partial(_add_attribute, layer, attribute, into)


def _add_attribute(layer: Any, attribute: str, into: Array, scale: float, keep: float) -> None:
    gradient = np.asarray(getattr(layer, f"d{attribute}"), into.dtype).reshape(into.shape)
    add_scaled(into, gradient, scale=scale, keep=keep)


def _is_view_of(value: Any, parameter: Array) -> bool:
    """Tell whether an array is a parameter itself, or another view of the same memory."""
    if not isinstance(value, np.ndarray):
        return False
    one, other = value.__array_interface__, parameter.__array_interface__
    return all(one[key] == other[key] for key in ("data", "shape", "strides", "typestr"))
