"""The steps of the optimizers, by hand, against formulas in plain NumPy."""

import copy
import inspect
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import SGD, AdaGrad, Adam, AdamW, Optimizer, RMSProp, _base

RATE = 0.01
COPIES = {
    "pickle": lambda optimizer: pickle.loads(pickle.dumps(optimizer)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "state": lambda optimizer: with_state(clone(optimizer), optimizer.get_state()),
}
OPTIMIZERS = [
    SGD(),
    SGD(momentum=0.9),
    SGD(momentum=0.9, nesterov=True),
    AdaGrad(),
    AdaGrad(epsilon=0.1),
    RMSProp(),
    RMSProp(decay=0.0),
    Adam(),
    Adam(epsilon=0.1),
    Adam(beta_1=0.0),
    Adam(beta_1=0.01, beta_2=0.02),
    Adam(beta_2=0.0),
    AdamW(weight_decay=0.5),
]


def plain_step(optimizer, theta, g, state):
    """Return the parameters after a step, by the formula in the docstring of the optimizer."""
    kind, p = type(optimizer).__name__, optimizer.get_params()
    v = state.get("v", np.zeros_like(theta))
    if kind == "SGD":
        state["v"] = p["momentum"] * v - RATE * g
        return theta + (p["momentum"] * state["v"] - RATE * g if p["nesterov"] else state["v"])
    if kind == "AdaGrad":
        state["v"] = v + g**2
        return theta - RATE * g / (np.sqrt(state["v"]) + p["epsilon"])
    if kind == "RMSProp":
        state["v"] = p["decay"] * v + (1 - p["decay"]) * g**2
        return theta - RATE * g / (np.sqrt(state["v"]) + p["epsilon"])
    beta_1, beta_2 = p["beta_1"], p["beta_2"]
    state["k"] = state.get("k", 0) + 1
    state["m"] = beta_1 * state.get("m", np.zeros_like(theta)) + (1 - beta_1) * g
    state["v"] = beta_2 * v + (1 - beta_2) * g**2
    correction = np.sqrt(1 - beta_2 ** state["k"]) / (1 - beta_1 ** state["k"])
    kept = 1 - RATE * p.get("weight_decay", 0)
    return kept * theta - RATE * correction * state["m"] / (np.sqrt(state["v"]) + p["epsilon"])


class Descent:
    """Steps along gradients that depend on the number of the step only; one of them is always 0.

    So rounding errors do not grow from step to step.
    """

    def __init__(self, optimizer, theta):
        self.optimizer, self.theta = optimizer, theta
        self.phases = np.arange(theta.size, dtype=float).reshape(theta.shape)
        self.n_steps = 0

    @property
    def gradient(self):
        return self.phases * np.sin(self.phases + self.n_steps)

    def step(self):
        before = self.theta.copy()

        def add_gradient(into, *, scale, keep):
            assert_array_equal(self.theta, before)  # where the gradient is to be of
            into[...] = (0 if keep == 0 else keep * into) + scale * self.gradient

        self.optimizer.step(self.theta, add_gradient, RATE)
        self.n_steps += 1


def with_state(optimizer, state):
    optimizer.set_state(state)
    return optimizer


def bytes_of(value):
    return pickle.dumps(value)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(_base, "BLOCK_ELEMENTS", 4)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("shape", ["vector", "strided", "matrix", "longdouble", "float32"])
def test_steps_follow_the_formula(optimizer, shape, rng):
    optimizer = clone(optimizer)
    theta = {
        "vector": lambda: rng.standard_normal(11),
        "strided": lambda: rng.standard_normal(22)[::2],
        "matrix": lambda: rng.standard_normal((6, 3)),
        "longdouble": lambda: rng.standard_normal(11).astype(np.longdouble),
        "float32": lambda: rng.standard_normal(11).astype(np.float32),
    }[shape]()
    expected, state, descent = theta.astype(float), {}, Descent(optimizer, theta)
    tolerance = (
        {"rtol": 1e-4, "atol": 1e-5} if shape == "float32" else {"rtol": 1e-10, "atol": 1e-13}
    )
    for _ in range(150):
        expected = plain_step(optimizer, expected, descent.gradient, state)
        descent.step()
        assert_allclose(theta, expected, **tolerance)
        for attribute, name in [("mean_", "m"), ("square_", "v"), ("velocity_", "v")]:
            if hasattr(optimizer, attribute):
                assert_allclose(getattr(optimizer, attribute), state[name], **tolerance)
    assert getattr(optimizer, "n_steps_", 150) == 150


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_a_copy_continues_bit_for_bit(optimizer, how, rng):
    descent = Descent(clone(optimizer), rng.standard_normal(11))
    for _ in range(5):
        descent.step()
    before = bytes_of(descent.optimizer.get_state())
    other = copy.copy(descent)
    other.theta, other.optimizer = descent.theta.copy(), COPIES[how](descent.optimizer)
    assert bytes_of(descent.optimizer.get_state()) == before
    if how == "copy":  # whose state is the same arrays
        descent.optimizer = copy.deepcopy(descent.optimizer)
    for _ in range(5):
        descent.step()
        other.step()
    assert_array_equal(descent.theta, other.theta)
    assert not np.shares_memory(descent.theta, other.theta)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_what_is_saved_has_the_documented_state_only(optimizer, rng):
    optimizer = clone(optimizer)
    Descent(optimizer, rng.standard_normal(1000)).step()
    names = {"SGD": {"velocity_"}, "AdaGrad": {"square_"}, "RMSProp": {"square_"}}
    expected = names.get(type(optimizer).__name__, {"mean_", "square_", "n_steps_"})
    if optimizer == SGD() or getattr(optimizer, "momentum", 1) == 0:
        expected = set()
    assert optimizer.get_state().keys() - {"kind"} == expected
    n_vectors = sum(isinstance(v, np.ndarray) for v in optimizer.get_state().values())
    assert len(pickle.dumps(optimizer)) < 8000 * n_vectors + 1000


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_steps_on_another_vector_leave_the_first_one_alone(optimizer, rng):
    """The arrays of a step are bound to the vector that the step is given."""
    optimizer, first, second = clone(optimizer), *rng.standard_normal((2, 11))
    reference = clone(optimizer)
    for theta in (first, second, first, second):
        one, other = Descent(optimizer, theta), Descent(reference, theta.copy())
        before = first.copy() if theta is second else second.copy()
        one.step()
        other.step()
        assert_array_equal(one.theta, other.theta)
        assert_array_equal(first if theta is second else second, before)


def test_parameters_and_state_that_are_set_between_steps_count(rng):
    theta = rng.standard_normal(11)
    adam, state = Adam(), {}
    descent, expected = Descent(adam, theta), theta.copy()
    for step in range(9):
        if step == 3:
            adam.set_params(beta_1=0.5, beta_2=0.5, epsilon=0.3)
        if step == 6:
            adam.mean_, state["m"] = np.ones(11), np.ones(11)
        expected = plain_step(adam, expected, descent.gradient, state)
        descent.step()
        assert_allclose(theta, expected, rtol=1e-11, atol=1e-13)
    sgd = SGD(momentum=0.5)
    descent, expected, state = Descent(sgd, theta), theta.copy(), {}
    for nesterov in (False, True, False, True, True):
        sgd.nesterov = nesterov
        expected = plain_step(sgd, expected, descent.gradient, state)
        descent.step()
        assert_allclose(theta, expected, rtol=1e-11, atol=1e-13)


def test_state_that_is_no_vector_of_floats(rng):
    """Denormal numbers are looked for in arrays of floats only."""

    class Counting(Optimizer):
        def default_learning_rate(self, inputs_per_row, hidden_size, *, decays):
            return 0.1

        def step(self, theta, add_gradient, learning_rate):
            self.counts_ = getattr(self, "counts_", np.zeros(2, int)) + 1
            self.total_ = np.array(float(self.counts_.sum()))
            add_gradient(theta, scale=-learning_rate, keep=1)

    X, y = rng.standard_normal((40, 3)), np.arange(40) % 2
    clf = TwoLayerClassifier(
        4, solver=Counting(), batch_size=20, max_iter=3, tol=None, warm_start=True, random_state=0
    )
    clf.fit(X, y)
    assert clf._training_state["optimizer"]["counts_"].tolist() == [6, 6]


@pytest.mark.parametrize("cls", [TwoLayerClassifier, Adam, SGD], ids=lambda cls: cls.__name__)
def test_parameter_names_are_those_of_each_class(cls):
    class Sub(cls):
        def __init__(self, other=1):
            super().__init__()
            self.other = other

    class SubSub(Sub):
        pass

    names = list(inspect.signature(cls).parameters)
    assert sorted(names) == cls._get_param_names() == BaseEstimator._get_param_names.__func__(cls)
    assert list(Sub().get_params()) == list(SubSub().get_params()) == ["other"]
    assert sorted(names) == cls._get_param_names()
    cls._get_param_names().clear()
    assert sorted(names) == cls._get_param_names()


@pytest.mark.parametrize("cls", [Adam, AdamW])
@pytest.mark.parametrize("name", ["mean_", "square_"])
def test_state_before_the_first_step_is_an_error_that_names_it(cls, name):
    message = f"{cls.__name__} has no '{name}' yet: it has no state before its first step"
    with pytest.raises(AttributeError, match=message):
        getattr(cls(), name)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("cls", [AdaGrad, Adam, AdamW, RMSProp])
@pytest.mark.parametrize(("dtype", "small"), [(np.float32, 1e-30), (np.float64, 1e-200)])
def test_a_tiny_epsilon_does_not_make_the_step_infinite(cls, dtype, small):
    """The square of the second gradient is 0 in this dtype, as the first gradient is."""
    gradients = np.array([0, small, 1], dtype)
    theta = np.zeros(3, dtype)
    optimizer = cls(epsilon=1e-320)

    def add_gradient(into, *, scale, keep):
        into[:] = scale * gradients

    for _ in range(3):
        optimizer.step(theta, add_gradient, 0.1)
    assert theta[0] == 0
    assert -1 < theta[1] <= 0
    assert -1 < theta[2] < -0.1


def test_a_tiny_epsilon_and_a_column_of_zeros_in_float32(rng):
    X = rng.standard_normal((60, 3)).astype(np.float32)
    y = np.arange(60) % 3
    X[:, 1] = 0
    for cls in (AdaGrad, Adam, RMSProp):
        clf = TwoLayerClassifier(4, solver=cls(epsilon=1e-50), max_iter=3, tol=None, alpha=0)
        assert np.isfinite(clf.fit(X, y).coefs_[0]).all()


@pytest.mark.parametrize("cls", [AdaGrad, Adam, RMSProp])
def test_epsilon_is_used_as_given_in_float64(cls):
    theta = np.zeros(1)
    cls(epsilon=1e-100).step(theta, lambda into, *, scale, keep: into.fill(scale * 1e-101), 1.0)
    other = np.zeros(1)
    cls(epsilon=1e-300).step(other, lambda into, *, scale, keep: into.fill(scale * 1e-101), 1.0)
    assert abs(theta[0]) < abs(other[0]) / 5
