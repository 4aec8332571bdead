"""Conversion from and to MLPClassifier: the same predictions, and parameters that mean the same."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.validation import check_is_fitted

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.layers._registry import ACTIVATIONS
from sk_twolayer.optimizers import LBFGS, SGD, AdaGrad, Adam, AdamW
from sk_twolayer.optimizers._registry import SOLVERS

NAMES = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
TARGETS = {
    "two classes": lambda X, y: y % 2,
    "two strings": lambda X, y: NAMES[y % 2],
    "booleans": lambda X, y: y > 4,
    "ten classes": lambda X, y: y,
    "whole floats": lambda X, y: y.astype(float),
    "strings": lambda X, y: NAMES[y],
    "strings as objects": lambda X, y: NAMES[y].astype(object),
    "two labels": lambda X, y: (X[:, [20, 30]] > 0.5).astype(int),
    "labels": lambda X, y: (X[:, [20, 30, 40]] > 0.5).astype(int),
}
IN_BOTH = ["relu", "sigmoid", "tanh", "identity"]


def make(**parameters):
    return TwoLayerClassifier(7, max_iter=3, tol=None, random_state=0).set_params(**parameters)


def make_mlp(X, y, **parameters):
    """Return a fitted MLPClassifier that has not converged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return MLPClassifier((7,), max_iter=3, random_state=0).set_params(**parameters).fit(X, y)


def predict_the_same(one, other, X, atol=1e-12):
    assert_array_equal(one.predict(X), other.predict(X))
    assert one.predict(X).dtype.kind == other.predict(X).dtype.kind
    assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=0, atol=atol)
    assert_array_equal(one.classes_, other.classes_)


@pytest.mark.parametrize("target", TARGETS)
def test_the_predictions_are_the_same_for_every_kind_of_target(digits, target):
    X, y = digits[0], TARGETS[target](*digits)
    clf = make().fit(X, y)
    mlp = clf.to_mlp()
    predict_the_same(mlp, clf, X)
    assert mlp.score(X, y) == clf.score(X, y)
    predict_the_same(TwoLayerClassifier.from_mlp(mlp), clf, X)
    trained = make_mlp(X, y)
    predict_the_same(TwoLayerClassifier.from_mlp(trained), trained, X)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_predictions_are_the_same_for_every_activation_that_both_have(digits, activation):
    clf = make(activation=activation).fit(*digits)
    if activation in IN_BOTH:
        predict_the_same(clf.to_mlp(), clf, digits[0])
        predict_the_same(TwoLayerClassifier.from_mlp(clf.to_mlp()), clf, digits[0])
    else:
        with pytest.raises(ValueError, match=f"MLPClassifier has no activation '{activation}'"):
            clf.to_mlp()


def test_an_activation_that_mlpclassifier_does_not_have(digits):
    clf = make().fit(*digits)
    clf.activation_ = "swish"
    with pytest.raises(ValueError, match="no activation 'swish': only relu, sigmoid, tanh, ident"):
        clf.to_mlp()


@pytest.mark.parametrize("solver", [*SOLVERS, SGD(0.9), SGD(0.5, nesterov=True), AdaGrad()])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_predictions_are_the_same_for_every_solver(digits, solver, early_stopping):
    clf = make(solver=solver, early_stopping=early_stopping).fit(*digits)
    predict_the_same(clf.to_mlp(), clf, digits[0])


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_predictions_of_every_fitted_mlpclassifier(digits, solver, early_stopping):
    mlp = make_mlp(*digits, solver=solver, early_stopping=early_stopping)
    predict_the_same(TwoLayerClassifier.from_mlp(mlp), mlp, digits[0])


def test_float32_and_the_names_of_the_columns_are_kept(digits):
    X = pd.DataFrame(digits[0].astype(np.float32)).add_prefix("pixel ")
    clf = make().fit(X, digits[1])
    for model in (clf.to_mlp(), TwoLayerClassifier.from_mlp(clf.to_mlp())):
        assert model.coefs_[0].dtype == model.predict_proba(X).dtype == np.float32
        assert_array_equal(model.feature_names_in_, X.columns)
        assert model.n_features_in_ == X.shape[1]
        predict_the_same(model, clf, X, atol=1e-6)


def test_dropout_class_weight_and_a_later_parameter_do_not_matter_to_predictions(digits):
    clf = make(dropout=0.5, class_weight="balanced", weight_init_std=0.1).fit(*digits)
    clf.set_params(activation="tanh", hidden_size=99)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mlp = clf.to_mlp()
    assert (mlp.activation, mlp.hidden_layer_sizes) == ("relu", (7,))
    predict_the_same(mlp, clf, digits[0])


def test_the_models_share_no_memory(digits):
    clf = make().fit(*digits)
    mlp = clf.to_mlp()
    back = TwoLayerClassifier.from_mlp(mlp)
    for W, *others in zip(clf.coefs_, mlp.coefs_, back.coefs_, strict=True):
        assert not any(np.shares_memory(W, other) for other in others)
        assert all(other.flags.c_contiguous for other in others)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_attributes_are_those_of_a_fitted_mlpclassifier(digits, early_stopping):
    """With nothing missing but the state of its solver, which it starts anew without."""
    options = {"early_stopping": early_stopping}
    mlp = make(**options).fit(*digits).to_mlp()
    check_is_fitted(mlp)
    expected = vars(make_mlp(*digits, **options)).keys() - {"_optimizer"}
    assert expected - vars(mlp).keys() == set()
    assert vars(mlp).keys() - expected == set()
    pickle.loads(pickle.dumps(mlp)).predict(digits[0])
    assert "_label_binarizer" not in vars(clone(mlp))


def test_the_attributes_are_those_of_a_fitted_classifier(digits):
    clf = TwoLayerClassifier.from_mlp(make_mlp(*digits))
    assert make().fit(*digits).__getstate__().keys() == clf.__getstate__().keys()
    loaded = pickle.loads(pickle.dumps(clf))
    predict_the_same(loaded, clf, digits[0])
    assert_array_equal(loaded.transform(digits[0]), clf.transform(digits[0]))


@pytest.mark.parametrize("early_stopping", [False, True])
def test_both_train_further_after_the_conversion(digits, early_stopping):
    X, y = digits
    options = {"early_stopping": early_stopping, "warm_start": True}
    clf = make(learning_rate=0.01, scoring=None, **options).fit(X, y)
    mlp = clf.to_mlp().set_params(max_iter=30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert mlp.fit(X, y).score(X, y) > clf.score(X, y)
    back = TwoLayerClassifier.from_mlp(clf.to_mlp()).set_params(max_iter=30, tol=None)
    assert back.fit(X, y).score(X, y) > clf.score(X, y)
    if not early_stopping:
        assert clf.to_mlp().partial_fit(X, y).t_ == clf.t_ + len(X)
        assert TwoLayerClassifier.from_mlp(clf.to_mlp()).partial_fit(X, y).t_ == clf.t_ + len(X)


SETTINGS = {
    "sgd": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": True},
    "plain sgd": {"solver": "sgd", "momentum": 0.0},
    "adam": {"solver": "adam"},
    "adam with its own parameters": {"solver": "adam", "beta_1": 0.8, "epsilon": 1e-6},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_converted_parameters_train_the_same_net(digits, settings):
    """From the same weights, over the same minibatches in the same order."""
    X, y = digits[0][:320], digits[1][:320]
    common = {"batch_size": 32, "alpha": 0.32, "shuffle": False, "warm_start": True}
    mlp = make_mlp(X, y, **common, **settings, learning_rate_init=0.01, max_iter=1)
    del mlp._optimizer
    clf = TwoLayerClassifier.from_mlp(mlp)
    for _ in range(5):
        clf.partial_fit(X, y)
        mlp.partial_fit(X, y)
    assert_allclose(clf.coefs_[0], mlp.coefs_[0], rtol=0, atol=1e-9)
    assert_allclose(clf.intercepts_[1], mlp.intercepts_[1], rtol=0, atol=1e-9)


PAIRS = [
    ({}, {"learning_rate": 0.001, "alpha": 1e-4 / 200, "solver": "adam", "hidden_size": 100}),
    ({"hidden_layer_sizes": 20}, {"hidden_size": 20}),
    ({"hidden_layer_sizes": [20]}, {"hidden_size": 20}),
    ({"hidden_layer_sizes": np.array([20])}, {"hidden_size": 20}),
    ({"activation": "logistic"}, {"activation": "sigmoid"}),
    ({"alpha": 0.32, "batch_size": 32}, {"alpha": 0.01, "batch_size": 32}),
    ({"learning_rate_init": 0.02}, {"learning_rate": 0.02}),
    ({"max_iter": 500, "random_state": 3, "shuffle": False}, {"max_iter": 500, "random_state": 3}),
    ({"n_iter_no_change": np.inf}, {"tol": None}),
    ({"early_stopping": True}, {"early_stopping": True, "scoring": None}),
    ({"verbose": True, "warm_start": True}, {"verbose": True, "warm_start": True}),
    ({"learning_rate": "adaptive"}, {"learning_rate_schedule": "constant"}),  # as Adam has it there
    ({"solver": "sgd", "learning_rate": "adaptive"}, {"learning_rate_schedule": "adaptive"}),
    ({"solver": "sgd", "momentum": 0}, {"solver": "sgd"}),
]


@pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=lambda pair: str(pair))
def test_parameters_and_the_way_back(theirs, ours):
    clf = TwoLayerClassifier.from_mlp(MLPClassifier(**theirs))
    params = clf.get_params(deep=False)
    assert {name: params[name] for name in ours} == ours
    assert not hasattr(clf, "coefs_")
    clf._validate_params()
    again = TwoLayerClassifier.from_mlp(clf.to_mlp())
    assert repr(again) == repr(clf)
    clf.to_mlp()._validate_params()


def test_parameters_of_solvers():
    sgd = TwoLayerClassifier.from_mlp(MLPClassifier(solver="sgd", momentum=0.8)).solver
    assert (type(sgd), sgd.momentum, sgd.nesterov) == (SGD, 0.8, True)
    adam = TwoLayerClassifier.from_mlp(MLPClassifier(beta_2=0.99)).solver
    assert (type(adam), adam.beta_1, adam.beta_2) == (Adam, 0.9, 0.99)
    lbfgs = TwoLayerClassifier.from_mlp(MLPClassifier(solver="lbfgs", max_fun=9, tol=0.1)).solver
    assert (type(lbfgs), lbfgs.max_fun, lbfgs.gtol) == (LBFGS, 9, 0.1)
    mlp = TwoLayerClassifier(solver=lbfgs).to_mlp()
    assert (mlp.solver, mlp.max_fun, mlp.tol) == ("lbfgs", 9, 0.1)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dropout": 0.5}, r"dropout=0\.5: it uses its default"),
        ({"dropout": 0.5, "class_weight": "balanced"}, "class_weight='balanced', dropout=0.5"),
        ({"weight_init_std": 0.1}, "weight_init_std"),
        ({"solver": "rmsprop"}, "solver='rmsprop'"),
        ({"solver": AdamW(weight_decay=0.1)}, r"solver=AdamW\(weight_decay=0\.1\)"),
        ({"learning_rate_schedule": "cosine"}, "learning_rate_schedule='cosine'"),
        ({"batch_size": "full"}, "batch_size='full'"),
        ({"early_stopping": True, "scoring": "roc_auc"}, "scoring='roc_auc'"),
        ({"solver": "lbfgs", "alpha": 0.1, "early_stopping": True}, r"alpha=0\.1, early_stopping"),
    ],
    ids=str,
)
def test_a_warning_names_parameters_without_equivalent_in_mlpclassifier(parameters, message):
    with pytest.warns(UserWarning, match=message) as caught:
        TwoLayerClassifier(**parameters).to_mlp()
    assert [warning.filename for warning in caught] == [__file__]
    assert str(caught[0].message).startswith("MLPClassifier has no equivalent of ")


@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "lbfgs", "alpha": 0.1},
        {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.3},
    ],
    ids=str,
)
def test_a_warning_names_parameters_without_equivalent_here(parameters):
    name = "alpha" if "alpha" in parameters else "power_t"
    with pytest.warns(UserWarning, match=f"no equivalent of {name}=") as caught:
        TwoLayerClassifier.from_mlp(MLPClassifier(**parameters))
    assert [warning.filename for warning in caught] == [__file__]


def test_no_warning_of_defaults():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for solver in ("sgd", "adam", "lbfgs"):
            TwoLayerClassifier(solver=solver).to_mlp()
            TwoLayerClassifier.from_mlp(MLPClassifier(solver=solver))


@pytest.mark.parametrize("sizes", [(5, 4), (), [3, 3, 3]])
def test_only_one_hidden_layer_can_be_converted(sizes):
    with pytest.raises(ValueError, match=f"mlp has {len(sizes)} hidden layers"):
        TwoLayerClassifier.from_mlp(MLPClassifier(sizes))


def test_the_layers_of_the_fitted_weights_count(digits):
    mlp = make_mlp(*digits, hidden_layer_sizes=(5, 4)).set_params(hidden_layer_sizes=(5,))
    with pytest.raises(ValueError, match="mlp has 2 hidden layers"):
        TwoLayerClassifier.from_mlp(mlp)


@pytest.mark.parametrize("model", [MLPRegressor(), TwoLayerClassifier(), MLPClassifier, None])
def test_only_an_mlpclassifier_can_be_converted(model):
    with pytest.raises(TypeError, match="mlp must be an MLPClassifier, got"):
        TwoLayerClassifier.from_mlp(model)


def test_an_mlpclassifier_of_one_class_is_refused(digits):
    mlp = make_mlp(digits[0], np.full(len(digits[1]), "only"))
    with pytest.raises(ValueError, match="fitted to one class only: 'only'"):
        TwoLayerClassifier.from_mlp(mlp)


def test_a_subclass_is_converted_to_itself(digits):
    class Mine(TwoLayerClassifier):
        pass

    assert type(Mine.from_mlp(make_mlp(*digits))) is Mine


class FewParameters(TwoLayerClassifier):
    def __init__(self, hidden_size=3):
        super().__init__(hidden_size, dropout=0.5)


def test_a_subclass_with_fewer_parameters_is_converted():
    with pytest.warns(UserWarning, match=r"no equivalent of dropout=0\.5"):
        assert FewParameters().to_mlp().hidden_layer_sizes == (3,)
