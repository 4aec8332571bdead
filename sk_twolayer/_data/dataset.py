"""Data sets for training and validation, made from validated rows, targets and weights."""

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
from sk_twolayer._numerics.matrices import as_dense, take_rows, without_duplicates
from sk_twolayer._typing import Array, Matrix


class Dataset(NamedTuple):
    """Rows of positive weight, with encoded targets.

    Attributes
    ----------
    X : ndarray or csr container of shape (n, n_features)
        Input rows, in the dtype of training.
    t : ndarray of shape (n,), or ndarray or csr container of shape (n, n_labels)
        Class numbers, or an indicator matrix.
    weights : ndarray of shape (n,) or None
        Factors of the losses of the rows, with mean 1; None if all are equal.
    copies : ndarray of shape (n,), dtype int, or None
        The weights as numbers of copies, if their ratios are those of small whole numbers. When
        rows are held out, each row counts as that many equal rows.
    """

    X: Matrix
    t: Matrix
    weights: Array | None
    copies: Array | None = None

    def take(self, rows: Array) -> Dataset:
        """Return some of the rows, by their numbers. Their weights have mean 1 again."""
        weights = None if self.weights is None else _normalize_weights(self.weights[rows])
        copies = None if self.copies is None else self.copies[rows]
        return Dataset(take_rows(self.X, rows), take_rows(self.t, rows), weights, copies)

    def take_copies(self, taken: Array, copies: Array) -> Dataset:
        """Return rows with a part of their weight: that of the copies that are taken.

        Parameters
        ----------
        taken, copies : ndarray of shape (n,), dtype int
            The number of copies to take of each row, and the number it has.
        """
        rows = np.flatnonzero(taken)
        if (taken[rows] == copies[rows]).all():
            return self.take(rows)
        weights = np.divide(taken, copies, dtype=self.X.dtype, casting="same_kind")
        if self.weights is not None:
            weights *= self.weights
        return self._replace(weights=weights, copies=taken).take(rows)


def prepare_training_data(
    X: Matrix, y: Matrix, sample_weight: Any, class_weight: ClassWeight
) -> tuple[Dataset, Labels, Array | None]:
    """Return the data set of `fit`, whose labels are those that occur in y.

    Parameters
    ----------
    X : ndarray or csr container of shape (n_samples, n_features)
        Validated input rows.
    y : ndarray of shape (n_samples,), or ndarray or csr container of shape (n_samples, n_labels)
        Targets, as `check_targets` returns them.
    sample_weight : array-like of shape (n_samples,) or None
        Weights as users give them. A row of weight 0 is left out, as if it were not in X.
    class_weight : dict, "balanced" or None
        Factors of the weights by class. The rows of a class of factor 0 are left out.

    Returns
    -------
    dataset : Dataset
        The rows of positive weight.
    labels : Labels
        The labels of all rows, including those left out.
    factors : ndarray of shape (n_classes,) or None
        The factor of each class.

    Raises
    ------
    ValueError
        If the labels or the weights cannot be used, or no row has a positive weight.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._data.dataset import prepare_training_data
    >>> dataset, labels, _ = prepare_training_data(
    ...     np.arange(4.0).reshape(4, 1), np.array(["b", "a", "a", "c"]), [3, 1, 2, 0], None)
    >>> dataset.t, dataset.weights, dataset.copies
    (array([1, 0, 0]), array([1.5, 0.5, 1. ]), array([3, 1, 2]))
    >>> labels.classes
    array(['a', 'b', 'c'], dtype='<U1')
    """
    labels = Labels.from_targets(y)
    t = labels.encode(y)
    weights = check_sample_weight(sample_weight, X)
    factors = class_factors(class_weight, labels, t, weights)
    return _weighted(X, t, weights, factors), labels, factors


def prepare_data(
    X: Matrix,
    y: Matrix,
    sample_weight: Any,
    labels: Labels,
    factors: Array | None,
    *,
    suffix: str = "",
    at_least_one: bool = True,
) -> Dataset:
    """Return a data set with known labels: that of validation rows, or of `partial_fit`.

    Parameters
    ----------
    X, y, sample_weight
        As for `prepare_training_data`.
    labels : Labels
        All labels that may occur.
    factors : ndarray of shape (n_classes,) or None
        The factor of each class.
    suffix : str, default=""
        Appended to the names of y and sample_weight in messages: "_val" for validation rows.
    at_least_one : bool, default=True
        Whether weights that are all zero are an error.
    """
    name = "sample_weight" + suffix
    t = labels.encode(y, "y" + suffix)
    weights = check_sample_weight(sample_weight, X, name, at_least_one=at_least_one)
    return _weighted(X, t, weights, factors, suffix, at_least_one=at_least_one)


def _weighted(
    X: Matrix,
    t: Matrix,
    weights: Array | None,
    factors: Array | None,
    suffix: str = "",
    *,
    at_least_one: bool = True,
) -> Dataset:
    """Combine the weights of rows and of classes, and leave out the rows of weight zero.

    Weights that are all equal become None. So training with them takes as long as training without
    weights, and gives the same result to the last bit.
    """
    name = "sample_weight" + suffix
    X = without_duplicates(X)  # the number of nonzeros sets the learning rate
    # with class factors, t is not multilabel: see class_factors
    of_classes = None if factors is None else factors[as_dense(t)]
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
    return Dataset(X, t, None if equal else _normalize_weights(combined), copies)


def _normalize_weights(weights: Array) -> Array:
    """Return weights with mean 1."""
    return weights / float(weights.mean(dtype=np.float64))
