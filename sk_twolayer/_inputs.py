"""Floor 3: rows and weights as users give them: what scikit-learn's checks leave to be done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from sk_twolayer._rows import is_sparse


def validated(
    estimator: Any, X: Any, y: Any = "no_validation", *, dtypes: list[Any], **options: Any
) -> Any:
    """Return what scikit-learn's `validate_data` does, without changing the caller's arrays.

    Parameters
    ----------
    estimator : TwoLayerClassifier
        Whose rows they are.
    X : array-like, dataframe or sparse container of shape (n, d)
        Input rows.
    y : array-like, default="no_validation"
        Targets, if there are any.
    dtypes : list of dtype
        What X may be; the first one is what all else is made.
    **options : bool and str
        Passed on.

    Returns
    -------
    ndarray or sparse container, or a tuple of that and the targets
        The rows, in one of `dtypes`.

    Raises
    ------
    ValueError, TypeError
        If they are no rows of numbers, or hold what is missing or too large.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer import TwoLayerClassifier
    >>> from sk_twolayer._inputs import validated
    >>> validated(TwoLayerClassifier(), [[1, 2]], dtypes=[np.float32])
    array([[1., 2.]], dtype=float32)
    >>> validated(TwoLayerClassifier(), [[10**400]], dtypes=[np.float32])
    Traceback (most recent call last):
    ValueError: X holds a number that is too large for a float
    """
    refuse_missing(X=X)
    if _is_frame_of_float32(X) and np.float32 in dtypes:
        dtypes = [np.float32]
    with as_floats("X"):
        X = to_convert(X, dtypes)
        return validate_data(estimator, X, y, accept_sparse="csr", dtype=dtypes, **options)


def refuse_missing(**arguments: Any) -> None:
    """Refuse what is under a mask, and times that are none: scikit-learn would make numbers of it.

    Parameters
    ----------
    **arguments : array-likes or None
        What a user gave, by name.

    Raises
    ------
    ValueError
        If one of them has masked elements, or NaT.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._inputs import refuse_missing
    >>> refuse_missing(X=np.ma.array([1.0, 2.0]), y=[1, 2])
    >>> refuse_missing(X=np.ma.array([1.0, 2.0], mask=[True, False]))
    Traceback (most recent call last):
    ValueError: X is a masked array with 1 masked elements: fill them in first, for example with ...
    """
    for name, value in arguments.items():
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


def _is_frame_of_float32(X: Any) -> bool:
    """Tell whether a dataframe has nothing else, where scikit-learn does not: in polars' frames."""
    return {str(dtype) for dtype in _dtypes_of_columns(X)} == {"Float32"}


def _dtypes_of_columns(X: Any) -> list[Any]:
    return list(X.dtypes) if hasattr(X, "columns") and hasattr(X, "dtypes") else []


@contextmanager
def as_floats(name: str) -> Iterator[None]:
    """Let numbers become floats without a warning: those too large are refused as such, or as inf.

    Parameters
    ----------
    name : str
        What an error calls them.

    Raises
    ------
    ValueError
        Where Python raises an OverflowError, for an int or a fraction.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            yield
    except OverflowError as error:
        raise ValueError(f"{name} holds a number that is too large for a float") from error


def to_convert(X: Any, dtypes: list[Any]) -> Any:
    """Return a matrix whose type may be changed without a trace in the caller's.

    Before SciPy 1.11 ``astype`` adds up the duplicates in the matrix it is asked of, and sorts it.

    Parameters
    ----------
    X : array-like or sparse container of shape (n, d)
        The caller's matrix.
    dtypes : list of dtype
        The types that need no change.

    Returns
    -------
    array-like or sparse container of shape (n, d)
        A copy of a sparse container in disorder, if its type is another one; otherwise `X`.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from sk_twolayer._inputs import to_convert
    >>> disorder = csr_array(([1, 1], [0, 0], [0, 2]), shape=(1, 1))
    >>> to_convert(disorder, ["float64"]) is disorder, to_convert(disorder, ["int64"]) is disorder
    (False, True)
    """
    changes = is_sparse(X) and X.dtype not in dtypes
    return X.copy() if changes and not getattr(X, "has_canonical_format", True) else X
