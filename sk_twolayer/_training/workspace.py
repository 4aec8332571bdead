"""Preallocated arrays for the forward and backward pass, and the operations bound to them."""

from __future__ import annotations

import copy

import numpy as np

from sk_twolayer._typing import AddInPlace, Array, Matrix, Operation
from sk_twolayer.layers import Affine
from sk_twolayer.network import TwoLayerNet
from sk_twolayer.network._chain import bind_backward, bind_forward


class Workspace:
    """Preallocated arrays for the forward and backward pass, reused for every minibatch.

    All operations are bound to their arrays once, so that training with a minibatch is a list of
    calls without arguments. There are `n_slots` slots with scores and targets of their own, so that
    the losses of several minibatches can be computed in one call; all other arrays are shared.

    Only the first layer reads the rows. `bind_rows` binds it: once, if all minibatches are copied
    to the same array; otherwise, for example if they are sparse, for each minibatch.

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
    >>> workspace.bind_rows(x)
    >>> workspace.set_targets(t)
    >>> for _ in range(100):
    ...     workspace.forward_backward(0)
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
        (n_hidden, n_outputs), dtype = net.params["W2"].shape, net.theta.dtype
        self.net, self.n_rows = copy.copy(net), n_rows  # the same parameters, its own layers
        # stored by columns, as softmax is then faster: see `empty_probabilities`
        scores, targets = np.empty((2, n_slots, n_outputs, n_rows), dtype).swapaxes(-1, -2)
        weights = np.empty((n_slots, n_rows), dtype) if weighted else None
        self.loss = self.net.last_layer
        self.loss.set_batch(scores, targets, weights)
        hidden, dhidden = (np.empty((n_rows, n_hidden), dtype) for _ in range(2))
        dscores = np.empty((n_outputs, n_rows), dtype).T

        layers = dict(self.net.layers)
        to_scores: Affine = layers.pop("Affine2")
        self._first_layer: Affine = layers.pop("Affine1")
        # The activation overwrites its input. Dropout must not overwrite its own input, which is
        # the output of the activation: backward needs it.
        results = [hidden, np.empty_like(hidden)] if "Dropout" in layers else [hidden]
        forward = bind_forward(layers, hidden, results)
        backward = bind_backward(self.net.layers, dscores, dhidden)
        self._operations: list[list[Operation]] = []
        for slot in range(n_slots):
            loss = self.loss.select(slot)
            to_loss = to_scores.bind_forward(results[-1], loss.x)
            # the gradient overwrites the probabilities from which it is computed
            probabilities = loss.bind_probabilities(dscores)
            gradient = loss.bind_backward(dscores, dout=n_rows)  # of the sum over the rows
            self._operations.append([*forward, *to_loss, *probabilities, *gradient, *backward])
        self._hidden = hidden
        self._to_hidden: list[Operation] = []
        self._gradient_array: Array | None = None
        self._add_gradient: AddInPlace

    @staticmethod
    def elements_per_row(n_hidden: int, n_outputs: int, *, dropout: bool, in_place: bool) -> int:
        """Return the number of elements per row of the arrays of a workspace with one slot.

        Parameters
        ----------
        n_hidden, n_outputs : int
            Number of hidden units, and of scores.
        dropout : bool
            Whether there is a dropout layer.
        in_place : bool
            Whether the backward pass of the activation needs no further array, except for a mask.

        Returns
        -------
        int
            The number of elements: of hidden units and their gradient, scores, targets and the
            gradient with respect to the scores.
        """
        return (2 + dropout + (not in_place)) * n_hidden + 3 * n_outputs

    def set_targets(self, t: Array, sample_weight: Array | None = None) -> None:
        """Set the targets of the next minibatches.

        Parameters
        ----------
        t : ndarray of shape (rows,) or (rows, outputs)
            Targets, as the loss layer describes them, of one or more whole minibatches.
        sample_weight : ndarray of shape (rows,), default=None
            Factor of each row's loss.
        """
        self._used_slots = slice(len(t) // self.n_rows)
        loss = self.loss.select(self._used_slots)
        loss.encode_targets(t, loss.t)
        if sample_weight is not None and loss.sample_weight is not None:
            loss.sample_weight[...] = sample_weight.reshape(loss.sample_weight.shape)

    def bind_rows(self, x: Matrix) -> None:
        """Bind the first layer to the rows of minibatches.

        Parameters
        ----------
        x : ndarray or sparse container of shape (n_rows, inputs)
            The rows; an array may be overwritten with those of other minibatches.
        """
        self._to_hidden = self._first_layer.bind_forward(x, self._hidden)
        self._gradient_array = None  # the gradient of W1 depends on the rows, too

    def forward_backward(self, slot: int) -> None:
        """Run the forward and backward pass of a minibatch; `add_gradient` may follow.

        Parameters
        ----------
        slot : int
            Its slot among those whose targets were set. Its rows were bound by `bind_rows`.
        """
        for operation in self._to_hidden:
            operation()
        for operation in self._operations[slot]:
            operation()

    def add_gradient(self, into: Array, *, scale: float = 1.0, keep: float = 1.0) -> None:
        """Add the gradient of the objective in place: ``into <- keep*into + scale*gradient``.

        Parameters
        ----------
        into : ndarray of shape (n_parameters,)
            Changed in place: the `theta` of the network itself, or another array. The gradient is
            only bound again if it is not the same array as before, which is slow.
        scale, keep : float, default=1.0
            Factors of the gradient and of the previous contents of `into`.
        """
        if into is not self._gradient_array:
            self._add_gradient = self.net.bind_gradient(into, n_rows=self.n_rows)
            self._gradient_array = into
        self._add_gradient(scale, keep)

    def total_loss(self) -> float:
        """Return the sum of the losses of all rows, after the forward pass of all minibatches.

        Returns
        -------
        float
            The sum of weight times loss.
        """
        return self.loss.select(self._used_slots).sum_losses()
