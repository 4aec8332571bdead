"""Classes, weights and batch sizes as folds and resampling bring them, and labels of any kind."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.utils.class_weight import compute_sample_weight

from sk_twolayer import TwoLayerClassifier
from sk_twolayer._numerics.matrices import as_dense
from sk_twolayer.optimizers._registry import SOLVERS
from tests.helpers import pairwise

rng = np.random.RandomState(0)
N = 60
X = rng.standard_normal((N, 4))
y = np.arange(N) % 3
NAMES = np.array(["a", "b", "c"])


def make(**options):
    return TwoLayerClassifier(
        **{"hidden_size": 8, "learning_rate": 0.05, "batch_size": 20, "random_state": 0, **options}
    )


def parameters(clf):
    return np.concatenate([array.ravel() for array in clf.coefs_ + clf.intercepts_])


class TestClassesWithoutWeight:
    """`classes_` is what y holds, whatever its rows weigh."""

    @pytest.mark.parametrize("labels", [y, NAMES[y], y == 1], ids=["int", "str", "bool"])
    @pytest.mark.parametrize("by", ["sample_weight", "class_weight"])
    @pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
    def test_the_class_keeps_its_column_and_has_a_small_probability(self, by, labels, solver):
        last = np.unique(labels)[-1]
        clf, weight = make(solver=solver, learning_rate=0.2, max_iter=100, tol=None), None
        if by == "class_weight":
            clf.set_params(class_weight={last: 0})
        else:
            weight = np.where(labels == last, 0.0, 1.0)
        clf.fit(X, labels, weight, X_val=X, y_val=labels)
        assert_array_equal(clf.classes_, np.unique(labels))
        proba = clf.predict_proba(X)
        assert proba.shape == (N, len(clf.classes_))
        assert proba[labels != last, -1].max() < 0.2
        assert last not in clf.predict(X[labels != last])

    def test_its_rows_do_not_change_the_fit(self):
        other = X.copy()
        other[y == 1] = 5 * rng.standard_normal((20, 4))
        fits = [make().fit(rows, y, y != 1) for rows in (X, other)]
        assert_array_equal(*map(parameters, fits))
        assert fits[0].t_ == 40 * fits[0].n_iter_

    def test_class_weight_zero_is_sample_weight_zero(self):
        by_class = make(class_weight={1: 0}).fit(X, y)
        by_row = make().fit(X, y, y != 1)
        assert_array_equal(parameters(by_class), parameters(by_row))

    def test_balanced_counts_the_classes_with_weight(self):
        weight = np.where(y == 1, 0.0, 1.0 + np.arange(N) % 2)
        balanced = make(class_weight="balanced").fit(X, y, weight, X_val=X, y_val=y)
        total = np.bincount(y, weights=weight, minlength=3)
        factors = np.where(total > 0, 1 / np.maximum(total, 1), 0)[y]
        expected = make().fit(X, y, weight * factors)
        np.testing.assert_allclose(parameters(balanced), parameters(expected), rtol=1e-9)
        # as scikit-learn's own function does for classes missing in a sample
        assert (
            compute_sample_weight("balanced", y, indices=np.flatnonzero(y != 1))[y == 1] == 0
        ).all()

    @pytest.mark.parametrize("early_stopping", [False, True])
    def test_one_class_with_weight(self, early_stopping):
        clf = make(max_iter=100, early_stopping=early_stopping).fit(X, NAMES[y], y == 1)
        assert_array_equal(clf.classes_, NAMES)
        assert (clf.predict(X[y == 1]) == "b").all()

    def test_warm_start_and_partial_fit_keep_classes_without_weight(self):
        clf = make(warm_start=True, tol=None).fit(X, y, y != 1)
        clf.fit(X, y, y != 2)
        clf.partial_fit(X, y, sample_weight=y != 0)
        assert_array_equal(clf.classes_, [0, 1, 2])
        clf = make(class_weight={1: 0}).partial_fit(X, y, [0, 1, 2])
        before = parameters(clf)
        assert_array_equal(parameters(clf.partial_fit(X[y == 1], y[y == 1])), before)

    def test_rows_of_an_indicator_matrix(self):
        Y = np.c_[y == 1, y != 1, y == 2, y == 1].astype(int)
        clf = make(max_iter=100).fit(X, Y, y != 1, X_val=X, y_val=Y)
        assert clf.classes_.tolist() == [0, 1, 2, 3]
        assert (clf.predict(X[y != 1])[:, [0, 3]] == 0).all()

    @pytest.mark.parametrize(
        ("class_weight", "weight", "name"),
        [
            (None, np.zeros(N), "sample_weight"),
            ({0: 0, 1: 0, 2: 0}, None, "class_weight"),
            ({1: 0, 2: 0}, y != 0, "sample_weight times class_weight"),
        ],
    )
    def test_all_weights_zero(self, class_weight, weight, name):
        with pytest.raises(ValueError, match=f"{name} is zero for every row"):
            make(class_weight=class_weight).fit(X, y, weight)


class TestOneClass:
    """A model of one class predicts it with probability 1."""

    OPTIONS = (
        {},
        {"early_stopping": True},
        {"warm_start": True},
        {"alpha": 0.0},
        {"class_weight": "balanced"},
        {"class_weight": {"b": 2.0}},
        {"scoring": "accuracy"},
    )

    @pytest.mark.parametrize(
        ("solver", "options", "dtype"),
        pairwise(sorted(SOLVERS), OPTIONS, [np.float32, np.float64]),
        ids=str,
    )
    def test_predictions(self, solver, options, dtype):
        x, labels = X.astype(dtype), np.full(N, "b")
        clf = make(solver=solver, **options).fit(x, labels, np.arange(N), X_val=x, y_val=labels)
        if clf.warm_start:
            clf.fit(x, labels)
        assert clf.classes_.tolist() == ["b"]
        assert (clf.predict(X) == "b").all()
        assert_array_equal(clf.predict_proba(x), np.ones((N, 1), dtype))
        assert_array_equal(clf.predict_log_proba(x), np.zeros((N, 1), dtype))
        assert_array_equal(clf.decision_function(x), np.zeros(N, dtype))
        assert clf.predict_proba(x).dtype == dtype
        assert clf.score(x, labels) == 1
        assert clf.score(x, NAMES[y]) == np.mean(y == 1)
        loaded = pickle.loads(pickle.dumps(clf))
        assert_array_equal(loaded.predict_proba(x), clf.predict_proba(x))

    @pytest.mark.parametrize("labels", [np.zeros(N), np.ones(N, int), np.ones(N, bool), ["x"] * N])
    @pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
    def test_labels_of_any_type(self, labels, container):
        clf = make().fit(container(X), labels)
        assert_array_equal(clf.predict(container(X)), labels)
        assert clf.loss_ == 0

    def test_one_row(self):
        assert make().fit(X[:1], [7]).predict(X).tolist() == [7] * N

    def test_partial_fit_with_one_announced_class(self):
        clf = make().partial_fit(X, np.full(N, 3), classes=[3]).partial_fit(X, np.full(N, 3))
        assert (clf.predict_proba(X) == 1).all()
        with pytest.raises(ValueError, match=r"not among the classes \[3\]: \[4\]"):
            clf.partial_fit(X, np.full(N, 4))

    def test_warm_start_with_another_class_is_refused(self):
        clf = make(warm_start=True).fit(X, np.zeros(N))
        with pytest.raises(ValueError, match="same classes"):
            clf.fit(X, np.ones(N))

    @pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
    def test_constant_columns_of_an_indicator_matrix(self, container):
        Y = np.c_[np.ones(N, int), np.zeros(N, int), y == 1]
        clf = make(max_iter=100, tol=None).fit(X, container(Y))
        assert (as_dense(clf.predict(X))[:, :2] == [1, 0]).all()
        for constant in (0, 1):
            clf = make(max_iter=100).fit(X, container(np.full((N, 2), constant)))
            assert (as_dense(clf.predict(X)) == constant).all()


class TestBatchSize:
    """`batch_size` is clipped, and `batch_size_` has the rows per minibatch."""

    @pytest.mark.parametrize(
        ("options", "rows"),
        [
            ({"batch_size": 20}, 20),
            ({"batch_size": N + 1}, N),
            ({"batch_size": 10**9}, N),
            ({"batch_size": "full"}, N),
            ({"batch_size": "auto"}, 16),
            ({"solver": "lbfgs", "tol": None}, N),
            ({"batch_size": 1000, "early_stopping": True}, N - 6),
            ({"batch_size": 1000, "class_weight": {0: 0}}, 40),
        ],
        ids=str,
    )
    def test_rows_taken_by_fit(self, options, rows):
        assert make(**options).fit(X, y).batch_size_ == rows

    def test_a_clipped_batch_is_all_rows(self):
        fits = [make(batch_size=size).fit(X, y) for size in (1000, "full", N)]
        assert_array_equal(parameters(fits[0]), parameters(fits[1]))
        assert_array_equal(parameters(fits[0]), parameters(fits[2]))

    def test_rows_taken_by_partial_fit(self):
        clf = make(batch_size=50).partial_fit(X[:7], y[:7], [0, 1, 2])
        assert clf.batch_size_ == 7
        assert clf.partial_fit(X, y).batch_size_ == 50
        clf.partial_fit(X[:9], y[:9], sample_weight=np.zeros(9))  # changes nothing
        assert clf.batch_size_ == 50


class TestClassWeightsOfFolds:
    def test_keys_that_are_no_classes_change_nothing(self):
        some = y < 2
        of_all = make(class_weight={0: 1, 1: 2, 2: 5, "x": 1e300}).fit(X[some], y[some])
        of_fold = make(class_weight={0: 1, 1: 2}).fit(X[some], y[some])
        assert_array_equal(parameters(of_all), parameters(of_fold))
        of_part = make(class_weight={1: 2, 7: 3}).partial_fit(X, y, [0, 1, 2])
        expected = make(class_weight={1: 2}).partial_fit(X, y, [0, 1, 2])
        assert_array_equal(parameters(of_part), parameters(expected))

    @pytest.mark.parametrize("class_weight", [{7: 2.0, 8: 1.0}, {"0": 1.0, "1": 1.0}])
    def test_a_dict_that_names_no_class_is_refused(self, class_weight):
        message = rf"class_weight names \{list(class_weight)}".replace("]", r"\]")
        message += r".* the classes in y are \[0, 1, 2\]"
        clf = make(class_weight=class_weight)
        with pytest.raises(ValueError, match=message):
            clf.fit(X, y)
        with pytest.raises(ValueError, match=message):
            clf.partial_fit(X, y, [0, 1, 2])

    def test_factors_are_checked_for_absent_classes_too(self):
        with pytest.raises(ValueError, match=r"class_weight\[9\] must be a number"):
            make(class_weight={0: 1.0, 9: -1.0}).fit(X, y)


class TestRatiosOfWeights:
    """Weights whose ratio the dtype of training cannot represent are refused by name."""

    @pytest.mark.parametrize(
        ("dtype", "class_weight", "weight", "name"),
        [
            (np.float32, {0: 1e60}, None, "class_weight"),
            (np.float32, {0: 1e-60}, None, "class_weight"),
            (np.float32, None, np.where(y, 1e60, 1), "sample_weight"),
            (np.float32, {0: 2.0}, np.where(y, 1e60, 1), "sample_weight"),
            (np.float32, {0: 1e30}, np.where(y == 0, 1e30, 1), "sample_weight times class_weight"),
            (np.float64, {0: 1e300, 1: 1e-300}, None, "class_weight"),
            (np.float64, None, np.where(y, 1e300, 1e-300), "sample_weight"),
            (np.float64, {0: 1e200}, np.where(y, 1e-200, 1), "sample_weight times class_weight"),
        ],
    )
    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    def test_refused(self, dtype, class_weight, weight, name, method):
        clf = make(class_weight=class_weight)
        options = {"classes": [0, 1, 2]} if method == "partial_fit" else {}
        message = f"^{name} gives a row more than .* {np.dtype(dtype)} cannot represent"
        with pytest.raises(ValueError, match=message):
            getattr(clf, method)(X.astype(dtype), y, sample_weight=weight, **options)

    def test_of_validation_rows(self):
        weight = np.where(y, 1e60, 1)
        with pytest.raises(ValueError, match=r"^sample_weight_val gives a row"):
            make().fit(X.astype(np.float32), y, X_val=X, y_val=y, sample_weight_val=weight)

    def test_factors_that_cancel_are_fine(self):
        x, weight = X.astype(np.float32), np.where(y == 0, 1e-60, 1)
        clf = make(class_weight={0: 1e60}).fit(x, y, weight)
        np.testing.assert_allclose(parameters(clf), parameters(make().fit(x, y)), rtol=1e-3)

    def test_only_rows_with_weight_count(self):
        x, weight = X.astype(np.float32), np.where(y == 0, 0, 1e60)
        assert_array_equal(
            parameters(make().fit(x, y, weight)), parameters(make().fit(x, y, y > 0))
        )
        clf = make(class_weight={0: 1e60}).fit(x, y, y > 0)
        assert_array_equal(parameters(clf), parameters(make().fit(x, y, y > 0)))


def objects(values):
    return np.array(values, dtype=object)


def dask_series(values):
    return pytest.importorskip("dask.dataframe").from_pandas(pd.Series(values), npartitions=2)


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (objects(y.tolist()), y),
        (objects(list(y)), y),
        (objects((y > 0).tolist()), y > 0),
        (objects(list(y > 0)), y > 0),
        (objects(y.astype(float).tolist()), y.astype(float)),
        (objects([int(label) if label else 0.0 for label in y]), y),
        (objects((2**60 + y).tolist()), 2**60 + y),
        (pd.Series(y, dtype=object), y),
        (pd.Series(y > 0, dtype=object), y > 0),
        (pl.Series(y.tolist(), dtype=pl.Object), y),
        (pl.Series(NAMES[y]), NAMES[y]),
    ],
    ids=str,
)
def test_arrays_of_objects_have_the_type_of_their_elements(given, plain):
    expected, clf = make().fit(X, plain), make()
    assert_array_equal(parameters(clf.fit(X, given)), parameters(expected))
    assert clf.classes_.tolist() == expected.classes_.tolist()
    assert clf.score(X, given) == expected.score(X, plain)
    parts = make().partial_fit(X, given, classes=objects(np.unique(plain).tolist()))
    assert_array_equal(parts.classes_, expected.classes_)


@pytest.mark.parametrize("labels", [y, NAMES[y], y > 0], ids=["int", "str", "bool"])
def test_dask_series_are_labels_and_weights(labels):
    expected = make().fit(X, labels, y + 1)
    clf = make().fit(X, dask_series(labels), dask_series(y + 1))
    assert_array_equal(parameters(clf), parameters(expected))
    assert clf.score(X, dask_series(labels)) == expected.score(X, labels)
    make().partial_fit(X, dask_series(labels), np.unique(labels))


def in_every_method(labels):
    """Yield calls that take labels."""
    yield lambda: make().fit(X, labels)
    yield lambda: make().partial_fit(X, labels, [0, 1, 2])
    yield lambda: make().fit(X, y).score(X, labels)
    yield lambda: make().fit(X, y, X_val=X, y_val=labels)


def missing_at_5(values, missing, make_array):
    values = list(values)
    values[5] = missing
    return make_array(values)


@pytest.mark.parametrize(
    "labels",
    [
        missing_at_5(y, None, list),
        missing_at_5(y, np.nan, list),
        missing_at_5(y, None, objects),
        missing_at_5(y, np.nan, objects),
        missing_at_5(y, pd.NaT, objects),
        missing_at_5(NAMES[y], None, list),
        missing_at_5(NAMES[y].tolist(), np.nan, list),
        missing_at_5(y > 0, None, list),
        missing_at_5(y, np.nan, lambda values: np.array(values, np.float32)),
        missing_at_5(y, pd.NA, lambda values: pd.Series(values, dtype="Int64")),
        missing_at_5(y, pd.NA, lambda values: pd.array(values, dtype="Int64")),
        missing_at_5(y > 0, pd.NA, lambda values: pd.Series(values, dtype="boolean")),
        missing_at_5(NAMES[y], pd.NA, lambda values: pd.Series(values, dtype="string")),
        missing_at_5(NAMES[y], None, pd.Categorical),
        missing_at_5(y.tolist(), None, pl.Series),
        missing_at_5(NAMES[y].tolist(), None, pl.Series),
        missing_at_5((y > 0).tolist(), None, pl.Series),
        missing_at_5(["2020"] * N, "NaT", lambda values: np.array(values, "M8[D]")),
        np.ma.array(y, mask=np.arange(N) == 5),
        pl.DataFrame({"a": missing_at_5(y.tolist(), None, list), "b": [1] * N}),
        sp.csr_array(np.where(np.arange(N) == 5, np.nan, 1.0)[:, np.newaxis] * [1.0, 1.0]),
    ],
    ids=lambda labels: type(labels).__name__,
)
def test_missing_labels(labels):
    for call in in_every_method(labels):
        with pytest.raises(ValueError, match=r"y(_val)? has missing labels, .* in row 5: remove"):
            call()


@pytest.mark.parametrize(
    "labels",
    [
        [0, "a"] * (N // 2),
        objects([0, "a"] * (N // 2)),
        objects([True, "a"] * (N // 2)),
        objects([True, 2] * (N // 2)),
        objects([0.0, b"a"] * (N // 2)),
        pd.Series([0, "a"] * (N // 2)),
        (1, "1") * (N // 2),
    ],
    ids=str,
)
def test_labels_of_different_kinds(labels):
    for call in in_every_method(labels):
        with pytest.raises(
            ValueError, match=r"^y(_val)? has labels of different kinds, for example"
        ):
            call()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([2**70, 1] * (N // 2), "neither 64-bit integers nor floats can represent exactly"),
        (objects([2**63 + 1, -1] * (N // 2)), "neither 64-bit integers nor floats"),
        (objects([{1}, {2}] * (N // 2)), "labels of type set, but .*MultiLabelBinarizer"),
        ([pd.Timestamp(2020, 1, 1)] * N, "labels of type Timestamp, but"),
        (np.where(y, np.inf, 0), "contains infinity"),
    ],
    ids=str,
)
def test_objects_that_are_no_labels(labels, message):
    for call in in_every_method(labels):
        with pytest.raises(ValueError, match=message):
            call()


def test_quantities_are_refused_in_the_same_words_by_fit_and_partial_fit():
    for call in list(in_every_method(y + 0.5))[:2]:
        with pytest.raises(ValueError, match="Unknown label type: continuous"):
            call()


ONE_HOT = np.eye(3, dtype=int)[y]


@pytest.mark.parametrize(
    "container",
    [
        np.asarray,
        sp.csr_array,
        sp.csc_matrix,
        pd.DataFrame,
        np.ndarray.tolist,
        lambda Y: Y.astype(bool),
        lambda Y: Y.astype(np.float32),
        lambda Y: Y.astype(object),
    ],
    ids=["array", "csr_array", "csc_matrix", "frame", "list", "bool", "float32", "object"],
)
def test_one_hot_rows_are_warned_of_once(container):
    with pytest.warns(UserWarning, match=r"one 1 in its 3 columns.*y\.argmax\(axis=1\)") as caught:
        clf = make().fit(X, container(ONE_HOT), X_val=X, y_val=container(ONE_HOT))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert clf.predict_proba(X).shape == (N, 3)
    with pytest.warns(UserWarning, match="one-hot encoded"):
        clf = make().partial_fit(X, container(ONE_HOT), [0, 1, 2])
    clf.partial_fit(X, container(ONE_HOT))  # no second warning


def test_other_indicator_matrices_are_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make().fit(X, ONE_HOT[:, :2])
        make().fit(X, np.c_[y == 0, y != 0])
        make().fit(X, np.vstack([ONE_HOT[:-1], [0, 0, 0]]))
        make().fit(X, np.vstack([ONE_HOT[:-1], [1, 1, 0]]))
        make().fit(X, ONE_HOT.argmax(axis=1))
