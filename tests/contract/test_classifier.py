"""What TwoLayerClassifier does with labels, weights, types and containers."""

import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_sample_weight
from threadpoolctl import threadpool_limits

from sk_twolayer import TwoLayerClassifier
from sk_twolayer._data.dataset import prepare_training_data
from sk_twolayer.optimizers import SGD, Adam, Optimizer
from tests.helpers import PLAIN, pairwise


def make(**options):
    """A small classifier that trains for a fixed number of epochs."""
    return TwoLayerClassifier(
        **{**PLAIN, "hidden_size": 10, "max_iter": 10, "tol": None, "random_state": 0, **options}
    )


def test_digits(digits):
    X, y = digits
    clf = TwoLayerClassifier(batch_size=32, max_iter=100, tol=None, random_state=0)
    assert clf.fit(X[:1300], y[:1300]).score(X[1300:], y[1300:]) > 0.92
    assert clf.score(X[:1300], y[:1300]) > 0.99


@pytest.mark.parametrize("data", ["digits", "cancer"])
def test_predictions_agree_with_each_other(data, request):
    X, y = request.getfixturevalue(data)
    clf = make().fit(X, y)
    scores, proba, log_proba = (
        clf.decision_function(X),
        clf.predict_proba(X),
        clf.predict_log_proba(X),
    )
    n_classes = len(np.unique(y))
    assert proba.shape == log_proba.shape == (len(X), n_classes)
    assert scores.shape == ((len(X),) if n_classes == 2 else proba.shape)
    assert_allclose(proba.sum(axis=1), 1)
    assert_allclose(np.exp(log_proba), proba)
    assert_array_equal(clf.predict(X), clf.classes_[proba.argmax(axis=1)])
    if n_classes == 2:
        assert_array_equal(clf.predict(X), clf.classes_[(scores > 0).astype(int)])
        assert_allclose(scores, log_proba[:, 1] - log_proba[:, 0])
    assert clf.score(X, y) == (clf.predict(X) == y).mean()


def test_log_proba_of_confident_rows_is_finite(digits, cancer):
    for X, y in (digits, cancer):
        clf = make().fit(X, y)
        log_proba = clf.predict_log_proba(1e6 * X)
        assert np.isfinite(log_proba).all()
        assert log_proba.min() < -1e4  # log(predict_proba) would be -inf there


def test_fitted_attributes(digits, cancer):
    X, y = digits
    clf = make(max_iter=3).fit(X, y)
    assert_array_equal(clf.classes_, np.arange(10))
    assert [coef.shape for coef in clf.coefs_] == [(64, 10), (10, 10)]
    assert [intercept.shape for intercept in clf.intercepts_] == [(10,), (10,)]
    assert (clf.n_outputs_, clf.n_layers_, clf.out_activation_) == (10, 3, "softmax")
    assert (clf.n_iter_, clf.t_, clf.n_features_in_) == (3, 3 * len(X), 64)
    assert len(clf.loss_curve_) == 3
    assert clf.loss_ == clf.loss_curve_[-1]
    assert clf.best_loss_ == min(clf.loss_curve_)
    assert not hasattr(clf, "feature_names_in_")
    binary = make(max_iter=3).fit(*cancer)
    assert (binary.n_outputs_, binary.out_activation_) == (1, "logistic")
    assert binary.coefs_[1].shape == (10, 1)


@pytest.mark.parametrize(
    "labels",
    [
        ["one", "two", "three"],
        ["é", "", "z"],
        [-5, 0, 10**12],
        [0.0, 1.0, 2.0],
        [False, True],
        ["no", "yes"],
        [3, 7],
    ],
    ids=str,
)
def test_any_labels(labels, digits):
    X, y = digits
    keep = y < len(labels)
    X, y = X[keep], y[keep]
    named = np.array(labels)[y]
    clf, reference = make().fit(X, named), make().fit(X, y)
    order = np.argsort(labels)
    assert clf.predict(X).dtype == named.dtype
    assert_array_equal(clf.classes_, np.array(labels)[order])
    assert clf.score(X, named) > 0.9
    if list(order) == sorted(order):
        assert_array_equal(clf.predict(X), np.array(labels)[reference.predict(X)])


@pytest.mark.parametrize("kind", ["object", "categorical", "string"])
def test_labels_in_pandas(kind, digits):
    X, y = digits
    dtype = {"object": object, "categorical": "category", "string": "string"}[kind]
    named = pd.Series(np.array(list("abcdefghij"))[y]).astype(dtype)
    clf = make().fit(X, named)
    assert list(clf.classes_) == list("abcdefghij")
    assert_array_equal(clf.predict(X), np.array(list("abcdefghij"))[make().fit(X, y).predict(X)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.float16, bool])
def test_type_of_x_is_the_type_of_everything(dtype, digits):
    X, y = digits
    X = (4 * X).astype(dtype) if dtype is np.int64 else X.astype(dtype)
    expected = np.float32 if dtype is np.float32 else np.float64
    for solver in ("adam", SGD(), SGD(momentum=0.9), SGD(momentum=0.9, nesterov=True)):
        clf = make(solver=solver, learning_rate=0.01, max_iter=2).fit(X, y)
        results = [clf.predict_proba(X), clf.predict_log_proba(X), clf.decision_function(X)]
        arrays = clf.coefs_ + clf.intercepts_ + results
        assert {array.dtype for array in arrays} == {np.dtype(expected)}


def test_float32_model_predicts_in_float32_whatever_it_is_given(digits):
    X, y = digits
    clf = make().fit(X.astype(np.float32), y)
    assert clf.predict_proba(X).dtype == np.float32
    assert_array_equal(clf.predict_proba(X), clf.predict_proba(X.astype(np.float32)))


@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csr_array, sp.csc_array, sp.coo_array])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_sparse_is_dense(container, dtype, index, digits):
    X, y = digits
    X = X.astype(dtype)
    sparse = container(X)
    if hasattr(sparse, "indptr"):
        sparse.indices, sparse.indptr = sparse.indices.astype(index), sparse.indptr.astype(index)
    ours, dense = make(max_iter=3).fit(sparse, y), make(max_iter=3).fit(X, y)
    tolerance = 1e-4 if dtype == np.float32 else 1e-12
    assert ours.coefs_[0].dtype == dtype
    assert_allclose(ours.coefs_[0], dense.coefs_[0], atol=tolerance)
    assert_allclose(ours.predict_proba(sparse), dense.predict_proba(X), atol=tolerance)
    assert_allclose(ours.predict_proba(X), dense.predict_proba(sparse), atol=tolerance)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_with_feature_names(frame, cancer):
    X, y = cancer
    names = [f"column {k}" for k in range(X.shape[1])]
    data = frame(dict(zip(names, X.T, strict=True)))
    clf = make().fit(data, y)
    assert_array_equal(clf.feature_names_in_, names)
    assert_allclose(clf.predict_proba(data), make().fit(X, y).predict_proba(X), rtol=1e-12)
    with pytest.raises(ValueError, match="feature names should match"):
        clf.predict(data[names[::-1]])


@pytest.mark.parametrize("order", ["C", "F", "strided", "read-only"])
def test_the_memory_layout_of_x_does_not_change_the_result(order, digits):
    X, y = digits
    expected = make(max_iter=3).fit(X, y)
    if order == "strided":
        X = np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2]
    elif order == "read-only":
        X = X.copy()
        X.flags.writeable = False
    else:
        X = np.asarray(X, order=order)
    clf = make(max_iter=3).fit(X, y)
    assert_array_equal(clf.coefs_[0], expected.coefs_[0])
    assert_allclose(clf.predict_proba(X), expected.predict_proba(X), rtol=1e-12)


class TestWeights:
    @pytest.fixture
    def data(self, digits, rng):
        X, y = digits
        return X[:300], y[:300], rng.randint(4, size=300)

    def assert_same(self, one, other, **tolerance):
        for a, b in zip(
            one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True
        ):
            assert_allclose(a, b, **(tolerance or {"rtol": 0, "atol": 0}))

    @pytest.mark.parametrize("solver", ["adam", SGD(), SGD(momentum=0.9, nesterov=True)], ids=str)
    @pytest.mark.parametrize("binary", [False, True])
    @pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
    def test_integer_weights_are_repeated_rows(self, data, solver, binary, container):
        X, y, weight = data
        y = y % 2 if binary else y
        options = {"batch_size": "full", "solver": solver, "alpha": 0.01}
        repeated = make(**options).fit(
            container(np.repeat(X, weight, axis=0)), np.repeat(y, weight)
        )
        weighted = make(**options).fit(container(X), y, sample_weight=weight)
        self.assert_same(weighted, repeated, rtol=0, atol=1e-11)
        assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-10)

    def test_zero_is_absence_to_the_last_bit(self, data):
        X, y, weight = data
        there = weight > 0
        weighted = make(batch_size=32).fit(X, y, sample_weight=weight)
        absent = make(batch_size=32).fit(X[there], y[there], sample_weight=weight[there])
        self.assert_same(weighted, absent)
        assert weighted.t_ == 10 * there.sum()

    @pytest.mark.parametrize("factor", [2.0**-40, 1e-300, 1e300, 1000.0])
    def test_only_ratios_matter(self, data, factor):
        X, y, weight = data
        weighted = make(batch_size=32).fit(X, y, sample_weight=weight)
        scaled = make(batch_size=32).fit(X, y, sample_weight=factor * weight)
        self.assert_same(weighted, scaled, rtol=0, atol=1e-12)

    def test_equal_weights_are_none(self, data):
        X, y, _ = data
        assert prepare_training_data(X, y, np.full(300, 0.3), None)[0].weights is None
        self.assert_same(make().fit(X, y), make().fit(X, y, sample_weight=np.full(300, 0.3)))

    def test_class_weight_multiplies(self, data):
        X, y, weight = data
        class_weight = {3: 5.0, 4: 0.5}
        by_hand = np.array([class_weight.get(label, 1.0) for label in y])
        self.assert_same(
            make(class_weight=class_weight).fit(X, y, sample_weight=weight),
            make().fit(X, y, sample_weight=weight * by_hand),
        )

    def test_balanced(self, data):
        X, y, _ = data
        y = np.minimum(y, 3)
        self.assert_same(
            make(class_weight="balanced").fit(X, y),
            make().fit(X, y, sample_weight=compute_sample_weight("balanced", y)),
        )

    def test_balanced_counts_weights_as_rows(self, data):
        X, y, weight = data
        y = np.minimum(y, 3)
        options = {"class_weight": "balanced", "batch_size": "full"}
        repeated = make(**options).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
        weighted = make(**options).fit(X, y, sample_weight=weight)
        self.assert_same(weighted, repeated, rtol=0, atol=1e-11)

    def test_balanced_helps_a_rare_class(self, digits):
        X, y = digits
        rare = (y == 8).astype(int)
        plain, balanced = (
            make(class_weight=weight).fit(X, rare).predict(X)[rare == 1].mean()
            for weight in (None, "balanced")
        )
        assert balanced > plain + 0.1

    def test_huge_weights_times_huge_class_weights(self, data):
        X, y, weight = data
        huge = make(class_weight={3: 1e300}).fit(X, y, sample_weight=1e300 * weight)
        assert np.isfinite(huge.coefs_[0]).all()


def test_arguments_are_not_changed(digits):
    X, y = digits
    weight = np.linspace(0, 1, len(y))
    solver, class_weight = SGD(momentum=0.9), {1: 2.0}
    clf = make(solver=solver, class_weight=class_weight)
    before = X.copy(), y.copy(), weight.copy()
    params = clf.get_params()
    clf.fit(X, y, sample_weight=weight)
    for array, copy in zip((X, y, weight), before, strict=True):
        assert_array_equal(array, copy)
    assert clf.get_params() == params
    assert clf.solver is solver
    assert vars(solver) == {"momentum": 0.9, "nesterov": False}
    assert class_weight == {1: 2.0}


@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sp.csr_array])
def test_blocks_do_not_show(container, digits, monkeypatch):
    X, y = digits
    X = container(X)
    clf = make().fit(X, y)
    expected = clf.decision_function(X)
    monkeypatch.setattr("sk_twolayer._inference.MAX_BLOCK_ROWS", 7)
    assert_allclose(clf.decision_function(X), expected, rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predicting_many_rows_takes_little_memory(dtype, digits):
    X, y = digits
    clf = make(hidden_size=100, max_iter=1).fit(X.astype(dtype), y)
    many = np.repeat(X.astype(dtype), 50, axis=0)
    tracemalloc.start()
    with threadpool_limits(2, user_api="blas"):  # each thread has a block of its own
        clf.decision_function(many)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    scores = len(many) * 10 * np.dtype(dtype).itemsize
    assert peak < scores + many.nbytes / 10


@pytest.mark.parametrize(
    ("order", "shuffle", "batch_size", "solver"),
    pairwise(["C", "F"], [False, True], [200, "full"], ["sgd", SGD(0.9, nesterov=True), "adam"]),
    ids=str,
)
def test_fitting_takes_little_memory(order, shuffle, batch_size, solver, rng):
    """X is never copied: beside the model, three vectors like it, rows of a few minibatches."""
    n, d, hidden = 20000, 200, 8
    X = np.asarray(rng.standard_normal((n, d)), np.float32, order=order)
    y = rng.randint(2, size=n)
    clf = make(hidden_size=hidden, solver=solver, batch_size=batch_size, shuffle=shuffle)
    clf.set_params(max_iter=2).fit(X[:200], y[:200])  # what is loaded the first time
    tracemalloc.start()
    clf.fit(X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    model = sum(array.nbytes for array in clf.coefs_ + clf.intercepts_)
    of_each_row = 6 * 8  # labels, the order of the rows
    if batch_size == "full":
        of_each_row += 4 * (2 * hidden + 2 * 3) + hidden  # hidden units, scores, which are positive
        chunk = 0
    else:
        chunk = 2**20
    assert peak < 4 * model + 4 * chunk + of_each_row * n + 300_000 < X.nbytes


def test_a_fit_that_fails_leaves_the_estimator_as_it_was(digits):
    X, y = digits
    clf = make().fit(X, y)
    expected, before = clf.predict_proba(X), dict(vars(clf))
    with pytest.raises(ValueError, match="NaN"):
        clf.fit(np.full((10, 3), np.nan), y[:10])
    with pytest.raises(ValueError, match="continuous"):
        clf.fit(X[:, :3], y + 0.5)
    assert vars(clf) == before
    assert_array_equal(clf.predict_proba(X), expected)


def test_an_interrupted_fit_leaves_the_estimator_as_it_was(digits):
    class Interrupted(SGD):
        def step(self, theta, add_gradient, learning_rate):
            raise KeyboardInterrupt

    X, y = digits
    clf = make().fit(X, y)
    before = {**vars(clf), "solver": None}
    clf.set_params(solver=Interrupted())
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X[:, :3], y)
    assert {**vars(clf), "solver": None} == before


@pytest.mark.parametrize("solver", [SGD, Adam])
def test_numpy_numbers_as_parameters_are_numbers(solver, digits):
    """As a grid search over np.linspace gives them; NumPy 2 would compute in float64."""
    X, y = digits[0].astype(np.float32), digits[1]
    parameter = "momentum" if solver is SGD else "beta_1"
    plain, numpys = (
        make(
            solver=solver(**{parameter: kind(0.7)}), learning_rate=kind(0.01), alpha=kind(0.001)
        ).fit(X, y)
        for kind in (float, np.float64)
    )
    assert plain.coefs_[0].tobytes() == numpys.coefs_[0].tobytes()


def test_an_optimizer_with_a_past_starts_afresh(digits):
    solver = SGD(momentum=0.9)
    solver.velocity_ = np.ones(3)
    clf = make(solver=solver).fit(*digits)
    assert_array_equal(clf.coefs_[0], make(solver=SGD(momentum=0.9)).fit(*digits).coefs_[0])
    assert_array_equal(solver.velocity_, np.ones(3))


def test_an_optimizer_of_the_users_own(digits):
    class SignDescent(Optimizer):
        def default_learning_rate(self, inputs_per_row, hidden_size, *, decays):
            return 0.01

        def step(self, theta, add_gradient, learning_rate):
            gradient = np.empty_like(theta)
            add_gradient(gradient, scale=1, keep=0)
            theta -= learning_rate * np.sign(gradient)

    clf = make(solver=SignDescent(), learning_rate="auto").fit(*digits)
    assert clf.learning_rate_ == 0.01
    assert clf.score(*digits) > 0.9


def test_a_parameter_set_after_fit_does_not_change_the_model(digits):
    X, y = digits
    clf = make().fit(X, y)
    expected = clf.predict_proba(X)
    clf.set_params(activation="tanh", hidden_size=3)
    assert_array_equal(clf.predict_proba(X), expected)
    assert clone(clf).fit(X, y).coefs_[0].shape == (64, 3)


def test_batch_sizes(digits):
    X, y = digits
    assert make(max_iter=1).fit(X, y).loss_curve_ == (
        make(max_iter=1, batch_size=len(X) // 32).fit(X, y).loss_curve_
    )
    full = make(max_iter=1, batch_size="full").fit(X, y)
    assert full.loss_curve_ == make(max_iter=1, batch_size=len(X)).fit(X, y).loss_curve_
    assert make(max_iter=1).fit(X[:50], y[:50]).n_iter_ == 1


def test_alpha_means_the_same_at_every_batch_size(digits):
    """Where only the penalty pulls, the weights shrink by (1 - rate alpha) a step, no batch."""
    X, y = digits
    still = np.zeros_like(X)
    for batch_size, steps in (("full", 1), (600, 3)):
        options = {"batch_size": batch_size, "max_iter": 1, "learning_rate": 0.5}
        clf = make(alpha=0.3, **options).fit(still, y)
        start = make(alpha=0.0, **options).fit(still, y)
        assert_allclose(clf.coefs_[0], start.coefs_[0] * (1 - 0.5 * 0.3) ** steps)


def test_the_loss_curve_is_without_the_penalty(digits):
    X, y = digits
    options = {"max_iter": 1, "batch_size": "full"}
    assert make(alpha=1.0, **options).fit(X, y).loss_ == make(alpha=0.0, **options).fit(X, y).loss_


def test_the_best_loss_need_not_be_the_last(digits):
    X, y = digits
    clf = make(learning_rate=5.0, batch_size=32).fit(X, y)
    assert clf.best_loss_ == min(clf.loss_curve_) < clf.loss_curve_[-1] == clf.loss_


def test_training_continues_while_the_penalty_falls(cancer):
    """The rule watches the objective, not the part of it that stalls first."""
    options = {"alpha": 0.1, "weight_init_std": 2.0, "learning_rate": 0.05, "random_state": 0}
    early, long = (
        TwoLayerClassifier(max_iter=2000, tol=tol, **options).fit(*cancer) for tol in (1e-4, None)
    )

    def objective(clf):
        penalty = sum((W**2).sum() for W in clf.coefs_)
        return clf.loss_ + 0.05 * penalty

    assert early.n_iter_ < 2000
    assert objective(early) < 1.2 * objective(long)


def test_training_stops_without_improvement(digits):
    X, y = digits
    clf = make(tol=10.0, n_iter_no_change=3, max_iter=100).fit(X, y)
    assert clf.n_iter_ == 4  # the first sets the best


def test_a_warning_when_the_epochs_run_out(digits):
    with pytest.warns(ConvergenceWarning, match=r"epochs \(2\).*Increase max_iter") as caught:
        make(tol=1e-4, max_iter=2).fit(*digits)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("solver", "schedule", "rate"),
    [
        (SGD(), "constant", 0.2),
        (SGD(momentum=0.9), "cosine", 0.02),
        ("adam", "cosine", 1 / np.sqrt(40 * 10)),
        ("adam", "constant", 1 / np.sqrt(40 * 10) / 4),
        ("rmsprop", "cosine", 0.5 / np.sqrt(40 * 10)),
        ("adagrad", "cosine", 2.5 / np.sqrt(40 * 10)),
    ],
    ids=str,
)
def test_the_automatic_learning_rate(solver, schedule, rate, rng):
    """It falls with the nonzeros per row, here 40 of 80 columns, and with the hidden units."""
    X, y = rng.standard_normal((50, 80)) * ([1, 0] * 40), np.arange(50) % 2
    options = {"solver": solver, "learning_rate_schedule": schedule}
    auto = make(learning_rate="auto", **options).fit(X, y)
    assert auto.learning_rate_ == pytest.approx(rate)
    named = make(learning_rate=auto.learning_rate_, **options).fit(X, y)
    assert auto.loss_curve_ == named.loss_curve_
