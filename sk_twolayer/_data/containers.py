"""Arrays and dataframes of other libraries, whose dtypes scikit-learn's checks do not support."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeGuard

import numpy as np
from sklearn import get_config

from sk_twolayer._typing import Array

# The names of float32 in NumPy, in pandas and polars, in pyarrow, and in pandas with pyarrow.
FLOAT32_NAMES = {"float32", "Float32", "float", "float[pyarrow]"}


class DataFrame(Protocol):
    """What this package uses of the dataframes of pandas, polars and pyarrow."""

    columns: Any

    def __len__(self) -> int: ...


class DataFrameWithDtypes(DataFrame, Protocol):
    """A dataframe of pandas or polars."""

    dtypes: Any  # a Series of dtypes in pandas, a list in polars

    def isna(self) -> Any: ...

    def to_numpy(self) -> Array: ...


class Schema(Protocol):
    """The schema of a table of pyarrow."""

    types: Sequence[object]


class Table(DataFrame, Protocol):
    """A table of pyarrow."""

    schema: Schema


def is_dataframe(value: object) -> TypeGuard[DataFrame]:
    """Tell whether a value is a dataframe of any library."""
    return hasattr(value, "columns")


def has_dtypes(value: object) -> TypeGuard[DataFrameWithDtypes]:
    """Tell whether a value is a dataframe of pandas or polars."""
    # a series of Dask has columns too
    return is_dataframe(value) and hasattr(value, "dtypes") and getattr(value, "ndim", 2) == 2


def is_table(value: object) -> TypeGuard[Table]:
    """Tell whether a value is a table of pyarrow."""
    return is_dataframe(value) and hasattr(getattr(value, "schema", None), "types")


def to_numpy_if_foreign(value: Any, name: str) -> Any:
    """Return an array of another library as a NumPy array of the same dtype.

    scikit-learn converts such arrays too, but to float64, because it does not know their dtypes.
    Everything else, such as NumPy arrays, lists and dataframes, is returned unchanged.

    Raises
    ------
    TypeError
        For a lazy frame, and for arrays that array-API dispatch would keep in their library.
    """
    refuse_lazy(value, name)
    if isinstance(value, np.ndarray | list) or is_dataframe(value):
        return value
    if get_config()["array_api_dispatch"] and _has_array_api(value):
        raise TypeError(
            f"array_api_dispatch=True is not supported: the computation uses NumPy, and {name} is "
            f"a {type(value).__module__}.{type(value).__name__}. Convert it to a NumPy array, or "
            "call the method outside of config_context(array_api_dispatch=True)"
        )
    if hasattr(value, "to_numpy") or isinstance(getattr(value, "dtype", None), np.dtype):
        return value  # scikit-learn knows its dtype
    if hasattr(value, "__array__"):
        return np.asarray(value)
    return np.from_dlpack(value) if hasattr(value, "__dlpack__") else value


def refuse_lazy(value: Any, name: str) -> None:
    """Refuse a lazy frame of polars or narwhals."""
    if type(value).__name__ == "LazyFrame":
        raise TypeError(
            f"{name} is a LazyFrame, a query that has not been run: give {name}.collect() instead"
        )


def _has_array_api(value: Any) -> bool:
    """Tell whether scikit-learn would use the array API of the library of a value.

    Tensors of PyTorch do not have ``__array_namespace__``; they are recognised by ``__dlpack__``.
    """
    return hasattr(value, "__array_namespace__") or (
        hasattr(value, "__dlpack__") and not hasattr(value, "to_numpy")
    )


def has_float32_columns(X: object) -> bool:
    """Tell whether X is a dataframe whose columns are all float32."""
    if has_dtypes(X):
        dtypes = X.dtypes
    elif is_table(X):
        dtypes = X.schema.types
    else:
        return False
    return bool(len(dtypes)) and all(str(dtype) in FLOAT32_NAMES for dtype in dtypes)
