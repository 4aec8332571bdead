"""The training loop: from a network, a data set, settings and a state to a `FitResult`."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sk_twolayer._data.dataset import Dataset
from sk_twolayer._numerics.threads import suitable_blas_threads
from sk_twolayer._training.objective import NetworkObjective
from sk_twolayer._training.report import Report
from sk_twolayer._training.scoring import Validation
from sk_twolayer._training.settings import Settings
from sk_twolayer._training.state import EpochRecord, RandomSources, TrainingState
from sk_twolayer._typing import Array
from sk_twolayer.network import TwoLayerNet
from sk_twolayer.optimizers._base import EpochResult, StopReason


@dataclass(frozen=True)
class FitResult:
    """Result of a training run, or of its epochs so far.

    Parameters
    ----------
    net : TwoLayerNet
        The network with the parameters of the model: those of the best epoch with
        `early_stopping`, else those of the last one.
    state : TrainingState
        The state from which training can be resumed.
    settings : Settings
        The settings of the run.
    stop_reason : StopReason or None
        What ended training; None if it has not ended.
    """

    net: TwoLayerNet
    state: TrainingState
    settings: Settings
    stop_reason: StopReason | None = None


class EpochCallbacks(Protocol):
    """Callbacks that `train` calls before and after each epoch."""

    def begin_epoch(self) -> None:
        """Notify of the start of an epoch."""

    def end_epoch(self, result: Callable[[], FitResult]) -> bool:
        """Notify of the end of an epoch, and return whether to stop."""


def make_network(
    settings: Settings, sources: RandomSources, theta: Array | None = None
) -> TwoLayerNet:
    """Return a network with initial weights, or with the given parameters.

    The seed of the dropout masks is drawn before the weights, and both before the permutations, so
    that the network depends on nothing that follows.
    """
    if settings.dropout:
        _ = sources.dropout  # draws its seed
    net = TwoLayerNet(
        settings.n_features,
        settings.hidden_size,
        settings.n_outputs,
        settings.weight_init_std if theta is None else 0.0,
        activation=settings.activation,
        loss=settings.loss,
        alpha=settings.alpha,
        dropout=settings.dropout,
        dtype=settings.dtype,
        random_state=sources.random_state if theta is None else None,
    )
    if theta is not None:
        net.theta[:] = theta
    return net


def train(
    net: TwoLayerNet,
    dataset: Dataset,
    validation: Validation | None,
    settings: Settings,
    state: TrainingState,
    callbacks: EpochCallbacks | None = None,
    report: Report | None = None,
) -> FitResult:
    """Train a network in place, epoch by epoch, until there is a reason to stop.

    Parameters
    ----------
    net : TwoLayerNet
        The network, from `make_network`.
    dataset : Dataset
        The training rows.
    validation : Validation or None
        Validation rows and their score, evaluated after each epoch.
    settings : Settings
        The settings.
    state : TrainingState
        The state so far; it is updated.
    callbacks : EpochCallbacks or None
        Notified of each epoch; may stop training.
    report : Report or None
        Prints the results of each epoch, and why training ended.

    Returns
    -------
    FitResult
        The network of the model, the state, and what ended training.

    Raises
    ------
    ValueError
        If the objective is no longer finite.
    KeyboardInterrupt
        If training is interrupted before the end of its first epoch.
    """
    if not settings.n_epochs:
        return FitResult(net, state, settings, StopReason.MAX_ITER)
    run = _Run(net, dataset, validation, settings, state, report)
    first_epoch = state.n_iter
    with suitable_blas_threads(run.objective.multiplications):
        try:
            reason = run.epochs(callbacks)
        except KeyboardInterrupt:
            if state.n_iter == first_epoch or not np.isfinite(net.theta).all():
                raise
            run.keep_last_if_best()  # the interrupt may have come before this was done
            reason = StopReason.INTERRUPT
    state.theta = None
    if state.best is not None:
        state.theta = net.theta.copy()
        net.theta[:] = state.best.theta
    result = FitResult(net, state, settings, reason)
    if report is not None:
        report.end(result)
    return result


class _Run:
    """The epochs of one call of `train`.

    All that an epoch changes is in `net.theta` and `state`. So training can be resumed from these
    after an interrupt.
    """

    def __init__(
        self,
        net: TwoLayerNet,
        dataset: Dataset,
        validation: Validation | None,
        settings: Settings,
        state: TrainingState,
        report: Report | None,
    ) -> None:
        self.net, self.validation = net, validation
        self.settings, self.state, self.report = settings, state, report
        self.n_rows = dataset.X.shape[0]
        self.objective = NetworkObjective(
            net,
            dataset,
            batch_size=settings.block_size,
            shuffle=settings.shuffle,
            sources=state.sources,
        )

    def epochs(self, callbacks: EpochCallbacks | None) -> StopReason:
        """Train epoch by epoch, and return what ended training."""
        results = self.state.optimizer.epochs(self.objective, self.state.learning_rate)
        for _ in range(self.settings.n_epochs):
            if callbacks is not None:
                callbacks.begin_epoch()
            try:
                result = next(results)
            except StopIteration as end:
                if callbacks is not None:
                    callbacks.end_epoch(self._model_so_far)
                return end.value or StopReason.OPTIMUM
            improves = self._end_epoch(result)
            if callbacks is not None and callbacks.end_epoch(self._model_so_far):
                return StopReason.CALLBACK
            if result.stop is not None:
                return result.stop
            if not improves:
                return StopReason.NO_IMPROVEMENT
        return StopReason.MAX_ITER

    def keep_last_if_best(self) -> None:
        """Keep the parameters of the last epoch, if early stopping prefers them."""
        last = self.state.records[-1]
        if self.settings.early_stopping and last.validation_loss is not None:
            assert last.validation_score is not None
            self.state.keep_if_best(self.net.theta, last.validation_loss, last.validation_score)

    def _end_epoch(self, result: EpochResult) -> bool:
        """Record the result of an epoch, and return whether training should continue.

        An epoch counts from the time when its record is appended. That is a single operation, so
        an interrupt comes either before or after it.
        """
        state, settings = self.state, self.settings
        validated = self.validation.evaluate(self.net) if self.validation else None
        record = EpochRecord(
            state.n_iter + 1,
            state.n_rows_seen + self.n_rows,
            result.loss,
            result.learning_rate,
            *(validated or (None, None)),
        )
        state.records.append(record)
        self.keep_last_if_best()
        if self.report is not None:
            self.report.epoch(record)
        by_validation = settings.early_stopping and validated is not None
        if settings.fixed_length and not by_validation:
            return True
        objective = -validated.score if by_validation and validated else result.objective
        if not state.patience.should_stop(objective):
            return True
        if state.learning_rate.reduce():
            state.patience.reset()
            return True
        if not by_validation and state.patience.is_spike(objective):
            return True  # if training stopped here, the model would have the parameters of a spike
        state.patience.reset()
        return False

    def _model_so_far(self) -> FitResult:
        """Return the result that training would have if it ended after this epoch."""
        net = self.net
        if self.state.best is not None:
            net = copy.deepcopy(net)
            net.theta[:] = self.state.best.theta
        return FitResult(net, self.state, self.settings)
