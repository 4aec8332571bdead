"""The whole space of parameters: every legal combination works, every illegal value is named."""

import copy
import pickle
import re
from fractions import Fraction
from numbers import Integral, Real

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.utils._param_validation import Interval, StrOptions

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.layers import LeakyRelu
from sk_twolayer.layers._registry import ACTIVATIONS
from sk_twolayer.optimizers import LBFGS, SGD, AdaGrad, Adam, AdamW, RMSProp
from sk_twolayer.optimizers._registry import SOLVERS as BY_NAME
from sk_twolayer.schedules import _SCHEDULES
from tests.helpers import MySoftplus
from tests.strategies import given

rng = np.random.RandomState(0)
X = rng.standard_normal((30, 4))
TARGETS = {
    "two": np.array(["no", "yes"])[np.arange(30) % 2],
    "three": np.arange(30) % 3,
    "labels": np.c_[np.arange(30) % 2, np.arange(30) % 3 == 0],
}

below_one = st.floats(0, 0.99)
SOLVERS = [
    st.sampled_from([*BY_NAME]),
    st.builds(SGD, momentum=below_one, nesterov=st.booleans()),
    st.builds(Adam, beta_1=below_one, beta_2=below_one, epsilon=st.floats(1e-8, 1)),
    st.builds(AdamW, weight_decay=st.floats(0, 0.1)),
    st.builds(AdaGrad, epsilon=st.floats(1e-8, 1)),
    st.builds(RMSProp, decay=below_one, epsilon=st.floats(1e-8, 1)),
    st.builds(
        LBFGS,
        history_size=st.integers(1, 20),
        max_fun=st.integers(1, 50),
        gtol=st.floats(0, 1),
    ),
]


def share_of_correct(clf, X, y, sample_weight=None):
    return np.average(clf.predict(X) == y)


LEGAL = {
    "hidden_size": st.integers(1, 9) | st.just(np.int64(3)),
    "activation": st.sampled_from([*ACTIVATIONS, LeakyRelu(slope=0.2), MySoftplus]),
    "weight_init_std": st.just("auto") | st.floats(1e-9, 1),
    "solver": st.one_of(SOLVERS),
    "learning_rate": st.just("auto") | st.floats(1e-9, 0.2) | st.just(np.float32(0.1)),
    "learning_rate_schedule": st.sampled_from([*_SCHEDULES]),
    "alpha": st.floats(0, 1) | st.just(0),
    "dropout": st.just(0.0) | st.floats(0, 0.99),
    "batch_size": st.sampled_from(["auto", "full"]) | st.integers(1, 20),
    "max_iter": st.integers(1, 4),
    "shuffle": st.booleans(),
    "tol": st.none() | st.floats(0, 1),
    "n_iter_no_change": st.integers(1, 4),
    "early_stopping": st.booleans(),
    "validation_fraction": st.floats(0.01, 0.5),
    "scoring": st.sampled_from(["loss", "accuracy", None, "neg_log_loss", share_of_correct]),
    "class_weight": st.sampled_from([None, "balanced", {}, "one class"]),
    "warm_start": st.booleans(),
    "random_state": st.integers(0, 2**32 - 1) | st.none() | st.builds(np.random.RandomState),
    "verbose": st.booleans(),
}


def takes_all_rows(clf):
    return clf.solver == "lbfgs" or isinstance(clf.solver, LBFGS)


def refused_because(clf, y):
    """Return what the error says of a combination that means nothing; None for all others."""
    if clf.dropout and takes_all_rows(clf):
        return "dropout=.* is not supported with .*full-batch steps"
    if y.ndim == 2 and clf.class_weight is not None:
        return "class_weight is not supported for an indicator matrix"
    return None


def check_model(clf, X, y):
    proba = clf.predict_proba(X)
    assert np.isfinite(proba).all()
    assert proba.dtype == X.dtype
    assert proba.min() >= 0
    if y.ndim == 1:
        assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    assert clf.predict(X).shape == y.shape
    loaded = pickle.loads(pickle.dumps(clf))
    assert_array_equal(loaded.predict_proba(X), proba)
    assert_array_equal(clf.predict_log_proba(X), loaded.predict_log_proba(X))
    assert settings(clone(loaded)) == settings(clone(clf)) == settings(loaded) == settings(clf)


def settings(estimator):
    """Return all parameters, also those of the solver, in what can be compared."""
    return joblib.hash(
        {
            name: repr(value)
            for name, value in estimator.get_params().items()
            if name not in ("random_state", "solver")
        }
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # in four epochs
@given(
    st.fixed_dictionaries(LEGAL),
    st.sampled_from(list(TARGETS)),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from([np.asarray, sp.csr_array]),
)
def test_legal_combinations(parameters, kind, dtype, container):
    rows, y = container(X.astype(dtype)), TARGETS[kind]
    if parameters["class_weight"] == "one class":
        parameters = {**parameters, "class_weight": {y.ravel()[0]: 3.0}}
    if kind == "labels" and parameters["scoring"] == "neg_log_loss":
        parameters = {**parameters, "scoring": "loss"}  # the other is of one label a row
    clf = TwoLayerClassifier(**parameters)
    before = settings(clf)
    reason = refused_because(clf, y)
    if reason is not None:
        with pytest.raises(ValueError, match=reason):
            clf.fit(rows, y)
        assert not hasattr(clf, "coefs_")
        return
    for _ in range(1 + clf.warm_start):
        check_model(clf.fit(rows, y), rows, y)
        assert clf.n_iter_ <= clf.max_iter
        assert clf.n_iter_ >= 1 or takes_all_rows(clf)
    if hasattr(clf, "partial_fit"):
        check_model(clf.partial_fit(rows, y), rows, y)
    assert settings(clf) == before


STRANGE = [[], {}, (), frozenset({1}), 1j, np.array([1, 2]), b"sgd"]
NO_INTEGERS = [0, -1, 2.5, np.nan, np.inf, "1", None, True]


def illegal_values(estimator, name):
    """Return what a parameter must not be, by its entry in the class's own table."""
    ranges = {
        "history_size": NO_INTEGERS,
        "max_fun": NO_INTEGERS,
        "hidden_size": NO_INTEGERS,
        "max_iter": [*NO_INTEGERS, "all"],
        "n_iter_no_change": NO_INTEGERS,
        "batch_size": [*NO_INTEGERS, "all"],
        "weight_init_std": [0, -1.0, np.nan, np.inf, "he", None, True],
        "learning_rate": [0, -1.0, np.nan, np.inf, "fast", None, True],
        "alpha": [-1e-9, np.nan, np.inf, "1", None, True],
        "tol": [-1e-9, np.nan, np.inf, "1", True],
        "dropout": [-0.1, 1, 1.5, np.nan, np.inf, "half", None, True],
        "validation_fraction": [0, 1, -0.1, 2, np.nan, np.inf, "tenth", None, True],
        "momentum": [-0.1, 1, np.nan, np.inf, "0.9", None, True],
        "decay": [-0.1, 1, np.nan, np.inf, "0.9", None, True],
        "beta_1": [-0.1, 1, np.nan, np.inf, "0.9", None, True],
        "beta_2": [-0.1, 1, np.nan, np.inf, "0.9", None, True],
        "epsilon": [0, -1e-8, np.nan, np.inf, "tiny", None, True],
        "weight_decay": [-1e-8, np.nan, np.inf, "0.1", None, True],
        "gtol": [-1e-8, np.nan, np.inf, "tiny", None, True],
        "activation": ["swish", "RELU", "", None, 1, np.tanh],
        "solver": ["newton", "SGD", "", None, 1, SGD, Adam],
        "learning_rate_schedule": ["zigzag", "", None, 1],
        "shuffle": ["yes", 2, None, 0.5],
        "nesterov": ["yes", 2, None, 0.5],
        "early_stopping": ["yes", 2, None, 0.5],
        "warm_start": ["yes", 2, None, 0.5],
        "verbose": ["much", -1, None, 0.5],
        "scoring": [1, 0.5, "accurate", True],
        "class_weight": ["even", 1, 0.5, True],
        "random_state": ["seed", -1, 0.5, 2**32, True],
    }
    strange = [
        value for value in STRANGE if not (name == "class_weight" and isinstance(value, dict))
    ]
    return [*ranges[name], *strange]


ESTIMATORS = [TwoLayerClassifier(), *(kind() for kind in BY_NAME.values()), AdamW()]
CASES = [
    pytest.param(
        type(estimator), name, value, id=f"{type(estimator).__name__}-{name}-{value!r:.20}"
    )
    for estimator in ESTIMATORS
    for name in type(estimator)._parameter_constraints
    for value in illegal_values(estimator, name)
]
FITTED = TwoLayerClassifier(3, max_iter=2, tol=None, random_state=0).fit(X, TARGETS["three"])


def with_parameter(kind, name, value):
    """Return parameters of a classifier with one set, of its own or of its optimizer."""
    return {name: value} if kind is TwoLayerClassifier else {"solver": kind(**{name: value})}


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_each_parameter_has_constraints(estimator):
    assert set(estimator._parameter_constraints) == set(estimator.get_params(deep=False))


def check_refusal(clf, method, name, value):
    """Check that training is refused in a message that holds the name, what is legal, the value."""
    classes = {"classes": [0, 1, 2]} if method == "partial_fit" else {}
    before = joblib.hash(vars(clf))
    with pytest.raises((ValueError, TypeError)) as refused:
        getattr(clf, method)(X, TARGETS["three"], **classes)
    message = str(refused.value)
    assert name in message
    public = re.sub(r"\._\w+", "", repr(value))  # the path of a class is the public one
    assert public in message or str(value) in message
    assert "must be" in message
    assert joblib.hash(vars(clf)) == before
    return message


@pytest.mark.parametrize(("kind", "name", "value"), CASES)
@pytest.mark.parametrize("method", ["fit", pytest.param("partial_fit", marks=pytest.mark.slow)])
def test_illegal_values(kind, name, value, method):
    illegal = with_parameter(kind, name, value)
    for clf in (TwoLayerClassifier(**illegal), copy.deepcopy(FITTED).set_params(**illegal)):
        trains_in_parts = hasattr(clf, "partial_fit")
        message = check_refusal(clf, method if trains_in_parts else "fit", name, value)
    for legal in kind._parameter_constraints[name]:
        if isinstance(legal, Interval):
            assert str(legal) in message
        elif isinstance(legal, StrOptions):
            assert all(repr(option) in message for option in legal.options)


NUMBERS = [
    (type(estimator), name, legal)
    for estimator in ESTIMATORS
    for name, options in estimator._parameter_constraints.items()
    for legal in options
    if isinstance(legal, Interval)
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # in two epochs
@pytest.mark.parametrize(("kind", "name", "legal"), NUMBERS, ids=str)
def test_numbers_of_other_types(kind, name, legal):
    """A number is worth what the same Python number is, whatever its type."""
    plain, types = 0.5, [np.float16, np.float32, np.longdouble]
    if legal.type is Integral:
        plain, types = 3, [np.int8, np.uint8, np.int64, np.uint64]
    models = []
    for number in (plain, *(of_type(plain) for of_type in types)):
        parameters = with_parameter(kind, name, number)
        models.append(clone(FITTED).set_params(**parameters).fit(X, TARGETS["three"]))
    for model in models[1:]:
        assert_array_equal(model.predict_proba(X), models[0].predict_proba(X))


@pytest.mark.parametrize("of_type", [np.float16, np.float32, np.longdouble, Fraction])
def test_factors_of_classes_of_other_types(of_type):
    models = []
    for number in (0.5, of_type(0.5)):
        clf = clone(FITTED).set_params(class_weight={1: number})
        models.append(clf.fit(X, TARGETS["three"]).predict_proba(X))
    for proba in models:
        assert_array_equal(proba, models[0])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # in two epochs
@pytest.mark.parametrize("number", [5e-324, 1e-300, 1e300, 1e308])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, name, legal in NUMBERS if legal.right is None]
)
def test_numbers_at_the_ends_of_their_range(kind, name, dtype, number):
    """A model is finite, or the error says that it would not have been."""
    rows, outcome = X.astype(dtype), "fitted"
    clf = clone(FITTED).set_params(**with_parameter(kind, name, number))
    try:
        assert np.isfinite(clf.fit(rows, TARGETS["three"]).predict_proba(rows)).all()
    except ValueError as error:
        outcome = str(error)
    assert re.match("fitted|training diverged|.* must be|.* too large", outcome)


TOO_LARGE = [
    -(10**400),
    10**400,
    np.longdouble(10) ** 4000,
    Fraction(10**400),
]


@pytest.mark.parametrize(
    "value", TOO_LARGE, ids=lambda value: f"{type(value).__name__}-{value > 0}"
)
@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, name, legal in NUMBERS if legal.type is Real]
)
def test_numbers_that_are_too_large_for_a_float(kind, name, value):
    clf = TwoLayerClassifier(**with_parameter(kind, name, value))
    check_refusal(clf, "fit", name, value)
