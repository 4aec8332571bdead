"""The objective of a network on a data set, as a function of its parameter vector."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sk_twolayer._data.dataset import Dataset
from sk_twolayer._numerics.gemm import flush_denormals
from sk_twolayer._numerics.matrices import is_sparse
from sk_twolayer._training.batches import Minibatches
from sk_twolayer._training.state import RandomSources
from sk_twolayer._typing import AddGradient, Array
from sk_twolayer.network import TwoLayerNet
from sk_twolayer.schedules import LearningRate

LARGE_INITIAL_STD = 10.0  # in standard deviations of He initialization


class NetworkObjective:
    """Mean loss of a network over the rows of a data set, plus the penalty on its weights.

    Parameters
    ----------
    net : TwoLayerNet
        The network; its `theta` is changed in place.
    dataset : Dataset
        Input rows in the dtype of the network, targets, and the weights of the rows or None.
    batch_size : int
        Rows per minibatch, and rows per block of `evaluate`.
    shuffle : bool, default=True
        Whether each epoch draws a new permutation of the rows.
    sources : RandomSources
        Sources of the permutations and of the dropout masks.

    Examples
    --------
    >>> import numpy as np
    >>> from itertools import islice
    >>> from sk_twolayer import TwoLayerNet
    >>> from sk_twolayer._data.dataset import Dataset
    >>> from sk_twolayer._training.objective import NetworkObjective
    >>> from sk_twolayer._training.state import RandomSources
    >>> from sk_twolayer.optimizers import LBFGS, SGD
    >>> from sk_twolayer.schedules import LearningRate
    >>> dataset = Dataset(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1]), None)
    >>> for optimizer in (SGD(), LBFGS()):
    ...     net = TwoLayerNet(1, 4, 2, weight_init_std=1.0, random_state=0)
    ...     objective = NetworkObjective(net, dataset, batch_size=2, sources=RandomSources(0))
    ...     losses = [result.loss for result in islice(
    ...         optimizer.epochs(objective, LearningRate(0.5)), 20)]
    ...     print(losses[-1] < 0.1 * losses[0], net.accuracy(dataset.X, dataset.t))
    True 1.0
    True 1.0
    """

    def __init__(
        self,
        net: TwoLayerNet,
        dataset: Dataset,
        *,
        batch_size: int,
        shuffle: bool = True,
        sources: RandomSources,
    ) -> None:
        X, t, sample_weight, _ = dataset
        n = X.shape[0]
        if not n or t.shape[0] != n or batch_size < 1:
            raise ValueError(
                f"cannot train on {n} rows, {t.shape[0]} targets and {batch_size} rows per batch"
            )
        self._net, self._X = net, X
        self._batches = Minibatches(net, X, t, sample_weight, batch_size=batch_size)
        self._batch_size = batch_size
        self._shuffle = shuffle and batch_size < n  # for one minibatch, the order does not matter
        self._sources = sources
        W1 = net.params["W1"]  # for the error message if training diverges
        self._initial_std = math.sqrt(float(np.vdot(W1, W1)) / W1.size)
        self._epoch = 0
        self._has_evaluated = False

    @property
    def theta(self) -> Array:
        """All parameters of the network, in one vector."""
        return self._net.theta

    @property
    def penalty(self) -> float:
        """The penalty on the weights."""
        return self._net.penalty

    @property
    def multiplications(self) -> int:
        """Number of multiplications in the largest dense product of a training step."""
        hidden, outputs = self._net.params["W2"].shape
        columns = 0 if is_sparse(self._X) else self._X.shape[1]
        return int(self._batch_size * hidden * max(outputs, columns))

    def minibatch_epoch(
        self, step: Callable[[Array, AddGradient, float], None], learning_rate: LearningRate
    ) -> float:
        """Train for one epoch, and return the mean loss of the rows.

        The loss of a row is that before the step of its minibatch. The last minibatch has the rows
        that are left over. The losses of several minibatches are computed and checked together.

        Parameters
        ----------
        step : callable
            ``step(theta, add_gradient, rate)``, called after the backward pass of each minibatch.
        learning_rate : LearningRate
            Its progress is increased by 1 in the course of the epoch.

        Returns
        -------
        float
            The mean loss.

        Raises
        ------
        ValueError
            If the loss, or a parameter, is not finite.
        """
        self._epoch += 1
        net, n, start = self._net, self._batches.n, learning_rate.progress
        order = self._sources.random_state.permutation(n) if self._shuffle else None
        rate, varies = learning_rate.current, not learning_rate.is_constant
        has_dropout = "Dropout" in net.layers
        total, n_seen = 0.0, 0
        with np.errstate(over="ignore", invalid="ignore"):
            for workspace, slots in self._batches.groups(order):
                for slot in slots:
                    if varies:
                        learning_rate.progress = start + n_seen / n
                        rate = learning_rate.current
                    if has_dropout:
                        workspace.net.draw_dropout(self._sources.dropout)
                    workspace.forward_backward(slot)
                    step(net.theta, workspace.add_gradient, rate)
                    n_seen += workspace.n_rows
                loss = workspace.total_loss()
                self._check_finite(loss, "the loss of a minibatch", learning_rate)
                total += loss
            squares = float(net.theta @ net.theta)
            self._check_finite(squares, "the sum of squared parameters", learning_rate)
        learning_rate.progress = start + 1
        flush_denormals(net.theta)
        return float(total / n)

    def evaluate(self, gradient: Array) -> float:
        """Fill an array with the gradient over all rows, and return the objective.

        Parameters
        ----------
        gradient : ndarray of shape (n_parameters,)
            Filled with the gradient.

        Returns
        -------
        float
            The objective. It may be infinity or NaN after the first call, because a line search may
            try parameters that are too large.

        Raises
        ------
        ValueError
            If the first objective, or its gradient, is not finite.
        """
        total, keep = 0.0, 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            for workspace, slots in self._batches.groups():
                for slot in slots:
                    workspace.forward_backward(slot)
                    share = workspace.n_rows / self._batches.n
                    workspace.add_gradient(gradient, scale=share, keep=keep)
                    keep = 1.0
                total += workspace.total_loss()
            objective = float(total / self._batches.n) + self.penalty
            if not self._has_evaluated:
                self._check_finite(objective, "the objective")
                self._check_finite(float(gradient @ gradient), "the squared norm of the gradient")
                self._has_evaluated = True
        return objective

    def _check_finite(
        self, value: float, what: str, learning_rate: LearningRate | None = None
    ) -> None:
        """Raise an error that says what to change if a value is not finite."""
        if math.isfinite(value):
            return
        alpha, advice = self._net.alpha, []
        if self._initial_std > LARGE_INITIAL_STD * math.sqrt(2 / self._X.shape[1]):
            advice.append(f"lower weight_init_std (the weights started at {self._initial_std:.3g})")
        rate = None if learning_rate is None else learning_rate.initial
        if alpha >= 1 and (rate is None or alpha * rate >= 1):
            advice.append(f"lower alpha (now {alpha:g})")
        if rate is not None:
            advice.append(f"lower learning_rate (now {rate:g})")
        advice.append("scale the columns of X, for example with StandardScaler")
        raise ValueError(
            f"training diverged: {what} became {value} in epoch {max(1, self._epoch)}, computed "
            f"in {self.theta.dtype}. To avoid this, {', or '.join(advice)}"
        )
