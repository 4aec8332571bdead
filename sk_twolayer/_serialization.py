"""Saved state of an estimator: layout, versions and checksum."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import sklearn
from sklearn.exceptions import InconsistentVersionWarning

from sk_twolayer._sklearn_compat import BaseEstimator
from sk_twolayer._training.warnings import warn
from sk_twolayer._version import __version__

# Version of the layout of the state. If it is raised, add code that translates older layouts.
LAYOUT = 1
METADATA_KEYS = ("_layout", "_saved_by", "_checksum", "_sklearn_version")


def add_metadata(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of an estimator with its layout, the versions and a checksum.

    pickle, joblib, cloudpickle and skops all save what `__getstate__` returns. The fitted part
    consists of arrays, numbers, strings, and lists, tuples and dicts of those.
    """
    state = dict(state)
    metadata = LAYOUT, __version__, checksum(state), sklearn.__version__
    return {**state, **dict(zip(METADATA_KEYS, metadata, strict=True))}


def without_metadata(state: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the state without its metadata, after checking the layout and the checksum.

    A state that was saved with another version of scikit-learn leads to a warning.

    Parameters
    ----------
    state : dict
        What `add_metadata` returned, as it was read from a file.
    name : str
        The name of the class, for messages.
    """
    layout, saved_by, expected, sklearn_version = (state.get(key) for key in METADATA_KEYS)
    if layout != LAYOUT:
        raise ValueError(
            f"this {name} was saved in layout {layout} by sk_twolayer {saved_by}, but the "
            f"installed sk_twolayer {__version__} reads layout {LAYOUT}: load it with the version "
            "that saved it, or train it again"
        )
    state = {key: value for key, value in state.items() if key not in METADATA_KEYS}
    if checksum(state) != expected:
        raise ValueError(
            f"the checksum of this {name} does not match its contents: the file is damaged or "
            "was changed. Load a copy of the file, or train the model again"
        )
    # BaseEstimator gives this warning only for the classes of scikit-learn itself.
    if sklearn_version not in (sklearn.__version__, None):
        warn(
            InconsistentVersionWarning(
                estimator_name=name,
                current_sklearn_version=sklearn.__version__,
                original_sklearn_version=sklearn_version,
            )
        )
    return state


def checksum(value: object, so_far: int = 0) -> int:
    """Return the CRC-32 of a value and all its parts.

    Parameters
    ----------
    value : object
        Arrays, numbers, strings, None, and lists, tuples and dicts of those. Of an estimator, only
        the name of the class and the parameters count; of any other object, only the name of its
        class.
    so_far : int, default=0
        The checksum of the preceding values.

    Returns
    -------
    int
        The same number on every machine and with every version of Python and NumPy.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._serialization import checksum
    >>> checksum({"W": np.eye(2), "names": ["a", "b"]})
    317084736
    >>> checksum({"W": -np.eye(2), "names": ["a", "b"]})
    3919581055
    """
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            return checksum(value.tolist(), so_far)
        data = np.ascontiguousarray(value).reshape(-1).view(np.uint8).data
        return zlib.crc32(data, checksum((value.dtype.str, value.shape), so_far))
    if isinstance(value, BaseEstimator):
        return checksum((type(value).__name__, value.get_params(deep=False)), so_far)
    if isinstance(value, dict):  # a sum does not depend on the order of the items
        return checksum(sum(checksum(item) for item in value.items()), so_far)
    if isinstance(value, list | tuple):
        for item in value:
            so_far = checksum(item, so_far)
        text = str(len(value))
    elif isinstance(value, np.generic):
        text = repr(value.item())  # the repr of NumPy's scalars depends on its version
    elif isinstance(value, str | bytes | int | float | None):
        text = repr(value)
    else:
        text = type(value).__name__
    return zlib.crc32(text.encode(), so_far)
