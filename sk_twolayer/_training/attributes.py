"""The fitted attributes of an estimator: made from a `FitResult`, and resumed from."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sk_twolayer._data.inputs import dtype_of_parameters
from sk_twolayer._data.targets import Labels
from sk_twolayer._training.loop import FitResult, make_network
from sk_twolayer._training.scoring import Validation
from sk_twolayer._training.settings import Settings
from sk_twolayer._training.state import RandomSources, TrainingState
from sk_twolayer._typing import Array, Classifier
from sk_twolayer.layers._registry import copy_activation
from sk_twolayer.network import TwoLayerNet


def fitted_attributes(result: FitResult, labels: Labels) -> dict[str, Any]:
    """Return the fitted attributes: only parameters, numbers and short histories, no data."""
    net, state, settings = result.net, result.state, result.settings
    losses = state.loss_curve
    return {
        "classes_": labels.classes,
        "coefs_": [net.params["W1"], net.params["W2"]],
        "intercepts_": [net.params["b1"], net.params["b2"]],
        "activation_": copy_activation(settings.activation),
        "alpha_": settings.alpha,
        "batch_size_": settings.batch_size,
        "learning_rate_": settings.learning_rate,
        "learning_rate_schedule_": settings.schedule,
        "max_iter_": settings.max_iter,
        "n_outputs_": labels.n_outputs,
        "out_activation_": "softmax" if labels.loss == "softmax" else "logistic",
        "sparse_output_": labels.sparse,
        "n_layers_": 3,
        "n_iter_": state.n_iter,
        "t_": state.n_rows_seen,
        "loss_curve_": losses,
        "loss_": losses[-1] if losses else np.nan,
        "best_loss_": min(losses, default=np.nan),
        "validation_loss_curve_": state.validation_loss_curve,
        "validation_scores_": state.validation_scores,
        "best_validation_score_": state.best_validation_score,
    }


def saved_state(result: FitResult) -> dict[str, Any]:
    """Return what an estimator stores besides its fitted attributes, to resume training.

    If the model has the parameters of an earlier epoch than the last one, the checksum of these
    tells later whether they were changed: see `FittedModel.latest_parameters`.
    """
    model = [*result.net.params.values()] if result.state.theta is not None else []
    return {**result.state.get_state(), "model_checksum": _checksum(model)}


@dataclass(frozen=True)
class FittedModel:
    """The fitted model from which `partial_fit`, or `fit` with `warm_start`, resumes training.

    Parameters
    ----------
    attributes : dict
        The attributes of the estimator.
    saved : dict or None
        What `saved_state` returned for the last training run. If it is None, because it was not
        stored, training resumes from the parameters alone.
    """

    attributes: dict[str, Any]
    saved: dict[str, Any] | None

    @classmethod
    def of(cls, estimator: Classifier) -> Self | None:
        """Return the fitted model of an estimator, or None if it is not fitted."""
        attributes = vars(estimator)
        if "coefs_" not in attributes:
            return None
        if "classes_" not in attributes:
            raise ValueError(
                "coefs_ was assigned to an estimator that is not fitted, so its classes and "
                "features are not known: call fit with max_iter=1 first, then assign coefs_ and "
                "intercepts_, and call fit again with warm_start=True"
            )
        return cls(dict(attributes), attributes.get("_training_state"))

    @property
    def labels(self) -> Labels:
        """The classes, or labels, of the model."""
        multilabel = (
            self.attributes["out_activation_"] == "logistic" and self.attributes["n_outputs_"] > 1
        )
        sparse = self.attributes.get("sparse_output_", False)  # not in files of early versions
        return Labels(self.attributes["classes_"], multilabel, sparse)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the parameters."""
        return dtype_of_parameters(self._model_parameters)

    def check_labels(self, labels: Labels) -> None:
        """Raise an error if the labels are not those of the model."""
        known = self.labels
        same_kind = known.multilabel == labels.multilabel
        if not same_kind or known.classes.tolist() != labels.classes.tolist():
            raise ValueError(
                "warm_start can only be used if `y` has the same classes as in the previous call "
                f"to fit. Previously got {known.classes}, `y` has {labels.classes}; use "
                "partial_fit for rows that have only some of the classes"
            )

    def latest_parameters(self, settings: Settings) -> Array:
        """Return the parameters to resume training from, in one vector.

        They are those of the last epoch. With early stopping, the model may have the parameters of
        an earlier epoch, and the saved state has those of the last one. But if the checksum shows
        that the user has assigned other `coefs_` or `intercepts_`, these are used.
        """
        model = self._model_parameters
        n_hidden, n_outputs = settings.hidden_size, settings.n_outputs
        expected = [
            (settings.n_features, n_hidden),
            (n_hidden, n_outputs),
            (n_hidden,),
            (n_outputs,),
        ]
        shapes = [np.shape(parameters) for parameters in model]
        if shapes[0] != expected[0] and shapes[0][:1] == expected[0][:1]:
            raise ValueError(
                f"hidden_size is {n_hidden}, but the model to resume training from has "
                f"{shapes[0][1]} hidden units: set hidden_size={shapes[0][1]}, or fit a new model "
                "with warm_start=False"
            )
        if shapes != expected:
            raise ValueError(
                f"coefs_ and intercepts_ must have the shapes {expected[:2]} and {expected[2:]}, "
                f"but have {shapes[:2]} and {shapes[2:]}"
            )
        if (
            self.saved is not None
            and self.saved["theta"] is not None
            and self.saved["model_checksum"] == _checksum(model)
        ):
            return np.array(self.saved["theta"])
        return self.model_vector

    def resume(
        self, settings: Settings, sources: RandomSources, *, n_iter: int
    ) -> tuple[TrainingState, TwoLayerNet]:
        """Return the state and the network after the last epoch.

        Parameters
        ----------
        settings : Settings
            The settings from now on.
        sources : RandomSources
            Sources of random numbers, made from the same saved state.
        n_iter : int
            Number of epochs from which to continue counting.
        """
        theta = self.latest_parameters(settings)
        state = TrainingState.resume(settings, sources, self.attributes, self.saved, n_iter=n_iter)
        return state, make_network(settings, sources, theta)

    def keep_if_best(self, state: TrainingState, net: TwoLayerNet, validation: Validation) -> None:
        """Evaluate the model, so that early stopping keeps it unless a further epoch is better."""
        model = copy.deepcopy(net)
        model.theta[:] = self.model_vector
        result = validation.evaluate(model)
        state.keep_if_best(model.theta, result.loss, result.score)

    @property
    def model_vector(self) -> Array:
        """The parameters of the model, in one vector."""
        return np.concatenate([np.ravel(parameters) for parameters in self._model_parameters])

    @property
    def _model_parameters(self) -> list[Array]:
        return [*self.attributes["coefs_"], *self.attributes["intercepts_"]]


def _checksum(arrays: Iterable[Array]) -> int:
    checksum = 0
    for array in arrays:
        checksum = zlib.crc32(np.ascontiguousarray(array).tobytes(), checksum)
    return checksum
