"""Minibatches of a data set."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sk_twolayer._numerics.matrices import (
    as_dense,
    blocks,
    bytes_per_row,
    is_sparse,
    take_rows,
)
from sk_twolayer._training.workspace import Workspace
from sk_twolayer._typing import Array, Matrix
from sk_twolayer.network import TwoLayerNet

# The targets of a group of minibatches are set in one call, and their losses are computed in one
# call. A group has at most MAX_SLOTS minibatches, and their targets, scores and sparse rows take at
# most MAX_GROUP_BYTES, unless there is only one.
MAX_SLOTS = 64
MAX_GROUP_BYTES = 2**20
# Consecutive rows are copied to the array to which a workspace is bound. If they take more bytes
# than this, it is faster to bind the first layer to the rows themselves, for each minibatch.
MAX_COPY_BYTES = 2**18


class Minibatches:
    """The rows of a data set in minibatches.

    All minibatches have the same size, except for a last one with the rows that are left over.
    There is a `Workspace` for each of the two sizes.

    Parameters
    ----------
    net : TwoLayerNet
        The network that is trained.
    X : ndarray or sparse container of shape (n, inputs)
        Input rows.
    t : ndarray or sparse container of shape (n,) or (n, outputs)
        Targets, as the loss layer of the network describes them.
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
    >>> for workspace, slots in batches.groups():
    ...     for slot in slots:
    ...         workspace.forward_backward(slot)
    ...         print(workspace.n_rows, workspace.loss.t[slot].tolist())
    ...     print("mean loss", round(workspace.total_loss() / workspace.n_rows, 3))
    2 [[1.0, 0.0], [0.0, 1.0]]
    mean loss 0.693
    1 [[0.0, 1.0]]
    mean loss 0.693
    """

    def __init__(
        self,
        net: TwoLayerNet,
        X: Matrix,
        t: Matrix,
        sample_weight: Array | None = None,
        *,
        batch_size: int,
    ) -> None:
        self._net, self._X, self._t, self._sample_weight = net, X, t, sample_weight
        self.n, self._batch_size = X.shape[0], batch_size
        slot_bytes = batch_size * (2 * net.params["b2"].nbytes + is_sparse(X) * bytes_per_row(X))
        self._n_slots = max(1, min(MAX_SLOTS, self.n // batch_size, MAX_GROUP_BYTES // slot_bytes))
        self._workspaces: dict[int, tuple[Workspace, Array | None]] = {}

    def groups(self, order: Array | None = None) -> Iterator[tuple[Workspace, Iterator[int]]]:
        """Yield groups of minibatches, which together contain each row once.

        The minibatches of a group share a workspace. All their targets are set before the group is
        yielded, and all their losses can be computed after its last slot.

        Parameters
        ----------
        order : ndarray of shape (n,), dtype intp, default=None
            The order of the rows; None keeps their order in X.

        Yields
        ------
        workspace : Workspace
            The workspace, in which the targets are set.
        slots : iterator of int
            The slots of the minibatches. Before a slot is yielded, the workspace is bound to the
            rows of its minibatch, or these overwrite the rows of the previous one. So use a slot
            before taking the next one.
        """
        size, n_left_over = self._batch_size, self.n % self._batch_size
        groups = [(block, size) for block in blocks(self.n - n_left_over, size * self._n_slots)]
        if n_left_over:
            groups.append((slice(self.n - n_left_over, self.n), n_left_over))
        for block, n_rows in groups:
            rows = block if order is None else order[block]
            workspace, buffer = self._workspace(n_rows, is_ordered=order is None)
            weights = None if self._sample_weight is None else self._sample_weight[rows]
            workspace.set_targets(as_dense(take_rows(self._t, rows)), weights)
            yield workspace, self._slots(workspace, rows, buffer)

    def _slots(
        self, workspace: Workspace, rows: Array | slice, buffer: Array | None
    ) -> Iterator[int]:
        """Yield the slot of each minibatch, once its rows are bound, or copied to the buffer."""
        X = self._X
        order = None if isinstance(rows, slice) or is_sparse(X) else rows
        if order is None:
            X = take_rows(X, rows)  # for sparse rows, one slow indexing for all minibatches
        n = X.shape[0] if order is None else len(order)
        for slot, block in enumerate(blocks(n, workspace.n_rows)):
            x = take_rows(X, block if order is None else order[block], buffer)
            if buffer is None:
                workspace.bind_rows(x)
            yield slot

    def _workspace(self, n_rows: int, is_ordered: bool) -> tuple[Workspace, Array | None]:
        """Return the workspace for minibatches of a size, and the array to which it is bound.

        The array is None if rows are not copied, because they are sparse, or consecutive and large.
        """
        if n_rows not in self._workspaces:
            X, weighted = self._X, self._sample_weight is not None
            n_slots = self._n_slots if n_rows == self._batch_size else 1
            workspace = Workspace(self._net, n_rows, n_slots, weighted=weighted)
            is_large = n_rows * bytes_per_row(X) > MAX_COPY_BYTES
            buffer = None
            if not (is_sparse(X) or (is_ordered and is_large)):
                buffer = np.empty((n_rows, X.shape[1]), X.dtype)
                workspace.bind_rows(buffer)
            self._workspaces[n_rows] = workspace, buffer
        return self._workspaces[n_rows]
