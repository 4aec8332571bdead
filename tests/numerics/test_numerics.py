"""Extreme numbers: diverging losses, scores of 10,000, networks that do not fit in memory."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sk_twolayer import TwoLayerClassifier
from sk_twolayer._data.dataset import Dataset
from sk_twolayer._data.targets import Labels
from sk_twolayer._training import memory as _memory
from sk_twolayer._training.settings import Settings
from sk_twolayer.optimizers import SGD
from tests.helpers import OPTIMIZERS, STEPPING

# fit warns that such columns are not scaled
pytestmark = pytest.mark.filterwarnings("ignore:column .* of X is not scaled")

TARGETS = {
    "two": np.arange(60) % 2,
    "five": np.arange(60) % 5,
    "labels": np.c_[np.arange(60) % 2, np.arange(60) % 3 == 0],
}


@pytest.fixture
def X(rng):
    return rng.standard_normal((60, 4))


@pytest.fixture(params=TARGETS.values(), ids=TARGETS)
def y(request):
    return request.param


def make(**options):
    return TwoLayerClassifier(
        **{"hidden_size": 6, "max_iter": 3, "tol": None, "random_state": 0, **options}
    )


@pytest.mark.parametrize("solver", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shuffle", [False, True])
def test_columns_too_large_to_learn_from(X, y, solver, dtype, shuffle):
    X = (X * (0.2 * np.finfo(dtype).max)).astype(dtype)
    clf = make(solver=solver, shuffle=shuffle, activation="identity", weight_init_std=10.0)
    with pytest.raises(ValueError, match=r"training diverged: .*[Ss]cale the columns of X, for"):
        clf.fit(X, y)
    assert not hasattr(clf, "coefs_")


@pytest.mark.parametrize("solver", STEPPING, ids=str)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_steps_too_long_to_take(X, y, solver, method):
    clf = make(solver=solver, learning_rate=1e200, activation="identity", batch_size=10)
    classes = {"classes": np.unique(y) if y.ndim == 1 else [0, 1]} if method != "fit" else {}
    message = r"in epoch 1.*lower learning_rate \(now 1e\+200\), or scale the columns of X"
    with pytest.raises(ValueError, match=message):
        getattr(clf, method)(X, y, **classes)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e4, 1e30])
def test_scores_of_ten_thousand_and_more(X, y, dtype, scale):
    X = X.astype(dtype)
    clf = make().fit(X, y)
    clf.coefs_[1] *= dtype(scale / np.abs(clf.decision_function(X)).max())
    clf.intercepts_[1][:] = 0
    scores, proba = clf.decision_function(X), clf.predict_proba(X)
    assert np.abs(scores).max() > 0.5 * scale
    assert proba.min() < 1e-30
    assert 1 - 1e-6 < proba.max() <= 1
    if y.ndim == 1:
        assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
        assert_array_equal(clf.classes_[proba.argmax(axis=1)], clf.predict(X))
    log_proba = clf.predict_log_proba(X)
    assert np.isfinite(log_proba).all()
    assert -2.1 * scale < log_proba.min() < -0.5 * scale


@pytest.mark.parametrize("solver", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_from_probabilities_of_zero_and_one(X, y, solver, dtype):
    """Some rows are of classes to which the model gives a probability of 0."""
    X = X.astype(dtype)
    options = {"alpha": 0.0, "warm_start": True, "max_iter": 1, "batch_size": "full"}
    clf = make(solver=solver, **options).fit(X, y)
    clf.coefs_[1] *= dtype(1e4)
    clf.set_params(max_iter=20).fit(X, y)
    curve = clf.loss_curve_
    assert np.isfinite(curve).all()
    assert curve[1] > 100
    assert curve[-1] < curve[1]


@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.uint64, np.bool_, np.longdouble, ">f8"])
def test_rows_of_other_dtypes_give_the_same_result(X, y, dtype):
    X = np.abs(10 * X).astype(dtype)
    of_type, of_float = make().fit(X, y), make().fit(X.astype(np.float64), y)
    assert_array_equal(of_type.coefs_[0], of_float.coefs_[0])
    assert of_type.predict_proba(X).dtype == np.float64
    assert_array_equal(of_type.predict_proba(X), of_float.predict_proba(X.astype(np.float64)))


def test_a_float32_model_accepts_values_that_fit_float32(X, y):
    clf = make().fit(X.astype(np.float32), y)
    assert clf.predict_proba(X.astype(np.float16)).dtype == np.float32
    with pytest.raises(ValueError, match=r"infinity or a value too large for dtype.*float32"):
        clf.predict(np.full_like(X, 1e300))


class TestMemory:
    @pytest.mark.parametrize(
        ("hidden_size", "n_features", "n_classes", "message"),
        [
            (10**7, 4, 10**5, "and 100000 outputs needs 4000"),
            (10**12, 4, 2, "hidden_size=1000000000000 and 1 outputs"),
            (10**6, 10**9, 3, "a network of 1000000000 inputs"),
        ],
    )
    def test_a_net_too_large_for_any_machine(self, hidden_size, n_features, n_classes, message):
        X = sp.csr_array((60, n_features))
        with pytest.raises(ValueError, match=message + ".*labels in y are classes") as refused:
            make(hidden_size=hidden_size).partial_fit(X, TARGETS["two"], np.arange(n_classes))
        assert "smaller hidden_size or batch_size" in str(refused.value)

    def test_identifiers_taken_for_classes(self, monkeypatch):
        monkeypatch.setattr(_memory, "memory_limit", lambda: 2**28)
        y = np.arange(100_000)
        message = "a network of 2 inputs, hidden_size=256 and 100000 outputs needs .* use 0.3 GB"
        with (
            pytest.warns(UserWarning, match="number of unique classes is greater than 50%"),
            pytest.raises(ValueError, match=message),
        ):
            TwoLayerClassifier().fit(np.zeros((len(y), 2), np.float32), y)

    @pytest.mark.parametrize("solver", OPTIMIZERS, ids=str)
    @pytest.mark.parametrize("early_stopping", [False, True])
    def test_the_estimate_counts_the_vectors_of_each_solver(self, solver, early_stopping, rng):
        options = {"hidden_size": 200, "solver": solver, "early_stopping": early_stopping}
        self.compare_with_the_peak(rng.standard_normal((60, 1000)), 2, **options)

    @pytest.mark.parametrize(
        ("hidden_size", "n_classes", "options"),
        [
            (500, 2, {}),
            (500, 2, {"dropout": 0.5}),
            (500, 2, {"activation": "tanh"}),
            (500, 2, {"solver": "lbfgs"}),
            (500, 2, {"batch_size": 1000}),  # and 500 rows left over
            (2, 300, {}),
        ],
        ids=str,
    )
    def test_the_estimate_counts_hidden_units_and_scores(
        self, hidden_size, n_classes, options, rng
    ):
        options = {"batch_size": "full", "solver": SGD(), "hidden_size": hidden_size, **options}
        self.compare_with_the_peak(rng.standard_normal((1500, 2)), n_classes, **options)

    def compare_with_the_peak(self, X, n_classes, **options):
        y = np.arange(len(X)) % n_classes
        clf = make(learning_rate=1e-4, alpha=0.0, **options)
        params, labels = clf.get_params(deep=False), Labels(np.unique(y))
        settings = Settings.resolve(params, Dataset(X, y, None), labels)
        estimate = _memory.training_memory(settings, len(X))
        make(max_iter=1).fit(X[:, :2], y)  # so that caches are filled
        tracemalloc.start()
        try:
            clf.fit(X, y)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        data = X.nbytes + 2**20  # a copy of the rows at most, and scores that are read together
        assert peak - data < 1.2 * estimate
        assert estimate < 1.5 * peak

    def test_the_least_limit_counts(self, monkeypatch, tmp_path):
        files = {"max": "max\n", "some": f"{2**28}\n", "none": None}
        for name, text in files.items():
            if text is not None:
                (tmp_path / name).write_text(text)
        machine = _memory.memory_limit()
        monkeypatch.setattr(_memory, "CONTAINER_LIMITS", [tmp_path / "max", tmp_path / "none"])
        assert _memory.memory_limit() in (machine, None) or machine < _memory.memory_limit()
        monkeypatch.setattr(_memory, "CONTAINER_LIMITS", [tmp_path / name for name in files])
        assert _memory.memory_limit() == 2**28

    def test_without_a_known_limit(self, monkeypatch, X):
        monkeypatch.setattr(_memory, "CONTAINER_LIMITS", [Path("nowhere")])
        monkeypatch.setattr(_memory.os, "sysconf_names", {})
        assert _memory.memory_limit() is None
        make().fit(X, TARGETS["two"])
