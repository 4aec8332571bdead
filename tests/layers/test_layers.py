"""Layers: the figures of the textbook, formulas, and numerical derivatives."""

import copy

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.special
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sk_twolayer import layers
from sk_twolayer.gradient_check import numerical_gradient
from sk_twolayer.layers import (
    AddLayer,
    Affine,
    Dropout,
    Elu,
    Layer,
    LeakyRelu,
    MulLayer,
    Relu,
    Sigmoid,
    Tanh,
)
from sk_twolayer.layers._registry import ACTIVATIONS as BY_NAME
from sk_twolayer.losses import SigmoidWithLoss, SoftmaxWithLoss

ACTIVATIONS = list(BY_NAME.values())

#: Each function as mpmath or SciPy would write it, in float64, for numbers of moderate size.
FORMULAS = {
    "relu": lambda x: np.where(x > 0, x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
    "identity": lambda x: x,
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: x * (1 + scipy.special.erf(x / np.sqrt(2))) / 2,
    "mish": lambda x: x * np.tanh(np.log(1 + np.exp(x))),
}


def test_buying_apples():
    apples, tax = MulLayer(), MulLayer()
    price = tax.forward(apples.forward(100, 2), 1.1)
    d_apples_price, d_tax = tax.backward(1)
    d_apple, d_apple_num = apples.backward(d_apples_price)
    assert_allclose([price, d_apple, d_apple_num, d_tax], [220, 2.2, 110, 200])


def test_buying_apples_and_oranges():
    apples, oranges, sum_, tax = MulLayer(), MulLayer(), AddLayer(), MulLayer()
    fruit = sum_.forward(apples.forward(100, 2), oranges.forward(150, 3))
    price = tax.forward(fruit, 1.1)
    d_fruit, d_tax = tax.backward(1)
    d_apples_price, d_oranges_price = sum_.backward(d_fruit)
    d_apple, d_apple_num = apples.backward(d_apples_price)
    d_orange, d_orange_num = oranges.backward(d_oranges_price)
    assert_allclose(
        [price, d_apple, d_apple_num, d_orange, d_orange_num, d_tax],
        [715, 2.2, 110, 3.3, 165, 650],
    )


def test_mul_layer_swaps_arrays(rng):
    x, y, dout = rng.standard_normal((3, 2, 4))
    layer = MulLayer()
    assert_array_equal(layer.forward(x, y), x * y)
    dx, dy = layer.backward(dout)
    assert_array_equal(dx, dout * y)
    assert_array_equal(dy, dout * x)


def test_add_layer_returns_two_arrays(rng):
    dout = rng.standard_normal((2, 3))
    before = dout.copy()
    dx, dy = AddLayer().backward(dout)
    dx *= 2
    assert_array_equal(dy, before)
    assert_array_equal(dout, before)


def test_lists_are_arrays_for_sum_and_product():
    layer = MulLayer()
    assert_array_equal(AddLayer().forward([1, 2], [3, 4]), [4, 6])
    assert_array_equal(layer.forward([1, 2], [3, 4]), [3, 8])
    assert_array_equal(layer.backward([1, 10]), [[3, 40], [1, 20]])


def test_add_layer_keeps_nothing():
    layer = AddLayer()
    assert layer.forward(1, 2) == 3
    assert layer.backward(5) == (5, 5)
    assert vars(layer) == {}


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activation_equals_its_formula(name, dtype):
    x = np.linspace(-15, 15, 301).astype(dtype)
    y, expected = BY_NAME[name]().forward(x), FORMULAS[name](x.astype(float))
    assert y.dtype == dtype
    assert_allclose(y, expected, rtol=1e-5 if dtype == np.float32 else 1e-9, atol=1e-7)


@pytest.mark.parametrize("Layer", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activation_is_finite_for_every_finite_input(Layer, dtype):
    """Also for inputs so large that naive formulas overflow."""
    layer, x = Layer(), np.array([-1e4, -100, -20, 0, 20, 100, 1e4], dtype)
    with np.errstate(all="raise", under="ignore"):
        y, slope = layer.forward(x), layer.backward(np.ones_like(x))
    assert np.isfinite(y).all()
    assert np.isfinite(slope).all()
    assert np.abs(y).max() <= 1e4
    assert slope.max() < 1.2


@pytest.mark.parametrize("Layer", [LeakyRelu, Elu])
@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
def test_a_parameter_out_of_range_is_refused(Layer, value):
    with pytest.raises(ValueError, match=f"of {Layer.__name__} must be"):
        Layer(value).forward([1.0])


@pytest.mark.parametrize(("layer", "negative"), [(LeakyRelu(0.3), -0.6), (Elu(2.0), -1.729329)])
def test_parameters_of_activations(layer, negative, rng):
    assert_allclose(layer.forward([-2.0, 3.0]), [negative, 3], rtol=1e-6)
    x, dout = rng.standard_normal((2, 4, 3))
    layer.forward(x)
    numerical = numerical_gradient(lambda x: (clone(layer).forward(x) * dout).sum(), x)
    assert_allclose(layer.backward(dout), numerical, atol=1e-9)


@pytest.mark.parametrize("Layer", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, bool])
def test_integers_are_computed_in_float64(Layer, dtype):
    """NumPy would take the exponential of small integers in float16."""
    x = np.array([0, 1, 5], dtype)
    expected = Layer().forward(x.astype(np.float64))
    assert_allclose(Layer().forward(x), expected, rtol=1e-15)
    assert_allclose(Layer().forward(x.tolist()), expected, rtol=1e-15)


@pytest.mark.parametrize("Layer", ACTIVATIONS)
def test_activation_against_the_numerical_derivative(Layer, rng):
    x, dout = rng.standard_normal((2, 4, 3))
    layer = Layer()
    layer.forward(x)
    numerical = numerical_gradient(lambda x: (Layer().forward(x) * dout).sum(), x)
    assert_allclose(layer.backward(dout), numerical, atol=1e-9)


@pytest.mark.parametrize("Layer", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activation_keeps_type_and_arguments(Layer, dtype, rng):
    x, dout = rng.standard_normal((2, 4, 3)).astype(dtype)
    x_before, dout_before = x.copy(), dout.copy()
    layer = Layer()
    y, dx = layer.forward(x), layer.backward(dout)
    assert y.dtype == dx.dtype == dtype
    assert_array_equal(x, x_before)
    assert_array_equal(dout, dout_before)
    assert not np.shares_memory(y, x)
    assert not np.shares_memory(dx, dout)


@pytest.mark.parametrize("Layer", ACTIVATIONS)
@pytest.mark.parametrize("order", ["C", "F"])
def test_activation_in_place_gives_the_same(Layer, order, rng):
    x, dout = (np.asarray(a, order=order) for a in rng.standard_normal((2, 4, 3)))
    layer = Layer()
    y, dx = layer.forward(x), layer.backward(dout)
    assert layer.forward(x, out=x) is x
    assert layer.backward(dout, out=dout) is dout
    assert_array_equal(x, y)
    assert_array_equal(dout, dx)


def test_relu_figures():
    layer = Relu()
    assert_array_equal(layer.forward(np.array([[1.0, -0.5], [0.0, 3.0]])), [[1, 0], [0, 3]])
    assert_array_equal(layer.backward(np.full((2, 2), 7.0)), [[7, 0], [0, 7]])
    assert np.isnan(layer.forward(np.array([np.nan])))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("Layer", "low", "slope"), [(Sigmoid, 0, 0.25), (Tanh, -1, 1)])
def test_sigmoid_and_tanh_are_stable(Layer, low, slope, dtype):
    layer = Layer()
    y = layer.forward(np.array([-1000, 0, 1000], dtype))
    assert_array_equal(y, [low, (low + 1) / 2, 1])
    assert_array_equal(layer.backward(np.ones(3, dtype)), [0, slope, 0])


class TestAffine:
    @pytest.fixture
    def layer(self, rng):
        return Affine(rng.standard_normal((6, 3)), rng.standard_normal(3))

    @pytest.mark.parametrize("shape", [(6,), (1, 6), (4, 6), (4, 2, 3), (4, 1, 2, 3)])
    def test_every_gradient_against_the_numerical_one(self, layer, shape, rng):
        x = rng.standard_normal(shape)
        y = layer.forward(x)
        assert y.shape == ((3,) if x.ndim == 1 else (len(x), 3))
        assert_allclose(y, x.reshape((*y.shape[:-1], 6)) @ layer.W + layer.b)
        dout = rng.standard_normal(y.shape)

        def objective(_):
            return (Affine(layer.W, layer.b).forward(x) * dout).sum()

        dx = layer.backward(dout)
        assert dx.shape == x.shape
        assert_allclose(dx, numerical_gradient(objective, x), atol=1e-8)
        assert_allclose(layer.dW, numerical_gradient(objective, layer.W), atol=1e-8)
        assert_allclose(layer.db, numerical_gradient(objective, layer.b), atol=1e-8)

    def test_bias_gradient_is_the_sum_of_rows(self):
        layer = Affine(np.zeros((2, 3)), np.zeros(3))
        layer.forward(np.zeros((2, 2)))
        layer.backward(np.array([[1, 2, 3], [4, 5, 6]]))
        assert_array_equal(layer.db, [5, 7, 9])

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_given_arrays_are_filled(self, layer, order, rng):
        x, dout = rng.standard_normal((4, 6)), rng.standard_normal((4, 3))
        y, dx = layer.forward(x), layer.backward(dout)
        out, dx_out = np.full((4, 3), np.nan, order=order), np.full((4, 6), np.nan, order=order)
        assert layer.forward(x, out=out) is out
        assert layer.backward(dout, out=dx_out) is dx_out
        assert_allclose(out, y)
        assert_allclose(dx_out, dx)

    @pytest.mark.parametrize("shape", [(6,), (4, 2, 3)])
    def test_given_arrays_of_other_than_two_dimensions(self, layer, shape, rng):
        x = rng.standard_normal(shape)
        y = layer.forward(x)
        dx, out = layer.backward(y), np.empty(shape)
        assert layer.backward(y, out=out) is out
        assert_array_equal(out, dx)

    def test_rows_of_any_layout(self, layer, rng):
        x = rng.standard_normal((4, 3, 2)).transpose(0, 2, 1)
        expected = layer.forward(np.ascontiguousarray(x))
        assert_allclose(layer.forward(x), expected)
        assert_allclose(layer.forward(np.asfortranarray(x)), expected)
        assert layer.backward(expected).shape == (4, 2, 3)

    @pytest.mark.parametrize("shape", [(0, 6), (0, 2, 3)])
    def test_no_rows(self, layer, shape):
        y = layer.forward(np.empty(shape))
        assert y.shape == (0, 3)
        assert layer.backward(y).shape == shape
        assert_array_equal(layer.dW, np.zeros((6, 3)))

    @pytest.mark.parametrize(
        "overlapping",
        [lambda x: x, lambda x: x[:], lambda x: x[::-1], lambda x: x.T, lambda x: x.reshape(2, 2)],
    )
    @pytest.mark.parametrize("name", ["x", "W"])
    def test_forward_into_an_operand_is_refused(self, overlapping, name):
        x, layer = np.eye(2), Affine(np.eye(2), np.zeros(2))
        out = overlapping({"x": x, "W": layer.W}[name])
        with pytest.raises(ValueError, match=f"shares memory with {name}.*give another array"):
            layer.forward(x, out=out)

    @pytest.mark.parametrize("name", ["dout", "W", "x"])
    def test_backward_into_an_operand_is_refused(self, name):
        """Also into x: the gradient of W would be computed from dx."""
        x, dout, layer = np.eye(2), np.ones((2, 2)), Affine(np.eye(2), np.zeros(2))
        layer.forward(x)
        out = {"dout": dout, "W": layer.W, "x": x}[name][:]
        with pytest.raises(ValueError, match=f"shares memory with {name}"):
            layer.backward(dout, out=out)

    def test_disjoint_parts_of_one_buffer_are_accepted(self, layer, rng):
        buffer = rng.standard_normal((4, 9))
        expected = layer.forward(buffer[:, :6].copy())
        layer.forward(buffer[:, :6], out=buffer[:, 6:])
        assert_allclose(buffer[:, 6:], expected)

    @pytest.mark.parametrize("shape", [(1, 3), (4, 6), (3,), (4, 3, 1)])
    def test_out_of_another_shape_is_refused(self, layer, shape):
        with pytest.raises(ValueError, match=r"out must have shape \(4, 3\)"):
            layer.forward(np.ones((4, 6)), out=np.empty(shape))

    @pytest.mark.parametrize("shape", [(1, 3), (4, 6), (3,), (4, 3, 1), ()])
    def test_dout_of_another_shape_is_refused(self, layer, shape):
        layer.forward(np.ones((4, 6)))
        with pytest.raises(ValueError, match=r"dout must have shape \(4, 3\)"):
            layer.backward(np.ones(shape))

    def test_lists_and_integers(self):
        layer = Affine([[1, 2], [3, 4]], [10, 20])
        assert_array_equal(layer.forward([[1, 0], [0, 1]]), [[11, 22], [13, 24]])
        assert_array_equal(layer.backward([[1, 0], [1, 1]]), [[1, 3], [3, 7]])
        assert_array_equal(layer.dW, [[1, 0], [1, 1]])
        assert_array_equal(layer.db, [2, 1])
        assert_array_equal(layer.forward([1, 1]), [14, 26])

    @pytest.mark.parametrize("dtype", [np.uint8, np.int32, bool, np.float32])
    def test_other_dtypes_give_the_same_result(self, layer, dtype, rng):
        x, dout = rng.randint(2, size=(400, 6)).astype(dtype), rng.randint(2, size=(400, 3))
        results = layer.forward(x), layer.backward(dout.astype(dtype)), layer.dW, layer.db
        x, dout = x.astype(float), dout.astype(float)
        expected = layer.forward(x), layer.backward(dout), layer.dW, layer.db
        for one, other in zip(results, expected, strict=True):
            assert_allclose(one, other)

    @pytest.mark.parametrize("b", [np.zeros((1, 3)), np.zeros((3, 1)), 0.0, [0.0], np.zeros(6)])
    def test_a_bias_of_the_wrong_shape_is_refused(self, b):
        with pytest.raises(ValueError, match=r"b must have shape \(3,\)"):
            Affine(np.ones((6, 3)), b)

    def test_weights_that_are_not_a_matrix_are_refused(self):
        with pytest.raises(ValueError, match="W must have shape"):
            Affine(np.ones(3), np.ones(3))
        with pytest.raises(ValueError, match="single number"):
            Affine(np.ones((1, 3)), np.ones(3)).forward(2.0)

    def test_a_parameter_that_is_assigned_is_written_into_its_array(self, layer, rng):
        W, b, new = layer.W, layer.b, rng.standard_normal((6, 3))
        layer.W, layer.b = new, [1, 2, 3]
        assert layer.W is W
        assert layer.b is b
        assert_array_equal(W, new)
        assert_array_equal(b, [1, 2, 3])
        layer.W -= 0.5 * new
        assert_array_equal(W, 0.5 * new)
        with pytest.raises(ValueError, match=r"W has shape \(6, 3\).*\(3, 6\)"):
            layer.W = new.T

    def test_a_strided_out_that_would_be_lost_is_refused(self, layer, rng):
        layer.forward(rng.standard_normal((4, 2, 3)))
        with pytest.raises(ValueError, match="must be contiguous"):
            layer.backward(np.ones((4, 3)), out=np.empty((4, 3, 2)).transpose(0, 2, 1))

    def test_gradients_are_added_to_a_given_array(self, layer, rng):
        x, dout = rng.standard_normal((4, 6)), rng.standard_normal((4, 3))
        layer.forward(x)
        layer.backward(dout)
        stepped = layer.W - 0.1 * layer.dW, 0.5 * layer.b + 2 * layer.db
        layer.bind_dW(layer.W)(-0.1, 1.0)
        layer.bind_db(layer.b)(2.0, 0.5)
        assert_allclose(layer.W, stepped[0])
        assert_allclose(layer.b, stepped[1])

    @pytest.mark.parametrize("container", [sp.csr_array, sp.csr_matrix])
    def test_sparse_input(self, layer, container, rng):
        x = rng.standard_normal((4, 6)) * (rng.uniform(size=(4, 6)) < 0.4)
        dout = rng.standard_normal((4, 3))
        dense = layer.forward(x), layer.backward(dout), layer.dW, layer.db
        sparse = layer.forward(container(x)), layer.backward(dout), layer.dW, layer.db
        for one, other in zip(dense, sparse, strict=True):
            assert_allclose(one, other)

    def test_float32_stays_float32(self, rng):
        layer = Affine(np.ones((6, 3), np.float32), np.ones(3, np.float32))
        y = layer.forward(np.ones((4, 6), np.float32))
        dx = layer.backward(np.ones((4, 3), np.float32))
        assert {a.dtype for a in (y, dx, layer.dW, layer.db)} == {np.dtype(np.float32)}

    def test_rows_of_another_length(self, layer):
        with pytest.raises(ValueError, match=r"product of \(4, 5\) and \(6, 3\)"):
            layer.forward(np.ones((4, 5)))


def every_layer():
    """Yield an object of each layer of the package."""
    for name in layers.__all__:
        if name == "Affine":
            yield Affine(np.eye(2), np.zeros(2))
        elif name != "Layer":
            yield Dropout(0.5) if name == "Dropout" else getattr(layers, name)()
    yield from (SoftmaxWithLoss(), SigmoidWithLoss())


@pytest.mark.parametrize("layer", list(every_layer()), ids=lambda layer: type(layer).__name__)
def test_backward_before_forward_is_an_error(layer):
    assert isinstance(layer, Layer)
    if isinstance(layer, AddLayer):  # which keeps nothing
        return
    with pytest.raises(AttributeError, match=r"call forward\(\)"):
        layer.backward(1.0 if isinstance(layer, SoftmaxWithLoss) else np.ones((1, 2)))


@pytest.mark.parametrize("layer", list(every_layer()), ids=lambda layer: type(layer).__name__)
def test_repr_shows_shapes(layer):
    layer, x = copy.deepcopy(layer), np.full((4, 2), 0.5)
    name = type(layer).__name__
    assert repr(layer).startswith(name)
    if isinstance(layer, MulLayer | AddLayer | SoftmaxWithLoss | SigmoidWithLoss):
        layer.forward(x, x)
    else:
        layer.forward(x)
    assert ("(4, 2)" in repr(layer)) == (name != "AddLayer")
    assert "array" not in repr(layer)


def test_shapes_of_a_layer_in_words():
    assert repr(Affine(np.eye(2), np.zeros(2))) == "Affine(): W (2, 2), b (2,)"
    layer = LeakyRelu(slope=0.2)
    assert repr(layer) == "LeakyRelu(slope=0.2)"
    layer.forward(np.ones((3, 2)))
    assert repr(layer) == "LeakyRelu(slope=0.2): y (3, 2)"


@pytest.mark.parametrize("Layer", ACTIVATIONS)
def test_arrays_of_another_shape_are_refused(Layer):
    layer = Layer()
    with pytest.raises(ValueError, match="out has shape"):
        layer.forward(np.ones((4, 3)), out=np.empty((2, 4, 3)))
    layer.forward(np.ones((4, 3)))
    with pytest.raises(ValueError, match="dout has shape"):
        layer.backward(np.ones(3))
    with pytest.raises(ValueError, match="out has shape"):
        layer.backward(np.ones((4, 3)), out=np.empty((1, 4, 3)))


def test_a_misspelt_attribute_gives_the_usual_error():
    with pytest.raises(AttributeError, match="'Relu' object has no attribute 'foward'"):
        Relu().foward(np.ones(2))


def test_gradients_before_backward_are_an_error():
    layer = Affine(np.eye(2), np.zeros(2))
    layer.forward(np.ones((1, 2)))
    with pytest.raises(AttributeError, match=r"then backward\(\)"):
        _ = layer.dW


class TestDropout:
    def test_it_is_the_identity_before_the_first_draw(self, rng):
        x = rng.standard_normal((3, 5))
        assert_array_equal(Dropout(0.5).forward(x), x)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_the_mean_over_masks_is_the_input(self, dtype, rng):
        layer, x = Dropout(0.3), rng.standard_normal((2, 1000)).astype(dtype)
        total = np.zeros(x.shape)
        for _ in range(2000):
            layer.draw(rng, 1000, dtype)
            y = layer.forward(x)
            assert y.dtype == dtype
            total += y
        assert_allclose(total / 2000, x, atol=0.2)
        assert abs(total / 2000 - x).mean() < 0.03
        assert_allclose((y == 0).mean(), 0.3, atol=0.05)
        assert_array_equal(y[0] == 0, y[1] == 0)  # one mask for all rows

    def test_backward_is_the_numerical_derivative(self, rng):
        layer, x, dout = Dropout(0.5), *rng.standard_normal((2, 3, 8))
        layer.draw(rng, 8)
        expected = numerical_gradient(lambda x: float((layer.forward(x) * dout).sum()), x)
        before = dout.copy()
        assert_allclose(layer.backward(dout), expected, atol=1e-8)
        assert_array_equal(dout, before)
        assert layer.backward(dout, out=dout) is dout

    @pytest.mark.parametrize("rate", [-0.1, 1.0, np.nan])
    def test_a_rate_out_of_range(self, rate):
        with pytest.raises(ValueError, match=r"rate of Dropout must be in \[0, 1\)"):
            Dropout(rate)
