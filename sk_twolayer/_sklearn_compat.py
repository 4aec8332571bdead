"""Names of scikit-learn that are private or depend on its version."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

if TYPE_CHECKING:
    # scikit-learn has no types, and a class derived from Any may have any attribute: here a
    # misspelt one is an error.
    class BaseEstimator:
        def get_params(self, deep: bool = True) -> dict[str, Any]: ...
        def set_params(self, **params: Any) -> Self: ...

else:
    from sklearn.base import BaseEstimator

__all__ = ["RANDOM_STATE", "BaseEstimator", "HasMethods", "Number", "StrOptions", "as_python"]


class Number(Interval):
    """An interval of numbers that a float can hold, of which True and False are none.

    Python takes them for 1 and 0: as a number of hidden units one of them is a slip.
    """

    def is_satisfied_by(self, val: Any) -> bool:
        """Tell whether a value is in the interval."""
        if isinstance(val, bool | np.bool_) or not isinstance(val, self.type):
            return False
        return math.isfinite(number := _to_float(val)) and number in self


RANDOM_STATE = [Number(Integral, 0, 2**32 - 1, closed="both"), np.random.RandomState, None]


def as_python(value: Any) -> Any:
    """Return a number as one of Python's own, which neither overflows nor rounds early."""
    if isinstance(value, bool | np.bool_):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def _to_float(number: Real) -> float:
    try:
        return float(number)
    except OverflowError:  # of integers and fractions; of other numbers it is infinite
        return math.inf
