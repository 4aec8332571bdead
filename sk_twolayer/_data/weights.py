"""Weights of rows: sample weights times class weights."""

from __future__ import annotations

from inspect import signature
from numbers import Number, Real
from typing import Any

import numpy as np
from sklearn.utils import compute_class_weight
from sklearn.utils.validation import _check_sample_weight

from sk_twolayer._data.inputs import overflow_as_value_error, refuse_missing
from sk_twolayer._data.targets import Labels
from sk_twolayer._numerics.matrices import as_dense
from sk_twolayer._sklearn_compat import RealInterval
from sk_twolayer._typing import Array, Matrix

# _check_sample_weight of scikit-learn 1.8 and later refuses weights that are all zero, without this
# argument.
ZEROS_ALLOWED = dict.fromkeys(
    {"allow_all_zero_weights"} & signature(_check_sample_weight).parameters.keys(), True
)
CLASS_FACTOR = RealInterval(Real, 0, None, closed="left")
MAX_COPIES = 1000  # per row

ClassWeight = dict[Any, float] | str | None


def class_factors(
    class_weight: ClassWeight, labels: Labels, t: Matrix | None = None, weights: Array | None = None
) -> Array | None:
    """Return the factor by which `class_weight` multiplies the sample weights of each class.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        The parameter of the classifier. A class that a dict does not name has the factor 1.
        "balanced" gives all classes the same total weight, and 0 to a class without a row of
        positive weight, as scikit-learn's `compute_sample_weight` does.
    labels : Labels
        The classes.
    t : ndarray of shape (n,), default=None
        Class numbers of the rows, for "balanced".
    weights : ndarray of shape (n,), default=None
        Sample weights of the rows, for "balanced".

    Returns
    -------
    ndarray of shape (n_classes,), float64, or None
        The factors; None if `class_weight` is None.

    Raises
    ------
    ValueError
        If the targets are multilabel, the dict is invalid, or all factors are zero.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._data.targets import Labels
    >>> from sk_twolayer._data.weights import class_factors
    >>> class_factors("balanced", Labels(np.array([3, 7])), np.array([0, 0, 0, 1])).round(3)
    array([0.667, 2.   ])
    >>> class_factors({7: 5}, Labels(np.array([3, 7])))
    array([1., 5.])
    """
    if class_weight is None:
        return None
    if labels.multilabel:
        raise ValueError(
            "class_weight is not supported for an indicator matrix y: use sample_weight, or set "
            "class_weight=None"
        )
    if isinstance(class_weight, dict):
        check_class_weight(class_weight, labels.classes.tolist())
        of_classes = [class_weight.get(label, 1.0) for label in labels.classes.tolist()]
        factors = np.array(of_classes, dtype=np.float64)
        if not factors.any():
            raise ValueError(
                "class_weight is zero for every row: give at least one class of y a positive weight"
            )
    else:
        assert t is not None
        numbers, factors = as_dense(t), np.zeros(len(labels.classes))
        if weights is not None:
            numbers, weights = numbers[weights > 0], weights[weights > 0]
        present = np.unique(numbers)
        factors[present] = compute_class_weight(
            class_weight, classes=present, y=numbers, sample_weight=weights
        )
    return factors


def check_class_weight(class_weight: dict[Any, float], classes: list[Any]) -> None:
    """Refuse a dict that names none of the classes, or has values that cannot be factors.

    A dict may name classes that are not in y, because a fold of a cross-validation may lack one.
    """
    if class_weight and not any(label in class_weight for label in classes):
        raise ValueError(
            f"class_weight names {list(class_weight)}, but the classes in y are {classes}; "
            "at least one of its keys must be a label of y"
        )
    for label, factor in class_weight.items():
        if not CLASS_FACTOR.is_satisfied_by(factor):
            raise ValueError(
                f"class_weight[{label!r}] must be a number, zero or positive, got {factor!r}"
            )


def check_sample_weight(
    sample_weight: Any, X: Matrix, name: str = "sample_weight", *, at_least_one: bool = True
) -> Array | None:
    """Return the weights of the rows of X, divided by the largest.

    Parameters
    ----------
    sample_weight : array-like of shape (n,), number or None
        Weights as users give them. A number is the weight of every row.
    X : ndarray or sparse container of shape (n, n_features)
        The rows.
    name : str, default="sample_weight"
        The name of the weights in messages.
    at_least_one : bool, default=True
        Whether weights that are all zero are an error.

    Returns
    -------
    ndarray of shape (n,), float64, or None
        The weights; None if there are none.

    Raises
    ------
    ValueError
        If a weight is negative, missing or not finite, or if the smallest positive weight divided
        by the largest is not a normal number of float64.
    """
    if sample_weight is None:
        return None
    refuse_missing(
        sample_weight, name, "remove these rows, or fill with {name}.filled(0) to exclude them"
    )
    if isinstance(sample_weight, Number):  # scikit-learn accepts even nan
        sample_weight = np.full(X.shape[0], sample_weight)
    with overflow_as_value_error(name):
        weights: Array = _check_sample_weight(sample_weight, X, dtype=np.float64, **ZEROS_ALLOWED)
    if weights.min() < 0:
        raise ValueError(
            f"{name} must not be negative, but it is {weights.min():g} in row "
            f"{weights.argmin()}; a weight of 0 excludes a row"
        )
    if not weights.any():
        if at_least_one:
            raise ValueError(
                f"{name} is zero for every row: give at least one row a positive weight"
            )
        return weights
    smallest = np.min(weights, where=weights > 0, initial=np.inf)
    if smallest / weights.max() < np.finfo(np.float64).tiny:
        raise _not_representable(name, np.dtype(np.float64))
    relative: Array = weights / weights.max()
    return relative


def combined_weights(
    weights: Array | None, of_classes: Array | None, dtype: Any, name: str = "sample_weight"
) -> Array | None:
    """Return sample weights times class factors, divided by the largest product.

    Parameters
    ----------
    weights : ndarray of shape (n,), float64, or None
        What `check_sample_weight` returned.
    of_classes : ndarray of shape (n,), float64, or None
        The factor of each row's class.
    dtype : dtype
        The dtype of training.
    name : str, default="sample_weight"
        The name of the sample weights in messages.

    Returns
    -------
    ndarray of shape (n,), float64, or None
        The products.

    Raises
    ------
    ValueError
        If the smallest positive product divided by the largest is not a normal number of `dtype`.
    """
    pairs = ((name, weights), ("class_weight", of_classes))
    given = {key: values for key, values in pairs if values is not None}
    if not given:
        return None
    positive: Array = np.logical_and.reduce([values > 0 for values in given.values()])
    if not positive.any():
        return np.zeros(len(positive))
    combined: Array = positive.astype(np.float64)
    for values in given.values():
        combined *= values / values[positive].max()
    combined /= combined.max()
    if not _is_representable(combined[positive], dtype):
        alone = [key for key in given if not _is_representable(given[key][positive], dtype)]
        raise _not_representable([*alone, " times ".join(given)][0], np.dtype(dtype))
    return combined


def _is_representable(positive: Array, dtype: Any) -> bool:
    """Tell whether a dtype has a normal number for the ratio of each weight to the largest."""
    return bool(positive.min() >= np.finfo(dtype).tiny * positive.max())


def _not_representable(name: str, dtype: Any) -> ValueError:
    return ValueError(
        f"{name} gives a row more than {1 / float(np.finfo(dtype).tiny):.0e} times the weight of "
        f"another, a ratio that {dtype} cannot represent: choose weights closer to each other, or "
        "0 to exclude a row" + (", or give X in float64" if dtype == np.float32 else "")
    )


def whole_numbers(weights: Array) -> Array | None:
    """Return the smallest whole numbers with the same ratios as positive weights.

    Training with that many copies of each row is equivalent to training with the weights. The
    result is None if all weights are equal, or if a number would be above `MAX_COPIES`.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._data.weights import whole_numbers
    >>> whole_numbers(np.array([2.0, 4.0, 6.0])), whole_numbers(np.array([0.1, 0.15]))
    (array([1, 2, 3]), array([2, 3]))
    """
    values, inverse = np.unique(weights, return_inverse=True)
    if not 1 < len(values) <= MAX_COPIES or values[-1] / values[0] > MAX_COPIES:
        return None
    for smallest in range(1, MAX_COPIES + 1):
        multiples = values / values[0] * smallest
        copies: Array = np.rint(multiples).astype(np.int64)
        if copies[-1] > MAX_COPIES:
            return None
        if (abs(multiples - copies) <= 1e-9 * copies).all():
            return copies[inverse]
    return None
