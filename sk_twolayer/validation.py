"""Floor 3: rows held out of training, and what a net makes of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sk_twolayer._dataset import Dataset
from sk_twolayer._rows import BLOCK_ROWS, as_dense, row_keys
from sk_twolayer._threads import one_blas_thread
from sk_twolayer._typing import Array
from sk_twolayer.network import TwoLayerNet

__all__ = ["Measured", "Validation", "hold_out"]


class Measured(NamedTuple):
    """What a net came to on the rows held out: mean loss, and a score of which more is better."""

    loss: float
    score: float


class Validation:
    """Rows held out of training.

    Parameters
    ----------
    dataset : Dataset
        The rows, their encoded targets, and their weights.
    score : callable or None, default=None
        ``score(net)`` returns a number of which more is better; None takes minus the loss.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer import TwoLayerNet
    >>> from sk_twolayer._dataset import Dataset
    >>> from sk_twolayer.validation import Validation
    >>> held_out = Dataset(np.zeros((2, 1)), np.array([0, 1]), None)
    >>> measured = Validation(held_out).measure(TwoLayerNet(1, 1, 2))
    >>> round(measured.loss, 4), round(measured.score, 4)  # log(2)
    (0.6931, -0.6931)
    """

    def __init__(
        self, dataset: Dataset, score: Callable[[TwoLayerNet], float] | None = None
    ) -> None:
        self.dataset = dataset
        self._score = score

    def measure(self, net: TwoLayerNet) -> Measured:
        """Return the mean loss of a net, without dropout and penalty, and its score.

        Parameters
        ----------
        net : TwoLayerNet
            The net.

        Returns
        -------
        Measured
            Loss and score.

        Raises
        ------
        ValueError
            If the score is not a number.
        """
        n = self.dataset.X.shape[0]
        # one thread, so that a net measured again comes to the same to the last bit
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            blocks = (slice(start, start + BLOCK_ROWS) for start in range(0, n, BLOCK_ROWS))
            loss = sum(self._loss(net, rows) for rows in blocks) / n
            score = -loss if self._score is None else float(self._score(net))
        if math.isnan(score):
            raise ValueError("the score of the validation rows is nan: choose another scoring")
        return Measured(loss, score)

    def _loss(self, net: TwoLayerNet, rows: slice) -> float:
        """Return the sum of some rows' losses."""
        X, t, weights = self.dataset
        scores = net.predict(X[rows])
        encoded = net.last_layer.encode(as_dense(t[rows]), np.empty_like(scores))
        weights = None if weights is None else weights[rows]
        net.last_layer.compare(scores, encoded, weights)
        return net.last_layer.total()


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
    >>> from sk_twolayer._dataset import Dataset
    >>> from sk_twolayer.validation import hold_out
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
