"""Floor 3: from labels and weights, as users give them, to what the training loop takes."""

from __future__ import annotations

import sys
from numbers import Real
from typing import Any

import numpy as np
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight

from sk_twolayer._linalg import take_rows
from sk_twolayer._typing import Array


def encode_and_weigh(
    X: Any, y: Array, sample_weight: Any, class_weight: dict[Any, float] | str | None
) -> tuple[Any, Array, Array, Array | None]:
    """Return the rows that count, their class numbers, the classes, and the rows' weights.

    Parameters
    ----------
    X : ndarray or sparse container of shape (n_samples, n_features)
        Input rows, validated.
    y : ndarray of shape (n_samples,)
        Labels, validated.
    sample_weight : array-like of shape (n_samples,) or None
        The user's weights; a row of weight 0 is left out, as if it had not been given.
    class_weight : dict, "balanced" or None
        Factors of the weights by class; a class of factor 0 is left out.

    Returns
    -------
    X : ndarray or sparse container of shape (n_used, n_features)
        The same object when every row counts.
    t : ndarray of shape (n_used,), dtype int
        Class numbers.
    classes : ndarray of shape (n_classes,)
        The label of each class number.
    weights : ndarray of shape (n_used,) or None
        Weights that average 1, in the dtype of X; None when all are equal.

    Raises
    ------
    ValueError
        If labels or weights cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._targets import encode_and_weigh
    >>> X, t, classes, weights = encode_and_weigh(
    ...     np.arange(4.0).reshape(4, 1), np.array(["b", "a", "a", "c"]), [3, 1, 2, 0], None)
    >>> t, classes, weights
    (array([1, 0, 0]), array(['a', 'b'], dtype='<U1'), array([1.5, 0.5, 1. ]))
    """
    check_classification_targets(y)
    weights = None
    if sample_weight is not None:
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if not weights.any():
            raise ValueError(
                "sample_weight is zero for every row: give at least one row a positive weight"
            )
        if weights.min() < 0:
            raise ValueError(
                f"sample_weight must not be negative, but it is {weights.min():g} in row "
                f"{weights.argmin()}; a weight of 0 leaves a row out"
            )
    if class_weight is not None:
        weights = _times_class_weight(class_weight, y, weights)
    if weights is not None:
        X, y, weights = _rows_that_count(X, y, weights)
    encoder = LabelEncoder()
    t, classes = encoder.fit_transform(y), encoder.classes_
    if len(classes) < 2:
        raise ValueError(
            "a classifier needs at least 2 classes, but the rows of y that carry weight have "
            f"just 1 class: {classes.tolist()[0]!r}"
        )
    return X, t, classes, weights


def _times_class_weight(
    class_weight: dict[Any, float] | str, y: Array, weights: Array | None
) -> Array:
    """Multiply the weight of each row by the factor of its class."""
    weights = np.ones(len(y)) if weights is None else weights / weights.max()
    there = weights > 0  # "balanced" counts no other rows
    encoder = LabelEncoder()
    t, classes = encoder.fit_transform(y[there]), encoder.classes_
    if isinstance(class_weight, dict):
        _check_class_weight(class_weight, np.unique(y).tolist())
        class_weight = {label: class_weight.get(label, 1.0) for label in classes.tolist()}
    factors = compute_class_weight(
        class_weight, classes=classes, y=y[there], sample_weight=weights[there]
    )
    weights[there] *= factors[t]
    return weights


def _check_class_weight(class_weight: dict[Any, float], classes: list[Any]) -> None:
    unknown = [label for label in class_weight if label not in classes]
    if unknown:
        raise ValueError(
            f"class_weight names {unknown}, but the classes in y are {classes}; "
            "its keys must be labels of y"
        )
    for label, factor in class_weight.items():
        if not (isinstance(factor, Real) and 0 <= factor <= sys.float_info.max):
            raise ValueError(
                f"class_weight[{label!r}] must be a number, zero or positive, got {factor!r}"
            )


def _rows_that_count(X: Any, y: Array, weights: Array) -> tuple[Any, Array, Array | None]:
    """Leave out the rows of weight zero, and let the weights of the others average 1."""
    if not weights.any():
        raise ValueError(
            "class_weight times sample_weight is zero for every row: give at least two classes "
            "that occur a positive weight"
        )
    weights = weights / weights.max()  # lest a sum overflow
    rows = np.flatnonzero(weights.astype(X.dtype))
    if len(rows) < len(weights):  # so that they cannot even fill a minibatch
        X, y, weights = take_rows(X, rows), y[rows], weights[rows]
    if (weights == weights[0]).all():
        return X, y, None
    weights /= weights.mean()
    return X, y, weights.astype(X.dtype)
