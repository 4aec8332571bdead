"""The net: gradients against numerical ones, views of its parameters, copies, error messages."""

import copy
import pickle
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sk_twolayer import TwoLayerNet
from sk_twolayer.gradient_check import check_gradients, numerical_gradient
from sk_twolayer.layers import Affine, Dropout, Identity, LeakyRelu, Relu, Tanh
from sk_twolayer.layers._registry import ACTIVATIONS
from sk_twolayer.losses import SigmoidWithLoss, SoftmaxWithLoss
from tests.helpers import MyAffine, MySoftplus, pairwise, without_address

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


LOSSES = [("softmax", "labels"), ("softmax", "one-hot"), ("sigmoid", "yes-no")]
CONTAINERS = [np.asarray, np.asfortranarray, sp.csr_array]


@pytest.mark.parametrize(
    ("activation", "loss_and_target", "alpha", "weighted", "dropout", "container"),
    pairwise(ACTIVATIONS, LOSSES, [0.0, 0.3], [False, True], [0.0, 0.5], CONTAINERS),
)
def test_gradient_is_the_numerical_gradient(
    activation, loss_and_target, alpha, weighted, dropout, container, x
):
    loss, target = loss_and_target
    net = make_net(activation=activation, loss=loss, alpha=alpha, dropout=dropout)
    net.draw_dropout(np.random.RandomState(1))
    sample_weight = np.linspace(0, 2, BATCH) if weighted else None
    x, t = container(x), targets(target)
    numerical = net.numerical_gradient(x, t, sample_weight)
    assert largest_difference(net.gradient(x, t, sample_weight), numerical) < 1e-7
    assert min(np.abs(gradient).max() for gradient in numerical.values()) > 1e-3


def test_dropout_applies_to_training_only(x):
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


def test_numerical_gradient_restores_parameters_exactly(x):
    before = x.copy()
    numerical_gradient(lambda x: float((x**3).sum()), x)
    assert_array_equal(x, before)

    def fails(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        numerical_gradient(fails, x)
    assert_array_equal(x, before)


@pytest.mark.parametrize("dtype", [np.float32, int])
def test_numerical_gradient_requires_float64(dtype):
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


def test_parameters_cannot_change_shape_or_be_deleted():
    net = make_net()
    with pytest.raises(ValueError, match=r"W1 has shape \(5, 6\).*\(6,\)"):
        net.params["W1"] = np.ones(6)
    with pytest.raises(TypeError, match="b1 cannot be deleted"):
        del net.params["b1"]
    with pytest.raises(KeyError):
        net.params["W3"] = 0


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize(("scale", "keep"), [(1, 1), (-0.1, 1), (2, 0), (-0.1, 0.9)])
@pytest.mark.parametrize("where", ["theta", "elsewhere"])
def test_add_gradient_adds_in_place(alpha, scale, keep, where, x):
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


def test_the_gradient_of_the_input_is_not_computed(x, monkeypatch):
    net, t = make_net(), targets("labels")
    expected = net.gradient(x, t)

    def fails(*args, **kwargs):
        raise AssertionError("the first layer's dx was computed")

    monkeypatch.setattr(net.layers["Affine1"], "backward", fails)
    assert largest_difference(net.gradient(x, t), expected) == 0


@pytest.mark.parametrize(("activation", "loss"), list(product(ACTIVATIONS, ["softmax", "sigmoid"])))
def test_float32_throughout(activation, loss, x):
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
        (name, np.sqrt(2 / 700), np.sqrt(2 / 600))
        if name in ("sigmoid", "tanh", "identity")
        else (name, np.sqrt(2 / 300), np.sqrt(2 / 400))
        for name in ACTIVATIONS
    ],
)
def test_auto_start(activation, std1, std2):
    net = TwoLayerNet(300, 400, 200, "auto", activation=activation, random_state=0)
    assert_allclose(net.params["W1"].std(), std1, rtol=0.01)
    assert_allclose(net.params["W2"].std(), std2, rtol=0.01)
    assert not net.params["b1"].any()
    assert not net.params["b2"].any()


def test_default_initialization_is_the_textbooks():
    net = TwoLayerNet(300, 400, 200, random_state=0)
    assert_allclose(net.params["W1"].std(), 0.01, rtol=0.01)
    assert_array_equal(net.theta, TwoLayerNet(300, 400, 200, random_state=0).theta)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_are_independent_and_can_be_trained(copied, x):
    net, t = make_net(alpha=0.1, activation="tanh"), targets("labels")
    net.gradient(x, t)
    assert x.tobytes() not in pickle.dumps(net)
    other = copied(net)
    assert not np.shares_memory(other.theta, net.theta)
    for one in (net, other):
        one.gradient(x, t)
        one.add_gradient(one.theta, scale=-0.1)
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


@pytest.mark.parametrize("changed", [0.0, 0.3, 1])
def test_alpha_that_is_changed_takes_effect(changed, x):
    t = targets("labels")
    net, expected = make_net(alpha=0.7), make_net(alpha=changed)
    net.gradient(x, t)
    net.alpha = changed
    for one in (net, copy.deepcopy(net), copy.copy(net)):
        assert one.alpha == changed
        assert one.loss(x, t) == expected.loss(x, t)
        assert largest_difference(one.gradient(x, t), expected.gradient(x, t)) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("alpha", value) for value in (-1, np.nan, np.inf, "1", None, True, [1.0])),
        *(("weight_init_std", value) for value in (-1, np.nan, np.inf, "he", None, True)),
        *(("hidden_size", value) for value in (3.0, 0, -1, True, "3", None, np.nan)),
        *(("dropout", value) for value in (-0.1, 1, np.nan, "0.5", None, True)),
        *(("dtype", value) for value in (int, np.float16, "complex128", object)),
        *(("loss", value) for value in ("hinge", None, 3, np.mean, Relu(), ["softmax"])),
        *(("activation", value) for value in ("swish", "", None, 3, np.tanh, ["relu"], "Relu")),
    ],
    ids=without_address,
)
def test_a_parameter_that_cannot_be_used_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}|^a {name}"):
        TwoLayerNet(**{"input_size": 2, "hidden_size": 3, "output_size": 2, name: value})


@pytest.mark.parametrize("name", ["input_size", "output_size"])
def test_every_size_is_checked(name):
    with pytest.raises(ValueError, match=f"{name} must be an integer, got 2.5"):
        TwoLayerNet(**{"input_size": 2, "hidden_size": 3, "output_size": 2, name: 2.5})


@pytest.mark.parametrize("value", [-1, np.nan, "1"])
def test_alpha_is_checked_when_it_is_changed(value):
    net = make_net(alpha=0.5)
    with pytest.raises(ValueError, match="alpha must be"):
        net.alpha = value
    assert net.alpha == 0.5


def test_numpy_numbers_are_parameters(x):
    sizes = np.array([INPUTS, HIDDEN, OUTPUTS])
    options = {"alpha": np.float32(0.5), "dropout": np.float64(0), "random_state": 0}
    net = TwoLayerNet(*sizes, np.float64(0.5), dtype=">f8", **options)
    assert_array_equal(net.theta, make_net(alpha=0.5).theta)
    assert net.theta.dtype == np.float64  # the byte order that BLAS knows
    assert net.loss(x, targets("labels")) == make_net(alpha=0.5).loss(x, targets("labels"))


def test_lists_and_integers(rng):
    x, t = rng.randint(-3, 4, size=(BATCH, INPUTS)), targets("labels")
    net = make_net(weight_init_std=1.0, alpha=0.1)
    expected = net.gradient(x.astype(float), t)
    for given in (x.tolist(), x, x.astype(np.int8)):
        for given_t in (t.tolist(), t):
            assert largest_difference(net.gradient(given, given_t), expected) < 1e-12
            assert net.loss(given, given_t) == net.loss(x.astype(float), t)
            assert net.accuracy(given, given_t) == net.accuracy(x, t)
            assert max(check_gradients(net, given, given_t).values()) < 1e-7
    assert_allclose(net.predict(x[0].tolist()), net.predict(x)[0])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize(
    "predict",
    [
        lambda net, x: net.predict(x),
        lambda net, x: net.accuracy(x, np.zeros(len(x), int)),
        lambda net, x: (repr(net), net.penalty),
        lambda net, x: copy.deepcopy(net).loss(x, np.zeros(len(x), int)),
        lambda net, x: copy.copy(net).loss(x, np.zeros(len(x), int)),
    ],
)
def test_backward_after_predictions_belongs_to_the_last_loss(activation, dropout, predict, x, rng):
    net, t = make_net(activation=activation, dropout=dropout), targets("labels")
    net.draw_dropout(np.random.RandomState(1))
    expected = net.gradient(x, t)
    for other in (rng.standard_normal((BATCH, INPUTS)), rng.standard_normal((2, INPUTS))):
        net.loss(x, t)
        predict(net, other)
        net.backward()
        into = np.empty_like(net.theta)
        net.add_gradient(into, keep=0)
        assert_array_equal(into, np.concatenate([part.ravel() for part in expected.values()]))


@pytest.mark.parametrize(
    "disturb",
    [
        lambda net, x, t: net.forward(x),
        lambda net, x, t: net.numerical_gradient(x, t),
        lambda net, x, t: setattr(net, "last_layer", SoftmaxWithLoss()),
    ],
)
def test_backward_without_the_loss_of_these_rows_is_refused(disturb, x):
    net, t = make_net(), targets("labels")
    with pytest.raises(RuntimeError, match=r"call loss\(x, t\)"):
        net.backward()
    net.loss(x, t)
    disturb(net, x[::-1], t)
    with pytest.raises(RuntimeError, match=r"call loss\(x, t\)"):
        net.backward()


def test_weights_that_are_assigned_to_a_layer_are_those_of_the_net(x, rng):
    net, W = make_net(), rng.standard_normal((INPUTS, HIDDEN))
    net.layers["Affine1"].W = W
    net.layers["Affine2"].b = [1, 2, 3]
    assert_array_equal(net.params["W1"], W)
    assert_array_equal(net.params["b2"], [1, 2, 3])
    assert net.layers["Affine1"].W is net.params["W1"]
    assert (
        largest_difference(
            *(f(x, targets("labels")) for f in (net.gradient, net.numerical_gradient))
        )
        < 1e-7
    )


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))]
)
def test_copies_keep_layers_that_were_replaced(copied, x):
    net, t = make_net(alpha=0.1), targets("labels")
    net.layers["Relu"] = MySoftplus()
    for i in "12":
        net.layers[f"Affine{i}"] = MyAffine(net.params[f"W{i}"], net.params[f"b{i}"])
    net.last_layer = SigmoidWithLoss()
    t = np.eye(OUTPUTS)[t]
    assert largest_difference(net.gradient(x, t), net.numerical_gradient(x, t)) < 1e-7
    other = copied(net)
    assert [type(layer) for layer in other.layers.values()] == [MyAffine, MySoftplus, MyAffine]
    assert type(other.last_layer) is SigmoidWithLoss
    assert other.layers["Affine1"].W is other.params["W1"]
    assert other.layers["Relu"] is not net.layers["Relu"]
    other.params["W1"] += 0.1
    assert_array_equal(other.predict(x) == net.predict(x), copied is copy.copy)
    assert largest_difference(other.gradient(x, t), other.numerical_gradient(x, t)) < 1e-7
    assert x.tobytes() not in pickle.dumps(make_net(activation="gelu"))


def test_copies_keep_an_activation_with_parameters(x):
    net = make_net(activation=LeakyRelu(slope=0.7))
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), copy.copy(net)):
        assert repr(other.layers["LeakyRelu"]) == "LeakyRelu(slope=0.7)"
        assert_array_equal(other.predict(x), net.predict(x))


@pytest.mark.parametrize(
    ("name", "layer", "error", "message"),
    [
        ("Tanh", Tanh(), KeyError, "no layer 'Tanh' to replace"),
        ("Relu", Tanh, TypeError, r"the class Tanh cannot be .*: give an object, such as Tanh\(\)"),
        ("Relu", np.tanh, TypeError, r"has no forward\(\)"),
        ("Affine1", Affine(np.ones((5, 6)), np.ones(6)), ValueError, r'net.params\["W1"\]'),
        ("Affine1", Tanh(), ValueError, "the attribute W of a new Affine1 must be"),
    ],
)
def test_a_layer_that_does_not_fit_is_refused(name, layer, error, message):
    net = make_net()
    with pytest.raises(error, match=message):
        net.layers[name] = layer
    with pytest.raises(TypeError, match="Relu cannot be deleted"):
        del net.layers["Relu"]
    with pytest.raises(AttributeError):
        net.layers = {}
    with pytest.raises(AttributeError):
        net.params = {}
    assert list(net.layers) == ["Affine1", "Relu", "Affine2"]
    assert len(net.layers) == 3


def test_repr_shows_layers_in_order_with_shapes_and_numbers_of_parameters():
    net = TwoLayerNet(64, 50, 10, activation="tanh", dropout=0.5, dtype=np.float32)
    first, *lines = repr(net).splitlines()
    assert first == "TwoLayerNet: 64 -> 50 -> 10, 3760 parameters, float32"
    assert [line.split()[0] for line in lines] == [*net.layers, "loss"]
    for line, words in zip(
        lines,
        [
            ["(batch, 64) -> (batch, 50)", "W1 (64, 50), b1 (50,): 3250 parameters"],
            ["Tanh", "(batch, 50) -> (batch, 50)"],
            ["Dropout", "(batch, 50) -> (batch, 50)"],
            ["(batch, 50) -> (batch, 10)", "W2 (50, 10), b2 (10,): 510 parameters"],
            ["SoftmaxWithLoss", "(batch, 10) -> number"],
        ],
        strict=True,
    ):
        assert all(word in line for word in words)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_plot_of_a_net(dropout):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    net = TwoLayerNet(64, 50, 10, activation="gelu", dropout=dropout)
    ax = net.plot()
    words = [text.get_text() for text in ax.texts]
    for word in ("Affine1", "Gelu", "SoftmaxWithLoss", "(batch, 64) →", "← (batch, 10)", "t ↑"):
        assert word in words
    assert ("Dropout" in words) == bool(dropout)
    assert "W1 (64, 50)\nb1 (50,) ↑" in words
    _, given = plt.subplots()
    assert net.plot(ax=given) is given
    plt.close("all")


def test_dropout_can_be_replaced_too(x):
    net, plain = make_net(dropout=0.5), make_net()
    net.layers["Dropout"] = Identity()
    net.draw_dropout(np.random.RandomState(0))
    t = targets("labels")
    assert net.loss(x, t) == plain.loss(x, t)
    assert copy.deepcopy(net).loss(x, t) == plain.loss(x, t)
    net.layers["Dropout"] = Dropout(0.9)
    net.draw_dropout(np.random.RandomState(0))
    assert net.loss(x, t) != plain.loss(x, t)
    assert_array_equal(net.predict(x), plain.predict(x))
