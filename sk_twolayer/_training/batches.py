"""Minibatches of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from sk_twolayer._numerics.matrices import (
    as_dense,
    bytes_per_row,
    is_sparse,
    row_batches,
    take_rows,
)
from sk_twolayer._training.workspace import Workspace
from sk_twolayer._typing import Array
from sk_twolayer.network import TwoLayerNet

MAX_SLOTS = 64  # minibatches whose targets are set, and losses read, at once
MAX_GROUP_BYTES = 2**20  # of their targets, scores and sparse rows, unless one minibatch takes more
MAX_COPY_BYTES = 2**18  # larger minibatches in order are not copied: binding a step costs less


class Minibatches:
    """The rows of a data set in minibatches, and the arrays of the steps over them.

    All minibatches are of one size but for the last, which holds what is left over; each size
    has a `Workspace`.

    Parameters
    ----------
    net : TwoLayerNet
        The network that is trained.
    X : ndarray or sparse container of shape (n, inputs)
        Input rows.
    t : ndarray or sparse container of shape (n,) or (n, outputs)
        Targets, as the net's loss layer describes them.
    sample_weight : ndarray of shape (n,), default=None
        Factor of each row's loss.
    batch_size : int
        Rows per minibatch.

    Attributes
    ----------
    n : int
        Number of rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer import TwoLayerNet
    >>> from sk_twolayer._training.batches import Minibatches
    >>> X, t = np.arange(3.0).reshape(3, 1), np.array([0, 1, 1])
    >>> batches = Minibatches(TwoLayerNet(1, 1, 2), X, t, batch_size=2)
    >>> for workspace, rows in batches.groups():
    ...     for slot, x in enumerate(rows):
    ...         print(x.ravel(), workspace.loss.t[slot].tolist())
    [0. 1.] [[1.0, 0.0], [0.0, 1.0]]
    [2.] [[0.0, 1.0]]
    """

    def __init__(
        self,
        net: TwoLayerNet,
        X: Any,
        t: Any,
        sample_weight: Array | None = None,
        *,
        batch_size: int,
    ) -> None:
        self._net, self._X, self._t, self._sample_weight = net, X, t, sample_weight
        self.n, self._batch_size = X.shape[0], batch_size
        slot_bytes = batch_size * (2 * net.params["b2"].nbytes + is_sparse(X) * bytes_per_row(X))
        self._n_slots = max(1, min(MAX_SLOTS, self.n // batch_size, MAX_GROUP_BYTES // slot_bytes))
        self._memory: dict[int, tuple[Workspace, Array | None]] = {}

    def groups(self, order: Array | None = None) -> Iterator[tuple[Workspace, Iterator[Any]]]:
        """Pass over all rows once, by several minibatches at a time.

        Parameters
        ----------
        order : ndarray of shape (n,), dtype intp, default=None
            The order of the rows; None keeps their order in X.

        Yields
        ------
        workspace : Workspace
            Where to run the minibatches, with their targets set.
        rows : iterator of ndarray or sparse container
            The rows of each.
        """
        size = self._batch_size
        whole = self.n - self.n % size
        cuts = [*range(0, whole, size * self._n_slots), whole, self.n]
        for start, end in pairwise(cuts):
            if start == end:  # nothing is left over
                continue
            rows = slice(start, end) if order is None else order[start:end]
            n_rows = min(size, end - start)
            workspace, x = self._memory_for(n_rows, order is not None)
            weights = None if self._sample_weight is None else self._sample_weight[rows]
            workspace.set_targets(as_dense(take_rows(self._t, rows)), weights)
            yield workspace, row_batches(self._X, rows, n_rows, out=x)

    def _memory_for(self, n_rows: int, reordered: bool) -> tuple[Workspace, Array | None]:
        """Return the workspace for minibatches of a size, and the array for copies of rows."""
        if n_rows not in self._memory:
            X, weighted = self._X, self._sample_weight is not None
            n_slots = self._n_slots if n_rows == self._batch_size else 1
            x = None
            if not is_sparse(X) and (reordered or n_rows * bytes_per_row(X) <= MAX_COPY_BYTES):
                x = np.empty((n_rows, X.shape[1]), X.dtype)
            workspace = Workspace(self._net, n_rows, n_slots, weighted=weighted)
            self._memory[n_rows] = workspace, x
        return self._memory[n_rows]
