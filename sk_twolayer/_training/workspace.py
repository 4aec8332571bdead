"""Preallocated arrays for the forward and backward pass, and the operations bound to them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from sk_twolayer._typing import AddInPlace, Array, Operation
from sk_twolayer.network import TwoLayerNet
from sk_twolayer.network._chain import bind_backward, bind_forward


class Workspace:
    """Preallocated arrays for the forward and backward pass of a minibatch, reused for all of them.

    Each operation is bound to its arrays once, so that a minibatch takes a list of calls without
    arguments. There are `n_slots` slots with scores and targets of their own, so that the losses
    of several minibatches are computed in one call; all other arrays are shared. Operations on the
    rows are bound again whenever the rows are in another array, as sparse rows always are.

    Parameters
    ----------
    net : TwoLayerNet
        The network; gradients are with respect to its parameters.
    n_rows : int
        Rows per minibatch.
    n_slots : int
        Number of minibatches whose losses are computed in one call.
    weighted : bool, default=False
        Whether rows have weights.

    Attributes
    ----------
    net : TwoLayerNet
        A network with the same parameters, and layers that are bound to these arrays.
    n_rows : int
        Rows per minibatch.
    loss : LossLayer
        The loss layer, bound to the scores of all slots.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer import TwoLayerNet
    >>> from sk_twolayer._training.workspace import Workspace
    >>> net = TwoLayerNet(2, 8, 2, weight_init_std=1.0, random_state=0)
    >>> x, t = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    >>> workspace = Workspace(net, n_rows=4, n_slots=1)
    >>> workspace.set_targets(t)
    >>> for _ in range(100):
    ...     workspace.forward_backward(0, x)
    ...     workspace.add_gradient(net.theta, scale=-0.5)
    >>> net.predict(x).argmax(axis=1)
    array([0, 1, 1, 0])
    """

    def __init__(
        self,
        net: TwoLayerNet,
        n_rows: int,
        n_slots: int,
        *,
        weighted: bool = False,
    ) -> None:
        (n_hidden, outputs), dtype = net.params["W2"].shape, net.theta.dtype
        self.net, self.n_rows = copy.copy(net), n_rows
        dropped = [np.empty((n_rows, n_hidden), dtype)] if "Dropout" in net.layers else []
        hidden, self._dhidden = (np.empty((n_rows, n_hidden), dtype) for _ in range(2))
        self._hidden = [hidden, hidden, *dropped]
        # By columns, because softmax adds up short rows: so NumPy goes along the batch.
        scores, targets = np.empty((2, n_slots, outputs, n_rows), dtype).swapaxes(-1, -2)
        weights = np.empty((n_slots, n_rows), dtype) if weighted else None
        self.loss = self.net.last_layer
        self.loss.set_batch(scores, targets, weights)
        self._dscores = np.empty((outputs, n_rows), dtype).T  # the probabilities, at first
        self._operations: list[list[Operation] | None] = []
        self._into: Array | None = None
        self._action: AddInPlace
        self._x: Any = None

    def set_targets(self, t: Array, sample_weight: Array | None = None) -> None:
        """Set the targets of the next minibatches.

        Parameters
        ----------
        t : ndarray of shape (rows,) or (rows, outputs)
            Targets, as the loss layer describes them, of one or more whole minibatches.
        sample_weight : ndarray of shape (rows,), default=None
            Factor of each row's loss.
        """
        self._in_use = slice(len(t) // self.n_rows)
        loss = self.loss.select(self._in_use)
        loss.encode_targets(t, loss.t)
        if sample_weight is not None and loss.sample_weight is not None:
            loss.sample_weight[...] = sample_weight.reshape(loss.sample_weight.shape)

    def forward_backward(self, slot: int, x: Any) -> None:
        """Run the forward and backward pass of a minibatch; `add_gradient` may follow.

        Parameters
        ----------
        slot : int
            Its slot among those whose targets were set.
        x : ndarray or sparse container of shape (n_rows, inputs)
            Its rows.
        """
        if x is not self._x:
            self._bind_rows(x)
        operations = self._operations[slot]
        if operations is None:
            operations = [*self._to_hidden, *self._bind_slot(slot), *self._back]
            self._operations[slot] = operations
        for operation in operations:  # run_all(), but for one call less
            operation()

    def add_gradient(self, into: Array, *, scale: float = 1.0, keep: float = 1.0) -> None:
        """Add the gradient of the objective in place: ``into <- keep*into + scale*gradient``.

        Parameters
        ----------
        into : ndarray of shape (n_parameters,)
            Changed in place: the net's `theta` itself, or memory of its own.
        scale, keep : float, default=1.0
            Factors of the gradient and of what `into` held before.
        """
        if into is not self._into:
            self._into, self._action = into, self.net.bind_gradient(into, n_rows=self.n_rows)
        self._action(scale, keep)

    def total_loss(self) -> float:
        """Return the sum of the losses of all rows, once all minibatches were run.

        Returns
        -------
        float
            The sum of weight times loss.
        """
        return self.loss.select(self._in_use).sum_losses()

    def _bind_rows(self, x: Any) -> None:
        """Bind the operations that depend on the array of the rows."""
        layers = dict(self.net.layers)
        layers.pop("Affine2")
        self._to_hidden = bind_forward(layers, x, self._hidden)
        self._back = bind_backward(self.net.layers, self._dscores, self._dhidden)
        self._operations = [None] * len(self.loss.x)  # bound again when next they are walked
        self._into = None
        self._x = x

    def _bind_slot(self, slot: int) -> list[Operation]:
        """Bind the operations that depend on the slot of the scores and targets."""
        loss, second = self.loss.select(slot), self.net.layers["Affine2"]
        return [
            *second.bind_forward(self._hidden[-1], loss.x),
            *loss.bind_probabilities(self._dscores),
            *loss.bind_backward(self._dscores, dout=self.n_rows),  # of the sum over rows
        ]
