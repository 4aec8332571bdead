"""The state of a training run: everything that is needed to resume it exactly."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.utils import check_random_state

from sk_twolayer._data.dataset import Dataset
from sk_twolayer._training.settings import Settings
from sk_twolayer._typing import Array
from sk_twolayer.optimizers import Optimizer
from sk_twolayer.schedules import LearningRate

# An objective is in a spike if it exceeds the best one by more than this fraction of the best one,
# and by more than this number.
SPIKE_RATIO, SPIKE_HEIGHT = 0.1, 0.01


class EpochRecord(NamedTuple):
    """Result of one epoch.

    `loss` is the mean training loss of the rows, without the penalty. `n_iter` and `n_rows_seen`
    count epochs and rows up to and including this epoch.
    """

    n_iter: int
    n_rows_seen: int
    loss: float
    learning_rate: float
    validation_loss: float | None = None
    validation_score: float | None = None


class RandomSources:
    """Sources of random numbers for a training run.

    The dropout masks and the split have sources of their own, so that they do not depend on how
    many numbers are drawn for other purposes. Their seeds are drawn from `random_state`.

    Parameters
    ----------
    random_state : int, RandomState or None
        The parameter of the classifier. If it is an int, only this run uses the numbers, so the
        state of the generator is saved and restored.
    saved : dict or None, default=None
        What `get_state` returned for the training run that is resumed.

    Examples
    --------
    >>> from sk_twolayer._training.state import RandomSources
    >>> sources = RandomSources(0)
    >>> sources.random_state.randint(100), sources.random_state.randint(100)
    (44, 47)
    >>> saved = sources.get_state()
    >>> sources.random_state.randint(100), RandomSources(0, saved).random_state.randint(100)
    (64, 64)
    """

    def __init__(self, random_state: Any, saved: dict[str, Any] | None = None) -> None:
        self._parameter = random_state
        self._is_seeded = isinstance(random_state, Integral)
        self._saved_state = saved["random_state"] if saved and self._is_seeded else None
        self.split_seed: int | None = saved["split_seed"] if saved else None
        self._dropout: np.random.RandomState | None = None
        if saved and saved["dropout_random_state"] is not None:
            self._dropout = np.random.RandomState()
            self._dropout.set_state(saved["dropout_random_state"])

    @cached_property
    def random_state(self) -> np.random.RandomState:
        """Source of the initial weights and of the permutations.

        It is made when it is first used, because that takes longer than a training step with one
        row, and `partial_fit` with few rows does not need it.
        """
        random_state: np.random.RandomState = check_random_state(self._parameter)
        if self._saved_state is not None:
            random_state.set_state(self._saved_state)
        return random_state

    def get_state(self) -> dict[str, Any]:
        """Return what the constructor takes as `saved`."""
        state = self._saved_state
        if self._is_seeded and "random_state" in vars(self):
            state = self.random_state.get_state()
        return {
            "random_state": state,
            "dropout_random_state": None if self._dropout is None else self._dropout.get_state(),
            "split_seed": self.split_seed,
        }

    def draw_split_seed(self) -> int:
        """Return the seed of the split, which is the same one if training is resumed."""
        if self.split_seed is None:
            self.split_seed = self._draw_seed()
        return self.split_seed

    @property
    def dropout(self) -> np.random.RandomState:
        """Source of the dropout masks, whose seed is drawn from `random_state` at the first use."""
        if self._dropout is None:
            self._dropout = np.random.RandomState(self._draw_seed())
        return self._dropout

    def _draw_seed(self) -> int:
        return int(self.random_state.randint(2**31 - 1))


class Patience:
    """Detects that an objective has not decreased by more than `tol` for several epochs.

    Parameters
    ----------
    tol : float or None
        An objective is an improvement if it is below the best one so far by more than this; with
        None, training never stops.
    n_iter_no_change : int
        Number of epochs in a row without improvement after which to stop.

    Examples
    --------
    >>> from sk_twolayer._training.state import Patience
    >>> patience = Patience(tol=0.1, n_iter_no_change=2)
    >>> [patience.should_stop(loss) for loss in (1.0, 0.5, 0.45, 0.44)]
    [False, False, False, True]
    """

    def __init__(self, tol: float | None, n_iter_no_change: int) -> None:
        self.never_stops = tol is None
        self._tol = -math.inf if tol is None else tol
        self._n_iter_no_change = n_iter_no_change
        self.reset()

    def reset(self) -> None:
        """Forget the best value and the count, since the next values are not comparable."""
        self._best = math.inf
        self._epochs_without_improvement = 0

    def should_stop(self, objective: float) -> bool:
        """Record the objective of an epoch, and return whether training should stop."""
        improved = objective < self._best - self._tol
        self._epochs_without_improvement = 0 if improved else self._epochs_without_improvement + 1
        self._best = min(self._best, objective)
        return not self.never_stops and self._epochs_without_improvement >= self._n_iter_no_change

    def is_spike(self, objective: float) -> bool:
        """Return whether a training objective is temporarily far above its best value.

        Minibatch training with a constant rate has such spikes. The parameters within a spike are
        worse than those before and after it.
        """
        return objective > self._best + max(SPIKE_RATIO * self._best, SPIKE_HEIGHT)

    def get_state(self) -> dict[str, float]:
        """Return the best value and the count."""
        return {
            "best": self._best,
            "epochs_without_improvement": self._epochs_without_improvement,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from the best value and the count that `get_state` returned."""
        self._best = state["best"]
        self._epochs_without_improvement = state["epochs_without_improvement"]


class BestEpoch(NamedTuple):
    """Parameters of the epoch with the highest score; in a tie, of the one with the lowest loss."""

    theta: Array
    score: float
    loss: float


@dataclass
class TrainingState:
    """Everything that training changes, except for the parameters of the network.

    A fitted estimator stores it in two parts: the fitted attributes, and what `get_state` returns.
    `resume` makes the state from both.

    Attributes
    ----------
    optimizer : Optimizer
        The optimizer with its state, such as running means of gradients.
    learning_rate : LearningRate
        The schedule and its progress.
    patience : Patience
        The best objective so far, and the number of epochs since the last improvement.
    sources : RandomSources
        Sources of random numbers.
    records : list of EpochRecord
        The result of each epoch. All curves and counts are derived from this list.
    best : BestEpoch or None
        The best epoch of this run, with `early_stopping`.
    theta : ndarray of shape (n_parameters,) or None
        The parameters after the last epoch, if the model has those of a better one.
    conditions : dict or None
        What the objectives of the last epochs depended on, see `set_conditions`.
    validation_conditions : object or None
        What their validation scores depended on.
    """

    optimizer: Optimizer
    learning_rate: LearningRate
    patience: Patience
    sources: RandomSources
    records: list[EpochRecord] = field(default_factory=list)
    best: BestEpoch | None = None
    theta: Array | None = None
    conditions: dict[str, Any] | None = None
    validation_conditions: Any = None

    @classmethod
    def new(cls, settings: Settings, sources: RandomSources) -> Self:
        """Return the state before the first epoch."""
        return cls(
            copy.deepcopy(settings.solver),
            LearningRate(settings.learning_rate, settings.schedule, settings.period),
            Patience(settings.tol, settings.n_iter_no_change),
            sources,
        )

    @classmethod
    def resume(
        cls,
        settings: Settings,
        sources: RandomSources,
        attributes: dict[str, Any],
        saved: dict[str, Any] | None,
        *,
        n_iter: int,
    ) -> Self:
        """Return the state after the last epoch of a fitted estimator.

        Parameters
        ----------
        settings : Settings
            The settings from now on. The state of another kind of optimizer, and the reductions of
            another "adaptive" learning rate, are dropped.
        sources : RandomSources
            Sources of random numbers, made from the same `saved`.
        attributes : dict
            The fitted attributes of the estimator.
        saved : dict or None
            What `get_state` returned; None if only the attributes are known.
        n_iter : int
            Number of epochs from which to continue counting.
        """
        state = cls.new(settings, sources)
        state.records = _records_of_curves(
            attributes["loss_curve_"],
            attributes["validation_loss_curve_"],
            attributes["validation_scores_"],
            n_iter,
            attributes["t_"],
        )
        if saved is not None:
            state.optimizer.set_state(saved["optimizer"])
            state.learning_rate.set_state(saved["learning_rate"])
            state.patience.set_state(saved["patience"])
            state.conditions = saved["conditions"]
            state.validation_conditions = saved["validation_conditions"]
        return state

    def get_state(self) -> dict[str, Any]:
        """Return what is in no fitted attribute: a dict of arrays, numbers, strings and dicts."""
        return {
            "optimizer": self.optimizer.get_state(),
            "learning_rate": self.learning_rate.get_state(),
            "patience": self.patience.get_state(),
            **self.sources.get_state(),
            "theta": self.theta,
            "conditions": self.conditions,
            "validation_conditions": self.validation_conditions,
        }

    def set_conditions(self, conditions: dict[str, Any], validation: Any) -> None:
        """Reset the patience and the validation curves, if the next epochs are not comparable.

        Parameters
        ----------
        conditions : dict
            What the objective of an epoch depends on, besides the parameters of the network: the
            data and some parameters of the estimator. If it has changed, `patience` is reset.
        validation : object or None
            What the validation scores depend on; None without validation rows. If it has changed,
            `patience` is reset and the validation curves are cleared.
        """
        if self.conditions is not None and self.conditions != conditions:
            self.patience.reset()
        if validation is None or self.validation_conditions != validation:
            self.restart_validation()
        self.conditions, self.validation_conditions = conditions, validation

    def restart_validation(self) -> None:
        """Clear the validation curves, since the next results are not comparable with them."""
        if all(record.validation_loss is None for record in self.records):
            return
        self.patience.reset()
        self.records = [
            record._replace(validation_loss=None, validation_score=None) for record in self.records
        ]

    def keep_if_best(self, theta: Array, loss: float, score: float) -> None:
        """Keep a copy of the parameters if their validation result is the best so far."""
        if self.best is None or (score, -loss) > (self.best.score, -self.best.loss):
            self.best = BestEpoch(theta.copy(), score, loss)

    @property
    def n_iter(self) -> int:
        """Number of epochs, counted from the last call of `fit`."""
        return self.records[-1].n_iter if self.records else 0

    @property
    def n_rows_seen(self) -> int:
        """Number of rows trained on, each counted once per epoch."""
        return self.records[-1].n_rows_seen if self.records else 0

    @property
    def best_validation_score(self) -> float | None:
        """The score of the best epoch with `early_stopping`; otherwise the highest score."""
        return self.best.score if self.best else max(self.validation_scores or (), default=None)

    @property
    def loss_curve(self) -> list[float]:
        """Mean training loss of each epoch."""
        return [record.loss for record in self.records]

    @property
    def validation_loss_curve(self) -> list[float] | None:
        """Mean validation loss of each epoch with validation rows; None if there is none."""
        curve = [r.validation_loss for r in self.records if r.validation_loss is not None]
        return curve or None

    @property
    def validation_scores(self) -> list[float] | None:
        """Validation score of each epoch with validation rows; None if there is none."""
        curve = [r.validation_score for r in self.records if r.validation_score is not None]
        return curve or None


def _records_of_curves(
    losses: list[float],
    validation_losses: list[float] | None,
    scores: list[float] | None,
    n_iter: int,
    n_rows_seen: int,
) -> list[EpochRecord]:
    """Return one record per epoch, from the fitted attributes.

    If the validation curves are shorter, they are those of the last epochs. `n_iter` and
    `n_rows_seen` are those of the last epoch, and are only read from the last record. The learning
    rates are not known, NaN, and are not read.
    """
    validated = list(zip(validation_losses or (), scores or (), strict=False))
    results = [(None, None)] * (len(losses) - len(validated)) + validated
    return [
        EpochRecord(n_iter, n_rows_seen, loss, math.nan, *result)
        for loss, result in zip(losses, results, strict=True)
    ]


def data_summary(dataset: Dataset | None) -> tuple[Any, ...] | None:
    """Return the shape of a data set and some sums, which tell whether it is the same as before.

    The sums of targets and weights are weighted by row numbers, so that they depend on the order
    of the rows.
    """
    if dataset is None:
        return None
    X, t, weights, _ = dataset
    order = np.arange(t.shape[0])
    with np.errstate(over="ignore", invalid="ignore"):
        of_weights = None if weights is None else float(order @ weights)
        return X.shape, float(X.sum(dtype=np.float64)), float((order @ t).sum()), of_weights


def activation_summary(layer: Any) -> str:
    """Return the class and the attributes of an activation, to tell whether it is the same.

    A layer is not equal to its copy in a file, and the repr of a class of a user's own may have an
    address that no other object has.
    """
    kind = type(layer)
    return f"{kind.__module__}.{kind.__qualname__} {sorted(getattr(layer, '__dict__', {}).items())}"
