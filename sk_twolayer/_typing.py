"""Types that several modules share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

Operation: TypeAlias = Callable[[], object]
"""A call that has all its arguments, such as ``partial(np.exp, x, out=y)``, to run many times."""

AddInPlace: TypeAlias = Callable[[float, float], object]
"""``add(scale, keep)``: change an array in place to ``keep * array + scale * something``."""


class AddGradient(Protocol):
    """``add_gradient(into, scale=, keep=)`` computes ``into <- keep*into + scale*gradient``."""

    def __call__(self, into: Array, *, scale: float = 1.0, keep: float = 1.0) -> None:
        """Change `into` in place."""
