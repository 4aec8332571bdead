"""The training loop and the optimizers, against MLPClassifier and the textbook's formulas."""

from itertools import islice

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from sk_twolayer import TwoLayerClassifier, TwoLayerNet
from sk_twolayer._training.batches import MAX_SLOTS
from sk_twolayer._training.state import Patience
from sk_twolayer.optimizers import LBFGS, SGD, Adam
from sk_twolayer.optimizers._registry import make_optimizer
from tests.helpers import epochs

SOLVERS = [SGD(), SGD(momentum=0.9), SGD(momentum=0.9, nesterov=True)]
ADAM = Adam(beta_1=0.8, beta_2=0.99, epsilon=1e-6)


class MLPFrom(MLPClassifier):
    """MLPClassifier that starts from given parameters."""

    def _init_coef(self, fan_in, fan_out, dtype):
        coef, intercept = next(self.start)
        assert coef.shape == (fan_in, fan_out)
        return coef.copy(), intercept.copy()


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", [*SOLVERS, ADAM], ids=str)
@pytest.mark.parametrize(("activation", "theirs"), [("relu", "relu"), ("sigmoid", "logistic")])
@pytest.mark.parametrize("data", ["digits", "cancer"])
@pytest.mark.parametrize("max_iter", [1, 3])
def test_from_the_same_start_mlpclassifier_ends_in_the_same_weights(
    solver, activation, theirs, data, max_iter, request
):
    X, y = request.getfixturevalue(data)
    options = {"batch_size": 64, "max_iter": max_iter, "shuffle": False, "alpha": 0.0}
    ours = TwoLayerClassifier(
        20,
        activation=activation,
        solver=solver,
        learning_rate=0.05,
        learning_rate_schedule="constant",
        tol=None,
        random_state=7,
        **options,
    ).fit(X, y)
    n_outputs = ours.n_outputs_
    start = TwoLayerNet(
        X.shape[1], 20, n_outputs, "auto", activation=activation, random_state=7
    ).params
    theirs_of = {"nesterov": "nesterovs_momentum"}
    mlp = MLPFrom(
        (20,),
        activation=theirs,
        solver=type(solver).__name__.lower(),
        learning_rate_init=0.05,
        **{theirs_of.get(name, name): value for name, value in solver.get_params().items()},
        **options,
    )
    mlp.start = iter([(start["W1"], start["b1"]), (start["W2"], start["b2"])])
    mlp.fit(X, y)
    assert len(X) % 64  # the last minibatch is a smaller one
    for one, other in zip(
        ours.coefs_ + ours.intercepts_, mlp.coefs_ + mlp.intercepts_, strict=True
    ):
        assert_allclose(one, other, rtol=1e-9, atol=1e-13)
    assert_allclose(ours.loss_curve_, mlp.loss_curve_, rtol=1e-9)
    # MLPClassifier computes 1 - p, which cancels for small probabilities; hence atol.
    assert_allclose(ours.predict_proba(X), mlp.predict_proba(X), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("solver", SOLVERS, ids=str)
def test_optimizers_follow_their_formulas(solver, rng):
    """The textbook's updates, on a bowl of which each point's gradient is known."""
    curvature = rng.uniform(0.5, 2, size=5)
    theta = rng.standard_normal(5)
    expected, velocity = theta.copy(), np.zeros(5)
    for _ in range(10):
        solver_step(solver, theta, curvature)
        g = curvature * expected
        velocity = solver.momentum * velocity - 0.1 * g
        expected = expected + (
            solver.momentum * velocity - 0.1 * g if solver.nesterov else velocity
        )
        assert_allclose(theta, expected, rtol=1e-12)


def test_adam_keeps_the_type_of_theta():
    theta, exact = np.ones(3, np.float32), np.ones(3)
    adam, reference = Adam(), Adam()
    for _ in range(3):
        solver_step(adam, theta, np.float32(2))
        solver_step(reference, exact, 2.0)
    assert {a.dtype for a in (theta, adam.mean_, adam.square_)} == {np.dtype(np.float32)}
    assert_allclose(theta, exact, rtol=1e-6)


def test_an_unknown_solver():
    with pytest.raises(ValueError, match=r"one of \['ada.*'lbfgs'.*'sgd'\].*got 'newton'"):
        make_optimizer("newton")


def solver_step(solver, theta, curvature):
    def add_gradient(into, *, scale, keep):
        assert into.dtype == theta.dtype
        into[:] = (0 if keep == 0 else keep * into) + scale * curvature * theta

    solver.step(theta, add_gradient, 0.1)


@pytest.mark.parametrize("solver", SOLVERS, ids=str)
def test_the_penalty_is_part_of_the_gradient(solver, rng):
    """With the penalty, one epoch equals steps along net.gradient, which is checked elsewhere."""
    X, t = rng.standard_normal((20, 4)), rng.randint(3, size=20)
    fast, slow = (TwoLayerNet(4, 5, 3, "auto", alpha=0.5, random_state=0) for _ in range(2))
    options = {"learning_rate": 0.2, "batch_size": 6, "shuffle": False, "random_state": None}
    optimizer = SGD(solver.momentum, solver.nesterov)
    list(islice(epochs(fast, optimizer, X, t, **options), 2))
    velocity = dict.fromkeys(slow.params, 0.0)
    for start in [0, 6, 12, 18] * 2:
        batch = slice(start, start + 6)
        for name, g in slow.gradient(X[batch], t[batch]).items():
            velocity[name] = solver.momentum * velocity[name] - 0.2 * g
            look_ahead = solver.momentum * velocity[name] - 0.2 * g
            slow.params[name] += look_ahead if solver.nesterov else velocity[name]
    assert_allclose(fast.theta, slow.theta, rtol=1e-10)


@pytest.mark.parametrize("n", [1, 7, 8])
@pytest.mark.parametrize("batch_size", [1, 3, 8])
@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sp.csr_matrix])
def test_an_epoch_takes_each_row_once(n, batch_size, container, monkeypatch):
    monkeypatch.setattr(
        "sk_twolayer._training.batches.MAX_GROUP_BYTES", 100
    )  # several groups per epoch
    X = np.arange(1.0, n + 1).reshape(n, 1) @ np.ones((1, 4))
    seen = []

    class Spy(SGD):
        def step(self, theta, add_gradient, learning_rate):
            layers = add_gradient.__self__.net.layers
            x = layers["Affine1"].x
            x = x.toarray() if sp.issparse(x) else x.copy()
            t = layers["Affine2"].dout.argmin(axis=1)  # y - t is negative there alone
            assert_array_equal(x[:, 0] - 1, t)
            seen.append(t)

    net = TwoLayerNet(4, 3, n, random_state=0)
    training = epochs(
        net,
        Spy(),
        container(X),
        np.arange(n),
        learning_rate=0.1,
        batch_size=batch_size,
        random_state=np.random.RandomState(0),
    )
    for _ in range(2):
        next(training)
        assert sorted(np.concatenate(seen)) == list(range(n))
        assert [len(t) for t in seen[:-1]] == [min(batch_size, n)] * (len(seen) - 1)
        order = np.concatenate(seen)
        seen.clear()
    if n > batch_size:
        assert list(order) != list(range(n))


def test_each_epoch_draws_a_fresh_permutation(rng):
    X, t = rng.standard_normal((64, 3)), rng.randint(2, size=64)
    orders = []

    class Spy(SGD):
        def step(self, theta, add_gradient, learning_rate):
            orders.append(add_gradient.__self__.net.layers["Affine1"].x.copy())

    net = TwoLayerNet(3, 2, 2, random_state=0)
    options = {"learning_rate": 0.1, "batch_size": 32, "random_state": rng}
    list(islice(epochs(net, Spy(), X, t, **options), 3))
    assert not np.array_equal(orders[0], orders[2])
    assert not np.array_equal(orders[2], orders[4])
    orders.clear()
    list(islice(epochs(net, Spy(), X, t, shuffle=False, **options), 2))
    assert_array_equal(np.concatenate(orders), np.concatenate([X, X]))


def test_the_epoch_loss_is_the_mean_over_rows(rng):
    X, t = rng.standard_normal((20, 4)), rng.randint(3, size=20)
    net = TwoLayerNet(4, 5, 3, "auto", random_state=0, alpha=1.0)
    expected = net.last_layer.forward(net.predict(X), t)

    class Still(SGD):
        def step(self, theta, add_gradient, learning_rate):
            pass

    training = epochs(net, Still(), X, t, learning_rate=1, batch_size=6, random_state=rng)
    epoch = next(training)
    assert_allclose(epoch.loss, expected)
    assert_allclose(epoch.objective, expected + net.penalty)
    assert net.penalty > 0.1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_divergence_is_an_error(dtype, rng):
    X, t = 1e3 * rng.standard_normal((50, 4)).astype(dtype), rng.randint(3, size=50)
    net = TwoLayerNet(4, 5, 3, "auto", activation="identity", dtype=dtype, random_state=0)
    training = epochs(net, SGD(), X, t, learning_rate=1e3, batch_size=5, random_state=rng)
    with pytest.raises(ValueError, match=r"diverged.*lower learning_rate \(now 1000\).*scale"):
        list(islice(training, 100))


def test_divergence_stops_where_the_losses_are_read(rng):
    steps = []

    class Leap(SGD):
        def step(self, theta, add_gradient, learning_rate):
            steps.append(None)
            theta[:] = np.inf if len(steps) == 3 else theta

    X, t = rng.standard_normal((500, 4)), rng.randint(3, size=500)
    net = TwoLayerNet(4, 5, 3, random_state=0)
    with pytest.raises(ValueError, match="the loss of a minibatch became nan in epoch 1"):
        next(epochs(net, Leap(), X, t, learning_rate=1, batch_size=5, random_state=rng))
    assert len(steps) == MAX_SLOTS < 100


@pytest.mark.parametrize(("rows", "labels", "batch_size"), [(0, 0, 1), (5, 4, 1), (5, 5, 0)])
def test_nothing_to_train_on(rows, labels, batch_size, rng):
    net = TwoLayerNet(4, 5, 3, random_state=0)
    X, t = np.ones((rows, 4)), np.zeros(labels, int)
    with pytest.raises(
        ValueError, match=f"{rows} rows, {labels} targets and {batch_size} rows per"
    ):
        next(epochs(net, SGD(), X, t, learning_rate=1, batch_size=batch_size, random_state=rng))


def test_a_last_step_to_infinity_is_seen(rng):
    class Leap(SGD):
        def step(self, theta, add_gradient, learning_rate):
            theta[0] = np.inf

    X, t = rng.standard_normal((5, 4)), rng.randint(3, size=5)
    net = TwoLayerNet(4, 5, 3, random_state=0)
    with pytest.raises(ValueError, match="sum of squared parameters became inf"):
        next(epochs(net, Leap(), X, t, learning_rate=1, batch_size=5, random_state=rng))


@pytest.mark.parametrize("k", [1, 2, 5])
def test_n_iter_no_change_means_what_it_says(k):
    rule = Patience(tol=0.0, n_iter_no_change=k)
    falling = [rule.should_stop(loss) for loss in (3.0, 2.0, 1.0)]
    assert falling == [False] * 3
    assert [rule.should_stop(1.0) for _ in range(k)] == [False] * (k - 1) + [True]


def test_small_falls_count_as_no_change_and_a_rise_is_no_best():
    rule = Patience(tol=0.1, n_iter_no_change=2)
    assert not rule.should_stop(1.0)
    assert not rule.should_stop(0.95)
    assert not rule.should_stop(0.8)  # resets the count
    assert not rule.should_stop(2.0)
    assert rule.should_stop(0.75)


def test_without_a_tolerance_training_never_stops():
    rule = Patience(tol=None, n_iter_no_change=1)
    assert not any(rule.should_stop(loss) for loss in (1.0, 1.0, 2.0, 1e9))


class TestTheEndOfTraining:
    @pytest.mark.parametrize("schedule", ["constant", "invscaling"])
    def test_training_does_not_end_within_a_spike_of_the_loss(self, schedule, digits):
        """The loss is high from epoch 12 to 20, and no epoch improves on the best one."""

        class Spiky(SGD):
            n_calls_ = 0

            def step(self, theta, add_gradient, learning_rate):
                if self.n_calls_ == 0:
                    self.good_ = theta.copy()
                self.n_calls_ += 1
                theta[:] = -10 * self.good_ if 12 <= self.n_calls_ < 20 else self.good_

        clf = TwoLayerClassifier(
            5,
            solver=Spiky(),
            learning_rate_schedule=schedule,
            batch_size="full",
            n_iter_no_change=12,
            max_iter=100,
            random_state=0,
        ).fit(*digits)
        assert clf.n_iter_ > 20
        assert clf.loss_ == pytest.approx(clf.best_loss_)

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_a_cosine_is_completed_without_improvement(self, digits):
        options = {"learning_rate_schedule": "cosine", "tol": 10.0, "n_iter_no_change": 1}
        clf = TwoLayerClassifier(5, max_iter=7, random_state=0, **options)
        assert clf.fit(*digits).n_iter_ == 7
        assert clf.set_params(early_stopping=True).fit(*digits).n_iter_ < 7

    def test_it_warns_where_max_iter_cuts_the_automatic_number_of_epochs(self, digits):
        clf = TwoLayerClassifier(5, max_iter=4, random_state=0)
        with pytest.warns(ConvergenceWarning, match=r"epochs \(4\).*Increase max_iter"):
            clf.fit(*digits)
        with pytest.warns(ConvergenceWarning, match=r"epochs \(4\).*Increase max_iter"):
            clf.set_params(learning_rate_schedule="cosine").fit(*digits)
        clf.set_params(tol=None).fit(*digits)  # asked for: no warning

    def test_it_warns_where_the_loss_falls_in_the_second_half(self, digits):
        class Late(SGD):
            n_calls_ = 0

            def step(self, theta, add_gradient, learning_rate):
                self.n_calls_ += 1
                if self.n_calls_ > 1300:  # of 66 epochs of 33 steps
                    add_gradient(theta, scale=-0.1, keep=1)

        clf = TwoLayerClassifier(5, solver=Late(), random_state=0)
        with pytest.warns(ConvergenceWarning, match='learning_rate_schedule="cosine"'):
            clf.fit(*digits)


class TestLBFGSAtItsEndAtOnce:
    @pytest.mark.parametrize("solver", [LBFGS(gtol=100.0), LBFGS(max_fun=1)], ids=str)
    def test_the_loss_of_the_start_is_recorded(self, solver, digits):
        clf = TwoLayerClassifier(5, solver=solver, alpha=0.0, tol=None, random_state=0).fit(*digits)
        assert clf.loss_curve_ == [clf.loss_]
        assert clf.loss_ == pytest.approx(log_loss(digits[1], clf.predict_proba(digits[0])))

    def test_constant_balanced_data(self):
        X, y = np.ones((40, 3)), np.arange(40) % 2
        clf = TwoLayerClassifier(5, solver="lbfgs", weight_init_std=1e-9, random_state=0).fit(X, y)
        assert clf.loss_ == pytest.approx(np.log(2))

    @pytest.mark.filterwarnings("ignore:column .* of X is not scaled")
    @pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 1e20), (np.float64, 1e200)])
    def test_rows_whose_gradient_overflows_are_refused(self, dtype, scale, digits):
        X = (scale * digits[0]).astype(dtype)
        with pytest.raises(ValueError, match=r"diverged.*scale the columns of X"):
            TwoLayerClassifier(5, solver="lbfgs", random_state=0).fit(X, digits[1])


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"weight_init_std": 1e30}, "lower weight_init_std"),
        ({"alpha": 1e30, "learning_rate": 0.1}, "lower alpha"),
        ({"learning_rate": 1e30}, "lower learning_rate"),
    ],
    ids=str,
)
def test_a_divergence_is_blamed_on_its_cause(options, advice, digits):
    X = digits[0].astype(np.float32)
    clf = TwoLayerClassifier(5, activation="identity", solver="sgd", random_state=0, **options)
    with pytest.raises(ValueError, match=f"diverged.*To avoid this, {advice}"):
        clf.fit(X, digits[1])
