"""Losses against SciPy, scikit-learn and the numerical gradient; targets of every kind."""

import copy
import pickle

import numpy as np
import pytest
import scipy.special
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import log_loss

from sk_twolayer.gradient_check import numerical_gradient
from sk_twolayer.losses import SigmoidWithLoss, SoftmaxWithLoss, softmax

LABELS = np.array([2, 0, 1, 2])
ONE_HOT = np.eye(3)[LABELS]
SOFT = np.array([[0.1, 0.2, 0.7], [1, 0, 0], [0.25, 0.5, 0.25], [0, 0, 1]])
YES_NO = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0], [1, 1, 1]])


@pytest.fixture
def scores(rng):
    return 3 * rng.standard_normal((4, 3))


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax(shape, dtype, rng):
    x = (10 * rng.standard_normal(shape)).astype(dtype)
    y = softmax(x)
    assert y.dtype == dtype
    assert_allclose(y, scipy.special.softmax(x.astype(float), axis=-1), rtol=1e-5)
    assert_allclose(y.sum(axis=-1), 1, rtol=1e-6)
    assert_allclose(softmax(x + dtype(1000)), y, rtol=1e-3)
    assert softmax(x, out=x) is x
    assert_array_equal(x, y)


def test_softmax_of_huge_scores_and_of_integers():
    assert_array_equal(softmax(np.array([1e4, -1e4, 0])), [1, 0, 0])
    assert_allclose(softmax(np.array([0, 0])), [0.5, 0.5])


class TestSoftmaxWithLoss:
    @pytest.mark.parametrize(
        "t", [LABELS, ONE_HOT, ONE_HOT.astype(int), ONE_HOT > 0, LABELS.tolist()]
    )
    def test_labels_and_one_hot_rows_are_the_same(self, scores, t):
        layer = SoftmaxWithLoss()
        loss = layer.forward(scores, t)
        assert isinstance(loss, float)
        assert_allclose(loss, log_loss(LABELS, scipy.special.softmax(scores, axis=1)))
        assert_allclose(layer.backward(), (softmax(scores) - ONE_HOT) / 4)

    @pytest.mark.parametrize("t", [LABELS, SOFT])
    @pytest.mark.parametrize("sample_weight", [None, np.array([0.5, 0, 2, 1.5])])
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_gradient(self, scores, t, sample_weight, order):
        scores = np.asarray(scores, order=order)
        layer = SoftmaxWithLoss()
        layer.forward(scores, t, sample_weight)
        numerical = numerical_gradient(lambda x: layer.forward(x, t, sample_weight), scores.copy())
        layer.forward(scores, t, sample_weight)
        assert_allclose(layer.backward(), numerical, atol=1e-9)
        assert_allclose(layer.backward(dout=3), 3 * numerical, atol=1e-9)

    def test_in_place_gives_the_same(self, scores):
        layer = SoftmaxWithLoss()
        loss, dx, before = layer.forward(scores, LABELS), layer.backward(), scores.copy()
        assert_array_equal(scores, before)
        assert layer.forward(scores, LABELS, out=scores) == loss
        assert layer.backward(out=scores) is scores
        assert_array_equal(scores, dx)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_the_loss_of_a_confident_mistake(self, dtype):
        assert SoftmaxWithLoss().forward(np.array([[1e4, 0]], dtype), np.array([1])) == 1e4
        assert SoftmaxWithLoss().forward(np.array([[1e4, 0]], dtype), np.array([0])) == 0

    def test_one_row(self, scores):
        layer = SoftmaxWithLoss()
        row = scores[0].copy()
        assert layer.forward(row, 2, out=row) == layer.forward(scores[0], 2)
        assert_array_equal(row, softmax(scores[0]))
        assert_allclose(layer.forward(scores[0], 2), layer.forward(scores[:1], LABELS[:1]))
        assert_allclose(layer.forward(scores[0], ONE_HOT[0]), layer.forward(scores[0], 2))

    def test_the_kind_of_targets_does_not_depend_on_sizes(self):
        # Three rows of three scores: a target of length 3 is labels, whatever it looks like.
        x = np.eye(3)
        assert SoftmaxWithLoss().forward(x, np.array([0, 1, 0])) > 0
        with pytest.raises(ValueError, match="integer labels"):
            SoftmaxWithLoss().forward(x, np.array([0.0, 1.0, 0.0]))

    @pytest.mark.parametrize(
        ("t", "message"),
        [
            (np.array([0, 1, 3, 0]), r"label 3 in row 2 of t is out of range.*in \[0, 2\]"),
            (np.array([0, -1, 2, 0]), "label -1 in row 1"),
            (np.array([0, 1]), "x has 4 rows but t has 2"),
            (np.ones((4, 2)) / 2, "t has 2 columns but x has 3"),
            (np.ones((4, 3)), "row 0 of t sums to 3, not to 1"),
            (np.array([[2.0, -1, 0]] * 4), r"probabilities in \[0, 1\].*range is \[-1.0, 2.0\]"),
            (np.array([[np.nan, 1, 0]] * 4), r"probabilities in \[0, 1\]"),
            (np.array([0.0, 1, 2, 0]), "t.astype"),
            (np.array(["a", "b", "c", "a"]), "t must be integer labels"),
            (np.array([["a", "b", "c"]] * 4), "must contain numbers"),
            (np.zeros((4, 3, 1)), "t must be integer labels"),
            (np.array(1), "t must be integer labels"),
            (None, "t must be integer labels.*object"),
            (LABELS[:, np.newaxis], r"1 columns.*or integer labels of shape \(batch,\)"),
            (SOFT * 0.99, "row 0 of t sums to 0.99"),
        ],
    )
    def test_wrong_targets(self, scores, t, message):
        with pytest.raises(ValueError, match=message):
            SoftmaxWithLoss().forward(scores, t)

    def test_integer_scores_with_soft_targets(self):
        whole = np.array([[2, 0, 1], [0, 0, 3], [1, 1, 1], [5, 2, 0]])
        loss = SoftmaxWithLoss()
        assert loss.forward(whole, SOFT) == loss.forward(whole.astype(float), SOFT)
        assert_array_equal(loss.backward(), (softmax(whole.astype(float)) - SOFT) / 4)

    @pytest.mark.parametrize("shape", [(0, 3), (4, 3, 2), ()])
    def test_scores_that_are_not_rows(self, shape):
        with pytest.raises(ValueError, match="x must be rows of scores"):
            SoftmaxWithLoss().forward(np.zeros(shape), LABELS)

    def test_weights_as_a_list_and_of_the_wrong_length(self, scores):
        layer = SoftmaxWithLoss()
        loss = layer.forward(scores, LABELS, [1, 2, 0, 1])
        assert loss == layer.forward(scores, LABELS, np.array([1, 2, 0, 1]))
        with pytest.raises(ValueError, match=r"sample_weight must have shape \(4,\)"):
            layer.forward(scores, LABELS, [1, 2])

    @pytest.mark.parametrize("t", [LABELS[:1], LABELS[:2], ONE_HOT[:1]])
    def test_accuracy_of_mismatched_lengths(self, scores, t):
        with pytest.raises(ValueError, match="x has 4 rows but t has"):
            SoftmaxWithLoss().accuracy(scores, t)

    def test_accuracy(self):
        x = np.array([[1.0, 2, 0], [5, 0, 0], [0, 0, 1], [0, 1, 0]])
        assert SoftmaxWithLoss().accuracy(x, np.array([1, 0, 2, 2])) == 0.75
        assert SoftmaxWithLoss().accuracy(x, np.eye(3)[[1, 0, 2, 2]]) == 0.75


class TestSigmoidWithLoss:
    @pytest.mark.parametrize("t", [YES_NO, YES_NO.astype(bool), SOFT])
    @pytest.mark.parametrize("sample_weight", [None, np.array([0.5, 0, 2, 1.5])])
    def test_gradient(self, scores, t, sample_weight):
        layer = SigmoidWithLoss()
        numerical = numerical_gradient(lambda x: layer.forward(x, t, sample_weight), scores.copy())
        layer.forward(scores, t, sample_weight)
        assert_allclose(layer.backward(), numerical, atol=1e-9)

    def test_loss_of_one_column_is_the_log_loss(self, scores):
        x, t = scores[:, :1], np.array([0, 1, 1, 0])
        layer = SigmoidWithLoss()
        expected = log_loss(t, scipy.special.expit(x[:, 0]))
        assert_allclose(layer.forward(x, t), expected)
        assert_allclose(layer.forward(x, t[:, np.newaxis]), expected)
        assert_allclose(layer.backward(), (scipy.special.expit(x) - t[:, np.newaxis]) / 4)

    def test_integer_scores_with_soft_targets(self):
        t, layer = np.array([0.9, 0.2]), SigmoidWithLoss()
        whole = np.array([[2], [-1]])
        assert layer.forward(whole, t) == layer.forward(whole.astype(float), t)

    def test_columns_are_summed(self, scores):
        layer = SigmoidWithLoss()
        columns = [layer.forward(scores[:, [k]], YES_NO[:, k]) for k in range(3)]
        assert_allclose(layer.forward(scores, YES_NO), sum(columns))

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_stable_for_huge_scores(self, dtype):
        x = np.array([[1e4], [-1e4], [1e4], [-1e4]], dtype)
        assert SigmoidWithLoss().forward(x[:2], np.array([1, 0])) == 0
        assert SigmoidWithLoss().forward(x[2:], np.array([0, 1])) == 1e4

    @pytest.mark.parametrize(
        ("t", "message"),
        [
            (np.array([0, 1, 2, 0]), r"probabilities in \[0, 1\].*range is \[0, 2\]"),
            (np.array([0, 1]), "x has 4 rows but t has 2"),
            (np.ones((4, 2)), r"shape \(batch, 1\) or \(batch,\)"),
            (np.array(["a", "b", "c", "a"]), "must contain numbers"),
        ],
    )
    def test_wrong_targets(self, scores, t, message):
        with pytest.raises(ValueError, match=message):
            SigmoidWithLoss().forward(scores[:, :1], t)

    def test_accuracy_requires_all_columns(self):
        x = np.array([[1.0, -1], [1, 1], [-1, -1]])
        assert SigmoidWithLoss().accuracy(x, np.array([[1, 0], [1, 0], [0, 0]])) == 2 / 3


@pytest.mark.parametrize("Layer", [SoftmaxWithLoss, SigmoidWithLoss])
def test_log_probabilities_are_finite(Layer):
    x = np.array([[1e4, 0.0, -1e4]])
    log_p = Layer.log_probabilities(x)
    assert np.isfinite(log_p).all()
    assert_allclose(np.exp(log_p), Layer.probabilities(x), atol=1e-300)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sigmoid_probability_is_never_0_or_1(dtype):
    y = SigmoidWithLoss.probabilities(np.array([[-1e4, 1e4]], dtype))
    assert y.dtype == dtype
    assert ((y > 0) & (y < 1)).all()


def test_backward_before_forward_is_an_error():
    with pytest.raises(AttributeError, match=r"call forward\(\)"):
        SoftmaxWithLoss().backward()


@pytest.mark.parametrize("Layer", [SoftmaxWithLoss, SigmoidWithLoss])
def test_lists_and_integers_are_scores(Layer):
    x, t, weights = [[2, 0, -1], [0, 0, 3]], [[1, 0, 0], [0, 0, 1]], [1, 3]
    one, other = Layer(), Layer()
    arrays = np.array(x, float), np.array(t, float), np.array(weights, float)
    assert one.forward(x, t, weights) == other.forward(*arrays)
    assert_array_equal(one.backward(), other.backward())
    assert one.accuracy(x, t) == 1
    assert_allclose(Layer.probabilities(x), Layer.probabilities(arrays[0]))
    assert_allclose(Layer.log_probabilities(x), Layer.log_probabilities(arrays[0]))


@pytest.mark.parametrize("Layer", [SoftmaxWithLoss, SigmoidWithLoss])
@pytest.mark.parametrize("shape", [(4, 1), (1, 3), (8, 3), (2, 4, 3)])
def test_out_of_another_shape_is_refused(Layer, shape, scores):
    layer = Layer()
    with pytest.raises(ValueError, match=r"out has shape .* but x has \(4, 3\)"):
        layer.forward(scores, ONE_HOT, out=np.empty(shape))
    layer.forward(scores, ONE_HOT)
    with pytest.raises(ValueError, match="out has shape"):
        layer.backward(out=np.empty(shape))


@pytest.mark.parametrize("Layer", [SoftmaxWithLoss, SigmoidWithLoss])
def test_a_pickle_of_a_loss_contains_no_batch(Layer, scores):
    layer = Layer()
    layer.forward(scores, ONE_HOT)
    assert vars(copy.deepcopy(layer)) == {}
    assert len(pickle.dumps(layer)) < 200


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_whose_difference_overflows(dtype):
    limit = np.finfo(dtype).max
    x = np.array([[limit, -limit], [0, limit], [-limit, -limit]], dtype)
    assert_array_equal(softmax(x), [[1, 0], [0, 1], [0.5, 0.5]])
    log_p = SoftmaxWithLoss.log_probabilities(x)
    assert log_p.dtype == dtype
    half = np.log(dtype(0.5))
    assert_allclose(log_p, np.array([[0, -limit], [-limit, 0], [half, half]], dtype), rtol=1e-6)
