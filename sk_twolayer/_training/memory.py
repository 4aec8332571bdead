"""The memory that training needs, and the memory that the process can have.

A network that does not fit is refused before it is allocated. Linux grants more memory than there
is, and later kills the process that uses it, without a message. The usual reason is a `y` of
quantities or identifiers, each of which is taken for a class.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sk_twolayer._training.workspace import Workspace

if TYPE_CHECKING:
    from sk_twolayer._training.settings import Settings

# The limits of a container, of cgroups version 2 and 1: without a limit "max", or a huge number.
CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
MIN_CHECKED_BYTES = 2**28  # any process has this much


def check_memory(settings: Settings, n_rows: int) -> None:
    """Refuse a network that cannot be trained in the memory that this process can have."""
    needed = training_memory(settings, n_rows)
    limit = None if needed < MIN_CHECKED_BYTES else memory_limit()
    if limit is not None and needed > limit:
        raise ValueError(
            f"a net of {settings.n_features} inputs, hidden_size={settings.hidden_size} and "
            f"{settings.n_outputs} outputs takes {needed / 1e9:.1f} GB to train in minibatches of "
            f"{settings.block_size} rows, but this process can have {limit / 1e9:.1f} GB: are the "
            "labels of y classes, and not quantities or identifiers, and all columns of X needed? "
            "Otherwise choose a smaller hidden_size or batch_size"
        )


def training_memory(settings: Settings, n_rows: int) -> int:
    """Return the largest number of bytes that training allocates, in addition to the data.

    These are arrays of the size of all parameters, and a `Workspace` for each of the two sizes of
    minibatches. Scores of further slots, at most a megabyte, are left out. A test compares the
    number with the allocations of each solver.
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
    """Return the number of bytes that this process can have, or None if the system does not tell.

    It is the smaller of the memory of the machine and the limit of the container. Limits of the
    process (``ulimit``) do not matter here: beyond those, NumPy raises MemoryError by itself.
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
