"""Error messages for parameter names and values of other libraries, with their equivalents."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, Self, TypeVar

from sk_twolayer._sklearn_compat import EstimatorBase, InvalidParameterError
from sk_twolayer.schedules import _SCHEDULES

Init = TypeVar("Init", bound=Callable[..., None])

PAGE = 'the page "Coming from MLPClassifier" of the documentation (docs/migration.md)'

# Names of parameters in MLPClassifier, Keras, PyTorch, skorch and "Deep Learning from Scratch", and
# what to use here.
NAMES = {
    "hidden_layer_sizes": "hidden_size, an integer",
    "hidden_layer_size": "hidden_size",
    "hidden_units": "hidden_size",
    "hidden_size_list": "hidden_size, an integer",
    "n_hidden": "hidden_size",
    "units": "hidden_size",
    "learning_rate_init": "learning_rate",
    "lr": "learning_rate",
    "eta0": "learning_rate",
    "power_t": 'learning_rate_schedule="invscaling", which has no power_t',
    "lr_schedule": "learning_rate_schedule",
    "momentum": "solver=SGD(momentum=...) from sk_twolayer.optimizers",
    "nesterovs_momentum": "solver=SGD(momentum=..., nesterov=True) from sk_twolayer.optimizers",
    "nesterov": "solver=SGD(momentum=..., nesterov=True) from sk_twolayer.optimizers",
    "beta_1": "solver=Adam(beta_1=...) from sk_twolayer.optimizers",
    "beta_2": "solver=Adam(beta_2=...) from sk_twolayer.optimizers",
    "epsilon": "solver=Adam(epsilon=...) from sk_twolayer.optimizers",
    "weight_decay": "alpha, or solver=AdamW(weight_decay=...) from sk_twolayer.optimizers",
    "weight_decay_lambda": "alpha",
    "max_fun": "solver=LBFGS(max_fun=...) from sk_twolayer.optimizers",
    "optimizer": "solver",
    "epochs": "max_iter",
    "max_epochs": "max_iter",
    "n_epochs": "max_iter",
    "n_iter": "max_iter",
    "mini_batch_size": "batch_size",
    "minibatch_size": "batch_size",
    "dropout_ratio": "dropout",
    "dropout_rate": "dropout",
    "patience": "n_iter_no_change",
    "l2": "alpha",
    "seed": "random_state",
    "validation_split": "validation_fraction",
}

# Values of a parameter in those libraries, in lower case, and what to use here.
VALUES = {
    ("activation", "logistic"): 'activation="sigmoid"',
    ("activation", "swish"): 'activation="silu"',
    ("activation", "linear"): 'activation="identity"',
    ("solver", "momentum"): "solver=SGD(momentum=0.9)",
    ("solver", "nesterov"): "solver=SGD(momentum=0.9, nesterov=True)",
    ("solver", "adamw"): "solver=AdamW()",
    ("weight_init_std", "relu"): 'weight_init_std="auto"',
    ("weight_init_std", "he"): 'weight_init_std="auto"',
    ("weight_init_std", "sigmoid"): 'weight_init_std="auto"',
    ("weight_init_std", "xavier"): 'weight_init_std="auto"',
    **{("learning_rate", name): f'learning_rate_schedule="{name}"' for name in _SCHEDULES},
}

# Objects instead of the names of solvers and activations.
OBJECTS = {"solver": "SGD()", "activation": "LeakyRelu()"}


def name_counterparts(init: Init) -> Init:
    """Decorate an ``__init__``, so that the error for an unknown parameter names the one to use."""
    known = signature(init).parameters

    @functools.wraps(init)
    def with_hints(self: Any, *args: Any, **kwargs: Any) -> None:
        for name in kwargs:
            if name not in known:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument {name!r}."
                    f"{name_hint(name)}"
                )
        init(self, *args, **kwargs)

    return with_hints  # type: ignore[return-value]


def name_hint(name: str) -> str:
    """Return a sentence that names the parameter to use instead of an unknown one, or ""."""
    return f" Use {NAMES[name]}; see {PAGE}." if name in NAMES else ""


def value_hint(params: Mapping[str, Any]) -> str:
    """Return a sentence that names the value to use instead of an invalid one, or ""."""
    for name, value in params.items():
        if name == "hidden_size" and isinstance(value, tuple | list):
            return f" There is one hidden layer: use an integer; see {PAGE}."
        if name == "solver" and isinstance(value, type):
            return f" Use an object: solver={value.__name__}()."
        if isinstance(value, str) and (name, value.lower()) in VALUES:
            return f" Use {VALUES[name, value.lower()]}."
    return ""


def _description(value: Any) -> str:
    """Return what follows the name of a parameter in a sentence about the kind of its value."""
    if isinstance(value, str):
        return f"={value!r} is a string"
    if isinstance(value, type):
        return f"={value.__name__} is a class"
    return f" is an object of type {type(value).__name__}"


class ParameterHints(EstimatorBase):
    """Base class of estimators whose errors for parameters say what to use instead."""

    def set_params(self, **params: Any) -> Self:
        """Set parameters, including those of the solver or the activation: `solver__momentum`.

        Parameters
        ----------
        **params : dict
            Parameters by name.

        Returns
        -------
        TwoLayerClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If there is no parameter of that name, or it belongs to an object and the value has no
            parameters, such as a string or None.
        """
        current = self.get_params(deep=False)
        values = {**current, **params}
        for name in params:
            own, _, nested = name.partition("__")
            if not nested or own not in current:
                continue
            value = values[own]
            if isinstance(value, type) or not hasattr(value, "set_params"):
                hint = ""
                if own in OBJECTS:
                    hint = f": use an object instead, such as {own}={OBJECTS[own]}"
                raise ValueError(
                    f"{name} cannot be set, because {own}{_description(value)}, which has no "
                    f"parameters{hint}"
                )
        unknown = [name for name in params if name.partition("__")[0] not in current]
        try:
            return super().set_params(**params)
        except ValueError as error:
            hints = "".join(name_hint(name) for name in unknown)
            if not hints:
                raise
            raise ValueError(f"{error}{hints}") from None

    def _valid_params(self) -> dict[str, Any]:
        try:
            return super()._valid_params()
        except InvalidParameterError as error:
            message = re.sub(r"\b(sk_twolayer\.\w+)\._\w+", r"\1", str(error))  # public paths
            hint = value_hint(self.get_params(deep=False))
            raise InvalidParameterError(f"{message}{hint}") from None
