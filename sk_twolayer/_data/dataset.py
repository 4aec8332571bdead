"""From rows, labels and weights, as users give them, to what the training loop takes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sk_twolayer._data.targets import Labels
from sk_twolayer._data.weights import (
    ClassWeight,
    check_sample_weight,
    class_factors,
    combined_weights,
    whole_numbers,
)
from sk_twolayer._numerics.matrices import take_rows
from sk_twolayer._typing import Array


class Dataset(NamedTuple):
    """Rows of input, their encoded targets, and the factors of their losses, 1 on average.

    `copies` are the weights as whole numbers, if they have the ratios of some: how many equal rows
    each row counts as when rows are held out.
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
        return self._replace(weights=weights, copies=parts).take(rows)


def learn_dataset(
    X: Any, y: Any, sample_weight: Any, class_weight: ClassWeight
) -> tuple[Dataset, Labels, Array | None]:
    """Return the rows of positive weight, the labels of all rows, and the factors of classes."""
    labels = Labels.learn(y)
    t = labels.encode(y)
    weights = check_sample_weight(sample_weight, X)
    factors = class_factors(class_weight, labels, t, weights)
    return _weighted(X, t, weights, factors), labels, factors


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
    """Return the rows of positive weight, with labels that are known."""
    name = "sample_weight" + suffix
    t = labels.encode(y, "y" + suffix)
    weights = check_sample_weight(sample_weight, X, name, at_least_one=at_least_one)
    return _weighted(X, t, weights, factors, suffix, at_least_one=at_least_one)


def _weighted(
    X: Any,
    t: Any,
    weights: Array | None,
    factors: Array | None,
    suffix: str = "",
    *,
    at_least_one: bool = True,
) -> Dataset:
    """Combine the weights of rows and of classes, and leave out the rows of weight zero."""
    name = "sample_weight" + suffix
    of_classes = None if factors is None else factors[t]
    combined = combined_weights(weights, of_classes, X.dtype, name)
    if combined is None:
        return Dataset(X, t, None)
    rows = np.flatnonzero(combined)
    if at_least_one and not len(rows):
        product = "class_weight" if weights is None else f"{name} times class_weight"
        raise ValueError(
            f"{product} is zero for every row of y{suffix}: give at least one row a positive weight"
        )
    if len(rows) < len(combined):
        X, t, combined = take_rows(X, rows), take_rows(t, rows), combined[rows]
    copies = whole_numbers(combined)
    combined = combined.astype(X.dtype)
    equal = (combined == combined[:1]).all()
    return Dataset(X, t, None if equal else _average_one(combined), copies)


def _average_one(weights: Array) -> Array:
    return weights / float(weights.mean(dtype=np.float64))
