"""Validation of X: scikit-learn's checks, what they miss, and a faster path for simple arrays."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_twolayer._data.containers import (
    has_dtypes,
    has_float32_columns,
    refuse_lazy,
    to_numpy_if_foreign,
)
from sk_twolayer._numerics.matrices import is_sparse
from sk_twolayer._typing import Array, Classifier, Matrix

NUMERIC_KINDS = "fiub"  # kinds of dtype: floats, signed and unsigned integers, booleans


def rows_to_predict(model: Classifier, X: Any) -> Matrix:
    """Return the rows that a fitted model predicts, in its dtype.

    NaN and infinity are not checked here, but later for each block of rows, while it is in the
    cache.
    """
    if not hasattr(model, "coefs_"):  # check_is_fitted alone takes as long as a prediction
        check_is_fitted(model, "coefs_")
    dtypes = [dtype_of_parameters([*model.coefs_, *model.intercepts_])]
    rows: Matrix = validated(model, X, dtypes=dtypes, reset=False, ensure_all_finite=False)
    return rows


def dtype_of_parameters(parameters: Sequence[object]) -> np.dtype[Any]:
    """Return the dtype of `coefs_` and `intercepts_`, which the user may have assigned.

    Raises
    ------
    TypeError
        If they contain anything but arrays of float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._data.inputs import dtype_of_parameters
    >>> dtype_of_parameters([np.ones((3, 2), np.float32), np.ones(2, np.float32)])
    dtype('float32')
    >>> dtype_of_parameters([[[0.5, 1.0]], [0.0, 0.0]])
    Traceback (most recent call last):
    TypeError: coefs_ and intercepts_ must contain arrays of float32 or float64, got a list: ...
    """
    for array in parameters:
        if not isinstance(array, np.ndarray) or array.dtype.char not in "fd":
            kind = f"{array.dtype} array" if isinstance(array, np.ndarray) else type(array).__name__
            raise TypeError(
                f"coefs_ and intercepts_ must contain arrays of float32 or float64, got a {kind}: "
                "convert it, for example with np.asarray(coef, dtype=np.float64)"
            )
    first: Any = parameters[0]
    dtype: np.dtype[Any] = first.dtype
    return dtype


def validated(
    estimator: Any,
    X: Any,
    y: Any = "no_validation",
    *,
    dtypes: list[Any],
    reset: bool,
    ensure_all_finite: bool = True,
    name: str = "X",
    **options: Any,
) -> Any:
    """Return X, or X and y, as scikit-learn's `validate_data` does.

    There are three differences:

    - Masked elements and NaT are errors.
    - Dataframes whose columns are all float32 stay float32.
    - For a fitted model, arrays and dataframes of plain numbers are checked here, because
      `validate_data` takes longer than the prediction of a few rows. If they are not valid, and
      for all other containers, `validate_data` is called.

    Parameters
    ----------
    estimator : TwoLayerClassifier
        Its number and names of features are set or compared, see `reset`.
    X : array-like, dataframe or sparse container of shape (n, n_features)
        Input rows. They are never changed.
    y : array-like, default="no_validation"
        Targets; without them, X alone is returned.
    dtypes : list of dtype
        The dtypes that X may keep. Other dtypes become the first of them.
    reset : bool
        Whether to set the number and names of the features, instead of comparing with them.
    ensure_all_finite : bool, default=True
        Whether NaN and infinity in X are errors.
    name : str, default="X"
        The name of X in messages.
    **options : bool and str
        Further arguments of `validate_data`.

    Raises
    ------
    ValueError, TypeError
        If X contains anything but finite numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer import TwoLayerClassifier
    >>> from sk_twolayer._data.inputs import validated
    >>> validated(TwoLayerClassifier(), [[1, 2]], dtypes=[np.float32], reset=True)
    array([[1., 2.]], dtype=float32)
    >>> validated(TwoLayerClassifier(), [[10**400]], dtypes=[np.float32], reset=True)
    Traceback (most recent call last):
    ValueError: X contains a number that is too large for a float
    """
    refuse_lazy(X, name)
    if not reset:
        rows = _plain_rows(estimator, X, dtypes[0])
        if rows is not None and not (ensure_all_finite and not _is_finite(rows)):
            if isinstance(y, str):
                return rows
            if _is_plain_target(y, len(rows)):
                return rows, y
    X = to_numpy_if_foreign(X, name)
    refuse_missing(X, name)
    if has_float32_columns(X) and np.float32 in dtypes:
        dtypes = [np.float32]
    options.update(accept_sparse="csr", dtype=dtypes, ensure_all_finite=ensure_all_finite)
    with overflow_as_value_error(name):
        return validate_data(estimator, safe_to_cast(X, dtypes), y, reset=reset, **options)


def _plain_rows(model: Classifier, X: object, dtype: np.dtype[Any]) -> Array | None:
    """Return X as an array of a dtype; None if scikit-learn has to check it.

    Only arrays and pandas dataframes of numbers, whose columns match those of the model, are
    converted.
    """
    if type(X) is np.ndarray:
        has_names = hasattr(model, "feature_names_in_")  # scikit-learn warns that X has none
        if has_names or X.ndim != 2 or not len(X) or X.shape[1] != model.n_features_in_:
            return None
        if X.dtype.kind not in NUMERIC_KINDS:
            return None
        rows = X
    else:
        dtypes = _dtypes_of_columns(X)
        if not has_dtypes(X) or not len(X) or not dtypes or not all(map(_is_of_numbers, dtypes)):
            return None
        validate_data(model, X, reset=False, skip_check_array=True)  # names and number of columns
        rows = X.to_numpy()
    if rows.dtype != dtype:
        with np.errstate(over="ignore", invalid="ignore"):  # infinity is refused later
            rows = rows.astype(dtype)
    return rows


def _is_plain_target(y: object, n: int) -> bool:
    """Tell whether scikit-learn's check would return y unchanged."""
    if type(y) is not np.ndarray or y.ndim not in (1, 2) or len(y) != n:
        return False
    return y.dtype.kind in "iubU" or (y.dtype.kind == "f" and bool(np.isfinite(y).all()))


def _is_of_numbers(dtype: object) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in NUMERIC_KINDS


def _is_finite(rows: Array) -> bool:
    """Tell whether all numbers are finite, by their sum: False also if the sum overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(rows.sum())


def refuse_missing(
    value: object,
    name: str,
    advice: str = "fill them first, for example with {name}.filled(np.nan) and an imputer, or "
    "remove their rows",
) -> None:
    """Refuse masked elements and NaT.

    scikit-learn uses the numbers under a mask, and converts NaT to -9.2e18.

    Parameters
    ----------
    value : object
        The argument of the user.
    name : str
        Its name in messages.
    advice : str
        What to do about masked elements; it may contain "{name}".

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._data.inputs import refuse_missing
    >>> refuse_missing(np.ma.array([1.0, 2.0], mask=[True, False]), "X")
    Traceback (most recent call last):
    ValueError: X is a masked array with masked elements (1 of 2): fill them first, for example ...
    """
    refuse_lazy(value, name)
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        n_masked = np.ma.getmask(value).sum()
        raise ValueError(
            f"{name} is a masked array with masked elements ({n_masked} of {value.size}): "
            + advice.format(name=name)
        )
    if _holds_nat(value):
        raise ValueError(f"{name} contains NaT: remove the rows whose time is missing")


def _holds_nat(value: object) -> bool:
    """Tell whether an array of times, or a time column of a pandas dataframe, has missing values.

    X is only read if its dtype, or that of a column, is one of times.
    """
    if has_dtypes(value):
        if not any(_is_time(dtype) for dtype in _dtypes_of_columns(value)):
            return False
        times = [_is_time(dtype) for dtype in value.dtypes]
        return bool(np.asarray(value.isna())[:, times].any())
    return _is_time(getattr(value, "dtype", None)) and bool(np.isnat(np.asarray(value)).any())


def _is_time(dtype: object) -> bool:
    return getattr(dtype, "kind", "") in ("m", "M")


def _dtypes_of_columns(X: object) -> list[Any]:
    """Return the dtypes of the columns of a dataframe, and an empty list for anything else.

    Each dtype object is listed once. Equal dtypes may be listed twice: comparing by identity is
    fast for hundreds of columns.
    """
    if not has_dtypes(X):
        return []
    dtypes = getattr(X.dtypes, "values", X.dtypes)
    return list({id(dtype): dtype for dtype in dtypes}.values())


@contextmanager
def overflow_as_value_error(name: str) -> Iterator[None]:
    """Convert to floats without warnings, and with an error that names the argument.

    Python raises an OverflowError for integers and fractions that are too large for a float, which
    becomes a ValueError here. NumPy converts other numbers that are too large to infinity, which
    scikit-learn's checks refuse.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except OverflowError as error:
        raise ValueError(f"{name} contains a number that is too large for a float") from error


@contextmanager
def naming_validation_rows(names: str) -> Iterator[None]:
    """Name the arguments of validation rows in scikit-learn's errors.

    scikit-learn calls them X, y and sample_weight, or does not name them.

    Parameters
    ----------
    names : str
        The names of the arguments that are checked, for errors that name none. If they are not
        names of validation rows, all errors are unchanged.

    Examples
    --------
    >>> from sk_twolayer._data.inputs import naming_validation_rows
    >>> with naming_validation_rows("X_val and y_val"):
    ...     raise ValueError("Input X contains NaN.")
    Traceback (most recent call last):
    ValueError: Input X_val contains NaN.
    >>> with naming_validation_rows("X_val and y_val"):
    ...     raise ValueError("Found array with 0 sample(s)")
    Traceback (most recent call last):
    ValueError: X_val and y_val: Found array with 0 sample(s)
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        message = str(error)
        if not names.endswith("_val") or re.search(r"\b(X|y|sample_weight)_val\b", message):
            raise
        named, n_names = re.subn(r"^(Input )?(X|y|sample_weight)\b", r"\1\2_val", message)
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(named if n_names else f"{names}: {message}") from error


def safe_to_cast(X: Any, dtypes: list[Any]) -> Any:
    """Return X, or a copy if converting X to one of the dtypes would change X itself.

    Before SciPy 1.11, ``astype`` of a sparse X sums its duplicates, and sorts it, in place.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from sk_twolayer._data.inputs import safe_to_cast
    >>> X = csr_array(([1, 1], [0, 0], [0, 2]), shape=(1, 1))  # not summed
    >>> safe_to_cast(X, ["int64"]) is X, safe_to_cast(X, ["float64"]) is X
    (True, False)
    """
    changes = is_sparse(X) and X.dtype not in dtypes
    return X.copy() if changes and not getattr(X, "has_canonical_format", True) else X
