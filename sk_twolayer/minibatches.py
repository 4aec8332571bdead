"""Floor 3: examples cut into minibatches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sk_twolayer._rows import as_dense, bytes_per_row, take_rows
from sk_twolayer._typing import Array
from sk_twolayer.network import TwoLayerNet

__all__ = ["Batch", "minibatches", "rows_per_batch"]

CHUNK_BYTES = 2**20  # rows are gathered for many minibatches at once, while they fit the cache
HIDDEN_BYTES = 2**20  # of one block, where no batch size was asked for
MIN_BLOCK_ROWS = 256  # for a product worth the call


class Batch(NamedTuple):
    """Rows of input, their encoded targets, and the factors of their losses."""

    x: Any
    t: Array
    sample_weight: Array | None


def minibatches(
    net: TwoLayerNet,
    X: Any,
    t: Any,
    sample_weight: Array | None = None,
    *,
    order: Array | None = None,
    batch_size: int | None = None,
) -> Iterator[Batch]:
    """Cut rows into minibatches; the last one holds what is left over.

    Parameters
    ----------
    net : TwoLayerNet
        Whose loss layer encodes the targets.
    X : ndarray or sparse container of shape (n, inputs)
        Input rows.
    t : ndarray or sparse container of shape (n,) or (n, outputs)
        Targets, as the net's loss layer describes them.
    sample_weight : ndarray of shape (n,), default=None
        Factor of each row's loss.
    order : ndarray of shape (n,), dtype intp, default=None
        The order in which to take the rows; None takes them as they lie, without a copy.
    batch_size : int, default=None
        Rows in a minibatch; None lets the hidden units of one fit the cache.

    Yields
    ------
    Batch
        Rows, encoded targets and weights.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer import TwoLayerNet
    >>> from sk_twolayer.minibatches import minibatches
    >>> X, t = np.arange(3.0).reshape(3, 1), np.array([0, 1, 1])
    >>> for batch in minibatches(TwoLayerNet(1, 1, 2), X, t, batch_size=2):
    ...     print(batch.x.ravel(), batch.t.tolist())
    [0. 1.] [[1.0, 0.0], [0.0, 1.0]]
    [2.] [[0.0, 1.0]]
    """
    (hidden_size, outputs), dtype = net.params["W2"].shape, net.theta.dtype
    if batch_size is None:
        batch_size = max(MIN_BLOCK_ROWS, HIDDEN_BYTES // (hidden_size * dtype.itemsize))
    row_bytes = bytes_per_row(X) + outputs * dtype.itemsize
    chunk_size = batch_size * max(1, CHUNK_BYTES // (batch_size * row_bytes))
    for start in range(0, X.shape[0], chunk_size):
        chunk = slice(start, start + chunk_size)
        rows = chunk if order is None else order[chunk]
        x_rows = take_rows(X, rows)
        t_rows = net.last_layer.encode(as_dense(take_rows(t, rows)), outputs, dtype)
        weights = None if sample_weight is None else sample_weight[rows]
        for first in range(0, len(t_rows), batch_size):
            batch = slice(first, first + batch_size)
            yield Batch(x_rows[batch], t_rows[batch], None if weights is None else weights[batch])


def rows_per_batch(batch_size: int | str, n_samples: int, *, at_most: bool = False) -> int:
    """Return the number of rows in a minibatch.

    Parameters
    ----------
    batch_size : int, "auto" or "full"
        What was asked for; "auto" is at most 200 rows, "full" is all.
    n_samples : int
        How many rows there are.
    at_most : bool, default=False
        Whether fewer rows than were asked for will do.

    Returns
    -------
    int
        A number from 1 to `n_samples`.

    Raises
    ------
    ValueError
        If more rows were asked for than there are.

    Examples
    --------
    >>> from sk_twolayer.minibatches import rows_per_batch
    >>> rows_per_batch("auto", 1000), rows_per_batch("full", 1000), rows_per_batch(32, 1000)
    (200, 1000, 32)
    """
    if isinstance(batch_size, str):
        return n_samples if batch_size == "full" else min(200, n_samples)
    if batch_size > n_samples and not at_most:
        raise ValueError(
            f"batch_size={batch_size} is larger than the {n_samples} rows of X: use at most "
            f'{n_samples}, "full" for all rows at once, or "auto"'
        )
    return min(batch_size, n_samples)
