"""The memory that training takes, and the memory there is.

A net that does not fit is refused before it is allocated: Linux grants more memory than there is,
and ends a process that then uses it, without a message. The usual reason is a regression target,
or identifiers, given as class labels.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sk_twolayer.optimizers import LBFGS, SGD, Adam, Optimizer

if TYPE_CHECKING:
    from sk_twolayer._training.settings import Settings

try:
    import resource
except ImportError:  # there is none on Windows
    resource = None  # type: ignore[assignment]

# What a container may take: cgroups, version 2 and 1. Without a limit it is "max", or huge.
CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


MIN_CHECKED_BYTES = 2**28  # bytes: any process has this much


def check_memory(settings: Settings, n_rows: int) -> None:
    """Refuse a net that cannot be trained on some rows in the memory there is."""
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
    """Return the largest number of bytes that training allocates, besides the data.

    That is vectors like all parameters, which `_parameter_vectors` counts, and the arrays of a
    `Workspace` for minibatches and of one for the rows left over: hidden units and their
    gradient, and scores, targets and their gradient. Up to a megabyte for the scores of further
    minibatches is left out.
    """
    hidden, outputs = settings.hidden_size, settings.n_outputs
    n_parameters = (settings.n_features + 1) * hidden + (hidden + 1) * outputs
    # relu's mask takes an eighth of an array or less, the slope of another activation all of it
    per_unit = 2 + bool(settings.dropout) + (settings.activation not in ("relu", "identity"))
    per_row = per_unit * hidden + 3 * outputs
    n_vectors = _parameter_vectors(settings.solver, settings.n_epochs) + 2 * settings.early_stopping
    rows = settings.block_size + n_rows % max(1, settings.block_size)
    return settings.dtype.itemsize * (n_vectors * n_parameters + rows * per_row)


def _parameter_vectors(optimizer: str | Optimizer, n_epochs: int) -> int:
    """Return how many vectors like all parameters exist at once, at the peak of a fit.

    Parameters, gradient, and the vectors of the optimizer; one more while a step is prepared. A
    test compares this with the allocations of each optimizer.
    """
    if isinstance(optimizer, LBFGS):
        return 5 + 2 * min(optimizer.history_size + 1, n_epochs)
    if isinstance(optimizer, SGD):  # the gradient is added to the parameters, or to the velocity
        return 1 if not optimizer.momentum else 4 if optimizer.nesterov else 3
    return 5 if isinstance(optimizer, Adam) else 4


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
