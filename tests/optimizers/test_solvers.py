"""Solvers, schedules and dropout of the classifier, and the types and weights of all of them."""

import sys
import tracemalloc

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from sk_twolayer import TwoLayerClassifier, TwoLayerNet
from sk_twolayer.optimizers import LBFGS, SGD, AdaGrad, RMSProp
from sk_twolayer.optimizers._registry import SOLVERS
from sk_twolayer.schedules import _SCHEDULES, LearningRate
from tests.helpers import PLAIN, STEPPING, epochs

EVERY_SOLVER = [*SOLVERS, SGD(0.9), SGD(0.9, nesterov=True)]


def make(**options):
    return TwoLayerClassifier(
        **{**PLAIN, "hidden_size": 10, "max_iter": 10, "tol": None, "random_state": 0, **options}
    )


def assert_same(one, other, **tolerance):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        assert_allclose(a, b, **tolerance)


class TestLBFGS:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("n", [2, 10])
    def test_it_finds_what_scipy_finds_with_as_many_evaluations(self, n, dtype):
        theta = np.tile([-1.2, 1.0], n // 2).astype(dtype)

        def evaluate(gradient):
            gradient[:] = scipy.optimize.rosen_der(theta.astype(float))
            return float(scipy.optimize.rosen(theta.astype(float)))

        theirs = scipy.optimize.minimize(
            scipy.optimize.rosen,
            theta.astype(float),
            jac=scipy.optimize.rosen_der,
            method="L-BFGS-B",
            options={"gtol": 1e-5, "ftol": 0.0},
        )
        optimizer = LBFGS()
        objectives = [objective for objective, _ in optimizer.iterations(theta, evaluate)]
        assert objectives == sorted(objectives, reverse=True)
        assert_allclose(theta, 1, atol=1e-3)
        assert optimizer.n_evaluations_ < 1.5 * theirs.nfev + 10

    def test_the_search_survives_infinity_and_nan(self):
        theta = np.array([3.0])

        def evaluate(gradient):  # of -log(x) + x, which ends at 0
            gradient[:] = 1 - 1 / theta
            with np.errstate(invalid="ignore", divide="ignore"):
                return float(theta[0] - np.log(theta[0]))

        theta[0] = 1e-3
        list(LBFGS().iterations(theta, evaluate))
        assert_allclose(theta, 1, rtol=1e-4)

    def test_an_interrupted_search_ends_where_it_began(self):
        theta = np.array([3.0, 3.0])

        def evaluate(gradient):
            if theta[0] != 3:
                raise KeyboardInterrupt
            gradient[:] = theta
            return float(theta @ theta / 2)

        with pytest.raises(KeyboardInterrupt):
            list(LBFGS().iterations(theta, evaluate))
        assert_array_equal(theta, 3)

    def test_a_linear_net_finds_the_logistic_regression(self, cancer):
        X, y = cancer[0][:, [1, 4, 8]], cancer[1]
        clf = make(activation="identity", solver=LBFGS(gtol=1e-8), alpha=0.0, max_iter=500)
        linear = LogisticRegression(C=1e10, max_iter=5000, tol=1e-10).fit(X, y)
        assert_allclose(clf.fit(X, y).predict_proba(X), linear.predict_proba(X), atol=1e-5)

    def test_it_goes_as_low_as_mlpclassifier(self, digits):
        X, y = digits[0][:300], digits[1][:300]
        ours = make(solver="lbfgs", alpha=1e-2, max_iter=100).fit(X, y)
        theirs = MLPClassifier(
            (10,), solver="lbfgs", alpha=1e-2 * len(X), max_iter=100, random_state=0
        )
        with pytest.warns(ConvergenceWarning):
            theirs.fit(X, y)

        def objective(clf):
            loss = -clf.predict_log_proba(X)[np.arange(len(y)), y].mean()
            return loss + 0.5e-2 * sum((W**2).sum() for W in clf.coefs_)

        assert_allclose(objective(ours), objective(theirs), rtol=0.05)

    def test_what_ends_it(self, digits):
        with pytest.warns(ConvergenceWarning, match=r"epochs \(3\)"):
            make(solver="lbfgs", max_iter=3, tol=1e-4).fit(*digits)
        with pytest.warns(ConvergenceWarning, match=r"number of evaluations.*LBFGS\(max_fun"):
            clf = make(solver=LBFGS(max_fun=5), max_iter=100, tol=1e-4).fit(*digits)
        assert clf.n_iter_ <= 5
        arrived = make(solver=LBFGS(gtol=1.0), max_iter=100, tol=1e-4).fit(*digits)
        assert arrived.n_iter_ < 3

    def test_its_memory_does_not_grow_with_the_rows(self, digits):
        X, y = np.repeat(digits[0], 20, axis=0), np.repeat(digits[1], 20)
        tracemalloc.start()
        make(hidden_size=200, solver="lbfgs", max_iter=2).fit(X, y)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < X.nbytes + 200 * len(X) * 8 / 4  # the hidden units of all rows are 200 * n

    def test_it_has_no_use_for_a_batch_size(self, digits):
        X, y = digits[0][:100], digits[1][:100]
        plain = make(solver="lbfgs").fit(X, y)
        other = make(solver="lbfgs", batch_size=1000, shuffle=False, learning_rate=9.0).fit(X, y)
        assert_same(plain, other)

    def test_no_dropout(self, digits):
        with pytest.raises(ValueError, match=r"dropout=0.5.*full-batch steps"):
            make(solver="lbfgs", dropout=0.5).fit(*digits)

    @pytest.mark.filterwarnings("ignore:column .* of X is not scaled")
    def test_data_beyond_all_bounds(self, digits):
        X, y = digits
        with pytest.raises(ValueError, match=r"the objective became .* in epoch 1.*scale"):
            make(solver="lbfgs").fit(1e308 * X, y)


@pytest.mark.parametrize("solver", [AdaGrad(), RMSProp(decay=0.8)], ids=str)
def test_adaptive_optimizers_follow_their_formulas(solver, rng):
    theta = rng.standard_normal(5)
    expected, square = theta.copy(), np.zeros(5)
    for _ in range(5):
        solver.step(theta, lambda into, scale, keep: np.multiply(scale, theta, out=into), 0.1)
        g = expected.copy()
        square = square + g**2 if isinstance(solver, AdaGrad) else 0.8 * square + 0.2 * g**2
        expected = expected - 0.1 * g / (np.sqrt(square) + solver.epsilon)
        assert_allclose(theta, expected, rtol=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_learns_with_its_own_learning_rate(solver, digits):
    X, y = digits
    clf = make(hidden_size=50, solver=solver, max_iter=50, batch_size=32, learning_rate="auto")
    assert clf.fit(X[:1300], y[:1300]).score(X[1300:], y[1300:]) > 0.89


class TestSchedules:
    def test_formulas(self):
        formulas = {
            "constant": [0.4] * 5,
            "cosine": [0.4, 0.2 + 0.2 / np.sqrt(2), 0.2, 0.2 - 0.2 / np.sqrt(2), 0.4],
            "invscaling": [0.4 / np.sqrt(1 + e) for e in range(5)],
            "adaptive": [0.4] * 5,
        }
        assert formulas.keys() == _SCHEDULES.keys()
        for schedule, expected in formulas.items():
            rate = LearningRate(0.4, schedule, period=4)
            for progress, value in enumerate(expected):
                rate.progress = progress
                assert_allclose(rate.current, value)

    def test_adaptive_slows_down_four_times(self):
        rate = LearningRate(0.5, "adaptive")
        assert [rate.reduce() for _ in range(5)] == [True] * 4 + [False]
        assert_allclose(rate.current, 0.5 / 5**4)
        assert not LearningRate(0.5).reduce()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((0, "constant", 1), "initial must be a positive number, got 0"),
            ((-0.1, "constant", 1), "initial must be a positive number, got -0.1"),
            ((np.nan, "constant", 1), "initial must be a positive number, got nan"),
            ((np.inf, "constant", 1), "initial must be a positive number, got inf"),
            (("auto", "constant", 1), "initial must be a positive number, got 'auto'"),
            ((0.1, "linear", 1), r"schedule must be one of \['adaptive', .*got 'linear'"),
            ((0.1, ["cosine"], 1), r"schedule must be one of .*got \['cosine'\]"),
            ((0.1, "cosine", 0), "period must be a positive integer, got 0"),
            ((0.1, "cosine", -1), "period must be a positive integer, got -1"),
            ((0.1, "cosine", 2.5), "period must be a positive integer, got 2.5"),
            ((0.1, "cosine", None), "period must be a positive integer, got None"),
        ],
        ids=str,
    )
    def test_invalid_parameters_are_refused(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            LearningRate(*arguments)

    def test_numbers_of_numpy_are_accepted(self):
        rate = LearningRate(np.float32(0.5), "cosine", np.int64(4))
        rate.progress = 2
        assert_allclose(rate.current, 0.25)

    @pytest.mark.parametrize("schedule", ["cosine", "invscaling"])
    @pytest.mark.parametrize("solver", [SGD, AdaGrad])
    def test_each_step_has_its_rate(self, schedule, solver, rng):
        rates = []

        class Spy(solver):
            def step(self, theta, add_gradient, learning_rate):
                rates.append(learning_rate)

        net = TwoLayerNet(3, 2, 2, random_state=0)
        X, t = rng.standard_normal((40, 3)), rng.randint(2, size=40)
        training = epochs(
            net,
            Spy(),
            X,
            t,
            learning_rate=LearningRate(1.0, schedule, 2),
            batch_size=10,
            random_state=rng,
        )
        first = [next(training).learning_rate for _ in range(3)]
        expected = LearningRate(1.0, schedule, 2)
        for k, rate in enumerate(rates):
            expected.progress = k / 4
            assert_allclose(rate, expected.current)
        assert_allclose(first, rates[::4])

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    @pytest.mark.parametrize("schedule", sorted(_SCHEDULES.keys() - {"constant"}))
    @pytest.mark.parametrize("solver", STEPPING, ids=str)
    def test_they_change_every_first_order_solver(self, schedule, solver, digits):
        constant = make(solver=solver).fit(*digits)
        options = {"tol": 10.0, "n_iter_no_change": 2} if schedule == "adaptive" else {}
        changed = make(solver=solver, learning_rate_schedule=schedule, **options).fit(*digits)
        assert changed.loss_curve_ != constant.loss_curve_[: changed.n_iter_]

    def test_adaptive_trains_on_where_constant_would_stop(self, digits, capsys):
        options = {"tol": 0.02, "n_iter_no_change": 2, "learning_rate": 2.0, "max_iter": 300}
        stopped = make(**options).fit(*digits)
        slowed = make(learning_rate_schedule="adaptive", verbose=True, **options).fit(*digits)
        rates = {
            line.split("learning rate")[1].split()[0]
            for line in capsys.readouterr().out.splitlines()
            if line.startswith("epoch")
        }
        assert rates == {"2.000e+00", "4.000e-01", "8.000e-02", "1.600e-02", "3.200e-03"}
        assert slowed.n_iter_ >= stopped.n_iter_ + 4 * 2
        assert slowed.loss_ < stopped.loss_


class TestDropout:
    def test_it_regularises(self, rng):
        X, t = rng.standard_normal((200, 30)), rng.randint(2, size=200)  # nothing to learn
        options = {"hidden_size": 50, "max_iter": 100, "batch_size": 20}
        plain, dropped = (make(dropout=rate, **options).fit(X[:100], t[:100]) for rate in (0, 0.5))
        assert dropped.loss_ > 1.5 * plain.loss_

        def log_loss(clf):
            return -clf.predict_log_proba(X[100:])[np.arange(100), t[100:]].mean()

        assert log_loss(dropped) < log_loss(plain)

    @pytest.mark.parametrize("solver", ["sgd", "adam"])
    def test_weights_are_copies(self, solver, digits, rng):
        X, y = digits[0][:200], digits[1][:200]
        copies = rng.randint(4, size=200)
        options = {"dropout": 0.5, "solver": solver, "batch_size": "full"}
        weighted = make(**options).fit(X, y, sample_weight=copies)
        repeated = make(**options).fit(np.repeat(X, copies, axis=0), np.repeat(y, copies))
        assert_same(weighted, repeated, rtol=0, atol=1e-10)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("binary", [False, True])
def test_weights_are_copies_for_lbfgs(container, binary, digits, rng):
    X, y = digits[0][:300], digits[1][:300] % (2 if binary else 10)
    copies = rng.randint(4, size=300)
    options = {"solver": "lbfgs", "max_iter": 15, "alpha": 0.01}
    weighted = make(**options).fit(container(X), y, sample_weight=copies)
    repeated = make(**options).fit(container(np.repeat(X, copies, axis=0)), np.repeat(y, copies))
    assert_same(weighted, repeated, rtol=0, atol=1e-10)


@pytest.mark.slow
def test_weights_are_copies_in_expectation_at_minibatch_size(digits):
    """Over many permutations, the mean step of an epoch is the same."""
    X, y = digits[0][:60], digits[1][:60] % 2
    copies = np.arange(60) % 3 + 1
    options = {"hidden_size": 3, "batch_size": 10, "max_iter": 1, "weight_init_std": 0.5}
    seeds, rate = range(300), 1e-3  # so small a rate that steps do not change the next gradient

    def mean_change(*data):
        fits = (
            make(**{**options, "random_state": s, "learning_rate": rate}).fit(*data) for s in seeds
        )
        starts = (TwoLayerNet(64, 3, 1, 0.5, loss="sigmoid", random_state=s) for s in seeds)
        return np.mean(
            [f.coefs_[1] - n.params["W2"] for f, n in zip(fits, starts, strict=True)], axis=0
        )

    weighted = mean_change(X, y, copies) / 6  # steps of an epoch
    repeated = mean_change(np.repeat(X, copies, axis=0), np.repeat(y, copies)) / 12
    plain = mean_change(X, y) / 6
    assert abs(weighted - repeated).max() < 0.02 * abs(repeated).max()
    assert abs(plain - repeated).max() > 0.1 * abs(repeated).max()


@pytest.mark.parametrize("solver", EVERY_SOLVER, ids=str)
@pytest.mark.parametrize("extra", ["", "early", "dropout", "weights"])
def test_float32_stays_float32_everywhere(solver, extra, rng):
    """Look at every array in every variable of the package while a fit runs, and at its memory."""
    if (solver, extra) == ("lbfgs", "dropout"):
        extra = "weights"
    X, y = rng.standard_normal((400, 23)).astype(np.float32), rng.randint(3, size=400)
    weight = rng.uniform(1, 2, size=400).astype(np.float32) if extra == "weights" else None
    clf = make(
        hidden_size=19,
        solver=solver,
        learning_rate=0.01,
        max_iter=2,
        batch_size=50,
        early_stopping=extra == "early",
        dropout=0.5 * (extra == "dropout"),
        alpha=0.1,
    )
    seen = set()

    def look(frame, event, arg):
        file = frame.f_code.co_filename
        if "sk_twolayer" not in file or "_data" in file:  # which checks weights in float64
            return None
        values = list(frame.f_locals.values())
        values += [v for o in values if hasattr(o, "__dict__") for v in vars(o).values()]
        for value in values:
            if isinstance(value, np.ndarray) and value.size >= 19 and value.dtype.kind == "f":
                seen.add((value.dtype.name, frame.f_code.co_name))
        return look

    before = sys.gettrace()  # that of coverage, for example
    sys.settrace(look)
    try:
        clf.fit(X, y, sample_weight=weight)
    finally:
        sys.settrace(before)
    assert {kind for kind, _ in seen} == {"float32"}, seen
    assert len(seen) > 10


@pytest.mark.parametrize("solver", EVERY_SOLVER, ids=str)
def test_float32_takes_half_the_memory(solver, rng):
    X, y = rng.standard_normal((300, 400)), rng.randint(3, size=300)

    def peak(X):
        clf = make(hidden_size=500, solver=solver, max_iter=2, batch_size=100)
        tracemalloc.start()
        clf.fit(X, y)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(X.astype(np.float32)) < 0.6 * peak(X)


@pytest.mark.parametrize("solver", EVERY_SOLVER, ids=str)
def test_float32_trains_as_float64_does(solver, digits):
    X, y = digits
    options = {"solver": solver, "learning_rate": 0.01, "max_iter": 5}
    single, double = make(**options).fit(X.astype(np.float32), y), make(**options).fit(X, y)
    assert_allclose(single.predict_proba(X), double.predict_proba(X), atol=2e-3)


def test_sparse_is_dense_for_lbfgs(digits):
    X, y = digits
    dense, sparse = (
        make(solver="lbfgs", max_iter=5).fit(c(X), y) for c in (np.asarray, sp.csr_array)
    )
    assert_array_equal(dense.predict(X), sparse.predict(X))
    assert_same(dense, sparse, rtol=0, atol=1e-9)
