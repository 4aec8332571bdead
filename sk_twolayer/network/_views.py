"""Named views of one vector."""

from __future__ import annotations

import math
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

from sk_twolayer._typing import Array


class NamedViews(MutableMapping[str, Array]):
    """The parts of one vector by name; assigning to a name writes into the vector.

    So ``params["W1"] -= 0.1 * dW1`` and ``params["W1"] = W1`` both change the network.

    Parameters
    ----------
    vector : ndarray of shape (n,)
        The vector.
    shapes : dict of str to tuple of int
        The shape of each part, in the order of the parts in the vector.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.network._views import NamedViews
    >>> theta = np.zeros(3)
    >>> params = NamedViews(theta, {"W": (1, 2), "b": (1,)})
    >>> params["W"] += 1
    >>> theta
    array([1., 1., 0.])
    """

    def __init__(self, vector: Array, shapes: dict[str, tuple[int, ...]]) -> None:
        self._views: dict[str, Array] = {}
        start = 0
        for name, shape in shapes.items():
            stop = start + math.prod(shape)
            self._views[name] = vector[start:stop].reshape(shape)
            start = stop

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __setitem__(self, name: str, value: Any) -> None:
        view = self._views[name]
        if np.shape(value) != view.shape:
            raise ValueError(f"{name} has shape {view.shape}, but the new value {np.shape(value)}")
        view[...] = value

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"{name} cannot be deleted")

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._views!r})"
