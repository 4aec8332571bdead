"""The memory that training needs, and the memory that the process can use.

A network that does not fit in memory is refused before it is allocated. Otherwise Linux would grant
more memory than the machine has, and later kill the process without a message. The usual reason for
such a network is a `y` of quantities or identifiers, each of which is treated as a class.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sk_twolayer._training.workspace import Workspace

if TYPE_CHECKING:
    from sk_twolayer._training.settings import Settings

# Files with the memory limit of a container, in cgroups version 2 and 1. If there is no limit, they
# contain "max" or a huge number.
CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
MIN_CHECKED_BYTES = 2**28  # every process can use this much


def check_memory(settings: Settings, n_rows: int) -> None:
    """Refuse a network if training it needs more memory than this process can use."""
    needed = training_memory(settings, n_rows)
    limit = None if needed < MIN_CHECKED_BYTES else memory_limit()
    if limit is not None and needed > limit:
        raise ValueError(
            f"a network of {settings.n_features} inputs, hidden_size={settings.hidden_size} and "
            f"{settings.n_outputs} outputs needs {needed / 1e9:.1f} GB to be trained, with "
            f"{settings.block_size} rows at a time, but this process can use {limit / 1e9:.1f} GB. "
            "Check that the labels in y are classes, not quantities or identifiers, and that all "
            "columns of X are needed; or choose a smaller hidden_size or batch_size"
        )


def training_memory(settings: Settings, n_rows: int) -> int:
    """Return the largest number of bytes that training allocates at a time, besides the data.

    They are those of the arrays of the size of all parameters, and of a `Workspace` for each of the
    two sizes of minibatches. The scores of further slots, at most a megabyte, are not counted. A
    test compares the number with the allocations of each solver.
    """
    hidden, outputs = settings.hidden_size, settings.n_outputs
    n_parameters = (settings.n_features + 1) * hidden + (hidden + 1) * outputs
    n_vectors = settings.solver._peak_vectors(settings.n_epochs) + 2 * settings.early_stopping
    rows = settings.block_size + n_rows % max(1, settings.block_size)
    per_row = Workspace.elements_per_row(
        hidden,
        outputs,
        dropout=bool(settings.dropout),
        in_place=settings.activation in ("relu", "identity"),
    )
    return settings.dtype.itemsize * (n_vectors * n_parameters + rows * per_row)


def memory_limit() -> int | None:
    """Return the number of bytes that this process can use, or None if that is not known.

    It is the smaller one of the memory of the machine and the limit of the container. Limits of the
    process (``ulimit``) do not matter here: beyond those, NumPy raises a MemoryError itself.
    """
    limits = [int(text) for text in map(_read, CONTAINER_LIMITS) if text.isdigit()]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min((limit for limit in limits if limit > 0), default=None)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
