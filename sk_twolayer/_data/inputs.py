"""Rows and weights as users give them: what scikit-learn's checks leave to be done."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_twolayer._data.containers import has_float32_columns, refuse_lazy, to_numpy_if_foreign
from sk_twolayer._numerics.matrices import is_sparse
from sk_twolayer._typing import Array

NUMERIC_KINDS = "fiub"  # the kinds of dtype that become floats one by one


def rows_to_predict(model: Any, X: Any) -> Any:
    """Return the rows that a fitted model predicts, in its dtype; nan is found block by block."""
    if not hasattr(model, "coefs_"):  # or else this would take as long as the net does
        check_is_fitted(model, "coefs_")
    dtypes = [model.coefs_[0].dtype]
    return validated(model, X, dtypes=dtypes, reset=False, ensure_all_finite=False)


def validated(
    estimator: Any,
    X: Any,
    y: Any = "no_validation",
    *,
    dtypes: list[Any],
    reset: bool,
    ensure_all_finite: bool = True,
    **options: Any,
) -> Any:
    """Return what scikit-learn's `validate_data` does, without changing the caller's arrays.

    That takes longer than many a prediction, and for dataframes it grows with the columns. So
    arrays and dataframes of plain numbers, for a model that is fitted already, are checked here;
    whatever else there is, and whatever is to be refused, goes to `validate_data`.
    """
    refuse_lazy(X, "X")
    if not reset:
        rows = _plain_rows(estimator, X, dtypes[0])
        if rows is not None and not (ensure_all_finite and not _is_finite(rows)):
            if isinstance(y, str):
                return rows
            if _is_plain_target(y, len(rows)):
                return rows, y
    X = to_numpy_if_foreign(X, "X")
    refuse_missing(X=X)
    if has_float32_columns(X) and np.float32 in dtypes:
        dtypes = [np.float32]
    options.update(accept_sparse="csr", dtype=dtypes, ensure_all_finite=ensure_all_finite)
    with overflow_as_value_error("X"):
        return validate_data(estimator, safe_to_cast(X, dtypes), y, reset=reset, **options)


def _plain_rows(model: Any, X: Any, dtype: np.dtype[Any]) -> Array | None:
    """Return an array or a dataframe of numbers as an array of a dtype, else None.

    The names and the number of the columns are those of the model.
    """
    if type(X) is np.ndarray:
        has_names = hasattr(model, "feature_names_in_")  # of which scikit-learn warns
        if has_names or X.ndim != 2 or not len(X) or X.shape[1] != model.n_features_in_:
            return None
        if X.dtype.kind not in NUMERIC_KINDS:
            return None
        rows = X
    else:
        dtypes = _dtypes_of_columns(X)
        if not dtypes or not len(X) or not all(_is_of_numbers(each) for each in dtypes):
            return None
        validate_data(model, X, reset=False, skip_check_array=True)  # names and number of columns
        rows = X.to_numpy()
    if rows.dtype != dtype:
        with np.errstate(over="ignore", invalid="ignore"):  # what is infinite then is refused
            rows = rows.astype(dtype)
    return rows


def _is_plain_target(y: Any, n: int) -> bool:
    """Tell whether scikit-learn's check would return y as it is."""
    if type(y) is not np.ndarray or y.ndim not in (1, 2) or len(y) != n:
        return False
    return y.dtype.kind in "iubU" or (y.dtype.kind == "f" and bool(np.isfinite(y).all()))


def _is_of_numbers(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in NUMERIC_KINDS


def _is_finite(rows: Array) -> bool:
    """Tell whether no number is nan or infinite: False also if their sum is too large."""
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(rows.sum())


def refuse_missing(**arguments: Any) -> None:
    """Refuse what is under a mask, and NaT, both of which scikit-learn takes for numbers."""
    for name, value in arguments.items():
        refuse_lazy(value, name)
        if np.ma.is_masked(value):
            raise ValueError(
                f"{name} is a masked array with {np.ma.getmask(value).sum()} masked elements: fill "
                f"them in first, for example with {name}.filled(np.nan) and an imputer, or leave "
                "their rows out"
            )
        if _holds_nat(value):
            raise ValueError(f"{name} contains NaT: leave out the rows whose time is missing")


def _holds_nat(value: Any) -> bool:
    """Tell whether there is a missing time in an array or in a dataframe of pandas'."""
    if any(getattr(dtype, "kind", "") in ("m", "M") for dtype in _dtypes_of_columns(value)):
        return bool(np.any(value.isna()))
    is_time = getattr(getattr(value, "dtype", None), "kind", None) in ("m", "M")
    return is_time and bool(np.isnat(np.asarray(value)).any())


def _dtypes_of_columns(X: Any) -> list[Any]:
    """Return the different dtypes of a dataframe's columns; none of what is no dataframe."""
    if not (hasattr(X, "columns") and hasattr(X, "dtypes") and getattr(X, "ndim", 2) == 2):
        return []  # a series of Dask has columns too
    # by identity, which is quick for hundreds of columns: one dtype may be there twice
    dtypes = getattr(X.dtypes, "values", X.dtypes)
    return list({id(dtype): dtype for dtype in dtypes}.values())


@contextmanager
def overflow_as_value_error(name: str) -> Iterator[None]:
    """Let numbers become floats without a warning: those too large are refused, or are infinite."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except OverflowError as error:
        raise ValueError(f"{name} holds a number that is too large for a float") from error


def safe_to_cast(X: Any, dtypes: list[Any]) -> Any:
    """Return a matrix whose type may be changed without a trace in the caller's.

    Before SciPy 1.11 ``astype`` adds up the duplicates in the matrix it is asked of, and sorts it.
    """
    changes = is_sparse(X) and X.dtype not in dtypes
    return X.copy() if changes and not getattr(X, "has_canonical_format", True) else X
