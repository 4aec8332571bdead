"""Activations that users write, in the net and in the classifier."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from time import process_time

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import estimator_checks_generator

from sk_twolayer import TwoLayerClassifier, TwoLayerNet
from sk_twolayer.gradient_check import check_gradients
from sk_twolayer.layers import (
    Affine,
    Dropout,
    Elu,
    LeakyRelu,
    MulLayer,
    Relu,
    Sigmoid,
    Softplus,
)
from sk_twolayer.layers._registry import ACTIVATIONS
from sk_twolayer.losses import SoftmaxWithLoss
from tests.helpers import (
    STUDENTS,
    InPlaceRelu,
    MyIdentity,
    MyLeakyRelu,
    MyRelu,
    MySigmoid,
    MySoftplus,
    OwnFormula,
    without_address,
)

#: Layers of users, and the layers of the package that compute the same.
PAIRS = [
    (MyRelu(), "relu"),
    (InPlaceRelu(), "relu"),
    (MyIdentity(), "identity"),
    (MySigmoid(), "sigmoid"),
    (MySoftplus(), "softplus"),
    (OwnFormula(), LeakyRelu(slope=0.5)),
    (MyLeakyRelu(slope=0.5), LeakyRelu(slope=0.5)),
]


def make(**parameters):
    options = {"max_iter": 3, "tol": None, "random_state": 0, "batch_size": 32}
    return TwoLayerClassifier(**{"hidden_size": 20, **options, **parameters})


@pytest.mark.parametrize(("layer", "known"), PAIRS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "options",
    [{}, {"dropout": 0.5}, {"solver": "lbfgs"}, {"early_stopping": True}],
    ids=without_address,
)
def test_it_trains_like_the_layer_of_the_package(layer, known, dtype, options, digits):
    X, y = digits[0][:300].astype(dtype), digits[1][:300]
    mine, theirs = (make(activation=a, **options).fit(X, y) for a in (layer, known))
    assert mine.coefs_[0].dtype == mine.predict_proba(X).dtype == dtype
    tolerance = 2e-3 if dtype == np.float32 else 1e-7
    assert_allclose(mine.predict_proba(X), theirs.predict_proba(X), atol=tolerance)
    assert_allclose(mine.transform(X[:7]), theirs.transform(X[:7]), atol=tolerance)
    assert not {"x", "y", "out", "mask"} & set(vars(layer))  # a copy was called


@pytest.mark.parametrize("Layer", [MyRelu, InPlaceRelu])
def test_a_students_relu_gives_the_bits_of_relu(Layer, digits):
    """Its weights start alike too: He's rule, as the layer rectifies."""
    mine, theirs = (make(activation=a).fit(*digits) for a in (Layer, "relu"))
    assert_array_equal(mine.predict_proba(digits[0]), theirs.predict_proba(digits[0]))


@pytest.mark.parametrize("Layer", STUDENTS)
def test_blocks_partial_fit_and_sparse_rows(Layer, digits, monkeypatch):
    X, y = digits
    clf = make(activation=Layer()).fit(sp.csr_array(X), y)
    whole = clf.predict_proba(X)
    monkeypatch.setattr("sk_twolayer._inference.MAX_BLOCK_ROWS", 100)
    assert_allclose(clf.predict_proba(X), whole, rtol=1e-10)
    assert_allclose(clf.predict_proba(sp.csr_array(X)), whole, rtol=1e-10)
    parts = make(activation=Layer())
    for _ in range(2):
        parts.partial_fit(X[:101], y[:101], classes=np.arange(10))
    assert np.isfinite(parts.predict_proba(X)).all()


@pytest.mark.parametrize("Layer", STUDENTS)
def test_many_threads_share_a_model(Layer, digits):
    X, y = digits
    clf = make(activation=Layer()).fit(X, y)
    parts = [X[i::16] for i in range(16)]
    expected = [clf.predict_proba(part) for part in parts]
    with ThreadPoolExecutor(16) as pool:
        for _ in range(5):
            for found, right in zip(pool.map(clf.predict_proba, parts), expected, strict=True):
                assert_array_equal(found, right)


@pytest.mark.parametrize("Layer", [*STUDENTS, Relu, Softplus])
@pytest.mark.parametrize("as_class", [False, True])
def test_pickles_and_clones(Layer, as_class, digits):
    X, y = digits[0][:200], digits[1][:200]
    clf = make(activation=Layer if as_class else Layer()).fit(X, y)
    loaded = pickle.loads(pickle.dumps(clf))
    assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    assert_array_equal(clone(clf).fit(X, y).predict_proba(X), clf.predict_proba(X))
    assert type(clf.activation_) is Layer
    assert len(pickle.dumps(clf)) < len(pickle.dumps(make().fit(X, y))) + 500  # no batch
    assert joblib.hash(clf.activation) == joblib.hash(Layer if as_class else Layer())


def test_the_model_is_what_it_was_fitted_with(digits):
    X, y = digits[0][:200], digits[1][:200]
    layer = MyLeakyRelu(slope=0.5)
    clf = make(activation=layer).fit(X, y)
    expected = clf.predict_proba(X)
    layer.slope = 100.0
    assert_array_equal(clf.predict_proba(X), expected)
    clf.set_params(activation="relu")
    assert_array_equal(clf.predict_proba(X), expected)


@pytest.mark.parametrize("layer", [MyLeakyRelu(), LeakyRelu()])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_grid_search_tunes_a_parameter_of_the_layer(layer, n_jobs, digits):
    X, y = digits[0][:200], digits[1][:200]
    grid = {"activation__slope": [0.0, 0.25, 1.0]}
    search = GridSearchCV(make(activation=layer), grid, cv=2, n_jobs=n_jobs).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    for slope, score in zip(grid["activation__slope"], scores, strict=True):
        alone = GridSearchCV(make(activation=LeakyRelu(slope)), {}, cv=2).fit(X, y)
        assert_allclose(score, alone.best_score_, atol=0.02)
    assert layer.slope != 0.25
    assert search.best_estimator_.activation.slope in grid["activation__slope"]


def test_a_name_that_is_added_is_known_everywhere(digits, monkeypatch):
    X, y = digits[0][:200], digits[1][:200]
    with pytest.raises(ValueError, match="'activation' parameter of TwoLayerClassifier must be"):
        make(activation="mine").fit(X, y)
    monkeypatch.setitem(ACTIVATIONS, "mine", MyRelu)
    mine, relu = (make(activation=name).fit(X, y) for name in ("mine", "relu"))
    assert_array_equal(mine.predict_proba(X), relu.predict_proba(X))
    assert mine.activation_ == "mine"
    net = TwoLayerNet(64, 20, 10, activation="mine")
    assert list(net.layers) == ["Affine1", "MyRelu", "Affine2"]


class Learned:
    """A relu whose slope for negative x is learned."""

    def __init__(self):
        self.a = 0.25

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.a * x)

    def backward(self, dout):
        self.da = (dout * np.where(self.x > 0, 0, self.x)).sum()
        return dout * np.where(self.x > 0, 1, self.a)


class Normalized:
    """A batch normalization with a factor for each unit, made in the first call."""

    def forward(self, x):
        if not hasattr(self, "gamma"):
            self.gamma = np.ones(x.shape[1])
        self.x = x
        return self.gamma * x

    def backward(self, dout):
        self.dgamma = (self.x * dout).sum(axis=0)
        return dout * self.gamma


class WithGrads(MyRelu):
    """As in the second volume of the book, where each layer has lists."""

    def __init__(self):
        self.params, self.grads = [np.ones(1)], [np.zeros(1)]


class WithEmptyGrads(MyRelu):
    def __init__(self):
        self.params, self.grads = [], []


class KeepsGradient(MySoftplus):
    """Keeps `dx` beside `x`, which is not a parameter."""

    def backward(self, dout):
        self.dx = super().backward(dout)
        return self.dx


class NeedsArgument(MyRelu):
    def __init__(self, slope):
        self.slope = slope


class Mean(MyRelu):
    def forward(self, x):
        return x.mean(axis=1)


class RaisesInForward(MyRelu):
    def forward(self, x):
        return x + None


class RaisesInBackward(MyRelu):
    def backward(self, dout):
        return dout + None


class RaisesInInit(MyRelu):
    def __init__(self):
        self.slope = 1 + None


class RaisesInCopy(MyRelu):
    def __deepcopy__(self, memo):
        raise TypeError("cannot copy this")


class WithoutArgument(MyRelu):
    def backward(self):
        return self.mask


class Words(MyRelu):
    def forward(self, x):
        return np.full(x.shape, "x")


@pytest.mark.parametrize(
    "make_model",
    [
        lambda a: TwoLayerNet(3, 4, 2, activation=a),
        lambda a: TwoLayerClassifier(4, activation=a).fit(np.eye(3), [0, 1, 1]),
        lambda a: TwoLayerClassifier(4, activation=a).partial_fit(np.eye(3), [0, 1, 1], [0, 1]),
    ],
)
@pytest.mark.parametrize(
    ("activation", "message"),
    [
        (Learned(), r"Learned.*parameters to learn \(a\).*activation__NAME"),
        (Normalized, r"Normalized.*parameters to learn \(gamma\)"),
        (WithGrads(), r"WithGrads.*parameters to learn \(params\)"),
        (Affine(np.eye(4), np.zeros(4)), r"Affine.*parameters to learn \(W, b\)"),
        (MulLayer(), "MulLayer cannot be an activation: .*one array each"),
        (Dropout(0.5), "Dropout cannot be an activation: use the parameter dropout"),
        (Dropout, "Dropout cannot be an activation"),
        (SoftmaxWithLoss(), "SoftmaxWithLoss cannot be an activation"),
        (NeedsArgument, r"NeedsArgument cannot be.* because it needs arguments: give an object"),
        (
            Mean(),
            r"Mean cannot be .*: forward\(\) must return.*returned float64 of shape \(2,\)",
        ),
        (Words(), "Words cannot be an activation"),
        (Elu(alpha="1"), r"Elu cannot be an activation: forward\(\) raised TypeError: '<' not"),
        (
            RaisesInForward(),
            r"RaisesInForward cannot .*: forward\(\) raised TypeError: unsupported",
        ),
        (RaisesInBackward, r"RaisesInBackward cannot .*: backward\(\) raised TypeError: unsupp"),
        (RaisesInInit, r"RaisesInInit cannot .*: RaisesInInit\(\) raised TypeError: unsupported"),
        (RaisesInCopy(), "RaisesInCopy cannot .*: copying it raised TypeError: cannot copy"),
        (WithoutArgument(), "WithoutArgument cannot be an activation: .*one array each"),
        (object(), "forward"),
        (np.tanh, "forward"),
        (None, "forward"),
        (3, "forward"),
        (LeakyRelu(slope=-1), "slope of LeakyRelu must be"),
    ],
    ids=without_address,
)
def test_invalid_activations_are_refused(make_model, activation, message):
    with pytest.raises(ValueError, match=message):
        make_model(activation)


@pytest.mark.parametrize("layer", [WithEmptyGrads(), KeepsGradient(), NeedsArgument(1)])
def test_layers_without_parameters_are_accepted(layer):
    net = TwoLayerNet(3, 4, 2, activation=layer, random_state=0)
    assert max(check_gradients(net, np.eye(3) + 0.5, [0, 1, 1]).values()) < 1e-7


@pytest.mark.parametrize("Layer", STUDENTS)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_gradients_of_a_net_with_it(Layer, dropout, rng):
    x, t = rng.standard_normal((7, 5)), rng.randint(3, size=7)
    net = TwoLayerNet(
        5, 6, 3, weight_init_std=0.5, activation=Layer(), dropout=dropout, random_state=0
    )
    net.draw_dropout(np.random.RandomState(0))
    assert max(check_gradients(net, x, t, tol=1e-6).values()) < 1e-7
    assert Layer.__name__ in net.layers


class Square:
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, dout):
        return 2 * self.x * dout


def test_a_layer_called_like_one_of_the_net_gets_another_name(rng):
    named = type("Dropout", (Square,), {})
    net = TwoLayerNet(5, 6, 3, activation=named(), dropout=0.5, random_state=0)
    assert list(net.layers) == ["Affine1", "Activation", "Dropout", "Affine2"]
    assert isinstance(net.layers["Dropout"], Dropout)


def test_bind_methods_of_a_layer_are_used(digits):
    calls = []

    class Bound(Sigmoid):
        def bind_forward(self, x, out):
            calls.append("bound")
            return super().bind_forward(x, out)

        def forward(self, x, out=None):
            if out is None:
                calls.append("forward")
            return super().forward(x, out)

    make(activation=Bound(), weight_init_std=0.1).fit(digits[0][:100], digits[1][:100])
    assert "bound" in calls


def test_an_output_of_another_shape_in_training_is_an_error(digits):
    class WrongShape(MyRelu):
        def forward(self, x):
            return super().forward(x)[:2]

    with pytest.raises(ValueError, match=r"forward returned an array of shape \(2, 20\)"):
        make(activation=WrongShape()).fit(digits[0][:100], digits[1][:100])


class ScaledSoftplus(BaseEstimator, MySoftplus):
    """A layer in a module, with a parameter, for scikit-learn's checks."""

    def __init__(self, scale=1.0):
        self.scale = scale

    def forward(self, x):
        return super().forward(self.scale * x)

    def backward(self, dout):
        return self.scale * super().backward(dout)


@pytest.mark.filterwarnings("ignore:column .* of X is not scaled")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "check"),
    list(estimator_checks_generator(TwoLayerClassifier(30, activation=ScaledSoftplus()))),
    ids=lambda value: getattr(getattr(value, "func", None), "__name__", ""),
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


class Slots:
    """A layer without a `__dict__`."""

    __slots__ = ("positive",)

    def forward(self, x):
        self.positive = x > 0
        return x * self.positive

    def backward(self, dout):
        return dout * self.positive


class Module:
    """A layer whose methods are functions with state in the class."""

    @staticmethod
    def forward(x):
        return 2 * x

    @staticmethod
    def backward(dout):
        return 2 * dout


@pytest.mark.parametrize(("layer", "known"), [(Slots(), "relu"), (Module(), None)])
def test_unusual_objects(layer, known, digits):
    X, y = digits[0][:200], digits[1][:200]
    assert check_gradients(layer)["x"] < 1e-7
    clf = make(activation=layer).fit(X, y)
    if known:
        assert_array_equal(clf.predict_proba(X), make(activation=known).fit(X, y).predict_proba(X))
    assert np.isfinite(pickle.loads(pickle.dumps(clf)).predict_proba(X)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_students_softplus_trains_nearly_as_fast_as_the_built_in_one(dtype, rng):
    X, y = rng.standard_normal((6400, 64)).astype(dtype), rng.randint(10, size=6400)

    def seconds(activation):
        clf = make(hidden_size=100, activation=activation, batch_size=128)
        start = process_time()
        clf.fit(X, y)
        return process_time() - start

    times = [(seconds(MySoftplus()), seconds("softplus")) for _ in range(5)]
    mine, built_in = map(min, zip(*times, strict=True))
    assert mine < 1.5 * built_in


@pytest.mark.parametrize("Layer", [MyRelu, MySoftplus, MyLeakyRelu])
def test_warm_starts_scorers_and_partial_fit(Layer, digits):
    X, y = digits[0][:200], digits[1][:200]
    options = {"activation": Layer(), "learning_rate_schedule": "constant"}
    once = make(max_iter=4, **options).fit(X, y)
    twice = make(max_iter=2, warm_start=True, **options).fit(X, y).fit(X, y)
    assert_array_equal(twice.predict_proba(X), once.predict_proba(X))
    scored = make(early_stopping=True, scoring="accuracy", **options).fit(X, y)
    assert len(scored.validation_scores_) == 3
    more = once.partial_fit(X, y).predict_proba(X)
    assert np.isfinite(more).all()


def test_an_error_inside_a_layer_is_the_cause_of_the_error():
    with pytest.raises(ValueError, match="raised TypeError") as error:
        TwoLayerNet(3, 4, 2, activation=RaisesInForward())
    assert isinstance(error.value.__cause__, TypeError)


class NanAbove1000(MyRelu):
    def forward(self, x):
        return np.where(x > 1000, np.nan, super().forward(x))


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform"])
def test_nan_of_a_layer_for_finite_input_is_an_error_that_names_the_layer(
    container, method, digits
):
    X, y = digits
    clf = make(activation=NanAbove1000()).fit(X, y)
    X = X.copy()
    X[123] *= 1e6
    assert (X[123] @ clf.coefs_[0] > 2000).any()
    message = "NanAbove1000 returned nan for row 123 of X, although its input is finite"
    with pytest.raises(ValueError, match=message):
        getattr(clf, method)(container(X))


def test_an_overflow_before_a_layer_is_not_an_error_of_the_layer(digits):
    X, y = digits
    clf = make(activation=NanAbove1000()).fit(X, y)
    X = X.copy()
    X[123] = 1.7e308 * np.sign(clf.coefs_[0][:, 0])
    with pytest.raises(ValueError, match="results of row 123 of X overflow float64"):
        clf.predict(X)
