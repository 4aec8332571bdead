"""Rows and weights as users give them: what scikit-learn's checks leave to be done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from sk_twolayer._data.containers import has_float32_columns, refuse_lazy, to_numpy_if_foreign
from sk_twolayer._numerics.matrices import is_sparse


def validated(
    estimator: Any, X: Any, y: Any = "no_validation", *, dtypes: list[Any], **options: Any
) -> Any:
    """Return what scikit-learn's `validate_data` does, without changing the caller's arrays."""
    X = to_numpy_if_foreign(X, "X")
    refuse_missing(X=X)
    if has_float32_columns(X) and np.float32 in dtypes:
        dtypes = [np.float32]
    with as_floats("X"):
        X = to_convert(X, dtypes)
        return validate_data(estimator, X, y, accept_sparse="csr", dtype=dtypes, **options)


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
    kinds = [getattr(dtype, "kind", "") for dtype in _dtypes_of_columns(value)]
    if {"m", "M"} & set(kinds):
        return bool(np.any(value.isna()))
    is_time = getattr(getattr(value, "dtype", None), "kind", None) in ("m", "M")
    return is_time and bool(np.isnat(np.asarray(value)).any())


def _dtypes_of_columns(X: Any) -> list[Any]:
    return list(X.dtypes) if hasattr(X, "columns") and hasattr(X, "dtypes") else []


@contextmanager
def as_floats(name: str) -> Iterator[None]:
    """Let numbers become floats without a warning: those too large are refused, or are infinite."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except OverflowError as error:
        raise ValueError(f"{name} holds a number that is too large for a float") from error


def to_convert(X: Any, dtypes: list[Any]) -> Any:
    """Return a matrix whose type may be changed without a trace in the caller's.

    Before SciPy 1.11 ``astype`` adds up the duplicates in the matrix it is asked of, and sorts it.
    """
    changes = is_sparse(X) and X.dtype not in dtypes
    return X.copy() if changes and not getattr(X, "has_canonical_format", True) else X
