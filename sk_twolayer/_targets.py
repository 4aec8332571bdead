"""Floor 3: from labels and weights, as users give them, to what the training loop takes."""

from __future__ import annotations

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
        Factors of the weights by class.

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
        _check_weights(weights, "sample_weight")
        X, y, weights = _without_zeros(X, y, weights)
    encoder = LabelEncoder()
    t, classes = encoder.fit_transform(y), encoder.classes_
    if len(classes) < 2:
        raise ValueError(
            "a classifier needs at least 2 classes, but the rows of y that carry weight have "
            f"just 1 class: {classes[0]!r}"
        )
    if class_weight is not None:
        weights = _class_weights(class_weight, classes, y, weights)[t] * (
            1.0 if weights is None else weights
        )
        _check_weights(weights, "class_weight times sample_weight")
        X, t, weights = _without_zeros(X, t, weights)
    return X, t, classes, _averaging_one(weights, X.dtype)


def _check_weights(weights: Array, name: str) -> None:
    if weights.min() < 0:
        row = weights.argmin()
        raise ValueError(
            f"{name} must not be negative, but it is {weights[row]:g} in row {row}; "
            "a weight of 0 leaves a row out"
        )
    if not weights.any():
        raise ValueError(f"{name} is zero for every row: give at least one a positive weight")


def _without_zeros(X: Any, t: Array, weights: Array) -> tuple[Any, Array, Array]:
    """Leave out the rows whose weight is zero, so that they cannot even fill a minibatch."""
    if weights.all():
        return X, t, weights
    rows = np.flatnonzero(weights)
    return take_rows(X, rows), t[rows], weights[rows]


def _class_weights(
    class_weight: dict[Any, float] | str, classes: Array, y: Array, weights: Array | None
) -> Array:
    """Return the factor of each class."""
    if isinstance(class_weight, dict):
        unknown = [label for label in class_weight if label not in set(classes.tolist())]
        if unknown:
            raise ValueError(
                f"class_weight names {unknown}, but the classes in y are {classes.tolist()}; "
                "its keys must be labels of y"
            )
    factors: Array = compute_class_weight(class_weight, classes=classes, y=y, sample_weight=weights)
    return factors


def _averaging_one(weights: Array | None, dtype: Any) -> Array | None:
    """Divide weights by their mean; only their ratios matter."""
    if weights is None or (weights == weights[0]).all():
        return None
    weights = weights / weights.max()  # lest the sum overflow
    weights = weights / weights.mean()
    return weights.astype(dtype)
