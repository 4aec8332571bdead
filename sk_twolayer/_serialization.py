"""State of an estimator in files: layout, versions and checksum."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import numpy as np
import sklearn
from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from sk_twolayer._version import __version__
from sk_twolayer._warnings import warn

LAYOUT = 1  # raise it when files of an earlier one need to be translated; and translate them
METADATA_KEYS = ("_layout", "_saved_by", "_checksum", "_sklearn_version")


def add_metadata(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of an estimator for a file, with the layout, the versions and a checksum.

    pickle, joblib, cloudpickle and skops all save what `__getstate__` returns. The fitted part
    of it is plain: arrays, numbers, strings, and lists, tuples and dicts of those.
    """
    state = dict(state)
    marks = LAYOUT, __version__, checksum(state), sklearn.__version__
    return {**state, **dict(zip(METADATA_KEYS, marks, strict=True))}


def without_metadata(state: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the state that `add_metadata` was given; raise an error if the file differs from it.

    Parameters
    ----------
    state : dict
        The state from the file.
    name : str
        The name of the class, for messages.
    """
    layout, saved_by, expected, sklearn_version = (state.get(mark) for mark in METADATA_KEYS)
    if layout != LAYOUT:
        raise ValueError(
            f"this {name} was saved in layout {layout} by sk_twolayer {saved_by}, but "
            f"sk_twolayer {__version__}, which is to load it, knows layout {LAYOUT}: load it "
            "with the version that saved it, or train it again with this one"
        )
    state = {key: value for key, value in state.items() if key not in METADATA_KEYS}
    if checksum(state) != expected:
        raise ValueError(
            f"this {name} is not what was saved: its checksum is another one. The file is "
            "damaged; load a copy, or train it again"
        )
    # BaseEstimator warns in the same way, for classes of scikit-learn only.
    if sklearn_version not in (sklearn.__version__, None):
        warn(
            InconsistentVersionWarning(
                estimator_name=name,
                current_sklearn_version=sklearn.__version__,
                original_sklearn_version=sklearn_version,
            )
        )
    return state


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
