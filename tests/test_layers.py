"""Each layer's figures, and each layer against a numerical derivative."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sk_twolayer.gradient_check import numerical_gradient
from sk_twolayer.layers import (
    AddLayer,
    Affine,
    Dropout,
    Identity,
    MulLayer,
    Relu,
    Sigmoid,
    Tanh,
)

ACTIVATIONS = [Relu, Sigmoid, Tanh, Identity]


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


def test_add_layer_keeps_nothing():
    layer = AddLayer()
    assert layer.forward(1, 2) == 3
    assert layer.backward(5) == (5, 5)
    assert vars(layer) == {}


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
def test_squashing_is_stable(Layer, low, slope, dtype):
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

    def test_in_place_is_refused(self):
        x = np.eye(2)
        with pytest.raises(ValueError, match="cannot put its result where its input is"):
            Affine(np.eye(2), np.zeros(2)).forward(x, out=x)

    def test_a_strided_out_that_would_be_lost_is_refused(self, layer, rng):
        layer.forward(rng.standard_normal((4, 2, 3)))
        with pytest.raises(ValueError, match="must be contiguous"):
            layer.backward(np.ones((4, 3)), out=np.empty((4, 3, 2)).transpose(0, 2, 1))

    def test_accumulates_where_it_is_told(self, layer, rng):
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


@pytest.mark.parametrize("layer", [MulLayer(), Relu(), Affine(np.eye(2), np.zeros(2))])
def test_backward_before_forward_says_so(layer):
    with pytest.raises(AttributeError, match=r"call forward\(\)"):
        layer.backward(np.ones((1, 2)))


def test_a_misspelt_attribute_is_just_that():
    with pytest.raises(AttributeError, match="'Relu' object has no attribute 'foward'"):
        Relu().foward(np.ones(2))


def test_gradients_before_backward_say_so():
    layer = Affine(np.eye(2), np.zeros(2))
    layer.forward(np.ones((1, 2)))
    with pytest.raises(AttributeError, match=r"then backward\(\)"):
        _ = layer.dW


class TestDropout:
    def test_it_is_nothing_before_the_first_draw(self, rng):
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
        with pytest.raises(ValueError, match=r"rate must be in \[0, 1\)"):
            Dropout(rate)
