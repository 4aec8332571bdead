"""Floor 3: minibatch training as a generator of epochs, and the rule when to stop."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from itertools import count, islice
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sk_twolayer._linalg import bytes_per_row, one_blas_thread, take_rows
from sk_twolayer._typing import Array
from sk_twolayer.network import TwoLayerNet
from sk_twolayer.optimizers import Optimizer

__all__ = ["Epoch", "StoppingRule", "epochs", "rows_per_batch", "train"]

CHUNK_BYTES = 2**20  # rows are gathered for many minibatches at once, while they fit the cache


class Epoch(NamedTuple):
    """What an epoch came to: the mean loss of its rows, and that plus the penalty after it."""

    loss: float
    objective: float


class Batch(NamedTuple):
    """Rows of input, their encoded targets, and the factors of their losses."""

    x: Any
    t: Array
    sample_weight: Array | None


def epochs(
    net: TwoLayerNet,
    optimizer: Optimizer,
    X: Any,
    t: Array,
    sample_weight: Array | None = None,
    *,
    learning_rate: float,
    batch_size: int,
    shuffle: bool = True,
    random_state: np.random.RandomState,
) -> Iterator[Epoch]:
    """Train a net in place, an epoch each time the next item is asked for.

    An epoch passes once over the data in minibatches; each is four steps: take rows, loss,
    backward, and the optimizer's step. The last minibatch holds what is left over.

    Parameters
    ----------
    net : TwoLayerNet
        The net; its `theta` is changed in place.
    optimizer : Optimizer
        Takes the steps, and keeps its state from one epoch to the next.
    X : ndarray or sparse container of shape (n, inputs)
        Input rows, in the dtype of the net.
    t : ndarray of shape (n,) or (n, outputs)
        Targets, as the net's loss layer describes them.
    sample_weight : ndarray of shape (n,), default=None
        Factor of each row's loss, 1 on average over all rows.
    learning_rate : float
        Length of the steps.
    batch_size : int
        Rows in a minibatch.
    shuffle : bool, default=True
        Whether each epoch draws a fresh permutation of the rows.
    random_state : RandomState
        Source of the permutations.

    Yields
    ------
    Epoch
        `loss`, the mean loss of the epoch's rows, each under the parameters of its moment; and
        `objective`, that plus the penalty on the weights after the epoch.

    Raises
    ------
    ValueError
        If there are no rows, or not as many targets; or if the loss stops being finite, at once.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer import TwoLayerNet
    >>> from sk_twolayer.optimizers import SGD
    >>> from sk_twolayer.training import epochs
    >>> X, t = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    >>> net = TwoLayerNet(1, 4, 2, weight_init_std=1.0, random_state=0)
    >>> training = epochs(net, SGD(), X, t, learning_rate=0.5, batch_size=2,
    ...                   random_state=np.random.RandomState(0))
    >>> losses = [next(training).loss for _ in range(50)]
    >>> losses[-1] < 0.1 * losses[0], net.accuracy(X, t)
    (True, 1.0)
    """
    n = X.shape[0]
    if not n or len(t) != n or batch_size < 1:
        raise ValueError(f"cannot train on {n} rows, {len(t)} targets, {batch_size} rows a batch")
    buffers = _Buffers(net)
    for number in count(1):
        order = random_state.permutation(n) if shuffle else np.arange(n)
        total = 0.0
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            for batch in _minibatches(net, X, t, sample_weight, order, batch_size):
                loss = _step(net, optimizer, batch, learning_rate, buffers)
                _check_finite(loss, "the loss of a minibatch", number, learning_rate)
                total += loss * len(batch.t)
            squares = float(net.theta @ net.theta)
            _check_finite(squares, "the sum of squared parameters", number, learning_rate)
            epoch = Epoch(total / n, total / n + net.penalty)
        yield epoch


def _check_finite(value: float, what: str, epoch: int, learning_rate: float) -> None:
    if not math.isfinite(value):
        raise ValueError(
            f"training diverged: {what} became {value} in epoch {epoch}. Lower learning_rate "
            f"(now {learning_rate:g}), or scale the columns of X, for example with StandardScaler"
        )


def _minibatches(
    net: TwoLayerNet,
    X: Any,
    t: Array,
    sample_weight: Array | None,
    order: Array,
    batch_size: int,
) -> Iterator[Batch]:
    """Cut the rows, in the order given, into minibatches."""
    outputs, dtype = net.params["b2"].size, net.theta.dtype
    row_bytes = bytes_per_row(X) + outputs * dtype.itemsize
    batches_at_once = max(1, CHUNK_BYTES // (batch_size * row_bytes))
    chunk_size = batches_at_once * batch_size
    for start in range(0, len(order), chunk_size):
        rows = order[start : start + chunk_size]
        x_rows = take_rows(X, rows)
        t_rows = net.last_layer.encode(t[rows], outputs, dtype)
        weights = None if sample_weight is None else sample_weight[rows]
        for first in range(0, len(rows), batch_size):
            batch = slice(first, first + batch_size)
            yield Batch(x_rows[batch], t_rows[batch], None if weights is None else weights[batch])


def _step(
    net: TwoLayerNet, optimizer: Optimizer, batch: Batch, learning_rate: float, buffers: _Buffers
) -> float:
    """Train on one minibatch and return its loss before the step."""
    hidden, dhidden, scores = buffers.for_rows(len(batch.t))
    net.predict(batch.x, out=(hidden, hidden, scores))
    loss = net.last_layer.compare(scores, batch.t, batch.sample_weight, out=scores)
    net.backward(out=(scores, dhidden))
    optimizer.step(net.theta, net.add_gradient, learning_rate)
    return loss


class _Buffers:
    """The arrays one training step writes into, made once for each size of minibatch.

    An epoch has two sizes at most: the full minibatch, and what is left over at the end.
    """

    def __init__(self, net: TwoLayerNet) -> None:
        self._hidden_size, self._outputs = net.params["W2"].shape
        self._dtype = net.theta.dtype
        self._made: dict[int, tuple[Array, Array, Array]] = {}

    def for_rows(self, n: int) -> tuple[Array, Array, Array]:
        """Return arrays for the hidden units, their gradient, and the scores of `n` rows."""
        if n not in self._made:
            self._made[n] = (
                np.empty((n, self._hidden_size), self._dtype),
                np.empty((n, self._hidden_size), self._dtype),
                # By columns, because softmax adds up short rows: so NumPy goes along the batch.
                np.empty((n, self._outputs), self._dtype, order="F"),
            )
        return self._made[n]


def rows_per_batch(batch_size: int | str, n_samples: int) -> int:
    """Return the number of rows in a minibatch.

    Parameters
    ----------
    batch_size : int, "auto" or "full"
        What was asked for; "auto" is at most 200 rows, "full" is all.
    n_samples : int
        How many rows there are.

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
    >>> from sk_twolayer.training import rows_per_batch
    >>> rows_per_batch("auto", 1000), rows_per_batch("full", 1000), rows_per_batch(32, 1000)
    (200, 1000, 32)
    """
    if isinstance(batch_size, str):
        return n_samples if batch_size == "full" else min(200, n_samples)
    if batch_size > n_samples:
        raise ValueError(
            f"batch_size={batch_size} is larger than the {n_samples} rows of X: use at most "
            f'{n_samples}, "full" for all rows at once, or "auto"'
        )
    return batch_size


def train(
    results: Iterator[Epoch], *, max_iter: int, rule: StoppingRule, verbose: bool = False
) -> list[float]:
    """Train for as long as it helps: draw epochs until a rule says stop, or there were enough.

    Parameters
    ----------
    results : iterator of Epoch
        What `epochs` yields.
    max_iter : int
        Largest number of epochs.
    rule : StoppingRule
        When to stop before, judged by the objective.
    verbose : bool, default=False
        Whether to print a line an epoch.

    Returns
    -------
    list of float
        The loss of each epoch.

    Warns
    -----
    ConvergenceWarning
        If the rule would have trained on.

    Examples
    --------
    >>> from sk_twolayer.training import Epoch, StoppingRule, train
    >>> results = (Epoch(loss, loss + 0.5) for loss in (3.0, 2.0, 2.0, 1.0))
    >>> train(results, max_iter=4, rule=StoppingRule(0.1, 1))
    [3.0, 2.0, 2.0]
    """
    curve: list[float] = []
    start = time.perf_counter()
    for loss, objective in islice(results, max_iter):
        curve.append(loss)
        if verbose:
            seconds = time.perf_counter() - start
            print(f"epoch {len(curve):5d}   loss {loss:10.6f}   {seconds:9.2f} s")
        if rule.should_stop(objective):
            return curve
    if rule.ever_stops:
        warnings.warn(
            f"training took all of max_iter={max_iter} epochs, and might have gone further: raise "
            "max_iter, search for a better learning_rate, or set tol=None to ask for this many",
            ConvergenceWarning,
            stacklevel=4,
        )
    return curve


class StoppingRule:
    """Tell when an objective has not fallen by more than `tol` for a number of epochs in a row.

    Parameters
    ----------
    tol : float or None
        The least fall below the best value so far that counts; None never stops.
    n_iter_no_change : int
        After how many epochs in a row without such a fall to stop.

    Attributes
    ----------
    ever_stops : bool
        Whether there is a tolerance.

    Examples
    --------
    >>> from sk_twolayer.training import StoppingRule
    >>> rule = StoppingRule(tol=0.1, n_iter_no_change=2)
    >>> [rule.should_stop(loss) for loss in (1.0, 0.5, 0.45, 0.44)]
    [False, False, False, True]
    """

    def __init__(self, tol: float | None, n_iter_no_change: int) -> None:
        self.ever_stops = tol is not None
        self._tol = -math.inf if tol is None else tol
        self._patience = n_iter_no_change
        self._waited = 0
        self._best = math.inf

    def should_stop(self, objective: float) -> bool:
        """Take note of an epoch's objective, and tell whether it was the last.

        Parameters
        ----------
        objective : float
            What training lowers, as it was in this epoch.

        Returns
        -------
        bool
            Whether to stop.
        """
        self._waited = 0 if objective < self._best - self._tol else self._waited + 1
        self._best = min(self._best, objective)
        return self._waited >= self._patience
