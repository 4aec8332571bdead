"""Training as a generator of epochs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from sk_twolayer._numerics.gemm import forget_traces
from sk_twolayer._numerics.matrices import BLOCK_ROWS
from sk_twolayer._training.batches import Minibatches
from sk_twolayer._typing import Array
from sk_twolayer.network import TwoLayerNet
from sk_twolayer.optimizers import LBFGS, Optimizer
from sk_twolayer.schedules import LearningRate


class Epoch(NamedTuple):
    """What an epoch came to: the mean loss of its rows, that plus the penalty, and the rate.

    `learning_rate` is that of its first step: for L-BFGS, which finds it itself, the length of
    the step as a multiple of its direction. After the `last` one there is nothing left to do.
    """

    loss: float
    objective: float
    learning_rate: float
    last: bool = False


def epochs(
    net: TwoLayerNet,
    optimizer: Optimizer,
    X: Any,
    t: Array,
    sample_weight: Array | None = None,
    *,
    learning_rate: float | LearningRate,
    batch_size: int,
    shuffle: bool = True,
    random_state: np.random.RandomState,
    dropout_random_state: np.random.RandomState | None = None,
) -> Iterator[Epoch]:
    """Train a net in place, an epoch each time the next item is asked for.

    An epoch passes once over the data in minibatches; for each, rows are taken, walked forward
    and back, and the optimizer takes its step. The last minibatch holds what is left over.

    Parameters
    ----------
    net : TwoLayerNet
        The net; its `theta` is changed in place.
    optimizer : Optimizer
        Takes the steps, and keeps its state from one epoch to the next.
    X : ndarray or sparse container of shape (n, inputs)
        Input rows, in the dtype of the net.
    t : ndarray or sparse container of shape (n,) or (n, outputs)
        Targets, as the net's loss layer describes them.
    sample_weight : ndarray of shape (n,), default=None
        Factor of each row's loss, 1 on average over all rows.
    learning_rate : float or LearningRate
        Length of the steps; the progress of a `LearningRate` is moved on.
    batch_size : int
        Rows in a minibatch.
    shuffle : bool, default=True
        Whether each epoch draws a fresh permutation of the rows.
    random_state : RandomState
        Source of the permutations.
    dropout_random_state : RandomState, default=None
        Source of the units to drop; None takes `random_state`.

    Yields
    ------
    Epoch
        `loss`, the mean loss of the epoch's rows, each under the parameters of its moment;
        `objective`, that plus the penalty on the weights after the epoch; `learning_rate`.

    Raises
    ------
    ValueError
        If there are no rows, or not as many targets; or if the loss, which is read for many
        minibatches at once, is no longer finite.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer import TwoLayerNet
    >>> from sk_twolayer.optimizers import SGD
    >>> from sk_twolayer._training.epochs import epochs
    >>> X, t = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    >>> net = TwoLayerNet(1, 4, 2, weight_init_std=1.0, random_state=0)
    >>> training = epochs(net, SGD(), X, t, learning_rate=0.5, batch_size=2,
    ...                   random_state=np.random.RandomState(0))
    >>> losses = [next(training).loss for _ in range(50)]
    >>> losses[-1] < 0.1 * losses[0], net.accuracy(X, t)
    (True, 1.0)
    """
    n = _check_rows(X, t, batch_size)
    rate = learning_rate
    if not isinstance(rate, LearningRate):
        rate = LearningRate(rate)
    masks = dropout_random_state or random_state
    batches = Minibatches(net, X, t, sample_weight, batch_size=batch_size)
    for number in count(1):
        first_rate = rate.now
        # one minibatch of all rows needs no order
        order = random_state.permutation(n) if shuffle and batch_size < n else None
        with np.errstate(over="ignore", invalid="ignore"):
            total = 0.0
            for loss in _losses(net, optimizer, batches, order, rate, masks):
                _check_finite(loss, "the loss of a minibatch", number, rate.initial)
                total += loss
            squares = float(net.theta @ net.theta)
            _check_finite(squares, "the sum of squared parameters", number, rate.initial)
            epoch = Epoch(total / n, total / n + net.penalty, first_rate)
        forget_traces(net.theta)
        optimizer.forget_traces()
        yield epoch


def _losses(
    net: TwoLayerNet,
    optimizer: Optimizer,
    batches: Minibatches,
    order: Array | None,
    rate: LearningRate,
    masks: np.random.RandomState,
) -> Iterator[float]:
    """Train for an epoch, and yield the sum of the rows' losses each time it is read."""
    begun, n_seen, step_rate = rate.progress, 0, rate.now
    varies, drops = rate.varies, "Dropout" in net.layers
    for workspace, rows in batches.chunks(order):
        for place, x in enumerate(rows):
            if varies:
                rate.progress = begun + n_seen / batches.n
                step_rate = rate.now
            if drops:
                workspace.net.draw_dropout(masks)
            workspace.run(place, x)
            optimizer.step(net.theta, workspace.add_gradient, step_rate)
            n_seen += workspace.n_rows
        yield workspace.total_loss()
    rate.progress = begun + 1


def full_passes(
    net: TwoLayerNet, optimizer: LBFGS, X: Any, t: Any, sample_weight: Array | None = None
) -> Iterator[Epoch]:
    """Train a net in place, a step over all rows each time the next item is asked for.

    The rows are taken in blocks whose hidden units fit the cache, and their gradients added up.

    Parameters
    ----------
    net : TwoLayerNet
        The net; its `theta` is changed in place.
    optimizer : LBFGS
        Takes the steps.
    X : ndarray or sparse container of shape (n, inputs)
        Input rows, in the dtype of the net.
    t : ndarray or sparse container of shape (n,) or (n, outputs)
        Targets, as the net's loss layer describes them.
    sample_weight : ndarray of shape (n,), default=None
        Factor of each row's loss, 1 on average over all rows.

    Yields
    ------
    Epoch
        Loss and objective after the step, and its length.

    Raises
    ------
    ValueError
        If there are no rows, or not as many targets; or if the loss is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer import TwoLayerNet
    >>> from sk_twolayer.optimizers import LBFGS
    >>> from sk_twolayer._training.epochs import full_passes
    >>> X, t = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    >>> net = TwoLayerNet(1, 4, 2, weight_init_std=1.0, random_state=0)
    >>> losses = [epoch.loss for epoch in full_passes(net, LBFGS(), X, t)]
    >>> losses[-1] < 1e-3, net.accuracy(X, t)
    (True, 1.0)
    """
    n = _check_rows(X, t)
    batches = Minibatches(net, X, t, sample_weight, batch_size=min(n, BLOCK_ROWS))
    evaluate = partial(_objective, net, batches)
    steps = optimizer.iterations(net.theta, evaluate)
    for number in count(1):
        with np.errstate(over="ignore", invalid="ignore"):
            objective, length = next(steps, (None, 0.0))
        if objective is None:
            return
        _check_finite(objective, "the objective", number)
        yield Epoch(objective - net.penalty, objective, length, optimizer.is_done_)


def _objective(net: TwoLayerNet, batches: Minibatches, gradient: Array) -> float:
    """Fill an array with the gradient over all rows, and return the objective."""
    total, keep = 0.0, 0.0
    for workspace, rows in batches.chunks():
        for place, x in enumerate(rows):
            workspace.run(place, x)
            workspace.add_gradient(gradient, scale=workspace.n_rows / batches.n, keep=keep)
            keep = 1.0
        total += workspace.total_loss()
    return float(total / batches.n) + net.penalty


def _check_rows(X: Any, t: Any, batch_size: int = 1) -> int:
    n: int = X.shape[0]
    if not n or t.shape[0] != n or batch_size < 1:
        raise ValueError(
            f"cannot train on {n} rows, {t.shape[0]} targets, {batch_size} rows a batch"
        )
    return n


def _check_finite(value: float, what: str, epoch: int, learning_rate: float | None = None) -> None:
    if not math.isfinite(value):
        lower = learning_rate and f"Lower learning_rate (now {learning_rate:g}), or scale"
        raise ValueError(
            f"training diverged: {what} became {value} in epoch {epoch}. {lower or 'Scale'} "
            "the columns of X, for example with StandardScaler"
        )
