"""The net: every gradient against the numerical one, and the contracts of its memory."""

import copy
import pickle
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sk_twolayer import TwoLayerNet
from sk_twolayer.gradient_check import check_gradients, numerical_gradient
from sk_twolayer.layers import Relu
from sk_twolayer.layers._registry import ACTIVATIONS

BATCH, INPUTS, HIDDEN, OUTPUTS = 7, 5, 6, 3


@pytest.fixture
def x(rng):
    return rng.standard_normal((BATCH, INPUTS))


def targets(kind):
    rng = np.random.RandomState(1)
    return {
        "labels": rng.randint(OUTPUTS, size=BATCH),
        "one-hot": np.eye(OUTPUTS)[rng.randint(OUTPUTS, size=BATCH)],
        "yes-no": rng.randint(2, size=(BATCH, OUTPUTS)),
    }[kind]


def make_net(**options):
    return TwoLayerNet(
        INPUTS, HIDDEN, OUTPUTS, **{"weight_init_std": 0.5, "random_state": 0, **options}
    )


def largest_difference(one, other):
    assert sorted(one) == sorted(other) == ["W1", "W2", "b1", "b2"]
    return max(np.abs(one[name] - other[name]).max() for name in one)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    ("loss", "target"), [("softmax", "labels"), ("softmax", "one-hot"), ("sigmoid", "yes-no")]
)
@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sp.csr_array])
def test_gradient_is_the_numerical_gradient(
    activation, loss, target, alpha, weighted, dropout, container, x
):
    net = make_net(activation=activation, loss=loss, alpha=alpha, dropout=dropout)
    net.draw_dropout(np.random.RandomState(1))
    sample_weight = np.linspace(0, 2, BATCH) if weighted else None
    x, t = container(x), targets(target)
    numerical = net.numerical_gradient(x, t, sample_weight)
    assert largest_difference(net.gradient(x, t, sample_weight), numerical) < 1e-7
    assert min(np.abs(gradient).max() for gradient in numerical.values()) > 1e-3


def test_dropout_is_of_training_only(x):
    net, whole = make_net(dropout=0.5), make_net()
    assert_array_equal(net.forward(x), whole.predict(x))  # nothing is left out before a draw
    net.draw_dropout(np.random.RandomState(1))
    assert list(net.layers) == ["Affine1", "Relu", "Dropout", "Affine2"]
    kept = net.layers["Dropout"].factors > 0
    assert 0 < kept.sum() < HIDDEN
    hidden = np.maximum(x @ net.params["W1"] + net.params["b1"], 0)
    expected = hidden[:, kept] / 0.5 @ net.params["W2"][kept] + net.params["b2"]
    assert_allclose(net.forward(x), expected)
    assert_array_equal(net.predict(x), whole.predict(x))
    assert not net.gradient(x, targets("labels"))["W1"][:, ~kept].any()


def test_check_gradients_finds_a_wrong_layer(x, monkeypatch):
    net = make_net()
    assert max(check_gradients(net, x, targets("labels")).values()) < 1e-7
    monkeypatch.setattr(Relu, "backward", lambda self, dout, out=None: dout)
    differences = check_gradients(net, x, targets("labels"))
    assert differences["W1"] > 1e-3
    assert differences["W2"] < 1e-7


def test_numerical_gradient_restores_bit_for_bit(x):
    before = x.copy()
    numerical_gradient(lambda x: float((x**3).sum()), x)
    assert_array_equal(x, before)

    def fails(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        numerical_gradient(fails, x)
    assert_array_equal(x, before)


@pytest.mark.parametrize("dtype", [np.float32, int])
def test_numerical_gradient_wants_float64(dtype):
    with pytest.raises(ValueError, match="needs float64"):
        numerical_gradient(lambda x: float(x.sum()), np.ones(3, dtype))


def test_one_vector_with_named_views(x):
    net = make_net(weight_init_std=0.01)
    assert {name: view.shape for name, view in net.params.items()} == {
        "W1": (INPUTS, HIDDEN),
        "W2": (HIDDEN, OUTPUTS),
        "b1": (HIDDEN,),
        "b2": (OUTPUTS,),
    }
    assert_array_equal(np.concatenate([v.ravel() for v in net.params.values()]), net.theta)
    assert all(np.shares_memory(view, net.theta) for view in net.params.values())
    assert net.layers["Affine1"].W is net.params["W1"]
    assert list(net.layers) == ["Affine1", "Relu", "Affine2"]
    assert len(net.params) == 4
    assert "W1" in repr(net.params)


def test_the_textbooks_update_changes_the_net(x):
    net, t = make_net(), targets("labels")
    gradient, theta = net.gradient(x, t), net.theta.copy()
    for name in ("W1", "b1", "W2", "b2"):
        net.params[name] -= 0.1 * gradient[name]
    assert net.loss(x, t) < make_net().loss(x, t)
    for name in ("W1", "b1", "W2", "b2"):
        net.params[name] = net.params[name] + 0.1 * gradient[name]
    assert_allclose(net.theta, theta)


def test_parameters_cannot_change_shape_or_vanish():
    net = make_net()
    with pytest.raises(ValueError, match=r"W1 has shape \(5, 6\).*\(6,\)"):
        net.params["W1"] = np.ones(6)
    with pytest.raises(TypeError, match="cannot lose its b1"):
        del net.params["b1"]
    with pytest.raises(KeyError):
        net.params["W3"] = 0


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize(("scale", "keep"), [(1, 1), (-0.1, 1), (2, 0), (-0.1, 0.9)])
@pytest.mark.parametrize("where", ["theta", "elsewhere"])
def test_add_gradient_is_an_action(alpha, scale, keep, where, x):
    net, t = make_net(alpha=alpha), targets("labels")
    gradient = np.concatenate([part.ravel() for part in net.gradient(x, t).values()])
    into = net.theta if where == "theta" else np.arange(float(net.theta.size))
    expected = keep * into + scale * gradient
    net.loss(x, t)
    net.backward()
    net.add_gradient(into, scale=scale, keep=keep)
    assert_allclose(into, expected, atol=1e-12)


def test_keep_zero_overwrites_nan(x):
    net = make_net(alpha=0.3)
    net.gradient(x, targets("labels"))
    into = np.full_like(net.theta, np.nan)
    net.add_gradient(into, keep=0)
    assert np.isfinite(into).all()


def test_nothing_is_sent_upstream_of_the_first_layer(x, monkeypatch):
    net, t = make_net(), targets("labels")
    expected = net.gradient(x, t)

    def fails(*args, **kwargs):
        raise AssertionError("the first layer's dx was computed")

    monkeypatch.setattr(net.layers["Affine1"], "backward", fails)
    assert largest_difference(net.gradient(x, t), expected) == 0


@pytest.mark.parametrize(("activation", "loss"), list(product(ACTIVATIONS, ["softmax", "sigmoid"])))
def test_float32_all_the_way(activation, loss, x):
    options = {"activation": activation, "loss": loss, "alpha": 0.1}
    t = targets("one-hot")
    single, double = make_net(dtype=np.float32, **options), make_net(**options)
    assert_allclose(single.theta, double.theta, rtol=1e-6)
    x32 = x.astype(np.float32)
    assert single.predict(x32).dtype == np.float32
    gradient = single.gradient(x32, t)
    assert {part.dtype for part in gradient.values()} == {np.dtype(np.float32)}
    assert largest_difference(gradient, double.gradient(x, t)) < 1e-6
    with pytest.raises(ValueError, match="needs float64"):
        single.numerical_gradient(x32, t)


def test_loss_is_the_mean_plus_the_penalty(x):
    t = targets("labels")
    plain, penalised = make_net(), make_net(alpha=0.3)
    W = np.concatenate([plain.params["W1"].ravel(), plain.params["W2"].ravel()])
    assert_allclose(penalised.loss(x, t), plain.loss(x, t) + 0.15 * (W**2).sum())


@pytest.mark.parametrize(
    ("activation", "std1", "std2"),
    [
        ("relu", np.sqrt(2 / 300), np.sqrt(2 / 400)),
        ("tanh", np.sqrt(2 / 700), np.sqrt(2 / 600)),
        ("sigmoid", np.sqrt(2 / 700), np.sqrt(2 / 600)),
        ("identity", np.sqrt(2 / 700), np.sqrt(2 / 600)),
    ],
)
def test_auto_start(activation, std1, std2):
    net = TwoLayerNet(300, 400, 200, "auto", activation=activation, random_state=0)
    assert_allclose(net.params["W1"].std(), std1, rtol=0.01)
    assert_allclose(net.params["W2"].std(), std2, rtol=0.01)
    assert not net.params["b1"].any()
    assert not net.params["b2"].any()


def test_default_start_is_the_textbooks():
    net = TwoLayerNet(300, 400, 200, random_state=0)
    assert_allclose(net.params["W1"].std(), 0.01, rtol=0.01)
    assert_array_equal(net.theta, TwoLayerNet(300, 400, 200, random_state=0).theta)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_is_a_net_of_its_own_that_trains(copied, x):
    net, t = make_net(alpha=0.1, activation="tanh"), targets("labels")
    net.gradient(x, t)
    assert x.tobytes() not in pickle.dumps(net)
    other = copied(net)
    assert not np.shares_memory(other.theta, net.theta)
    for twin in (net, other):
        twin.gradient(x, t)
        twin.add_gradient(twin.theta, scale=-0.1)
    assert_array_equal(other.theta, net.theta)
    assert other.loss(x, t) == net.loss(x, t) < make_net(alpha=0.1, activation="tanh").loss(x, t)


def test_theta_cannot_be_replaced():
    net = make_net()
    with pytest.raises(AttributeError):
        net.theta = np.zeros_like(net.theta)


@pytest.mark.parametrize("shape", [(INPUTS,), (1, INPUTS), (BATCH, INPUTS, 1)])
def test_gradient_of_one_row_and_of_images(shape, rng):
    x = rng.standard_normal(shape)
    net, t = make_net(), np.array(1 if x.ndim == 1 else [1] * len(x))
    assert largest_difference(net.gradient(x, t), net.numerical_gradient(x, t)) < 1e-7


def test_one_row_and_images(x):
    net = make_net()
    assert net.accuracy(x[0], net.predict(x[0]).argmax()) == 1
    assert_allclose(net.predict(x[0]), net.predict(x)[0])
    assert_allclose(net.loss(x[0], 1), net.loss(x[:1], np.array([1])))
    assert_allclose(net.predict(x.reshape(BATCH, INPUTS, 1)), net.predict(x))


def test_accuracy(x):
    net = make_net()
    labels = net.predict(x).argmax(axis=1)
    assert net.accuracy(x, labels) == 1
    assert net.accuracy(x, (labels + 1) % OUTPUTS) == 0
    assert net.accuracy(x, np.eye(OUTPUTS)[labels]) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "swish"}, r"activation must be one of \['elu', .*got 'swish'"),
        ({"loss": "hinge"}, r"loss must be one of \['sigmoid', 'softmax'\].*got 'hinge'"),
        ({"dtype": int}, r"dtype must be one of \['float32', 'float64'\], got 'int64'"),
        ({"weight_init_std": "he"}, r"weight_init_std must be a number or 'auto', got 'he'"),
    ],
)
def test_unknown_options(options, message):
    with pytest.raises(ValueError, match=message):
        make_net(**options)


def test_sizes_below_one():
    with pytest.raises(ValueError, match="hidden_size must be at least 1, got 0"):
        TwoLayerNet(2, 0, 2)
