"""From rows, labels and weights, as users give them, to what the training loop takes."""

from __future__ import annotations

import numbers
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from sk_twolayer._data.inputs import as_floats, refuse_missing
from sk_twolayer._data.targets import Labels
from sk_twolayer._data.weights import ClassWeight, check_class_weight, class_factors, whole_numbers
from sk_twolayer._numerics.matrices import take_rows
from sk_twolayer._typing import Array

# From scikit-learn 1.8 on it refuses weights that are all zero, with a message of its own.
ZEROS_ALLOWED = dict.fromkeys(
    {"allow_all_zero_weights"} & signature(_check_sample_weight).parameters.keys(), True
)


class Dataset(NamedTuple):
    """Rows of input, their encoded targets, and the factors of their losses, 1 on average.

    `copies` are the sample weights where these are whole numbers: how many equal rows each row
    counts as when rows are held out.
    """

    X: Any
    t: Any
    weights: Array | None
    copies: Array | None = None

    def take(self, rows: Array) -> Dataset:
        """Return some of the rows, their weights 1 on average again."""
        weights = None if self.weights is None else _average_one(self.weights[rows])
        copies = None if self.copies is None else self.copies[rows]
        return Dataset(take_rows(self.X, rows), take_rows(self.t, rows), weights, copies)

    def take_parts(self, parts: Array, of: Array) -> Dataset:
        """Return the rows of which some copies are taken, with this part of their weight."""
        rows = np.flatnonzero(parts)
        if (parts[rows] == of[rows]).all():
            return self.take(rows)
        weights = np.divide(parts, of, dtype=self.X.dtype, casting="same_kind")
        if self.weights is not None:
            weights *= self.weights
        return self._replace(weights=weights, copies=None).take(rows)


def learn_dataset(
    X: Any, y: Any, sample_weight: Any, class_weight: ClassWeight
) -> tuple[Dataset, Labels, Array | None]:
    """Find out which labels there are, and prepare the rows that count."""
    if isinstance(class_weight, dict) and y.ndim == 1:
        check_class_weight(class_weight, np.unique(y).tolist())
    X, y, weights = rows_that_count(X, y, sample_weight)
    copies = whole_numbers(sample_weight, X.shape[0])
    labels = Labels.learn(y)
    t = labels.encode(y)
    factors = class_factors(class_weight, labels, t, weights)
    if factors is not None and not factors.all():
        there = np.flatnonzero(factors[t])
        X, y = take_rows(X, there), take_rows(y, there)
        weights = None if weights is None else weights[there]
        copies = None if copies is None else copies[there]
        labels, factors = Labels.learn(y), factors[factors > 0]
        t = labels.encode(y)
    return weigh(X, t, weights, factors)._replace(copies=copies), labels, factors


def known_dataset(
    X: Any,
    y: Any,
    sample_weight: Any,
    labels: Labels,
    factors: Array | None,
    *,
    suffix: str = "",
    at_least_one: bool = True,
) -> Dataset:
    """Prepare the rows that count, with labels that are known."""
    X, y, weights = rows_that_count(
        X, y, sample_weight, "sample_weight" + suffix, at_least_one=at_least_one
    )
    dataset = weigh(X, labels.encode(y, "y" + suffix), weights, factors)
    if at_least_one and not dataset.X.shape[0]:
        raise ValueError(f"class_weight is as good as zero for every row of y{suffix}")
    return dataset


def rows_that_count(
    X: Any,
    y: Any,
    sample_weight: Any,
    name: str = "sample_weight",
    *,
    at_least_one: bool = True,
) -> tuple[Any, Any, Array | None]:
    """Leave out the rows of weight zero, as if they had not been given."""
    if sample_weight is None:
        return X, y, None
    refuse_missing(**{name: sample_weight})
    if isinstance(sample_weight, numbers.Number):  # or scikit-learn takes even nan
        sample_weight = np.full(X.shape[0], sample_weight)
    whole_numbers = np.asarray(sample_weight).dtype.kind in "biu"
    dtype = X.dtype if whole_numbers else None
    with as_floats(name):
        weights = _check_sample_weight(sample_weight, X, dtype=dtype, **ZEROS_ALLOWED)
    if weights.min() < 0:
        raise ValueError(
            f"{name} must not be negative, but it is {weights.min():g} in row "
            f"{weights.argmin()}; a weight of 0 leaves a row out"
        )
    if weights.any():
        weights = _divide(weights, weights.max(), X.dtype)
    elif at_least_one:
        raise ValueError(f"{name} is zero for every row: give at least one row a positive weight")
    return _without_zeros(X, y, weights)


def weigh(X: Any, t: Any, weights: Array | None, factors: Array | None) -> Dataset:
    """Put the factors of classes and the weights of rows together."""
    if factors is not None:
        of_rows = factors.astype(X.dtype)[t]
        X, t, weights = _without_zeros(X, t, of_rows if weights is None else weights * of_rows)
    if weights is None or (weights == weights[:1]).all():
        return Dataset(X, t, None)
    return Dataset(X, t, _average_one(_divide(weights, weights.max(), X.dtype)))


def _divide(weights: Array, by: float, dtype: Any) -> Array:
    """Divide in the larger type, for the range, into the smaller one, for the memory."""
    return np.divide(weights, by, out=np.empty(len(weights), dtype), casting="same_kind")


def _average_one(weights: Array) -> Array:
    return weights / float(weights.mean(dtype=np.float64))


def _without_zeros(X: Any, y: Any, weights: Array) -> tuple[Any, Any, Array]:
    rows = np.flatnonzero(weights)
    if len(rows) == len(weights):
        return X, y, weights
    return take_rows(X, rows), take_rows(y, rows), weights[rows]
