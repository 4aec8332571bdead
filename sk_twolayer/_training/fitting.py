"""From data to a fitted classifier."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from inspect import signature
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from sk_twolayer._data.dataset import Dataset, known_dataset, learn_dataset
from sk_twolayer._data.inputs import refuse_missing, validated
from sk_twolayer._data.split import hold_out
from sk_twolayer._data.targets import Labels, as_numpy, check_targets
from sk_twolayer._data.weights import check_class_weight, class_factors
from sk_twolayer._numerics.matrices import BLOCK_ROWS, as_dense, mean_squares, row_keys
from sk_twolayer._numerics.threads import suitable_blas_threads
from sk_twolayer._sklearn_compat import as_python
from sk_twolayer._training.batches import enough_epochs, rows_per_batch
from sk_twolayer._training.callbacks import EpochTasks, with_callbacks
from sk_twolayer._training.checks import (
    check_combinations,
    check_memory,
    check_same_model,
    is_lbfgs,
    known_labels,
)
from sk_twolayer._training.epochs import Epoch, epochs, full_passes
from sk_twolayer._training.scoring import Validation
from sk_twolayer._training.session import Best, Plan, Session, Training
from sk_twolayer._training.stopping import StoppingRule
from sk_twolayer._training.warnings import warn_of_scale
from sk_twolayer._typing import Array
from sk_twolayer.layers._registry import copy_activation
from sk_twolayer.network import TwoLayerNet
from sk_twolayer.network._penalty import auto_alpha
from sk_twolayer.optimizers import LBFGS, make_optimizer
from sk_twolayer.schedules import LearningRate

LBFGS_EPOCHS = 200  # at most, of max_iter="auto"
STREAM_ROWS = 10_000  # in partial_fit, which does not know how many will come


class Fitting:
    """What `fit` and `partial_fit` of a classifier are made of.

    The parameters and fitted attributes are those of `TwoLayerClassifier`.
    """

    @contextmanager
    def _unchanged_by_failure(self: Any) -> Iterator[None]:
        """Give the estimator its attributes back if a block fails, or is interrupted."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            self.__dict__ = before
            raise

    @with_callbacks
    def _fit(self: Any, X: Any, y: Any, sample_weight: Any, validation_data: Any) -> str:
        """Train, set the fitted attributes, and return what ended the training."""
        self._validate_params()
        check_combinations(self)
        goes_on = self.warm_start and hasattr(self, "coefs_")
        given = {"X": X, "y": y, "metadata": {}}
        if sample_weight is not None:
            given["metadata"] = {"sample_weight": sample_weight}
        dtype = self.coefs_[0].dtype if goes_on else None
        X, y = self._validated(X, y, dtype, complete=True)
        dataset, labels, factors = learn_dataset(X, y, sample_weight, self.class_weight)
        if goes_on:
            check_same_model(self, labels)
        plan = self._plan(dataset.X.shape[0], ends=not self.warm_start)
        session = self._make_session(goes_on, plan)
        session.n_iter = 0
        held_out = self._held_out(validation_data, X.dtype, labels, factors)
        if self.early_stopping and held_out is None:
            if session.split_seed is None:
                session.split_seed = _draw_seed(session.random_state)
            fraction = float(self.validation_fraction)
            dataset, held_out = hold_out(dataset, fraction, session.split_seed)
        tasks = EpochTasks(self, plan.max_iter, **given)
        net = self._make_net(dataset, labels, session, goes_on, plan)
        training = Training(session, net, dataset, tasks=tasks, verbose=bool(self.verbose))
        self._watch(training, labels, held_out, goes_on)
        ended: str = self._train(training, labels, plan.batch_size, plan.max_iter)
        if self.warm_start:
            self._session = session.memory()
        tasks.close()
        return ended

    def _partial_fit(self: Any, X: Any, y: Any, classes: Any, sample_weight: Any) -> None:
        """Train one epoch, and set the fitted attributes."""
        self._validate_params()
        check_combinations(self)
        goes_on = hasattr(self, "coefs_")
        X, y = self._validated(X, y, self.coefs_[0].dtype if goes_on else None)
        labels = known_labels(self, classes, y)
        if goes_on:
            check_same_model(self, labels)
        if isinstance(self.class_weight, dict) and not labels.multilabel:
            check_class_weight(self.class_weight, labels.classes.tolist())
        factors = class_factors(self.class_weight, labels)
        dataset = known_dataset(X, y, sample_weight, labels, factors, at_least_one=False)
        n = dataset.X.shape[0]
        plan = self._plan(n, ends=False, streams=True)
        session = self._make_session(goes_on, plan)
        net = self._make_net(dataset, labels, session, goes_on, plan)
        training = Training(session, net, dataset, verbose=bool(self.verbose))
        if self._train(training, labels, plan.batch_size, max_iter=min(n, 1)) == "interrupt":
            raise KeyboardInterrupt  # whoever feeds the chunks is to know
        session.shorten_curves(plan.max_iter)
        self._session = session.memory()

    def _train(
        self: Any, training: Training, labels: Labels, batch_size: int, max_iter: int
    ) -> str:
        """Run the epochs, set the fitted attributes, and return what ended the training."""
        session, net = training.session, training.net
        activation = copy_activation(self.activation)
        attributes = partial(_fitted_attributes, labels, session, activation)
        vars(self).pop("_session", None)  # no callback is to see the last one
        with suitable_blas_threads(training.largest_product(batch_size)):
            ended = training.run(self._epochs(training, batch_size), max_iter, attributes)
        session.theta = None
        if training.best is not None:
            session.theta = net.theta.copy()
            net.theta[:] = training.best.theta
        vars(self).update(attributes(net))
        if ended == "arrived" and session.optimizer.n_evaluations_ >= session.optimizer.max_fun:
            return "max_fun"
        return ended

    def _epochs(self: Any, training: Training, batch_size: int) -> Iterator[Epoch]:
        """Return what trains the net."""
        session = training.session
        if isinstance(session.optimizer, LBFGS):
            return full_passes(training.net, session.optimizer, *training.dataset)
        return epochs(
            training.net,
            session.optimizer,
            *training.dataset,
            learning_rate=session.learning_rate,
            batch_size=batch_size,
            shuffle=self.shuffle,
            random_state=session.random_state,
            dropout_random_state=session.dropout_random_state,
        )

    def _schedule(self: Any, *, ends: bool) -> str:
        """Return the name of the schedule, by whether the number of epochs is known beforehand."""
        if self.learning_rate_schedule == "auto":
            return "cosine" if ends else "constant"
        return str(self.learning_rate_schedule)

    def _plan(self: Any, n: int, *, ends: bool, streams: bool = False) -> Plan:
        """Return what the parameters come to for some number of rows."""
        schedule = self._schedule(ends=ends)
        if is_lbfgs(self.solver):
            auto, batch_size = LBFGS_EPOCHS, min(n, BLOCK_ROWS)
        else:
            batch_size = rows_per_batch(as_python(self.batch_size), n, at_most=streams)
            auto = enough_epochs(n, batch_size)
        max_iter = auto if self.max_iter == "auto" else int(self.max_iter)
        return Plan(batch_size, max_iter, schedule, streams)

    def _make_session(self: Any, goes_on: bool, plan: Plan) -> Session:
        """Return a new session, or one with the parameters of today that goes on from the last."""
        optimizer = make_optimizer(self.solver)
        if isinstance(optimizer, LBFGS):
            initial = 1.0  # which nothing looks at
        else:
            auto = self.learning_rate == "auto"
            initial = optimizer.auto_learning_rate if auto else self.learning_rate
        session = Session(
            optimizer,
            LearningRate(initial, plan.schedule, plan.max_iter),
            StoppingRule(as_python(self.tol), int(self.n_iter_no_change)),
            check_random_state(self.random_state),
            seeded=isinstance(self.random_state, Integral),
        )
        if goes_on:
            session.best_score = self.best_validation_score_
            session.n_iter, session.n_rows_seen = self.n_iter_, self.t_
            session.loss_curve = list(self.loss_curve_)
            session.validation_loss_curve = list(self.validation_loss_curve_ or ())
            session.validation_scores = list(self.validation_scores_ or ())
            if hasattr(self, "_session"):
                # a copy, so that a fit that fails leaves the last one as it was
                session.go_on_from(copy.deepcopy(self._session))
        return session

    def _make_net(
        self: Any, dataset: Dataset, labels: Labels, session: Session, goes_on: bool, plan: Plan
    ) -> TwoLayerNet:
        """Return a new net, or one where training was left."""
        X = dataset.X
        if self.dropout and session.dropout_random_state is None:
            seed = _draw_seed(session.random_state)
            session.dropout_random_state = np.random.RandomState(seed)
        sizes = X.shape[1], int(self.hidden_size), labels.n_outputs
        check_memory(*sizes, plan.batch_size, X.dtype)
        net = TwoLayerNet(
            *sizes,
            0.0 if goes_on else as_python(self.weight_init_std),
            activation=self.activation,
            loss=labels.loss,
            alpha=self._strength(dataset, goes_on, plan.streams),
            dropout=self.dropout,
            dtype=X.dtype,
            random_state=session.random_state,
        )
        if session.theta is not None:
            net.theta[:] = session.theta
        elif goes_on:
            self._copy_parameters(net)
        return net

    def _strength(self: Any, dataset: Dataset, goes_on: bool, streams: bool) -> float:
        """Return the strength of the penalty, and warn of columns of which none is right."""
        X = dataset.X
        if not goes_on:
            warn_of_scale(self, X)
        if self.alpha != "auto":
            return float(self.alpha)
        if not X.shape[0]:
            return float(self.alpha_) if goes_on else 0.0
        n_different = STREAM_ROWS if streams else len(np.unique(row_keys(X)))
        return auto_alpha(mean_squares(X, dataset.weights), n_different)

    def _copy_parameters(self: Any, net: TwoLayerNet) -> None:
        net.params["W1"], net.params["W2"] = self.coefs_
        net.params["b1"], net.params["b2"] = self.intercepts_

    def _watch(
        self: Any, training: Training, labels: Labels, held_out: Dataset | None, goes_on: bool
    ) -> None:
        """Measure each epoch on the rows held out, and keep the best if it is to be kept."""
        if self.warm_start:
            data = (training.dataset, held_out if self.early_stopping else None)
            settings = (self.early_stopping, self.scoring, self.alpha, self.class_weight)
            training.session.watch((*settings, *map(_fingerprint, data)))
        if held_out is None:
            return
        score = self._scorer(training.session, labels, held_out)
        training.validation = Validation(held_out, score)
        if self.early_stopping:
            training.best = Best(training.net.theta.copy())
            if goes_on:  # the model as it is may remain the best one
                net = copy.deepcopy(training.net)
                self._copy_parameters(net)
                measured = training.validation.measure(net)
                training.best = training.best.or_better(net, measured)
                if measured.score != self.best_validation_score_:
                    training.session.start_validation_anew()

    def _scorer(
        self: Any, session: Session, labels: Labels, held_out: Dataset
    ) -> Callable[[TwoLayerNet], float] | None:
        """Return what scores a net on the rows held out; None for minus the loss."""
        if self.scoring == "loss":
            return None
        from sklearn.metrics import check_scoring  # late, as in `check_combinations`

        scorer = check_scoring(self, self.scoring or "accuracy")
        y = as_dense(labels.decode(held_out.t))
        options = {} if held_out.weights is None else {"sample_weight": held_out.weights}
        arguments = signature(scorer).parameters.values()
        takes_weights = any(a.name == "sample_weight" or a.kind == a.VAR_KEYWORD for a in arguments)
        if options and not takes_weights:
            raise ValueError(
                f"scoring={self.scoring!r} takes no sample_weight, but the validation rows have "
                "weights: give the function such an argument, or use make_scorer"
            )

        def score(net: TwoLayerNet) -> float:
            fitted = object.__new__(type(self))
            attributes = _fitted_attributes(labels, session, self.activation, net)
            vars(fitted).update({**vars(self), **attributes})
            vars(fitted).pop("feature_names_in_", None)  # X is an array by now
            return float(scorer(fitted, held_out.X, y, **options))

        return score

    def _validated(
        self: Any, X: Any, y: Any, dtype: Any = None, *, name: str = "y", complete: bool = False
    ) -> Any:
        """Return X and y as arrays: those of a new model, unless there is one with a dtype."""
        dtypes = [np.float64, np.float32] if dtype is None else [dtype]
        refuse_missing(**{name: y})
        y = as_numpy(y, name)
        X, y = validated(self, X, y, dtypes=dtypes, multi_output=True, reset=dtype is None)
        return X, check_targets(y, name, complete=complete)

    def _held_out(
        self: Any, validation_data: Any, dtype: Any, labels: Labels, factors: Array | None
    ) -> Dataset | None:
        """Return the user's own validation rows, if any."""
        X_val, y_val, sample_weight_val = validation_data
        if X_val is None and y_val is None and sample_weight_val is None:
            return None
        if X_val is None or y_val is None:
            raise ValueError(
                "X_val and y_val belong together: give both, and sample_weight_val only with them"
            )
        X_val, y_val = self._validated(X_val, y_val, dtype, name="y_val")
        return known_dataset(X_val, y_val, sample_weight_val, labels, factors, suffix="_val")


def _fingerprint(dataset: Dataset | None) -> tuple[Any, ...] | None:
    """Return what two data sets have in common only if they are as good as the same."""
    if dataset is None:
        return None
    X, t = dataset.X, dataset.t
    order = np.arange(t.shape[0])
    with np.errstate(over="ignore", invalid="ignore"):
        return (X.shape, float(X.sum(dtype=np.float64)), float((order @ t).sum()))


def _draw_seed(random_state: np.random.RandomState) -> int:
    return int(random_state.randint(2**31 - 1))


def _fitted_attributes(
    labels: Labels, session: Session, activation: Any, net: TwoLayerNet
) -> dict[str, Any]:
    """Return what a fit sets: parameters and short histories, nothing else."""
    return {
        "classes_": labels.classes,
        "coefs_": [net.params["W1"], net.params["W2"]],
        "intercepts_": [net.params["b1"], net.params["b2"]],
        "activation_": activation,
        "alpha_": float(net.alpha),
        "n_outputs_": labels.n_outputs,
        "out_activation_": "softmax" if labels.loss == "softmax" else "logistic",
        "n_layers_": 3,
        "n_iter_": session.n_iter,
        "t_": session.n_rows_seen,
        "loss_curve_": session.loss_curve,
        "loss_": session.loss_curve[-1] if session.loss_curve else math.nan,
        "best_loss_": min(session.loss_curve, default=math.nan),
        "validation_loss_curve_": session.validation_loss_curve or None,
        "validation_scores_": session.validation_scores or None,
        "best_validation_score_": session.best_score,
    }
