"""What scikit-learn asks of its MLPClassifier, asked of TwoLayerClassifier.

The tests follow sklearn/neural_network/tests/test_mlp.py, in its order and with its names. Those
it puts to the regressor alone are here too where they have a meaning for a classifier:
nonfinite_params, shuffle, mlp_loading_from_joblib_partial_fit, mlp_diverging_loss,
mlp_sample_weight_with_early_stopping and minimum_input_sample_size. These are not:

lbfgs_regression, lbfgs_regression_maxfun, multioutput_regression, partial_fit_regression
    There is no regressor; for labels, the tests named classification ask the same.
mlp_regressor_dtypes_casting
    There is no regressor; mlp_classifier_dtypes_casting asks the same.
mlp_vs_poisson_glm_equivalent
    There is no Poisson loss. That a linear net finds the logistic regression is in
    test_classifier.py.
"""

import re

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris, make_classification, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.utils.fixes import CSR_CONTAINERS

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import LBFGS, SGD
from tests.helpers import PLAIN, current_learning_rate

each_activation = pytest.mark.parametrize("activation", ["identity", "sigmoid", "tanh", "relu"])


def make(**options):
    return TwoLayerClassifier(**{**PLAIN, "tol": None, "random_state": 1, **options})


def parameters(clf):
    return clf.coefs_ + clf.intercepts_


def same(one, other):
    return all(map(np.array_equal, parameters(one), parameters(other)))


def digits_of(digits, n_classes):
    X, y = digits
    return X[y < n_classes][:200], y[y < n_classes][:200]


@pytest.fixture
def binary(digits):
    return digits_of(digits, 2)


@pytest.fixture(params=[2, 3], ids=["binary", "multiclass"])
def data(request, digits):
    return digits_of(digits, request.param)


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def multilabel():
    return make_multilabel_classification(n_samples=50, random_state=0)


def test_alpha(binary):
    weak, strong = (make(hidden_size=10, alpha=alpha).fit(*binary) for alpha in (0.0, 1.0))
    for weak_weights, strong_weights in zip(weak.coefs_, strong.coefs_, strict=True):
        assert np.abs(strong_weights).sum() < np.abs(weak_weights).sum()


def test_fit():
    """One step from known parameters is the one worked out by hand."""
    X = np.array([[0.6, 0.8, 0.7]])
    options = {"activation": "sigmoid", "alpha": 0.1, "learning_rate": 0.1, "max_iter": 1}
    clf = make(hidden_size=2, **options).fit([[0, 0, 0], [1, 1, 1]], [0, 1])
    clf.coefs_ = [np.array([[0.1, 0.2], [0.3, 0.1], [0.5, 0]]), np.array([[0.1], [0.2]])]
    clf.intercepts_ = [np.array([0.1, 0.1]), np.array([1.0])]
    clf.partial_fit(X, [0])
    # X @ W1 + b1 = [0.75, 0.3]            hidden = sigmoid of it = [0.679179, 0.574443]
    # score = 0.067918 + 0.114889 + 1 = 1.182806   probability = sigmoid of it = 0.765450
    # dscore = probability - 0 = 0.765450
    # db1 = dscore * W2 * hidden * (1 - hidden) = [0.0166784, 0.0374241]
    # dW1 = X.T * db1 + 0.1 * W1 = [[0.0200070, 0.0424545], [0.0433427, 0.0399393],
    #                               [0.0616749, 0.0261969]]
    # dW2 = hidden * dscore + 0.1 * W2 = [0.529877, 0.459707]
    # and each parameter goes 0.1 of that down
    assert_allclose(
        clf.coefs_[0],
        [[0.0979993, 0.1957546], [0.2956657, 0.0960061], [0.4938325, -0.0026197]],
        atol=1e-6,
    )
    assert_allclose(clf.coefs_[1], [[0.0470123], [0.1540293]], atol=1e-6)
    assert_allclose(clf.intercepts_[0], [0.0983322, 0.0962576], atol=1e-6)
    assert_allclose(clf.intercepts_[1], [0.9234550], atol=1e-6)
    # with these: hidden = sigmoid([0.739341, 0.288683]) = [0.676855, 0.571674]
    # score = 0.0318205 + 0.0880545 + 0.9234550 = 1.04333    sigmoid of it = 0.739485
    assert_allclose(clf.predict_proba(X)[0, 1], 0.739485, atol=1e-5)


@pytest.mark.slow
@each_activation
@pytest.mark.parametrize(("n_classes", "solver"), [(2, SGD()), (3, SGD(momentum=0.9))], ids=str)
def test_gradient(activation, n_classes, solver, rng):
    """A step of length 1 is minus the slope of the promised objective, measured from outside."""
    X, y, alpha = rng.rand(5, 10), np.arange(5) % n_classes, 0.1
    options = {"activation": activation, "alpha": alpha, "learning_rate": 1.0, "max_iter": 1}
    clf = make(hidden_size=10, solver=solver, batch_size="full", **options).fit(X, y)

    def objective():
        penalty = alpha / 2 * sum((W**2).sum() for W in clf.coefs_)
        return log_loss(y, clf.predict_proba(X)) + penalty

    slopes = []
    for array in parameters(clf):
        slopes.append(np.empty_like(array))
        for place in np.ndindex(array.shape):
            value, around = array[place], []
            for array[place] in (value - 1e-5, value + 1e-5):
                around.append(objective())
            array[place] = value
            slopes[-1][place] = (around[1] - around[0]) / 2e-5
    before = [array.copy() for array in parameters(clf)]
    clf.partial_fit(X, y)
    for old, slope, new in zip(before, slopes, parameters(clf), strict=True):
        assert_allclose(new, old - slope, atol=1e-7)


@each_activation
def test_lbfgs_classification(activation, data):
    X, y = data
    clf = TwoLayerClassifier(
        50, solver="lbfgs", activation=activation, max_iter=200, random_state=1
    )
    clf.fit(X[:150], y[:150])
    predicted = clf.predict(X[150:])
    assert clf.score(X[:150], y[:150]) > 0.95
    assert (predicted.shape, predicted.dtype.kind) == ((len(X) - 150,), y.dtype.kind)


@each_activation
def test_lbfgs_classification_maxfun(activation, data):
    clf = make(hidden_size=50, solver=LBFGS(max_fun=10), activation=activation, tol=0.0)
    with pytest.warns(ConvergenceWarning, match="max_fun"):
        clf.fit(*data)
    assert 0 < clf.n_iter_ <= 10


@pytest.mark.parametrize(
    ("schedule", "rates"), [("constant", (0.1, 0.1)), ("invscaling", (0.1 / 2**0.5, 0.1 / 3**0.5))]
)
def test_learning_rate_warmstart(schedule, rates):
    clf = make(hidden_size=4, learning_rate_schedule=schedule, max_iter=1, warm_start=True)
    X = np.array([[3, 2], [1, 6], [5, 6], [-2, -4]])
    for rate in rates:
        clf.fit(X, [1, 1, 1, 0])
        assert current_learning_rate(clf, X) == pytest.approx(rate)


def test_multilabel_classification(multilabel):
    X, y = multilabel
    options = {"hidden_size": 50, "activation": "sigmoid", "alpha": 1e-5}
    assert make(solver="lbfgs", max_iter=150, **options).fit(X, y).score(X, y) > 0.97
    momentum = SGD(momentum=0.9, nesterov=True)
    in_parts = make(solver=momentum, learning_rate=0.2, **options)
    for _ in range(100):
        in_parts.partial_fit(X, y, classes=range(5))
    assert in_parts.score(X, y) > 0.9
    early = make(early_stopping=True, max_iter=20).fit(X, y)
    assert early.predict(X).shape == y.shape


def test_partial_fit_classes_error():
    clf = make().partial_fit([[3, 2]], [0], classes=[0, 1])
    with pytest.raises(ValueError, match="not the same as on last call"):
        clf.partial_fit([[3, 2]], [0], classes=[1, 2])


@pytest.mark.parametrize("solver", ["sgd", SGD(momentum=0.9), "adam"], ids=str)
def test_partial_fit_classification(solver, data):
    """As many calls as there are epochs come to the same model, bit for bit."""
    X, y = data
    options = {"solver": solver, "alpha": 1e-5, "max_iter": 40, "batch_size": 50}
    whole, in_parts = make(**options).fit(X, y), make(**options)
    for _ in range(40):
        in_parts.partial_fit(X, y, classes=np.unique(y))
    assert same(whole, in_parts)
    assert in_parts.score(X, y) > 0.95


def test_partial_fit_unseen_classes():
    clf = make(hidden_size=10)
    clf.partial_fit([[1], [2], [3]], ["a", "b", "c"], classes=["a", "b", "c", "d"])
    for _ in range(20):
        clf.partial_fit([[4]], ["d"])
    assert list(clf.predict([[4]])) == ["d"]


def test_partial_fit_errors():
    X, y = [[3, 2], [1, 6]], [1, 0]
    with pytest.raises(ValueError, match="classes must be passed"):
        make().partial_fit(X, y)
    with pytest.raises(ValueError, match="not among the classes"):
        make().partial_fit(X, y, classes=[2, 3])
    assert hasattr(make(), "partial_fit")


@pytest.mark.parametrize(
    "option",
    [
        {"solver": "lbfgs"},
        {"solver": LBFGS()},
        {"early_stopping": True},
        {"class_weight": "balanced"},
    ],
    ids=str,
)
def test_partial_fit_is_absent_where_it_cannot_work(option):
    assert not hasattr(make(**option), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        _ = make(**option).partial_fit


@pytest.mark.filterwarnings("ignore:column .* of X is not scaled")
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_nonfinite_params(solver, rng):
    X = np.finfo(np.float64).max * rng.uniform(size=(10, 2))
    with pytest.raises(ValueError, match=r"diverged.*StandardScaler"):
        make(solver=solver).fit(X, np.arange(10) % 2)


def assert_probabilities_agree(clf, X):
    proba, log_proba = clf.predict_proba(X), clf.predict_log_proba(X)
    assert proba.shape == (len(X), len(clf.classes_))
    assert_array_equal(proba.argmax(axis=1), log_proba.argmax(axis=1))
    assert_allclose(log_proba, np.log(proba), atol=1e-12)
    return proba


def test_predict_proba_binary(binary):
    X, y = binary[0][:50], binary[1][:50]
    proba = assert_probabilities_agree(make(hidden_size=5, activation="sigmoid").fit(X, y), X)
    assert_allclose(proba.sum(axis=1), 1)
    assert roc_auc_score(y, proba[:, 1]) == 1


def test_predict_proba_multiclass(digits):
    X, y = (array[:10] for array in digits_of(digits, 3))
    proba = assert_probabilities_agree(make(hidden_size=5).fit(X, y), X)
    assert_allclose(proba.sum(axis=1), 1)


def test_predict_proba_multilabel(multilabel):
    X, y = multilabel
    clf = make(hidden_size=30, solver="lbfgs").fit(X, y)
    proba = assert_probabilities_agree(clf, X)
    assert_array_equal(proba > 0.5, y)
    assert np.abs(proba.sum(axis=1) - 1).max() > 0.5  # no softmax


def test_shuffle(binary):
    options = {"hidden_size": 3, "max_iter": 1, "batch_size": 1}
    shuffled, again = (make(**options).fit(*binary) for _ in range(2))
    in_order, in_order_again = (make(shuffle=False, **options).fit(*binary) for _ in range(2))
    assert same(shuffled, again)
    assert same(in_order, in_order_again)
    assert not same(shuffled, in_order)


@pytest.mark.parametrize("container", CSR_CONTAINERS)
@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_sparse_matrices(container, solver, binary):
    X, y = binary[0][:50], binary[1][:50]
    dense, sparse = (
        make(hidden_size=15, max_iter=20, solver=solver).fit(rows, y) for rows in (X, container(X))
    )
    assert_allclose(dense.predict_proba(X), sparse.predict_proba(X), rtol=1e-6)
    assert_array_equal(dense.predict(X), dense.predict(container(X)))
    assert_array_equal(sparse.predict(X), sparse.predict(container(X)))


def test_tolerance():
    clf = make(tol=0.5, max_iter=3000).fit([[3, 2], [1, 6]], [1, 0])
    assert clf.n_iter_ < 3000


def test_verbose_sgd(capsys):
    X, y = [[3, 2], [1, 6]], [1, 0]
    clf = make(hidden_size=2, max_iter=2, verbose=10).fit(X, y)
    assert [line[:11] for line in capsys.readouterr().out.splitlines()] == [
        "epoch 1/2  ",
        "epoch 2/2  ",
        "training en",
    ]
    clf.partial_fit(X, y)
    assert capsys.readouterr().out.startswith("epoch     3")


@pytest.mark.parametrize("scoring", ["loss", None])
def test_early_stopping(scoring, binary):
    tol = 0.2
    early = make(tol=tol, max_iter=3000, early_stopping=True, scoring=scoring).fit(*binary)
    assert early.n_iter_ == len(early.validation_scores_) < 3000
    assert early.best_loss_ == min(early.loss_curve_)
    assert isinstance(early.validation_scores_, list)
    assert early.best_validation_score_ == max(early.validation_scores_)
    assert early.best_validation_score_ < min(early.validation_scores_[-2:]) + tol
    plain = make(tol=tol, max_iter=3000).fit(*binary)
    assert plain.validation_scores_ is None
    assert plain.best_validation_score_ is None
    assert plain.best_loss_ == min(plain.loss_curve_)


def test_adaptive_learning_rate():
    clf = make(tol=0.5, max_iter=3000, learning_rate_schedule="adaptive", warm_start=True)
    X = np.array([[3, 2], [1, 6]])
    clf.fit(X, [1, 0])
    assert clf.n_iter_ < 3000
    assert current_learning_rate(clf, X) == pytest.approx(0.1 / 5**4)


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_warm_start(solver, iris):
    X, y = iris
    clf = make(hidden_size=2, solver=solver, max_iter=5, warm_start=True).fit(X, y)
    clf.fit(X, y).fit(X, np.repeat([0, 1, 2], [40, 40, 70]))  # the same classes
    for others in ([0, 1], [0, 1, 3], [0, 1, 2, 3], [0, 1, 2, 3, 4]):
        message = (
            "warm_start can only be used if `y` has the same classes as in the previous call "
            f"to fit. Previously got [0 1 2], `y` has {np.array(others)}"
        )
        with pytest.raises(ValueError, match=re.escape(message)):
            clf.fit(X, np.resize(others, 150))


def test_warm_start_full_iteration(iris):
    clf = make(hidden_size=2, max_iter=3, tol=1e-4, warm_start=True)
    for epochs in (3, 6):
        with pytest.warns(ConvergenceWarning):
            clf.fit(*iris)
        assert (clf.n_iter_, len(clf.loss_curve_)) == (3, epochs)


@pytest.mark.parametrize("n_iter_no_change", [1, 2, 5, 10, 50, 100])
def test_n_iter_no_change(n_iter_no_change, binary):
    """The last epoch with a change is followed by exactly that many without one."""
    tol = 0.01
    clf = make(tol=tol, alpha=0.0, max_iter=3000, n_iter_no_change=n_iter_no_change).fit(*binary)
    best_before = np.minimum.accumulate([np.inf, *clf.loss_curve_[:-1]])
    changes = np.flatnonzero(clf.loss_curve_ < best_before - tol)
    assert clf.n_iter_ == changes[-1] + 1 + n_iter_no_change
    assert (np.diff(changes) <= n_iter_no_change).all()


def test_n_iter_no_change_inf(binary):
    """It is a whole number here: as many as there are epochs never stop training."""
    clf = make(hidden_size=5, tol=1e9, max_iter=300, n_iter_no_change=300)
    with pytest.warns(ConvergenceWarning):
        clf.fit(*binary)
    assert clf.n_iter_ == 300
    assert make(hidden_size=5, max_iter=300, n_iter_no_change=1).fit(*binary).n_iter_ == 300


def test_early_stopping_stratified():
    """A class of a single row is no error, but is kept to learn from."""
    seen = []

    def note(clf, X, y):
        seen.append(list(y))
        return clf.score(X, y)

    X, y = [[1, 2], [2, 3], [3, 4], [4, 5]], [0, 0, 0, 1]
    for seed in range(5):
        make(early_stopping=True, max_iter=1, scoring=note, random_state=seed).fit(X, y)
    assert seen == [[0]] * 5


def test_mlp_early_stopping_string_labels():
    X, y = make_classification(200, 10, n_informative=5, n_classes=3, random_state=42)
    labels = np.array(["class_a", "class_b", "class_c"], dtype=object)
    options = {"early_stopping": True, "scoring": None, "max_iter": 20}
    named, numbered = make(**options).fit(X, labels[y]), make(**options).fit(X, y)
    assert len(named.validation_scores_) == named.n_iter_ == 20
    assert named.validation_scores_ == numbered.validation_scores_
    assert_array_equal(named.predict(X), labels[numbered.predict(X)])


def test_mlp_classifier_dtypes_casting(digits):
    X, y = digits
    double, single = (
        make(hidden_size=5, max_iter=100, alpha=1e-5).fit(X[:300].astype(dtype), y[:300])
        for dtype in (np.float64, np.float32)
    )
    rows = X[300:].astype(np.float32)
    assert_array_equal(single.predict(rows), double.predict(rows))
    assert_allclose(single.predict_proba(rows), double.predict_proba(rows), atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_mlp_param_dtypes(dtype, solver, digits):
    X, y = digits[0].astype(dtype), digits[1]
    clf = make(hidden_size=5, max_iter=5, solver=solver).fit(X[:300], y[:300])
    assert {array.dtype for array in [*parameters(clf), clf.predict_proba(X)]} == {np.dtype(dtype)}
    assert clf.predict(X).dtype == y.dtype


@pytest.mark.parametrize("warm_start", [False, True])
def test_mlp_loading_from_joblib_partial_fit(warm_start, tmp_path):
    """A model that was saved can be taught the opposite."""
    X, y = [[2.0], [-2.0]], [1, 0]
    joblib.dump(make(hidden_size=42, warm_start=warm_start).fit(X, y), tmp_path / "clf.joblib")
    loaded = joblib.load(tmp_path / "clf.joblib")
    assert list(loaded.predict(X)) == [1, 0]
    for _ in range(200):
        loaded.partial_fit(X, [0, 1])
    assert list(loaded.predict(X)) == [0, 1]


@pytest.mark.parametrize("scoring", ["loss", None, "accuracy"])
def test_preserve_feature_names(scoring, rng):
    """And no warning, which would be an error here, when the score is taken inside."""
    X = pd.DataFrame(rng.randn(20, 2), columns=["colname_a", "colname_b"])
    y = pd.Series(np.arange(20) % 2, name="colname_y")
    options = {"early_stopping": True, "validation_fraction": 0.2, "scoring": scoring}
    clf = make(max_iter=10, **options).fit(X, y)
    assert list(clf.feature_names_in_) == ["colname_a", "colname_b"]


def test_mlp_warm_start_with_early_stopping(iris):
    """It goes on from the last epoch, not the best one, as if it had never paused."""
    clf = make(max_iter=10, warm_start=True, early_stopping=True).fit(*iris)
    assert clf.validation_scores_[-1] < clf.best_validation_score_
    clf.set_params(max_iter=20).fit(*iris)
    at_once = make(max_iter=30, early_stopping=True).fit(*iris)
    assert clf.validation_scores_ == at_once.validation_scores_
    assert same(clf, at_once)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_mlp_warm_start_no_convergence(solver, iris):
    clf = make(solver=solver, warm_start=True, tol=1e-4, n_iter_no_change=1000)
    for max_iter in (10, 20):
        with pytest.warns(ConvergenceWarning, match=rf"epochs \({max_iter}\)"):
            clf.set_params(max_iter=max_iter).fit(*iris)
        assert clf.n_iter_ == max_iter


def test_mlp_partial_fit_after_fit(iris):
    clf = make(early_stopping=True, max_iter=5).fit(*iris)
    with pytest.raises(AttributeError) as caught:
        clf.partial_fit(*iris)
    assert "partial_fit does not support early_stopping=True" in str(caught.value.__cause__)
    assert clf.set_params(early_stopping=False).partial_fit(*iris).n_iter_ == 6


@pytest.mark.parametrize("early_stopping", [False, True])
def test_mlp_diverging_loss(early_stopping, iris):
    """It is an error at once, with early stopping too; a model there was stays as it is."""
    clf = make(activation="identity", max_iter=20, early_stopping=early_stopping).fit(*iris)
    before = [array.copy() for array in parameters(clf)]
    with pytest.raises(ValueError, match=r"training diverged.*lower learning_rate"):
        clf.set_params(learning_rate=1e6, alpha=1.0, batch_size=10).fit(*iris)
    for array, copy in zip(parameters(clf), before, strict=True):
        assert_array_equal(array, copy)


def test_mlp_sample_weight_with_early_stopping(binary):
    X, y = binary
    options = {"solver": "adam", "early_stopping": True, "max_iter": 20, "batch_size": 10}
    weighted = make(**options).fit(X, y, sample_weight=np.ones(len(y)))
    unweighted = make(**options).fit(X, y)
    assert same(weighted, unweighted)
    assert weighted.validation_scores_ == unweighted.validation_scores_


def test_minimum_input_sample_size():
    with pytest.raises(ValueError, match=r"early_stopping cannot hold out .* of 2 different rows"):
        make(early_stopping=True).fit([[0.0], [1.0]], [0, 1])
