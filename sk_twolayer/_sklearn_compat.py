"""Names of scikit-learn that are private or depend on its version."""

from __future__ import annotations

import copy
import math
from inspect import signature
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, InvalidParameterError
from sklearn.utils._param_validation import StrOptions as UnorderedStrOptions

if TYPE_CHECKING:
    # scikit-learn has no types, and a class derived from Any may have any attribute: here a
    # misspelt one is an error.
    class BaseEstimator:
        def get_params(self, deep: bool = True) -> dict[str, Any]: ...
        def set_params(self, **params: Any) -> Self: ...
        def _validate_params(self) -> None: ...

else:
    from sklearn.base import BaseEstimator

__all__ = [
    "RANDOM_STATE",
    "BaseEstimator",
    "HasMethods",
    "InvalidParameterError",
    "Number",
    "StrOptions",
    "as_python",
    "is_made_scorer",
    "scorer_with_labels",
    "shallow_copy",
]

Estimator = TypeVar("Estimator")


class Number(Interval):
    """An interval of numbers that a float can hold, of which True and False are none.

    Python takes them for 1 and 0: as a number of hidden units one of them is a slip.
    """

    def is_satisfied_by(self, val: Any) -> bool:
        """Tell whether a value is in the interval."""
        if isinstance(val, bool | np.bool_) or not isinstance(val, self.type):
            return False
        return math.isfinite(number := _to_float(val)) and number in self


class StrOptions(UnorderedStrOptions):
    """A set of strings, which error messages list in alphabetical order."""

    def __str__(self) -> str:
        return f"a str among {{{', '.join(map(repr, sorted(self.options)))}}}"


RANDOM_STATE = [Number(Integral, 0, 2**32 - 1, closed="both"), np.random.RandomState, None]


def as_python(value: Any) -> Any:
    """Return a number as one of Python's own, which neither overflows nor rounds early."""
    if isinstance(value, bool | np.bool_):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def is_made_scorer(scorer: Any) -> bool:
    """Tell whether a scorer is one of scikit-learn's names, or made by `make_scorer`."""
    return hasattr(scorer, "_score_func") and hasattr(scorer, "_kwargs")


def scorer_with_labels(scorer: Any, labels: Any) -> Any:
    """Return a made scorer that names the columns of probabilities, if its function can.

    Functions of predicted labels take `labels` in another sense: which of them to average over.
    """
    takes_labels = "labels" in signature(scorer._score_func).parameters
    if not takes_labels or "labels" in scorer._kwargs or scorer._response_method == "predict":
        return scorer
    scorer = copy.copy(scorer)
    scorer._kwargs = {**scorer._kwargs, "labels": labels}
    return scorer


def _to_float(number: Real) -> float:
    try:
        return float(number)
    except OverflowError:  # of integers and fractions; of other numbers it is infinite
        return math.inf


def shallow_copy(estimator: Estimator) -> Estimator:
    """Return an estimator with the same attributes, to which attributes can be assigned."""
    copied = object.__new__(type(estimator))
    vars(copied).update(vars(estimator))
    return copied
