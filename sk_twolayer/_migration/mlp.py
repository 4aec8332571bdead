"""Conversion between `TwoLayerClassifier` and scikit-learn's `MLPClassifier`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from inspect import signature
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from sk_twolayer._training.warnings import warn
from sk_twolayer._typing import Array, Classifier
from sk_twolayer.optimizers import LBFGS, SGD, Adam
from sk_twolayer.optimizers._registry import make_optimizer

if TYPE_CHECKING:  # sklearn.neural_network takes longer to import than this package
    from sklearn.neural_network import MLPClassifier

MLP_ACTIVATIONS = {
    "relu": "relu",
    "sigmoid": "logistic",
    "tanh": "tanh",
    "identity": "identity",
}
ACTIVATIONS = {theirs: ours for ours, theirs in MLP_ACTIVATIONS.items()}
# Parameters with the same name and meaning in both classes.
SAME = ("early_stopping", "random_state", "shuffle", "validation_fraction", "verbose", "warm_start")
MLP_AUTO_BATCH_SIZE = 200  # rows per minibatch of MLPClassifier, if its batch_size is "auto"


def to_mlp(clf: Classifier) -> MLPClassifier:
    """Return an `MLPClassifier` with the parameters, and if fitted the weights, of a classifier."""
    from sklearn.neural_network import MLPClassifier

    is_fitted = hasattr(clf, "classes_")
    params, not_converted = _mlp_params(clf)
    mlp = MLPClassifier(**params)
    if is_fitted:
        vars(mlp).update(_mlp_attributes(clf))
    else:
        _warn_of_parameters(clf, "MLPClassifier", not_converted)
    return mlp


def from_mlp(cls: type[Any], mlp: Any) -> Any:
    """Return a classifier with the parameters, and if fitted the weights, of an `MLPClassifier`."""
    from sklearn.neural_network import MLPClassifier

    if not isinstance(mlp, MLPClassifier):
        raise TypeError(f"mlp must be an MLPClassifier, got {mlp!r}")
    is_fitted = hasattr(mlp, "classes_")
    params, not_converted = _own_params(mlp)
    clf = cls(**params)
    if is_fitted:
        vars(clf).update(_own_attributes(mlp))
    else:
        _warn_of_parameters(mlp, cls.__name__, not_converted)
    return clf


def _mlp_params(clf: Classifier) -> tuple[dict[str, Any], list[str]]:
    """Return the parameters for an `MLPClassifier`, and the names of those without equivalent."""
    activation = getattr(clf, "activation_", clf.activation)
    if not isinstance(activation, str) or activation not in MLP_ACTIVATIONS:
        raise ValueError(
            f"MLPClassifier has no activation {activation!r}: only {', '.join(MLP_ACTIVATIONS)} "
            "can be converted"
        )
    params: dict[str, Any] = {
        **{name: getattr(clf, name) for name in SAME},
        "hidden_layer_sizes": (int(_hidden_size(clf)),),
        "activation": MLP_ACTIVATIONS[activation],
    }
    known = {name: _known(clf, name) for name in ("batch_size", "max_iter")}
    params |= {name: value for name, value in known.items() if value is not None}
    if clf.tol is None:
        params |= {"tol": 0.0, "n_iter_no_change": np.inf}
    else:
        params["tol"] = clf.tol
        if clf.n_iter_no_change != "auto":
            params["n_iter_no_change"] = clf.n_iter_no_change
    not_converted = ["class_weight", "dropout", "weight_init_std"]
    if clf.batch_size == "full":
        not_converted += ["batch_size"]
    if clf.early_stopping and clf.scoring not in (None, "accuracy"):
        not_converted += ["scoring"]
    of_solver, more = _mlp_solver(clf, params.get("batch_size", MLP_AUTO_BATCH_SIZE))
    return params | of_solver, not_converted + more


def _mlp_solver(clf: Classifier, n_rows: int) -> tuple[dict[str, Any], list[str]]:
    """Return the part of the result of `_mlp_params` that depends on the solver.

    `MLPClassifier` divides alpha by the number of rows per minibatch, `n_rows`. For "lbfgs" it
    divides by the number of all rows, which is not known here: so alpha is not converted. Neither
    is a subclass of a solver, such as AdamW, whose steps differ.
    """
    optimizer = make_optimizer(clf.solver)
    if type(optimizer) is LBFGS:
        params = {"solver": "lbfgs", "max_fun": optimizer.max_fun, "tol": optimizer.gtol}
        return params, ["alpha", "early_stopping"]
    params, not_converted = {}, []
    if type(optimizer) is SGD:
        nesterov = {"nesterovs_momentum": optimizer.nesterov} if optimizer.momentum else {}
        params = {"solver": "sgd", "momentum": optimizer.momentum, **nesterov}
    elif type(optimizer) is Adam:
        params = {"solver": "adam", **optimizer.get_params()}
    else:
        not_converted += ["solver"]
    if (learning_rate := _known(clf, "learning_rate")) is not None:
        params["learning_rate_init"] = learning_rate
    if (alpha := _known(clf, "alpha")) is not None:
        params["alpha"] = alpha * n_rows
    if clf.learning_rate_schedule in ("constant", "invscaling", "adaptive"):
        params["learning_rate"] = clf.learning_rate_schedule
    else:
        not_converted += ["learning_rate_schedule"]
    return params, not_converted


def _own_params(mlp: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the parameters for a `TwoLayerClassifier`, and the names of those without equivalent.

    The alpha of "lbfgs" has none: see `_mlp_solver`.
    """
    if mlp.activation not in ACTIVATIONS:
        raise ValueError(f"activation={mlp.activation!r} is unknown: it cannot be converted")
    params: dict[str, Any] = {
        **{name: getattr(mlp, name) for name in SAME},
        "hidden_size": _single_hidden_layer(mlp.hidden_layer_sizes),
        "activation": ACTIVATIONS[mlp.activation],
        "max_iter": mlp.max_iter,
        "tol": None if mlp.n_iter_no_change == math.inf else mlp.tol,
        "scoring": None,
    }
    if mlp.n_iter_no_change != math.inf:
        params["n_iter_no_change"] = mlp.n_iter_no_change
    if mlp.solver == "lbfgs":
        params |= {"solver": LBFGS(max_fun=mlp.max_fun, gtol=mlp.tol), "early_stopping": False}
        return params, ["alpha"]
    rows = mlp.batch_size if isinstance(mlp.batch_size, Integral) else MLP_AUTO_BATCH_SIZE
    params |= {
        "alpha": mlp.alpha / rows,
        "batch_size": mlp.batch_size,
        "learning_rate": mlp.learning_rate_init,
        "learning_rate_schedule": "constant",
    }
    if mlp.solver == "adam":
        options = {name: getattr(mlp, name) for name in ("beta_1", "beta_2", "epsilon")}
        adam = Adam(**options)
        params["solver"] = "adam" if options == Adam().get_params() else adam
        return params, []
    params["learning_rate_schedule"] = mlp.learning_rate
    nesterov = bool(mlp.nesterovs_momentum)
    params["solver"] = SGD(mlp.momentum, nesterov=nesterov) if mlp.momentum else "sgd"
    return params, ["power_t"] if mlp.learning_rate == "invscaling" else []


def _mlp_attributes(clf: Classifier) -> dict[str, Any]:
    """Return the fitted attributes of an `MLPClassifier` with the predictions of a classifier."""
    from sklearn.preprocessing import LabelBinarizer
    from sklearn.utils import check_random_state

    classes = clf.classes_
    if len(classes) < 2:
        raise ValueError(
            f"an MLPClassifier has at least two classes, but this {type(clf).__name__} was fitted "
            f"to one: {classes.tolist()[0]!r}"
        )
    # three of each class, because scikit-learn warns if most labels occur once
    y = np.eye(len(classes), dtype=int) if clf._multilabel else np.repeat(classes, 3)
    by_accuracy = clf.early_stopping and clf.scoring in (None, "accuracy")
    scores = list(clf.validation_scores_ or ()) if by_accuracy else []
    best_score = clf.best_validation_score_ if scores else -math.inf
    names = ("t_", "n_iter_", "n_layers_", "n_outputs_", "out_activation_", "loss_")
    return {
        **{name: getattr(clf, name) for name in names},
        **_copies(clf),
        "loss_curve_": list(clf.loss_curve_),
        "best_loss_": None if clf.early_stopping else clf.best_loss_,
        "validation_scores_": scores if clf.early_stopping else None,
        "best_validation_score_": best_score if clf.early_stopping else None,
        # private attributes that its predictions and further training need
        "_label_binarizer": LabelBinarizer().fit(y),
        "_random_state": check_random_state(clf.random_state),
        "_no_improvement_count": 0,
        "_best_coefs": [W.copy() for W in clf.coefs_],
        "_best_intercepts": [b.copy() for b in clf.intercepts_],
    }


def _own_attributes(mlp: Any) -> dict[str, Any]:
    """Return the fitted attributes of a classifier with the predictions of an `MLPClassifier`."""
    if len(mlp.classes_) < 2:
        raise ValueError(f"mlp was fitted to one class only: {mlp.classes_.tolist()[0]!r}")
    # not by hidden_layer_sizes, which may have been changed since
    _single_hidden_layer([len(b) for b in mlp.intercepts_[:-1]])
    loss_curve = [float(loss) for loss in getattr(mlp, "loss_curve_", ())]
    scores = [float(score) for score in getattr(mlp, "validation_scores_", None) or ()]
    names = ("n_iter_", "n_layers_", "n_outputs_", "out_activation_")
    params, _ = _own_params(mlp)
    batch_size = params.get("batch_size", "auto")
    return {
        **{name: getattr(mlp, name) for name in names},
        **_copies(mlp),
        "activation_": params["activation"],
        "alpha_": params.get("alpha", math.nan),
        "batch_size_": MLP_AUTO_BATCH_SIZE if batch_size == "auto" else batch_size,
        "learning_rate_": params.get("learning_rate", 1.0),
        "learning_rate_schedule_": params.get("learning_rate_schedule", "constant"),
        "max_iter_": mlp.max_iter,
        "sparse_output_": bool(mlp._label_binarizer.sparse_input_),
        "t_": int(mlp.t_),
        "loss_curve_": loss_curve,
        "loss_": float(mlp.loss_),
        "best_loss_": min([*loss_curve, float(mlp.loss_)]),
        "validation_loss_curve_": None,
        "validation_scores_": scores or None,
        "best_validation_score_": max(scores) if scores else None,
        "_training_state": None,
    }


def _copies(model: Any) -> dict[str, Any]:
    """Return copies of the fitted attributes that are the same in both classes."""
    names = {"feature_names_in_", "n_features_in_"} & vars(model).keys()
    arrays: dict[str, list[Array]] = {
        name: [np.array(array, order="C") for array in getattr(model, name)]
        for name in ("coefs_", "intercepts_")
    }
    return {**arrays, **{n: getattr(model, n) for n in names}, "classes_": model.classes_.copy()}


def _hidden_size(clf: Classifier) -> int:
    """Return the number of hidden units: that of the model if fitted, else the parameter."""
    return len(clf.intercepts_[0]) if hasattr(clf, "classes_") else clf.hidden_size


def _single_hidden_layer(sizes: int | Sequence[int]) -> int:
    """Return the size of the only hidden layer."""
    several = np.atleast_1d(sizes)
    if len(several) != 1:
        raise ValueError(
            f"mlp has {len(several)} hidden layers (hidden_layer_sizes={several.tolist()}), but "
            "TwoLayerClassifier has exactly one"
        )
    return int(several[0])


def _known(clf: Classifier, name: str) -> Any:
    """Return the value of a parameter; for "auto", the fitted one, or None if not fitted."""
    value = getattr(clf, name)
    if isinstance(value, str):
        value = getattr(clf, name + "_", None)
    return value


def _warn_of_parameters(model: Any, name: str, not_converted: Sequence[str]) -> None:
    """Warn about parameters that have no equivalent and are not at their defaults."""
    # a subclass may have fewer parameters: it gives the others to the constructor of its base
    defaults: dict[str, Any] = {}
    for cls in reversed(type(model).__mro__[:-1]):
        if "__init__" in vars(cls):
            defaults |= signature(cls).parameters
    changed = [
        f"{parameter}={getattr(model, parameter)!r}"
        for parameter in sorted(not_converted)
        if getattr(model, parameter) != defaults[parameter].default
    ]
    if changed:
        warn(f"{name} has no equivalent of {', '.join(changed)}: it uses its default instead")
