"""What a file of a classifier holds, and how a damaged or a foreign one is known."""

from __future__ import annotations

import warnings
import zlib
from functools import singledispatch
from typing import Any

import numpy as np
import sklearn
from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from sk_twolayer._version import __version__

LAYOUT = 1  # raise it when files of an earlier one need to be translated; and translate them
MARKS = ("_layout", "_saved_by", "_checksum", "_sklearn_version")


class Persistent:
    """Adds to a saved estimator which layout it has, and a checksum; and asks for both on loading.

    pickle, joblib, cloudpickle and skops all save what `__getstate__` returns. The fitted part
    of it is plain: arrays, numbers, strings, and lists, tuples and dicts of those.
    """

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())  # type: ignore[call-overload]
        marks = LAYOUT, __version__, checksum(state), sklearn.__version__
        return {**state, **dict(zip(MARKS, marks, strict=True))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        name = type(self).__name__
        layout, saved_by, expected, sklearn_version = (state.get(mark) for mark in MARKS)
        if layout != LAYOUT:
            raise ValueError(
                f"this {name} was saved in layout {layout} by sk_twolayer {saved_by}, but "
                f"sk_twolayer {__version__}, which is to load it, knows layout {LAYOUT}: load it "
                "with the version that saved it, or train it again with this one"
            )
        state = {key: value for key, value in state.items() if key not in MARKS}
        if checksum(state) != expected:
            raise ValueError(
                f"this {name} is not what was saved: its checksum is another one. The file is "
                "damaged; load a copy, or train it again"
            )
        vars(self).update(state)
        # BaseEstimator does the same, for classes of scikit-learn only.
        if sklearn_version not in (sklearn.__version__, None):
            warnings.warn(
                InconsistentVersionWarning(
                    estimator_name=name,
                    current_sklearn_version=sklearn.__version__,
                    original_sklearn_version=sklearn_version,
                ),
                stacklevel=2,
            )


@singledispatch
def checksum(value: Any, so_far: int = 0) -> int:
    """Return a number that a change in plain data would change: its CRC-32."""
    return zlib.crc32(type(value).__name__.encode(), so_far)


@checksum.register(str | bytes | int | float | None | np.generic)
def _of_scalar(value: Any, so_far: int = 0) -> int:
    if isinstance(value, np.generic):
        value = value.item()  # which looks the same in every NumPy
    return zlib.crc32(repr(value).encode(), so_far)


@checksum.register(list | tuple)
def _of_sequence(value: Any, so_far: int = 0) -> int:
    for item in value:
        so_far = checksum(item, so_far)
    return zlib.crc32(str(len(value)).encode(), so_far)


@checksum.register(dict)
def _of_dict(value: dict[Any, Any], so_far: int = 0) -> int:
    return checksum(sum(checksum(item) for item in value.items()), so_far)  # in any order


@checksum.register(BaseEstimator)
def _of_estimator(value: BaseEstimator, so_far: int = 0) -> int:
    return checksum((type(value).__name__, value.get_params(deep=False)), so_far)


@checksum.register(np.ndarray)
def _of_array(value: Any, so_far: int = 0) -> int:
    if value.dtype.hasobject:
        return checksum(value.tolist(), so_far)
    data = np.ascontiguousarray(value).reshape(-1).view(np.uint8).data
    return zlib.crc32(data, checksum((value.dtype.str, value.shape), so_far))
