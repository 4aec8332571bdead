"""Everything that uses private or version-dependent names of scikit-learn."""

from __future__ import annotations

import copy
import math
from inspect import signature
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import numpy as np
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    validate_parameter_constraints,
)
from sklearn.utils._param_validation import StrOptions as UnorderedStrOptions

if TYPE_CHECKING:
    # scikit-learn has no types, and a class derived from Any may have any attribute. With these
    # signatures a misspelt attribute of a derived class is an error of the type checker.
    class BaseEstimator:
        def get_params(self, deep: bool = True) -> dict[str, Any]: ...
        def set_params(self, **params: Any) -> Self: ...
        def _validate_params(self) -> None: ...
        def __getstate__(self) -> dict[str, Any]: ...
        @classmethod
        def _get_param_names(cls) -> list[str]: ...
        def __sklearn_tags__(self) -> Any: ...

    class ClassifierMixin:
        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...

    class TransformerMixin:
        def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any: ...

    class ClassNamePrefixFeaturesOutMixin:
        def get_feature_names_out(self, input_features: Any = None) -> Any: ...

else:
    from sklearn.base import (
        BaseEstimator,
        ClassifierMixin,
        ClassNamePrefixFeaturesOutMixin,
        TransformerMixin,
    )

__all__ = [
    "RANDOM_STATE",
    "BaseEstimator",
    "ClassNamePrefixFeaturesOutMixin",
    "ClassifierMixin",
    "EstimatorBase",
    "HasMethods",
    "InvalidParameterError",
    "RealInterval",
    "StrOptions",
    "TransformerMixin",
    "as_python",
    "is_made_scorer",
    "scorer_with_labels",
    "shallow_copy",
]

Estimator = TypeVar("Estimator")


class RealInterval(Interval):
    """An interval of real numbers, for `_parameter_constraints`.

    Unlike scikit-learn's `Interval`, it excludes True and False, which are integers in Python, and
    integers and fractions that are too large for a float.
    """

    def is_satisfied_by(self, val: Any) -> bool:
        """Tell whether a value is a number in the interval."""
        if isinstance(val, bool | np.bool_) or not isinstance(val, self.type):
            return False
        return math.isfinite(number := _to_float(val)) and number in self


class StrOptions(UnorderedStrOptions):
    """A set of strings that error messages list in alphabetical order."""

    def __str__(self) -> str:
        return f"a str among {{{', '.join(map(repr, sorted(self.options)))}}}"


class EstimatorBase(BaseEstimator):
    """A `BaseEstimator` that reads the signature of each class only once.

    `BaseEstimator` reads it in each call of `get_params`, which would be a tenth of the time of a
    `partial_fit` with one row.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]]
    _names_of_init: ClassVar[tuple[Any, list[str]]]

    @classmethod
    def _get_param_names(cls) -> list[str]:
        init, names = vars(cls).get("_names_of_init", (None, []))
        if init is not cls.__init__:
            names = super()._get_param_names()
            cls._names_of_init = cls.__init__, names
        return list(names)

    def _valid_params(self) -> dict[str, Any]:
        """Return the parameters, each of which is checked as `_validate_params` does."""
        params = self.get_params(deep=False)
        validate_parameter_constraints(
            self._parameter_constraints, params, caller_name=type(self).__name__
        )
        return params


RANDOM_STATE = [RealInterval(Integral, 0, 2**32 - 1, closed="both"), np.random.RandomState, None]


def as_python(value: Any) -> Any:
    """Return a number as an int or a float, and anything else unchanged.

    Parameters may be real numbers of any type, such as `np.float16` or `Fraction`. In contrast to
    those, Python's own numbers do not overflow, and do not change the dtype of arrays with which
    they are multiplied.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._sklearn_compat import as_python
    >>> as_python(np.uint8(200)) + as_python(np.uint8(100)), as_python(np.float32(0.5))
    (300, 0.5)
    >>> as_python("auto"), as_python(True)
    ('auto', True)
    """
    if isinstance(value, bool | np.bool_):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def is_made_scorer(scorer: Any) -> bool:
    """Tell whether a scorer was made by `make_scorer`, as all scorers with a name are."""
    return hasattr(scorer, "_score_func") and hasattr(scorer, "_kwargs")


def scorer_with_labels(scorer: Any, labels: Any) -> Any:
    """Return a made scorer that passes the labels of all classes to its function.

    Functions of probabilities, such as `log_loss`, have an argument `labels` for the labels of the
    columns. All other scorers are returned unchanged. Among them are those of predicted labels,
    such as `f1_score`, whose argument of the same name selects the labels to average over.
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
    except OverflowError:  # of integers and fractions; other numbers become infinite
        return math.inf


def shallow_copy(estimator: Estimator) -> Estimator:
    """Return an estimator with the same attributes, to which other attributes can be assigned.

    `copy.copy` would be slow: it calls `__getstate__` and `__setstate__`, which compute the
    checksum of all parameters of the model.
    """
    copied = object.__new__(type(estimator))
    vars(copied).update(vars(estimator))
    return copied
