"""Weights of classes, and sample weights that are numbers of copies."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import compute_class_weight

from sk_twolayer._data.targets import Labels
from sk_twolayer._sklearn_compat import Number
from sk_twolayer._typing import Array

FACTOR = Number(Real, 0, None, closed="left")
MAX_COPIES = 2**40  # so that the sum over all rows is an exact float

ClassWeight = dict[Any, float] | str | None


def class_factors(
    class_weight: ClassWeight, labels: Labels, t: Any = None, weights: Array | None = None
) -> Array | None:
    """Return the factor of each class, 1 at most."""
    if class_weight is None:
        return None
    if labels.multilabel:
        raise ValueError(
            "class_weight is for one label a row, and y is an indicator matrix: weigh rows by "
            "sample_weight instead, or set class_weight=None"
        )
    if isinstance(class_weight, dict):
        of_classes = [class_weight.get(label, 1.0) for label in labels.classes.tolist()]
        factors = np.array(of_classes, dtype=np.float64)
    else:
        numbers = np.arange(len(labels.classes))
        factors = compute_class_weight(class_weight, classes=numbers, y=t, sample_weight=weights)
    if not factors.any():
        raise ValueError(
            "class_weight times sample_weight is zero for every row: give at least two classes "
            "that occur a positive weight"
        )
    factors /= factors.max()  # lest a product overflow
    return factors


def check_class_weight(class_weight: dict[Any, float], classes: list[Any]) -> None:
    """Refuse a dict that names what is no class, or gives what is no factor."""
    unknown = [label for label, factor in class_weight.items() if label not in classes and factor]
    if unknown:
        raise ValueError(
            f"class_weight names {unknown}, but the classes in y are {classes}; "
            "its keys must be labels of y"
        )
    for label, factor in class_weight.items():
        if not FACTOR.is_satisfied_by(factor):
            raise ValueError(
                f"class_weight[{label!r}] must be a number, zero or positive, got {factor!r}"
            )


def whole_numbers(sample_weight: Any, n_rows: int) -> Array | None:
    """Return the positive sample weights as numbers of copies of a row.

    Only ratios matter: weights that are whole numbers are divided by their greatest common
    divisor, others by the smallest one. None stands for weights of one, for weights that are no
    whole numbers even then, and for those of more or fewer rows than `n_rows` (a weight that is
    tiny beside the largest one may have become zero).
    """
    if sample_weight is None or np.ndim(sample_weight) != 1:
        return None
    weights = np.asarray(sample_weight)
    if weights.dtype.kind not in "biuf":
        weights = weights.astype(np.float64)
    weights = weights[weights > 0]
    if len(weights) != n_rows:
        return None
    for candidates in (weights, weights / weights.min()):
        if candidates.max() < MAX_COPIES:
            copies: Array = np.rint(candidates).astype(np.int64)
            if np.allclose(candidates, copies, rtol=1e-9, atol=0):
                copies //= np.gcd.reduce(copies)
                return None if (copies == 1).all() else copies
    return None
