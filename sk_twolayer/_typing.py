"""Below the floors: the types they all share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

Operation: TypeAlias = Callable[[], object]
"""A call that has all its arguments, such as ``partial(np.exp, x, out=y)``, to run many times."""

Action: TypeAlias = Callable[[float, float], object]
"""``add(scale, keep)``: change an array in place to ``keep * array + scale * something``."""
