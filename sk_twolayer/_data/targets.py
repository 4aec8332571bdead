"""The labels of a classification problem, and the numbers a net knows them by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import column_or_1d

from sk_twolayer._data.containers import to_numpy_if_foreign
from sk_twolayer._numerics.matrices import as_dense, without_duplicates
from sk_twolayer._typing import Array


class Labels(NamedTuple):
    """What the scores of a net stand for: one of several classes, or several labels at once."""

    classes: Array  # sorted; or the numbers of the columns of y
    multilabel: bool = False

    @property
    def n_outputs(self) -> int:
        """Number of scores, int: a single one is enough to tell two classes apart."""
        return 1 if len(self.classes) == 2 and not self.multilabel else len(self.classes)

    @property
    def loss(self) -> str:
        """The last layer of the net: "softmax" or "sigmoid"."""
        return "sigmoid" if self.multilabel or self.n_outputs == 1 else "softmax"

    @classmethod
    def learn(cls, y: Any) -> Self:
        """Find out which labels there are."""
        if y.ndim == 2:
            return cls(np.arange(y.shape[1]), multilabel=True)
        classes = distinct_labels(y)
        if len(classes) < 2:
            raise ValueError(
                "a classifier needs at least 2 classes, but the rows of y that carry weight have "
                f"just 1 class: {classes.tolist()[0]!r}"
            )
        return cls(classes)

    @classmethod
    def announced(cls, classes: Any, y: Any) -> Self:
        """Take the labels that are to come."""
        classes = as_numpy(classes, "classes")
        labels = distinct_labels(classes, "classes") if np.size(classes) else np.array([])
        if y.ndim == 2:
            if labels.tolist() != list(range(y.shape[1])):
                raise ValueError(
                    f"for an indicator matrix of {y.shape[1]} columns classes must be their "
                    f"numbers, range({y.shape[1]}), got {classes!r}"
                )
            return cls(labels, multilabel=True)
        if len(labels) < 2:
            raise ValueError(f"a classifier needs at least 2 classes, got classes={classes!r}")
        return cls(labels)

    def encode(self, y: Any, name: str = "y") -> Any:
        """Return class numbers, of shape (n,); or an indicator matrix as it is."""
        if (y.ndim == 2) != self.multilabel:
            columns = f"an indicator matrix of {len(self.classes)} columns"
            raise ValueError(
                f"{name} must be {columns if self.multilabel else 'one label a row'}, as before, "
                f"but its shape is {y.shape}"
            )
        if self.multilabel:
            if y.shape[1] != len(self.classes):
                raise ValueError(
                    f"{name} has {y.shape[1]} columns, but there are {len(self.classes)} labels"
                )
            return y
        numbers = {label: number for number, label in enumerate(self.classes.tolist())}
        values, inverse = np.unique(y, return_inverse=True)
        # by equality in Python, since a cast to the type of the classes would cut strings
        unknown = [label for label in values.tolist() if label not in numbers]
        if unknown:
            raise ValueError(
                f"{name} has labels that are not among the classes {self.classes.tolist()}: "
                f"{unknown}"
            )
        return np.array([numbers[label] for label in values.tolist()], dtype=np.intp)[inverse]

    def decode(self, t: Any) -> Any:
        """Return the targets that `encode` made numbers of."""
        return t if self.multilabel else self.classes[t]


def as_numpy(y: Any, name: str = "y") -> Any:
    """Return pandas columns whose types have room for missing values as NumPy's, number by number.

    scikit-learn makes floats of such columns, which takes large integers for one another, and
    does not know them, nor half floats, in an indicator matrix.
    """
    y = to_numpy_if_foreign(y, name)
    if hasattr(y, "isna") and np.any(y.isna()):
        raise ValueError(f"Input {name} contains NaN: leave out the rows whose label is missing")
    columns = list(y.dtypes) if hasattr(y, "columns") else [getattr(y, "dtype", None)]
    dtypes = [getattr(dtype, "numpy_dtype", None) for dtype in columns]
    if dtypes and None not in dtypes:
        return y.to_numpy(np.result_type(*dtypes))
    return y.astype(np.float32) if columns == [np.dtype(np.float16)] else y


def distinct_labels(y: Any, name: str = "y") -> Array:
    """Return the labels that occur, sorted."""
    if np.ndim(y) != 1 or getattr(y, "dtype", np.dtype(int)).kind == "V":
        raise ValueError(f"{name} must be a row of labels: numbers, strings or booleans, got {y!r}")
    with _of_one_kind(name):
        labels = np.unique(np.asarray(y))
        # several of each: of many labels that occur once it warns that they may be quantities
        classes: Array = unique_labels(np.repeat(labels, 3))
    return classes


@contextmanager
def _of_one_kind(name: str) -> Iterator[None]:
    """Say more than Python does where labels cannot be put in order."""
    try:
        with np.errstate(invalid="ignore"):  # labels are taken for ints, to see whether they are
            yield
    except TypeError as error:
        raise TypeError(
            f"the labels in {name} must be of one kind, all strings or all numbers: {error}"
        ) from error


def check_targets(y: Any, name: str = "y", *, complete: bool = True) -> Any:
    """Return targets as labels of shape (n,), or as an indicator matrix of zeros and ones."""
    if y.ndim == 1 or y.shape[1] == 1:
        y = column_or_1d(as_dense(y), warn=True)
        labels = y if complete else np.repeat(distinct_labels(y, name), 3)
        with _of_one_kind(name):
            check_classification_targets(labels)
        return y
    check_classification_targets(y)
    if type_of_target(y, input_name=name) == "multiclass-multioutput":
        raise ValueError(
            f"{name} has several columns with more than two values (multiclass-multioutput): train "
            "one net for each column, sklearn.multioutput.MultiOutputClassifier("
            "TwoLayerClassifier())"
        )
    y = without_duplicates(y)
    low, high = y.min(), y.max()
    if low < 0 or high > 1:
        raise ValueError(
            f"an indicator matrix holds 0 and 1, but {name} goes from {low} to {high}; for one "
            "label a row, give an array of shape (n_samples,)"
        )
    return y
