"""Arrays and frames of other libraries whose dtypes scikit-learn's checks do not know."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import get_config

# As pandas, polars and pyarrow call it, and pandas for columns of pyarrow.
FLOAT32_NAMES = {"float32", "Float32", "float", "float[pyarrow]"}


def to_numpy_if_foreign(value: Any, name: str) -> Any:
    """Return an array of another library as a NumPy array of the same dtype; all else as it is.

    scikit-learn converts such arrays too, but to float64, as it does not know their dtypes.

    Raises
    ------
    TypeError
        For a lazy frame, and for arrays that array-API dispatch would keep in their library.
    """
    refuse_lazy(value, name)
    if isinstance(value, np.ndarray | list) or hasattr(value, "columns"):
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
            f"{name} is a LazyFrame, which holds a query and no rows: give {name}.collect()"
        )


def _has_array_api(value: Any) -> bool:
    """Tell whether scikit-learn would dispatch by a value's type, which PyTorch's does not tell."""
    return hasattr(value, "__array_namespace__") or (
        hasattr(value, "__dlpack__") and not hasattr(value, "to_numpy")
    )


def has_float32_columns(X: Any) -> bool:
    """Tell whether X is a frame of float32 columns only, of pandas, polars or pyarrow."""
    if not hasattr(X, "columns"):
        return False
    dtypes = X.dtypes if hasattr(X, "dtypes") else getattr(getattr(X, "schema", None), "types", ())
    return bool(len(dtypes)) and all(str(dtype) in FLOAT32_NAMES for dtype in dtypes)
