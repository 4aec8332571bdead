"""The loop around the epochs, and what goes on from one call of fit to the next."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from sk_twolayer._data.dataset import Dataset
from sk_twolayer._numerics.matrices import is_sparse
from sk_twolayer._training.callbacks import EpochTasks
from sk_twolayer._training.epochs import Epoch
from sk_twolayer._training.scoring import Measured, Validation
from sk_twolayer._training.stopping import StoppingRule
from sk_twolayer._typing import Array
from sk_twolayer.network import TwoLayerNet
from sk_twolayer.optimizers import LBFGS, Optimizer, go_on_from, memory_of
from sk_twolayer.schedules import LearningRate


@dataclass
class Session:
    """What training has come to: all it takes to go on as if it had never paused.

    An estimator keeps it in two parts: its fitted attributes, and the `memory`.
    """

    optimizer: Optimizer | LBFGS
    learning_rate: LearningRate
    rule: StoppingRule
    random_state: np.random.RandomState
    seeded: bool  # whether that is its own, made from a seed, or one that others share
    dropout_random_state: np.random.RandomState | None = None  # apart from the permutations
    split_seed: int | None = None  # which rows to hold out
    theta: Array | None = None  # where training stands, if the model is of an earlier epoch
    batch_size: int = 0  # rows per minibatch
    n_iter: int = 0
    n_rows_seen: int = 0
    loss_curve: list[float] = field(default_factory=list)
    validation_loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    best_score: float | None = None
    watched: tuple[Any, ...] | None = None  # what decides on the values that the rule sees

    def memory(self) -> dict[str, Any]:
        """Return what no fitted attribute tells, and going on takes: plain arrays and scalars."""
        masks = self.dropout_random_state
        return {
            "optimizer": memory_of(self.optimizer),
            "learning_rate": self.learning_rate.memory(),
            "rule": self.rule.memory(),
            "random_state": self.random_state.get_state() if self.seeded else None,
            "dropout_random_state": None if masks is None else masks.get_state(),
            "split_seed": self.split_seed,
            "theta": self.theta,
            "watched": self.watched,
        }

    def go_on_from(self, memory: dict[str, Any]) -> None:
        """Take over where another session has ended, as far as its settings are the same."""
        go_on_from(self.optimizer, memory["optimizer"])
        self.learning_rate.go_on_from(memory["learning_rate"])
        self.rule.go_on_from(memory["rule"])
        if self.seeded and memory["random_state"] is not None:
            self.random_state.set_state(memory["random_state"])
        if memory["dropout_random_state"] is not None:
            self.dropout_random_state = np.random.RandomState()
            self.dropout_random_state.set_state(memory["dropout_random_state"])
        self.split_seed, self.theta = memory["split_seed"], memory["theta"]
        self.watched = memory["watched"]

    def watch(self, watched: tuple[Any, ...]) -> None:
        """Let the stopping rule start anew, if what it judges is not what it was before."""
        if self.watched is not None and self.watched != watched:
            self.rule.forget()
        self.watched = watched

    @property
    def curves(self) -> tuple[list[float], ...]:
        """The lists that grow by one number an epoch, some of which may stay empty."""
        return self.loss_curve, self.validation_loss_curve, self.validation_scores

    def add_to_curves(self, epoch: Epoch, measured: Measured | None) -> None:
        """Add an epoch to the curves."""
        self.loss_curve.append(epoch.loss)
        if measured is not None:
            self.validation_loss_curve.append(measured.loss)
            self.validation_scores.append(measured.score)

    def start_validation_anew(self) -> None:
        """Forget scores that do not compare with those to come: of other rows, or another kind."""
        self.rule.forget()
        self.validation_loss_curve, self.validation_scores = [], []

    def shorten_curves(self, length: int) -> None:
        """Forget all but the last epochs' results, so that a model does not grow for ever."""
        for curve in self.curves:
            del curve[:-length]


class Plan(NamedTuple):
    """How many rows to take together, for how many epochs, at which pace; and if more may come."""

    batch_size: int
    max_iter: int
    schedule: str
    streams: bool = False


class Best(NamedTuple):
    """The parameters with the best score so far, and the least loss among equals."""

    theta: Array
    score: float | None = None
    loss: float = math.inf

    def or_better(self, net: TwoLayerNet, measured: Measured) -> Best:
        """Return a copy of a net's parameters, if they are better than these."""
        if self.score is None or (measured.score, -measured.loss) > (self.score, -self.loss):
            return Best(net.theta.copy(), measured.score, measured.loss)
        return self


@dataclass
class Training:
    """One run of epochs of a session, and those who watch it."""

    session: Session
    net: TwoLayerNet
    dataset: Dataset
    validation: Validation | None = None
    best: Best | None = None
    tasks: EpochTasks | None = None
    verbose: bool = False

    def run(
        self,
        results: Iterator[Epoch],
        max_iter: int,
        attributes: Callable[[TwoLayerNet], dict[str, Any]],
    ) -> str:
        """Train for as long as it helps."""
        begun, start = self.session.n_iter, time.perf_counter()
        lengths = [len(curve) for curve in self.session.curves]
        try:
            for _ in range(max_iter):
                if self.tasks:
                    self.tasks.begin()
                epoch = next(results, None)
                change = epoch is not None and self._take_stock(epoch, time.perf_counter() - start)
                if self.tasks and self.tasks.end(lambda: attributes(self._model())):
                    return "callback"
                if epoch is None or epoch.last:
                    return "arrived"
                if not change:
                    return "no change"
        except KeyboardInterrupt:
            n_epochs = self.session.n_iter - begun
            if not n_epochs or not np.isfinite(self.net.theta).all():
                raise
            for curve, length in zip(self.session.curves, lengths, strict=True):
                del curve[length + n_epochs :]  # of an epoch that was noted by half
            return "interrupt"
        return "max_iter"

    def largest_product(self, n_rows: int) -> int:
        """Return the number of multiplications in the largest product that BLAS does in a step."""
        X, (hidden, outputs) = self.dataset.X, self.net.params["W2"].shape
        return int(n_rows * hidden * max(outputs, 0 if is_sparse(X) else X.shape[1]))

    def _model(self) -> TwoLayerNet:
        """Return the net with the parameters a fit that stopped now would keep."""
        if self.best is None:
            return self.net
        net = copy.deepcopy(self.net)
        net.theta[:] = self.best.theta
        return net

    def _take_stock(self, epoch: Epoch, seconds: float) -> bool:
        """Measure, note and print an epoch, and tell whether to go on."""
        session, best, watched = self.session, self.best, epoch.objective
        measured = self.validation.measure(self.net) if self.validation else None
        session.add_to_curves(epoch, measured)
        n_iter, n_rows = session.n_iter + 1, session.n_rows_seen + self.dataset.X.shape[0]
        score = session.best_score
        if best and measured:
            best = best.or_better(self.net, measured)
            score, watched = best.score, -measured.score
        elif measured:
            score = max(session.validation_scores)
        noted = n_iter, n_rows, score, best
        # One statement without a call: no interrupt comes in between.
        session.n_iter, session.n_rows_seen, session.best_score, self.best = noted
        if self.verbose:
            print(_line(session.n_iter, epoch, measured, seconds))
        if not session.rule.should_stop(watched):
            return True
        session.rule.forget()
        return session.learning_rate.slow_down()


def _line(number: int, epoch: Epoch, measured: Measured | None, seconds: float) -> str:
    line = f"epoch {number:5d}   loss {epoch.loss:10.6f}"
    if measured is not None:
        line += f"   validation loss {measured.loss:10.6f}"
        if measured.score != -measured.loss:  # of a scorer of the user's
            line += f"   score {measured.score:10.6f}"
    return line + f"   learning rate {epoch.learning_rate:9.3e}   {seconds:8.2f} s"
