"""Losses and solvers that users write, as the documentation shows them; and AdamW."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sk_twolayer import TwoLayerClassifier, TwoLayerNet
from sk_twolayer.gradient_check import check_gradients
from sk_twolayer.losses import SoftmaxWithLoss, softmax
from sk_twolayer.optimizers import SGD, AdamW, Optimizer
from tests.helpers import epochs


class Lion(Optimizer):
    def __init__(self, beta_1=0.9, beta_2=0.99):
        self.beta_1, self.beta_2 = beta_1, beta_2

    def default_learning_rate(self, inputs_per_row, hidden_size, *, decays):
        return 0.0005

    def step(self, theta, add_gradient, learning_rate):
        if not hasattr(self, "mean_"):
            self.mean_ = np.zeros_like(theta)
        gradient = np.empty_like(theta)
        add_gradient(gradient, scale=1, keep=0)
        theta -= learning_rate * np.sign(self.beta_1 * self.mean_ + (1 - self.beta_1) * gradient)
        self.mean_ += (1 - self.beta_2) * (gradient - self.mean_)


class SmoothedLoss(SoftmaxWithLoss):
    def __init__(self, smoothing=0.1):
        self.smoothing = smoothing

    def encode_targets(self, t, out):
        super().encode_targets(t, out)
        out *= 1 - self.smoothing
        out += self.smoothing / out.shape[-1]
        return out


class FocalLoss(SoftmaxWithLoss):
    def __init__(self, gamma=2.0):
        self.gamma = gamma

    def forward(self, x, t, sample_weight=None, out=None):
        super().forward(x, t)
        self.p = (self.y * self.t).sum(axis=1)
        return float(-((1 - self.p) ** self.gamma * np.log(self.p)).mean())

    def backward(self, dout=1.0, out=None):
        p, gamma = self.p, self.gamma
        slope = (1 - p) ** gamma - gamma * p * (1 - p) ** (gamma - 1) * np.log(p)
        return dout * slope[:, np.newaxis] * (self.y - self.t) / len(p)


class TestSolvers:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_lion_takes_the_steps_of_its_formula(self, dtype, rng):
        theta = rng.standard_normal(7).astype(dtype)
        expected, m, lion = theta.astype(float), np.zeros(7), Lion()
        curvature = np.linspace(0.5, 2, 7)

        def add_gradient(into, *, scale, keep):
            into[:] = keep * into + scale * (curvature * theta).astype(dtype)

        for _ in range(5):
            g = curvature * expected
            expected -= 0.01 * np.sign(0.9 * m + 0.1 * g)
            m = 0.99 * m + 0.01 * g
            lion.step(theta, add_gradient, 0.01)
        assert theta.dtype == dtype
        assert_allclose(theta, expected, rtol=1e-5)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_lion_trains_the_classifier(self, dtype, digits):
        X, y = digits[0].astype(dtype), digits[1]
        clf = TwoLayerClassifier(64, solver=Lion(), random_state=0).fit(X[:1200], y[:1200])
        assert clf.coefs_[0].dtype == dtype
        assert clf.score(X[1200:], y[1200:]) > 0.92
        parts = clone(clf)
        for _ in range(10):
            parts.partial_fit(X[:1200], y[:1200], classes=np.arange(10))
        assert parts.score(X[1200:], y[1200:]) > 0.75
        grid = {"solver__beta_2": [0.9, 0.99]}
        search = GridSearchCV(clone(clf).set_params(max_iter=2, tol=None), grid, cv=2).fit(X, y)
        assert search.best_estimator_.solver.beta_2 in grid["solver__beta_2"]

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_adamw_takes_the_steps_of_its_formula(self, dtype, rng):
        theta, rate, decay = rng.standard_normal(7).astype(dtype), 0.01, 0.3
        expected, m, v = theta.astype(float), np.zeros(7), np.zeros(7)
        curvature, adam = np.linspace(0.5, 2, 7), AdamW(weight_decay=decay)

        def add_gradient(into, *, scale, keep):
            into[:] = keep * into + scale * (curvature * theta).astype(dtype)

        for k in range(1, 6):  # algorithm 2 of Loshchilov and Hutter
            g = curvature * expected
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            m_hat, v_hat = m / (1 - 0.9**k), v / (1 - 0.999**k)
            expected = expected - rate * (m_hat / (np.sqrt(v_hat) + 1e-8) + decay * expected)
            adam.step(theta, add_gradient, rate)
        assert theta.dtype == dtype
        assert_allclose(theta, expected, rtol=1e-4)

    def test_decoupled_decay_is_in_addition_to_the_penalty(self, digits):
        X, y = digits
        options = {"max_iter": 3, "tol": None, "random_state": 0}
        sizes = {}
        for alpha in (0.0, "auto"):
            for decay in (0.0, 0.5):
                clf = TwoLayerClassifier(
                    20, solver=AdamW(weight_decay=decay), alpha=alpha, **options
                )
                clf.fit(X, y)
                sizes[alpha, decay] = sum((W**2).sum() for W in clf.coefs_)
                assert (clf.alpha_ > 0) == (alpha == "auto")
        assert sizes[0.0, 0.5] < sizes[0.0, 0.0]
        assert sizes["auto", 0.5] < sizes[0.0, 0.5]

    @pytest.mark.parametrize("value", [-0.1, np.nan, "0.1"])
    def test_a_decay_out_of_range_is_refused(self, value):
        with pytest.raises(ValueError, match="'weight_decay' parameter of AdamW"):
            TwoLayerClassifier(solver=AdamW(weight_decay=value)).fit(np.eye(2), [0, 1])


class TestLosses:
    @pytest.mark.parametrize("loss", [SmoothedLoss(0.2), FocalLoss(), FocalLoss(0.5)])
    def test_gradients_of_the_loss_and_of_a_net(self, loss, rng):
        assert check_gradients(loss)["x"] < 1e-7
        net = TwoLayerNet(4, 5, 3, weight_init_std=1.0, activation="tanh", loss=loss)
        x, t = rng.standard_normal((6, 4)), np.array([0, 1, 2, 0, 1, 2])
        assert max(check_gradients(net, x, t, tol=1e-6).values()) < 1e-7
        assert type(net.last_layer) is type(loss)
        assert vars(net.last_layer).items() >= vars(type(loss)(*vars(loss).values())).items()

    def test_the_values_of_the_losses(self, rng):
        x, t = rng.standard_normal((6, 3)), np.array([0, 1, 2, 0, 1, 2])
        p = softmax(x)
        right = p[np.arange(6), t]
        smoothed = 0.9 * np.log(right) + 0.1 * np.log(p).mean(axis=1)
        assert_allclose(SmoothedLoss(0.1).forward(x, t), -smoothed.mean())
        assert_allclose(FocalLoss().forward(x, t), -((1 - right) ** 2 * np.log(right)).mean())
        plain = SoftmaxWithLoss().forward(x, t)
        assert_allclose([SmoothedLoss(0.0).forward(x, t), FocalLoss(0.0).forward(x, t)], plain)

    @pytest.mark.parametrize("loss", [SmoothedLoss, SmoothedLoss(0.3), FocalLoss()])
    def test_a_net_learns_with_it(self, loss, digits):
        X, t = digits
        net = TwoLayerNet(64, 30, 10, weight_init_std="auto", loss=loss, random_state=0)
        optimizer, rng = SGD(momentum=0.9), np.random.RandomState(0)
        for _ in range(300):
            batch = rng.choice(1200, 100)
            net.loss(X[batch], t[batch])
            net.backward()
            optimizer.step(net.theta, net.add_gradient, learning_rate=0.1)
        assert net.accuracy(X[1200:], t[1200:]) > 0.9

    def test_training_keeps_the_options_of_a_loss(self, digits):
        X, t = digits[0][:200], digits[1][:200]
        net = TwoLayerNet(64, 5, 10, loss=SmoothedLoss(0.5), random_state=0)
        run = epochs(
            net, SGD(), X, t, learning_rate=1e-12, batch_size=50,
            random_state=np.random.RandomState(0),
        )  # fmt: skip
        assert_allclose(next(run).loss, net.loss(X, t), rtol=1e-6)
