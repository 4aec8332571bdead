"""Split of the rows into a training and a validation set."""

from __future__ import annotations

import math

import numpy as np

from sk_twolayer._data.dataset import Dataset
from sk_twolayer._numerics.matrices import row_keys
from sk_twolayer._typing import Array


def hold_out(dataset: Dataset, fraction: float, seed: int) -> tuple[Dataset, Dataset]:
    """Split rows into those to train on and those to measure on.

    What a row holds decides on which side it comes to lie, not where it lies: copies of a row
    are never on both sides, a row of weight k is split as k copies are, and a second fit to the
    same rows, in whatever order, holds out the same ones. Single labels are stratified, with at
    least one row of each class on both sides; a class of a single row stays where it is learned.

    Parameters
    ----------
    dataset : Dataset
        The rows that count.
    fraction : float
        Share of the different rows to hold out.
    seed : int
        Which rows to choose.

    Returns
    -------
    training, validation : Dataset
        The two parts.

    Raises
    ------
    ValueError
        If there are too few different rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._data.dataset import Dataset
    >>> from sk_twolayer._data.split import hold_out
    >>> X = np.arange(20.0).reshape(20, 1)
    >>> training, validation = hold_out(Dataset(X, np.arange(20) % 2, None), 0.2, seed=0)
    >>> training.X.shape, np.sort(validation.t)
    ((16, 1), array([0, 0, 1, 1]))
    """
    from sklearn.model_selection import train_test_split  # late: few imports of us get here

    single_label = dataset.t.ndim == 1
    t = dataset.t[:, np.newaxis] if single_label else dataset.t
    keys = row_keys(dataset.X) ^ _rotated(row_keys(t))
    _, first, unit = np.unique(keys, return_index=True, return_inverse=True)
    candidates, labels, n_held_out = np.arange(len(first)), None, math.ceil(fraction * len(first))
    if single_label:
        labels = dataset.t[first]
        candidates = np.flatnonzero(np.bincount(labels)[labels] > 1)
        labels = labels[candidates]
        n_held_out = max(n_held_out, len(np.unique(labels)))
    try:
        _, held_out = train_test_split(
            candidates, test_size=n_held_out, stratify=labels, random_state=seed
        )
    except ValueError as error:
        raise ValueError(
            f"early_stopping holds out {n_held_out} of {len(first)} different rows "
            f"(validation_fraction={fraction:g}), and cannot: {error} "
            "Give X_val and y_val, or set early_stopping=False"
        ) from error
    there = np.isin(unit, held_out)
    return dataset.take(np.flatnonzero(~there)), dataset.take(np.flatnonzero(there))


def _rotated(keys: Array) -> Array:
    """Return the bits of each key in another order, so that a row is not its target's mirror."""
    return (keys << np.uint64(1)) | (keys >> np.uint64(63))
