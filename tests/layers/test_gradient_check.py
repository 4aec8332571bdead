"""The gradient check of single layers, and the mistakes that it must find."""

import re

import numpy as np
import pytest

from sk_twolayer import TwoLayerNet, layers
from sk_twolayer.gradient_check import check_gradients, numerical_gradient
from sk_twolayer.layers import AddLayer, Affine, Dropout, LeakyRelu, MulLayer
from sk_twolayer.layers._registry import ACTIVATIONS
from sk_twolayer.losses import SigmoidWithLoss, SoftmaxWithLoss
from tests.helpers import STUDENTS, MyAffine, MyRelu, MySigmoid, MySoftplus, without_address


class MySoftmaxWithLoss:
    """As in the book: `forward` returns a number, `backward` needs no argument."""

    def forward(self, x, t):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y, self.t = e / e.sum(axis=1, keepdims=True), t
        return -(t * np.log(self.y)).sum() / len(t)

    def backward(self, dout=1):
        return dout * (self.y - self.t) / len(self.t)


class Prelu:
    """Learns one number."""

    def __init__(self):
        self.a = 0.25

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.a * x)

    def backward(self, dout):
        self.da = float((dout * np.where(self.x > 0, 0, self.x)).sum())
        return dout * np.where(self.x > 0, 1, self.a)


W, B = np.linspace(-1, 1, 6).reshape(3, 2), np.array([0.5, -0.5])
DRAWN = Dropout(0.5)
DRAWN.draw(np.random.RandomState(0), 5)


@pytest.mark.parametrize(
    ("layer", "checked"),
    [
        *((kind, ["x"]) for kind in (*ACTIVATIONS.values(), *STUDENTS)),
        (LeakyRelu(0.3), ["x"]),
        (DRAWN, ["x"]),
        (MulLayer(), ["x", "y"]),
        (AddLayer(), ["x", "y"]),
        (Affine(W, B), ["x", "W", "b"]),
        (Affine(W.astype(np.float32), B.astype(np.float32)), ["x", "W", "b"]),
        (Affine([[1, 2], [3, 4], [5, 6]], [1, 2]), ["x", "W", "b"]),
        (MyAffine(W, B), ["x", "W", "b"]),
        (Prelu(), ["x", "a"]),
        (SoftmaxWithLoss(), ["x"]),
        (SigmoidWithLoss(), ["x"]),
        (MySoftmaxWithLoss(), ["x"]),
    ],
    ids=without_address,
)
def test_correct_layers_pass(layer, checked):
    differences = check_gradients(layer)
    assert list(differences) == checked
    assert max(differences.values()) < 1e-7


def test_every_layer_of_the_package_is_checked_above():
    single = {kind.__name__ for kind in ACTIVATIONS.values()}
    assert {*single, "MulLayer", "AddLayer", "Affine", "Dropout", "Layer"} == set(layers.__all__)


@pytest.mark.parametrize("Layer", [*ACTIVATIONS.values(), *STUDENTS])
@pytest.mark.parametrize(
    "mistake",
    [
        lambda dx, dout: -dx,
        lambda dx, dout: 2 * dx,
        lambda dx, dout: dx + 1e-4 * dout,
        lambda dx, dout: dx[::-1].copy(),
        lambda dx, dout: np.full_like(dx, np.nan),
        lambda dx, dout: np.where(np.arange(dx.size).reshape(dx.shape) == 7, 2 * dx + 1, dx),
    ],
    ids=["sign", "factor 2", "small part", "rows reversed", "nan", "one element"],
)
def test_mistakes_in_backward_are_found(Layer, mistake):
    class Wrong(Layer):
        def backward(self, dout):
            before = dout.copy()
            return mistake(np.asarray(super().backward(dout)), before)

    with pytest.raises(AssertionError, match=r"Wrong\.backward is wrong: .*x\[\d, \d\] is "):
        check_gradients(Wrong())


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "softplus", "silu", "gelu", "mish"])
def test_a_missing_mask_is_found(name):
    class Wrong(ACTIVATIONS[name]):
        def backward(self, dout):
            return dout

    with pytest.raises(AssertionError, match=r"Wrong\.backward is wrong"):
        check_gradients(Wrong())


class MissingMask(MyRelu):
    def backward(self, dout):
        return dout


class MissingHalf(MySigmoid):
    def backward(self, dout):
        return dout * self.out


class WrongWeights(MyAffine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = 2 * self.dW
        return dx


class WrongBias(MyAffine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = dout.mean(axis=0)
        return dx


class WrongShape(MyAffine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = dout
        return dx


class NotSwapped(MulLayer):
    def backward(self, dout):
        return dout * self.x, dout * self.y


class OneOfTwo(MulLayer):
    def backward(self, dout):
        return (dout * self.y,)


class MissingBatchSize(MySoftmaxWithLoss):
    def backward(self, dout=1):
        return self.y - self.t


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (MissingMask(), r"gradient of x\["),
        (MissingHalf(), r"gradient of x\["),
        (WrongWeights(W, B), r"gradient of W\["),
        (WrongBias(W, B), r"gradient of b\["),
        (WrongShape(W, B), r"gradient of b has shape \(4, 2\), but b has \(2,\)"),
        (NotSwapped(), r"gradient of x\["),
        (OneOfTwo(), "must return 2 gradients"),
        (MissingBatchSize(), r"gradient of x\["),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_error_names_what_is_wrong(layer, message):
    with pytest.raises(AssertionError, match=message):
        check_gradients(layer)


def test_the_error_has_both_numbers():
    class Wrong(MySoftplus):
        def backward(self, dout):
            return 2 * super().backward(dout)

    with pytest.raises(AssertionError, match=r"x\[0, 1\] is \S+, but by .* differences ") as error:
        check_gradients(Wrong(), [[-9.0, 3.0]])
    numbers = re.search(r" is (\S+), but by central differences (\S+) ", str(error.value))
    found, expected = map(float, numbers.groups())
    assert found == pytest.approx(2 * expected, rel=1e-6)


def test_a_net_raises_with_tol():
    net = TwoLayerNet(3, 4, 2, activation=MissingMask, weight_init_std=1.0, random_state=0)
    x, t = [[1.0, -2.0, 0.5], [0.3, 0.1, -1.0]], [0, 1]
    assert check_gradients(net, x, t)["W1"] > 1e-3
    with pytest.raises(AssertionError, match=r"TwoLayerNet\.backward is wrong: .* of W1\[\d, \d\]"):
        check_gradients(net, x, t, tol=1e-6)
    with pytest.raises(ValueError, match="give x and t"):
        check_gradients(net)


def test_the_layer_is_not_changed():
    layer = MyAffine(W.copy(), B.copy())
    check_gradients(layer)
    assert set(vars(layer)) == {"W", "b"}
    np.testing.assert_array_equal(layer.W, W)


def test_lists_are_inputs():
    assert check_gradients(MySoftplus(), [[1, -2], [3, 4]])["x"] < 1e-7
    assert set(check_gradients(MulLayer(), ([1, 2], [3, 4]))) == {"x", "y"}
    rows = np.ones((4, 5))
    assert max(check_gradients(MulLayer(), (rows, 2 * rows)).values()) < 1e-7
    assert check_gradients(SoftmaxWithLoss(), [[1, 2, 3]], [2])["x"] < 1e-7
    np.testing.assert_allclose(numerical_gradient(lambda x: (x**2).sum(), [3, 4]), [6, 8])


def test_two_inputs_of_different_shapes():
    class Product:
        def forward(self, x, y):
            self.x, self.y = x, y
            return x @ y

        def backward(self, dout):
            return dout @ self.y.T, self.x.T @ dout

    x, y = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    assert max(check_gradients(Product(), (x, y)).values()) < 1e-7


@pytest.mark.parametrize("x", [3, 3.0, np.float32(3), np.array(3.0)], ids=repr)
def test_the_point_of_a_numerical_gradient_may_be_a_number(x):
    gradient = numerical_gradient(lambda x: x**2, x)
    assert gradient.shape == ()
    np.testing.assert_allclose(gradient, 6)


def test_other_points_of_a_numerical_gradient_are_refused():
    for x in (None, "3", {3.0}):
        message = f"x must be an ndarray of float64, a list or a number, got {type(x).__name__}"
        with pytest.raises(TypeError, match=message):
            numerical_gradient(np.sum, x)
    for dtype in (np.int64, np.float32):
        message = rf"needs float64, but x is {np.dtype(dtype)}: convert it with x.astype\(float\)"
        with pytest.raises(ValueError, match=message):
            numerical_gradient(np.sum, np.ones(3, dtype))
