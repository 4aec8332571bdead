"""How much memory there is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

try:
    import resource
except ImportError:  # there is none on Windows
    resource = None  # type: ignore[assignment]

# What a container may take: cgroups, version 2 and 1. Without a limit it is "max", or huge.
CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def check_memory(
    n_features: int, hidden_size: int, n_outputs: int, batch_size: int, dtype: Any
) -> None:
    """Refuse a net that cannot be trained in the memory there is."""
    parameters = hidden_size * (n_features + n_outputs)
    needed = np.dtype(dtype).itemsize * (
        parameters + batch_size * (2 * hidden_size + 3 * n_outputs)
    )
    limit = memory_limit()
    if limit is not None and needed > limit:
        raise ValueError(
            f"a net of {n_features} inputs, hidden_size={hidden_size} and {n_outputs} outputs "
            f"takes at least {needed / 1e9:.1f} GB to train in minibatches of {batch_size} rows, "
            f"but this process can have {limit / 1e9:.1f} GB: are the labels of y classes, and not "
            "quantities or identifiers, and all columns of X needed? Otherwise choose a smaller "
            "hidden_size or batch_size"
        )


def memory_limit() -> int | None:
    """Return how much memory this process can have at most."""
    limits = [int(text) for text in map(_read, CONTAINER_LIMITS) if text.isdigit()]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    if resource is not None:
        soft = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
        limits += [limit for limit in soft if limit != resource.RLIM_INFINITY]
    return min((limit for limit in limits if limit > 0), default=None)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
