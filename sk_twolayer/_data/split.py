"""Split of the rows into a training and a validation set."""

from __future__ import annotations

import math

import numpy as np

from sk_twolayer._data.dataset import Dataset
from sk_twolayer._numerics.matrices import as_dense, hash_rows
from sk_twolayer._typing import Array

MIN_REPETITIONS = 5  # times that most rows occur where their copies are separate observations


def train_validation_split(dataset: Dataset, fraction: float, seed: int) -> tuple[Dataset, Dataset]:
    """Split rows into a training and a validation set.

    The split depends on the contents of the rows and on the seed, not on the order of the rows.

    Rows with equal X and equal target are copies. They count as one row and are kept together, so
    that no network is evaluated on a copy of a row that it was trained on. In three cases, copies
    count as separate observations instead, and are drawn one by one:

    - Rows with this X have different targets. If all rows of one class were held out, the
      network would learn that this X belongs to the other class.
    - Most different X occur `MIN_REPETITIONS` times or more, for example because all columns have
      few values. If all rows of an X were held out, the network could know nothing about it.
    - There are more copies than rows to hold out.

    A row whose sample weight is a whole number k is split as k copies are: a part of it may be held
    out, with that part of the weight. A row of any other weight counts as one row.

    Single labels are stratified by class. First, one row of each class is kept for training. Then
    one row of each class is held out, as far as the number of rows to hold out allows. The rest is
    held out in proportion to the sizes of the classes.

    Parameters
    ----------
    dataset : Dataset
        The rows.
    fraction : float
        Share of the rows to hold out; the number of rows is rounded up.
    seed : int
        Seed of the choice.

    Returns
    -------
    training, validation : Dataset
        The two parts.

    Raises
    ------
    ValueError
        If no row can be held out, since each is the only one of its class.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._data.dataset import Dataset
    >>> from sk_twolayer._data.split import train_validation_split
    >>> X = np.arange(20.0).reshape(20, 1)
    >>> dataset = Dataset(X, np.arange(20) % 2, None)
    >>> training, validation = train_validation_split(dataset, 0.2, seed=0)
    >>> training.X.shape, np.sort(validation.t)
    ((16, 1), array([0, 0, 1, 1]))
    """
    # A cell is a group of copies. Units are drawn: a cell is one unit, or if it is divisible, each
    # of its rows is one. Arrays have one element per cell, but `cell`, `copies`, `x_keys` and
    # `parts` one per row, `n_targets` one per different X, and `quotas` one per class.
    first, cell, cell_sizes, x_keys = _cells(dataset)
    copies = np.ones_like(cell) if dataset.copies is None else dataset.copies
    _, x_group = np.unique(x_keys[first], return_inverse=True)
    n_targets = np.bincount(x_group)
    too_large = cell_sizes > math.ceil(fraction * cell_sizes.sum())
    divisible = (n_targets[x_group] > 1) | too_large
    if np.median(np.bincount(x_group, cell_sizes)) >= MIN_REPETITIONS:
        divisible[:] = True
    n_units = np.where(divisible, cell_sizes, 1)
    strata = np.zeros(len(first), dtype=np.intp)
    if dataset.t.ndim == 1:
        strata = as_dense(dataset.t)[first]
    rng = np.random.RandomState(seed)
    n_held_out = math.ceil(fraction * n_units.sum())
    stratum_sizes = np.bincount(strata, n_units).astype(np.int64)
    quotas = _quotas(stratum_sizes, n_held_out, rng)
    if not quotas.any():
        raise ValueError(
            f"early_stopping cannot hold out {n_held_out} of {len(first)} different rows "
            f"(n_samples={len(cell)}, validation_fraction={fraction:g}): each row is the only one "
            "of its class, and is needed for training. Give X_val and y_val, or set "
            "early_stopping=False"
        )
    # Systematic sampling: each cell of a stratum gives its share, rounded up or down at random.
    order = np.lexsort((rng.random_sample(len(first)), strata))
    shares = quotas / np.maximum(stratum_sizes, 1)
    start = rng.uniform(0.01, 0.99)
    taken = np.empty_like(n_units)
    taken[order] = np.diff(
        np.floor(start + np.cumsum(n_units[order] * shares[strata[order]])), prepend=0
    )
    parts = _parts_of_rows(dataset, cell, copies, np.where(divisible, 1, cell_sizes) * taken)
    return dataset.take_copies(copies - parts, copies), dataset.take_copies(parts, copies)


def n_observations(dataset: Dataset) -> int:
    """Return the number of rows, divided by the number of times that all rows are repeated.

    A row of whole-number weight k counts as k copies. Neither repeating the whole data set, nor
    multiplying all weights by the same number, changes the result, because neither changes the
    mean loss.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._data.dataset import Dataset
    >>> from sk_twolayer._data.split import n_observations
    >>> x, t = np.array([[1.0], [2.0], [3.0]]), np.array([0, 1, 1])
    >>> n_observations(Dataset(x, t, None))
    3
    >>> n_observations(Dataset(x, t, None, copies=np.array([1, 1, 2])))
    4
    >>> n_observations(Dataset(np.tile(x, (5, 1)), np.tile(t, 5), None))
    3
    """
    _, _, cell_sizes, _ = _cells(dataset)
    return int(cell_sizes.sum() // np.gcd.reduce(cell_sizes))


def _cells(dataset: Dataset) -> tuple[Array, Array, Array, Array]:
    """Group rows with equal X and equal target, by the hashes of their contents.

    Returns
    -------
    first : ndarray of shape (n_cells,)
        The number of one row of each group.
    cell : ndarray of shape (n,)
        The group of each row.
    sizes : ndarray of shape (n_cells,)
        The number of rows in each group, where a row of weight k counts as k rows.
    x_keys : ndarray of shape (n,)
        Hashes of the rows of X alone.
    """
    t = dataset.t
    if t.ndim == 1:
        t = as_dense(t)[:, np.newaxis]
    x_keys = hash_rows(dataset.X)
    _, first, cell = np.unique(
        x_keys ^ _rotate_left(hash_rows(t)), return_index=True, return_inverse=True
    )
    sizes = np.bincount(cell, dataset.copies).astype(np.int64)
    return first, cell, sizes, x_keys


def _quotas(sizes: Array, n_held_out: int, rng: np.random.RandomState) -> Array:
    """Return how many units of each stratum are held out.

    One unit of each stratum is never held out. One other unit of each is held out first, if
    `n_held_out` allows it. Beyond that, quotas are in proportion to the sizes. The proportion that
    gives the sum `n_held_out` within both limits is found by bisection. The quotas with the largest
    fractions are rounded up, ties are broken at random, and all others are rounded down.
    """
    most: Array = np.maximum(sizes - 1, 0)
    least: Array = np.minimum(most, 1)
    ties = rng.random_sample(len(sizes))
    if least.sum() >= n_held_out:
        chosen = np.lexsort((ties, -least))[:n_held_out]
        quotas: Array = np.zeros_like(sizes)
        quotas[chosen] = least[chosen]
        return quotas
    n_held_out = min(n_held_out, int(most.sum()))
    low, high = 0.0, 1.0
    for _ in range(60):  # bisection
        share = (low + high) / 2
        enough = np.clip(share * sizes, least, most).sum() >= n_held_out
        low, high = (low, share) if enough else (share, high)
    ideal = np.clip(high * sizes, least, most)
    quotas = np.floor(ideal + 1e-6).astype(np.int64)
    order = np.lexsort((ties, -np.round(ideal - quotas, 6)))
    quotas[order[: n_held_out - quotas.sum()]] += 1
    return quotas


def _parts_of_rows(dataset: Dataset, cell: Array, copies: Array, taken: Array) -> Array:
    """Return how many copies of each row are held out, given how many of each cell are.

    The copies are taken from the first row of a cell, then from the next one, until there are
    enough.
    """
    # The rows of a cell are ordered by their weights, which is all they differ in, so that the
    # split does not depend on the order of the rows in X.
    weights = copies if dataset.weights is None else dataset.weights
    order = np.lexsort((weights, cell))
    before = np.cumsum(copies[order]) - copies[order]
    before -= np.maximum.accumulate(np.where(np.diff(cell[order], prepend=-1) > 0, before, 0))
    parts = np.empty_like(copies)
    parts[order] = np.clip(taken[cell[order]] - before, 0, copies[order])
    return parts


def _rotate_left(keys: Array) -> Array:
    """Rotate the bits of each hash by one.

    Without the rotation, combining the hashes of X and of the target by XOR would give 0 whenever
    both have the same values.
    """
    return (keys << np.uint64(1)) | (keys >> np.uint64(63))
