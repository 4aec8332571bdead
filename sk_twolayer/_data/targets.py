"""Validation of y, and encoding of its labels as class numbers."""

from __future__ import annotations

from numbers import Real
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import column_or_1d

from sk_twolayer._data.containers import to_numpy_if_foreign
from sk_twolayer._numerics.matrices import as_dense, is_sparse, without_duplicates
from sk_twolayer._typing import Array, Matrix


class Labels(NamedTuple):
    """The classes, or labels, to which the scores of a network belong.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The class labels, sorted; for multilabel targets, the numbers of the columns of y.
    multilabel : bool
        Whether a row may have several labels, or none.
    sparse : bool
        Whether the indicator matrix was sparse, and predictions are sparse too.
    """

    classes: Array
    multilabel: bool = False
    sparse: bool = False

    @property
    def n_outputs(self) -> int:
        """Number of scores, int: one for two classes, otherwise one per class or label."""
        return 1 if self._binary else len(self.classes)

    @property
    def loss(self) -> str:
        """The last layer of the network: "softmax" or "sigmoid".

        For a single class it is "softmax": that of a single score is 1, and its gradient is 0.
        """
        return "sigmoid" if self.multilabel or self._binary else "softmax"

    @property
    def _binary(self) -> bool:
        return len(self.classes) == 2 and not self.multilabel

    @classmethod
    def from_targets(cls, y: Matrix) -> Self:
        """Return the labels that occur in y, including those of rows of weight zero."""
        if y.ndim == 2:
            return cls(np.arange(y.shape[1]), multilabel=True, sparse=is_sparse(y))
        return cls(distinct_labels(y))

    @classmethod
    def from_classes(cls, classes: Any, y: Matrix) -> Self:
        """Return the labels in the argument `classes` of the first call of `partial_fit`.

        Parameters
        ----------
        classes : array-like of shape (n_classes,)
            All labels that will occur in any call.
        y : ndarray or sparse container
            The first targets, as `check_targets` returns them. For an indicator matrix, `classes`
            are the numbers of its columns.

        Raises
        ------
        ValueError
            If there are none, or they are not the numbers of the columns of `y`.
        """
        classes = as_target_array(classes, "classes")
        labels = distinct_labels(classes, "classes") if np.size(classes) else np.array([])
        if y.ndim == 2:
            if labels.tolist() != list(range(y.shape[1])):
                raise ValueError(
                    f"for an indicator matrix of {y.shape[1]} columns, classes must be the numbers "
                    f"of the columns, range({y.shape[1]}), got {classes!r}"
                )
            return cls(labels, multilabel=True, sparse=is_sparse(y))
        if not len(labels):
            raise ValueError(f"classes must contain at least one label, got classes={classes!r}")
        return cls(labels)

    def encode(self, y: Matrix, name: str = "y") -> Matrix:
        """Return the class numbers of labels, and an indicator matrix unchanged.

        Parameters
        ----------
        y : ndarray or sparse container of shape (n,) or (n, n_labels)
            Targets, as `check_targets` returns them.
        name : str, default="y"
            Their name in messages.

        Returns
        -------
        ndarray of shape (n,), dtype intp, or ndarray or sparse container of shape (n, n_labels)
            The position of each label in `classes`, or `y`.

        Raises
        ------
        ValueError
            If y has labels that are not in `classes`, or is an indicator matrix where `classes` are
            exclusive, or the reverse.

        Examples
        --------
        >>> import numpy as np
        >>> from sk_twolayer._data.targets import Labels
        >>> Labels(np.array(["a", "b", "c"])).encode(np.array(["c", "a", "c"]))
        array([2, 0, 2])
        """
        if (y.ndim == 2) != self.multilabel:
            columns = f"an indicator matrix of {len(self.classes)} columns"
            raise ValueError(
                f"{name} must be {columns if self.multilabel else 'one label per row'}, like the y "
                f"that determined the classes, but its shape is {y.shape}"
            )
        if self.multilabel:
            if y.shape[1] != len(self.classes):
                raise ValueError(
                    f"{name} has {y.shape[1]} columns, but there are {len(self.classes)} labels"
                )
            return y
        numbers = {label: number for number, label in enumerate(self.classes.tolist())}
        values, inverse = np.unique(as_dense(y), return_inverse=True)
        # compared in Python, since a cast to the dtype of the classes would truncate long strings
        unknown = [label for label in values.tolist() if label not in numbers]
        if unknown:
            raise ValueError(
                f"{name} has labels that are not among the classes {self.classes.tolist()}: "
                f"{unknown}"
            )
        known = np.array([numbers[label] for label in values.tolist()], dtype=np.intp)
        t: Array = known[inverse]
        return t

    def decode(self, t: Matrix) -> Matrix:
        """Return the targets of class numbers: the inverse of `encode`."""
        return t if self.multilabel else self.classes[as_dense(t)]


def as_target_array(y: Any, name: str = "y") -> Any:
    """Return targets as an array or sparse container of a dtype that scikit-learn understands.

    Arrays of objects get the dtype of their elements, and so do columns of dataframes that NumPy
    converts to such arrays. Anything that is not an array is returned unchanged, so that
    scikit-learn refuses it.

    Parameters
    ----------
    y : array-like
        Targets, as users give them.
    name : str, default="y"
        Their name in messages.

    Raises
    ------
    ValueError
        If labels are missing, of different kinds, or not numbers, strings or booleans.

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_twolayer._data.targets import as_target_array
    >>> as_target_array(pd.Series([2**53 + 1, 2**53], dtype="Int64"))  # floats would be equal
    array([9007199254740993, 9007199254740992])
    """
    y = to_numpy_if_foreign(y, name)
    if is_sparse(y):
        if y.dtype.kind in "fc":
            entries = y.tocoo()
            _refuse_missing_labels(np.isnan(entries.data), entries.data, name, entries.row)
        return y
    if hasattr(y, "sparse") and np.ndim(y) == 2:  # a sparse dataframe of pandas
        return y
    array = _as_array(y, name)
    if array is None:
        return y
    if array.dtype.kind in "fc":
        _refuse_missing_labels(np.isnan(array), array, name)
        if np.isinf(array).any():
            raise ValueError(f"{name} contains infinity, which is not a label")
    if array.dtype.kind in "mM":
        _refuse_missing_labels(np.isnat(array), array, name)
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _as_array(y: Any, name: str) -> Array | None:
    """Return an array whose dtype is that of its labels.

    The result is None if y is not an array, but a single label or a ragged list.
    """
    if np.ma.isMaskedArray(y):
        _refuse_missing_labels(np.ma.getmaskarray(y), y, name)
        y = y.data
    try:
        array: Array = y if isinstance(y, np.ndarray) else np.asarray(y)
    except ValueError:  # of lists of different lengths
        return None
    if array.ndim == 0:
        return None
    if array.dtype.kind in "US" and isinstance(y, list | tuple):
        # NumPy converts all elements to strings if one is a string, as in [1, "a"]
        _kind_of_objects(np.array(y, dtype=object), name)
    if array.dtype.kind in "OT":  # T: strings of variable length in NumPy 2
        return _with_dtype_of_elements(array.astype(object, copy=False), name)
    return array


def _with_dtype_of_elements(array: Array, name: str) -> Array:
    """Return an array of numbers or booleans instead of an array of objects."""
    kind = _kind_of_objects(array, name)
    if kind == "booleans":
        return array.astype(bool)
    if kind != "numbers":
        return array
    elements = array.ravel().tolist()
    numbers = np.array(elements).reshape(array.shape)
    if numbers.dtype.kind not in "iuf" or numbers.ravel().tolist() != elements:
        raise ValueError(
            f"{name} has numbers that neither 64-bit integers nor floats can represent exactly: "
            "convert them to strings"
        )
    return numbers


def _kind_of_objects(array: Array, name: str) -> str:
    """Return the kind of all elements of an array: "numbers", "strings", "booleans" or "bytes".

    One element of each type is checked, which is fast for many elements.
    """
    elements = array.ravel().tolist()
    examples = dict(zip(map(type, elements), elements, strict=True))
    if examples.keys() - {str, int, bool}:
        missing = np.array([_is_missing(element) for element in elements], dtype=bool)
        _refuse_missing_labels(missing.reshape(array.shape), array, name)
    of_kinds = {_kind(example): example for example in examples.values()}
    if array.ndim == 2 and of_kinds.keys() == {"numbers", "booleans"}:  # columns of a dataframe
        return "numbers"
    if len(of_kinds) > 1:
        (kind, example), (other_kind, other) = list(of_kinds.items())[:2]
        raise ValueError(
            f"{name} has labels of different kinds, for example {example!r} ({kind}) and "
            f"{other!r} ({other_kind}): give only numbers, only strings or only booleans"
        )
    kind = next(iter(of_kinds), "numbers")
    if kind not in ("numbers", "strings", "booleans", "bytes"):
        raise ValueError(
            f"{name} has labels of type {kind}, but labels must be numbers, strings or booleans; "
            "for several labels per row, see sklearn.preprocessing.MultiLabelBinarizer"
        )
    return kind


def _kind(label: Any) -> str:
    kinds = {"booleans": bool | np.bool_, "numbers": Real, "strings": str, "bytes": bytes}
    return next((kind for kind, of in kinds.items() if isinstance(label, of)), type(label).__name__)


def _is_missing(label: Any) -> bool:
    """Tell whether a label is None, NaN, NaT or pandas.NA."""
    if label is None:
        return True
    try:
        return bool(label != label)
    except TypeError:  # pandas.NA is neither equal nor different
        return True
    except ValueError:  # of an array, which is no label
        return False


def _refuse_missing_labels(missing: Array, y: Array, name: str, rows: Array | None = None) -> None:
    if not missing.any():
        return
    first = tuple(np.argwhere(missing)[0])
    row = first[0] if rows is None else rows[first]
    raise ValueError(
        f"{name} has missing labels, the first of them ({y[first]}) in row {row}: remove the rows "
        "whose label is missing"
    )


def distinct_labels(y: Any, name: str = "y") -> Array:
    """Return the labels that occur, sorted.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels.
    name : str, default="y"
        Their name in messages.

    Raises
    ------
    ValueError
        If they cannot be class labels, such as numbers with fractions.

    Examples
    --------
    >>> from sk_twolayer._data.targets import distinct_labels
    >>> distinct_labels(["b", "a", "b"])
    array(['a', 'b'], dtype='<U1')
    """
    if np.ndim(y) != 1 or getattr(y, "dtype", np.dtype(int)).kind == "V":
        raise ValueError(
            f"{name} must be one-dimensional, of numbers, strings or booleans, got {y!r}"
        )
    labels: Array = np.unique(np.asarray(y))
    if labels.dtype.kind in "biuU":  # any of these are labels, and scikit-learn's checks take time
        return labels
    # Each label is repeated three times, because scikit-learn warns that y may be a target of
    # regression if most labels occur once. Suppressing that warning would change the filters of all
    # threads.
    labels = np.repeat(labels, 3)
    with np.errstate(invalid="ignore"):  # scikit-learn casts floats to integers to compare them
        check_classification_targets(labels)  # its message is clearer than that of unique_labels
        classes: Array = unique_labels(labels)
    return classes


def is_one_hot(y: Matrix) -> bool:
    """Tell whether each row of an indicator matrix of three or more columns has exactly one 1."""
    if y.ndim == 1 or y.shape[1] < 3 or not y.shape[0]:
        return False
    return bool(np.all(y.sum(axis=1) == 1))


def check_targets(y: Matrix, name: str = "y", *, complete: bool = True) -> Matrix:
    """Return targets as labels of shape (n,), or as an indicator matrix of zeros and ones.

    Parameters
    ----------
    y : ndarray or sparse container of shape (n,) or (n, n_columns)
        Targets, as `as_target_array` returns them. A single column is one label per row.
    name : str, default="y"
        Their name in messages.
    complete : bool, default=True
        Whether these are all rows of a `fit`. If so, scikit-learn warns if there are so many
        different labels that they look like a target of regression. A few rows of `partial_fit`,
        or validation rows, may all have different labels.

    Raises
    ------
    ValueError
        If they are continuous numbers, several classes per row, or of a type that cannot be labels.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._data.targets import check_targets
    >>> check_targets(np.array([["b"], ["a"]], dtype="U1")[:, 0])
    array(['b', 'a'], dtype='<U1')
    >>> check_targets(np.array([[0, 1], [1, 1]])).shape
    (2, 2)
    """
    if _is_plain(y, complete=complete):
        return y
    if y.ndim == 1 or y.shape[1] == 1:
        y = column_or_1d(as_dense(y), warn=True)
        if not complete:
            distinct_labels(y, name)
            return y
        with np.errstate(invalid="ignore"):
            check_classification_targets(y)
        return y
    check_classification_targets(y)
    if type_of_target(y, input_name=name) == "multiclass-multioutput":
        raise ValueError(
            f"{name} has several columns with more than two values (multiclass-multioutput): train "
            "one classifier per column with sklearn.multioutput.MultiOutputClassifier("
            "TwoLayerClassifier())"
        )
    y = without_duplicates(y)
    low, high = y.min(), y.max()
    if low < 0 or high > 1:
        raise ValueError(
            f"an indicator matrix contains 0 and 1, but {name} ranges from {low} to {high}; for "
            "one label per row, give an array of shape (n_samples,)"
        )
    return y


def _is_plain(y: Matrix, *, complete: bool) -> bool:
    """Tell whether targets are so simple that they are valid without scikit-learn's checks.

    Those checks take longer than a training step with a few rows.
    """
    if type(y) is not np.ndarray or y.dtype.kind not in "iub" or not len(y):
        return False
    if y.ndim == 1:
        return not complete  # all integers are valid, but `fit` may have to warn: see check_targets
    return y.ndim == 2 and y.shape[1] > 1 and bool(y.min() >= 0 and y.max() <= 1)
