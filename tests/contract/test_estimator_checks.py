"""scikit-learn's own checks at the defaults, and at the defaults but for one parameter."""

import re

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.layers._registry import ACTIVATIONS
from sk_twolayer.optimizers import SGD
from sk_twolayer.optimizers._registry import SOLVERS
from sk_twolayer.schedules import _SCHEDULES
from tests.helpers import LONG

pytestmark = [
    # The checks' data are not of unit scale, and some are trained on for few epochs.
    pytest.mark.filterwarnings("ignore:column .* of X "),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

MOMENTUM, NESTEROV = SGD(momentum=0.9), SGD(momentum=0.9, nesterov=True)
SOME_WEIGHTS = {0: 1.0, 1: 2.0}

# Values other than the default; those of the registries are all tried, as soon as they exist.
VALUES = {
    "hidden_size": [1, 30],
    "activation": list(ACTIVATIONS),
    "weight_init_std": [0.1],
    "solver": [*SOLVERS, MOMENTUM, NESTEROV],
    "learning_rate": [0.01],
    "learning_rate_schedule": list(_SCHEDULES),
    "alpha": [0.0, 0.01],
    "dropout": [0.5],
    "batch_size": ["full", 1, 32],
    "max_iter": [1, 500],
    "shuffle": [False],
    "tol": [None, 0.0, 0.01],
    "n_iter_no_change": [1],
    "early_stopping": [True],
    "validation_fraction": [0.3],
    "scoring": [None, "accuracy"],
    "class_weight": ["balanced", SOME_WEIGHTS],
    "warm_start": [True],
    "random_state": [0],
    "verbose": [True],
}
# Tried in every run, each way of training once; the long profile tries all.
SHORT = {
    "activation": VALUES["activation"],
    "solver": [*SOLVERS, NESTEROV],
    "dropout": [0.5],
    "batch_size": ["full"],
    "early_stopping": [True],
    "class_weight": ["balanced"],
}
PAIRS = [
    {"early_stopping": True, "solver": "sgd"},
    {"early_stopping": True, "solver": "lbfgs"},
    {"hidden_size": 30, "activation": "tanh"},
]
# About X, whatever the training, and half of the time.
SLOW = {"check_estimator_sparse_array", "check_estimator_sparse_matrix"}
# One activation or first-order solver is like another but for these checks.
OF_A_REGISTRY = ("activation=", "solver='adagrad'", "solver='rmsprop'")
OF_TRAINING = "classifiers_train|class_weight|sample_weight|idempotent|preserve_dtypes"

# The checks that may fail, by the parameter and its value, with the reason. Whether they do is a
# matter of the first weights, or of rounding. A test below shows each reason.
SCALE = (
    "columns of scale 20 saturate tanh, and leave a large part of the plane to the first weights"
)
FEW_ROWS = "which epoch is kept depends on the one held-out row that has nearly all the weight"
ROUNDING = "many long steps across the kinks of relu enlarge the rounding of a sum"
BATCHES = "copies of a row are in other minibatches than a row of that weight"
WEAK = "one unit, or one epoch, is not enough to tell three classes apart"
RESUMES = "a second fit continues the first"
OTHER_CLASSES = "the check has other classes than those that class_weight names"
WEIGHTS = ["check_sample_weight_equivalence_on_dense_data"]
WEIGHTS += ["check_sample_weight_equivalence_on_sparse_data"]
MAY_FAIL = {
    "activation='tanh'": {"check_class_weight_classifiers": SCALE},
    "early_stopping=True": {"check_class_weight_classifiers": FEW_ROWS},
    "solver='lbfgs'": dict.fromkeys(WEIGHTS, ROUNDING),
    "learning_rate_schedule='constant'": dict.fromkeys(WEIGHTS, ROUNDING),
    "learning_rate_schedule='invscaling'": dict.fromkeys(WEIGHTS, ROUNDING),
    "learning_rate_schedule='adaptive'": dict.fromkeys(WEIGHTS, ROUNDING),
    "batch_size=1": dict.fromkeys(WEIGHTS, BATCHES),
    "hidden_size=1": {"check_classifiers_train": WEAK},
    "max_iter=1": {"check_classifiers_train": WEAK},
    "class_weight={0: 1.0, 1: 2.0}": dict.fromkeys(
        [
            "check_classifier_data_not_an_array",
            "check_classifiers_classes",
            "check_estimators_dtypes",
            "check_fit2d_1feature",
            "check_fit2d_1sample",
            "check_sample_weights_not_an_array",
            "check_sample_weights_not_overwritten",
            "check_sample_weights_pandas_series",
            "check_sample_weights_shape",
        ],
        OTHER_CLASSES,
    ),
    "warm_start=True": dict.fromkeys(
        [
            "check_classifiers_multilabel_representation_invariance",
            "check_fit_idempotent",
            "check_pipeline_consistency",
            "check_supervised_y_2d",
            "check_transformer_data_not_an_array",
            "check_transformer_general",
            "check_transformer_preserve_dtypes",
        ],
        RESUMES,
    ),
}


class FloatLabels(TwoLayerClassifier):
    """The classifier as it is, fitted to the same labels as floats."""

    def fit(self, X, y, sample_weight=None):
        if np.asarray(y).dtype.kind in "iu":
            y = np.asarray(y, dtype=float)
        return super().fit(X, y, sample_weight)


def variations(values):
    """Return the parameters of each variation of the defaults, of one parameter at a time."""
    defaults = TwoLayerClassifier().get_params(deep=False)
    return [
        {name: value}
        for name, tried in values.items()
        for value in tried
        if value is None or value != defaults[name]
    ]


def configurations():
    """Yield estimators, with the text that names each."""
    yield "defaults", TwoLayerClassifier()
    yield "float labels", FloatLabels()
    for params in [*variations(VALUES), *PAIRS] if LONG else variations(SHORT):
        name = ", ".join(f"{key}={value!r}" for key, value in params.items())
        yield name, TwoLayerClassifier(**params)


def cases():
    """Yield each check of each configuration, as pytest takes it."""
    for name, estimator in configurations():
        may_fail = {}
        for part in [key for key in MAY_FAIL if key in name]:
            may_fail |= MAY_FAIL[part]
        for fresh, check in estimator_checks_generator(estimator):
            check_name = check.func.__name__
            if check_name in SLOW and name != "defaults" and not LONG:
                continue
            if name == "float labels" and not re.search("classif|class_weight", check_name):
                continue
            of_training = re.search(OF_TRAINING, check_name)
            if name.startswith(OF_A_REGISTRY) and not of_training and not LONG:
                continue
            reason = may_fail.get(check_name)
            marks = [] if reason is None else [pytest.mark.xfail(reason=reason, strict=False)]
            if name != "defaults":
                marks.append(pytest.mark.slow)
            yield pytest.param(fresh, check, marks=marks, id=f"{name}-{check_name}")


@pytest.mark.parametrize(("estimator", "check"), list(cases()))
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_every_parameter_and_every_choice_is_varied():
    constraints = TwoLayerClassifier._parameter_constraints
    assert VALUES.keys() == constraints.keys() == TwoLayerClassifier().get_params(deep=False).keys()
    for name, options in constraints.items():
        strings = set().union(*(getattr(option, "options", ()) for option in options)) - {"auto"}
        if all(isinstance(value, str) for value in strings):
            assert strings <= {value for value in VALUES[name] if isinstance(value, str)}, name


def test_only_variations_that_are_tried_may_fail():
    tried = {f"{k}={v!r}" for params in variations(VALUES) for k, v in params.items()}
    assert MAY_FAIL.keys() <= tried


def weighted_blobs():
    """Return the data of the check of class_weight: training and test rows, training labels."""
    X, y = make_blobs(centers=3, random_state=0, cluster_std=20)
    X_train, X_test, y_train, _ = train_test_split(X, y, test_size=0.5, random_state=0)
    return X_train, X_test, y_train


@pytest.mark.parametrize("params", [{"activation": "tanh"}, {"early_stopping": True}], ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_scaled_columns_satisfy_the_check_of_class_weight(params, seed):
    """With tanh and with early stopping: every row gets the class with all the weight."""
    X_train, X_test, y_train = weighted_blobs()
    scaler = StandardScaler().fit(X_train)
    clf = TwoLayerClassifier(
        class_weight={0: 1000, 1: 0.0001, 2: 0.0001},
        max_iter=1000,
        n_iter_no_change=20,
        random_state=seed,
        **params,
    ).fit(scaler.transform(X_train), y_train)
    assert np.mean(clf.predict(scaler.transform(X_test)) == 0) > 0.87


def test_the_rows_of_that_check_saturate_tanh():
    X_train, _, y_train = weighted_blobs()
    clf = TwoLayerClassifier(activation="tanh", max_iter=1, tol=None, random_state=0)
    for X, low, high in ((X_train, 0.3, 1), (StandardScaler().fit_transform(X_train), 0, 0.01)):
        saturated = np.mean(abs(clf.fit(X, y_train).transform(X)) > 0.9)
        assert low <= saturated <= high


def weighted_and_repeated(rng, n_samples=15):
    """Return the rows of the check of sample weights, weighted, and repeated instead."""
    X, y = rng.rand(n_samples, 2 * n_samples), rng.randint(0, 3, size=n_samples)
    weight = rng.randint(0, 5, size=n_samples)
    return (X, y, weight), (X.repeat(weight, axis=0), y.repeat(weight))


def test_lbfgs_takes_the_same_steps_for_weights_as_for_copies(rng):
    """As far as rounding lets it: for the first steps, and at the end without kinks."""
    weighted, repeated = weighted_and_repeated(rng)
    for params in ({"max_iter": 3}, {"activation": "sigmoid", "alpha": 0.1}):
        clf = TwoLayerClassifier(solver="lbfgs", random_state=0, **params)
        expected = clf.fit(*repeated).predict_proba(weighted[0])
        np.testing.assert_allclose(
            clf.fit(*weighted).predict_proba(weighted[0]), expected, rtol=1e-5
        )


def test_weights_are_copies_where_all_rows_are_one_batch(rng):
    """And are not with minibatches of one row, which they only make more or less of."""
    weighted, repeated = weighted_and_repeated(rng)
    options = {"max_iter": 3, "tol": None, "random_state": 0, "alpha": 0.01}
    for batch_size, same in (("full", True), (1, False)):
        clf = TwoLayerClassifier(batch_size=batch_size, **options)
        one, other = (clf.fit(*rows).predict_proba(weighted[0]) for rows in (weighted, repeated))
        assert np.allclose(one, other, rtol=1e-9) == same


def test_one_unit_is_as_weak_in_mlpclassifier():
    """Three clusters cannot be told apart by the value of a single unit that is 0 for one side."""
    X, y = make_blobs(n_samples=300, random_state=0)
    X = StandardScaler().fit_transform(X)
    assert TwoLayerClassifier(1, random_state=0).fit(X, y).score(X, y) < 0.83
    assert MLPClassifier((1,), max_iter=1000, random_state=0).fit(X, y).score(X, y) < 0.83
    assert TwoLayerClassifier(30, random_state=0).fit(X, y).score(X, y) > 0.9


def test_a_second_fit_with_warm_start_continues_the_first(digits):
    clf = TwoLayerClassifier(10, max_iter=2, tol=None, warm_start=True, random_state=0)
    first = clf.fit(*digits).loss_
    assert clf.fit(*digits).loss_ < first
    assert len(clf.loss_curve_) == 4
