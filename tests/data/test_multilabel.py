"""Rows with several labels: an indicator matrix for y."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neural_network import MLPClassifier

from sk_twolayer import TwoLayerClassifier
from sk_twolayer._training import batches as minibatches
from sk_twolayer.optimizers import LBFGS
from tests.helpers import PLAIN


@pytest.fixture(scope="module")
def data():
    X, Y = make_multilabel_classification(300, n_features=12, n_classes=4, random_state=0)
    return X / X.std(axis=0), Y


def make(**options):
    return TwoLayerClassifier(
        **{**PLAIN, "max_iter": 30, "tol": None, "random_state": 0, "learning_rate": 0.1, **options}
    )


def test_predictions_agree_with_each_other(data):
    X, Y = data
    clf = make().fit(X, Y)
    assert (clf.n_outputs_, clf.out_activation_) == (4, "logistic")
    assert_array_equal(clf.classes_, np.arange(4))
    scores, proba = clf.decision_function(X), clf.predict_proba(X)
    assert scores.shape == proba.shape == Y.shape
    assert_allclose(proba, 1 / (1 + np.exp(-scores)))
    assert_allclose(np.exp(clf.predict_log_proba(X)), proba)
    assert_array_equal(clf.predict(X), (proba > 0.5).astype(int))
    assert clf.predict(X).dtype.kind == "i"
    assert clf.score(X, Y) == accuracy_score(Y, clf.predict(X)) > 0.4
    assert clf.score(X, Y, np.arange(300)) == accuracy_score(
        Y, clf.predict(X), sample_weight=range(300)
    )


def test_the_loss_is_the_sum_over_labels(data):
    X, Y = data
    clf = make(batch_size="full", solver=LBFGS(), max_iter=3, alpha=0.0).fit(X, Y)
    proba = clf.predict_proba(X)
    assert_allclose(clf.loss_, sum(log_loss(Y[:, k], proba[:, k]) for k in range(4)))


@pytest.mark.parametrize(
    "container",
    [
        sp.csr_matrix,
        sp.csr_array,
        sp.csc_array,
        pd.DataFrame,
        np.ndarray.tolist,
        lambda Y: Y > 0,
        lambda Y: Y.astype(float),
    ],
    ids=["csr_matrix", "csr_array", "csc_array", "frame", "list", "bool", "float"],
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_indicators_of_every_kind(container, early_stopping, data):
    X, Y = data
    expected = make(early_stopping=early_stopping).fit(X, Y)
    clf = make(early_stopping=early_stopping).fit(X, container(Y))
    assert_array_equal(clf.coefs_[0], expected.coefs_[0])
    predicted = clf.predict(X)
    assert sp.issparse(predicted) == sp.issparse(container(Y))
    assert_array_equal(sp.csr_array(predicted).toarray(), expected.predict(X))


def test_early_stopping_and_validation_data(data):
    X, Y = data
    clf = make(early_stopping=True, scoring="f1_micro").fit(X, Y)
    assert clf.best_validation_score_ == max(clf.validation_scores_)
    clf = make().fit(X[:200], Y[:200], X_val=X[200:], y_val=sp.csr_array(Y[200:]))
    proba = clf.predict_proba(X[200:])
    loss = sum(log_loss(Y[200:, k], proba[:, k], labels=[0, 1]) for k in range(4))
    assert_allclose(clf.validation_loss_curve_[-1], loss)


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_weights_are_copies(solver, data, rng):
    X, Y = data
    copies = rng.randint(4, size=len(X))
    options = {"batch_size": "full", "solver": solver}
    weighted = make(**options).fit(X, Y, sample_weight=copies)
    repeated = make(**options).fit(np.repeat(X, copies, axis=0), np.repeat(Y, copies, axis=0))
    assert_allclose(weighted.coefs_[0], repeated.coefs_[0], rtol=0, atol=1e-10)


def test_it_learns_as_mlpclassifier_does(data):
    X, Y = data
    ours = make(solver="lbfgs", max_iter=60, alpha=0.01).fit(X, Y)
    theirs = MLPClassifier(solver="lbfgs", max_iter=60, alpha=0.01 * len(X), random_state=0)
    with pytest.warns(ConvergenceWarning):
        theirs.fit(X, Y)
    assert abs(ours.score(X, Y) - theirs.score(X, Y)) < 0.05


def test_one_column_is_one_label_per_row(data):
    X, Y = data
    with pytest.warns(DataConversionWarning, match="column-vector"):
        clf = make().fit(X, Y[:, :1])
    assert_array_equal(clf.coefs_[0], make().fit(X, Y[:, 0]).coefs_[0])


def test_class_weights_are_refused(data):
    for class_weight in ("balanced", {0: 2.0}):
        with pytest.raises(
            ValueError, match=r"not supported for an indicator matrix.*sample_weight"
        ):
            make(class_weight=class_weight).fit(*data)


def test_a_sparse_indicator_is_never_dense_as_a_whole(rng, monkeypatch):
    X, Y = rng.standard_normal((400, 3)), sp.random(400, 50, density=0.1, random_state=0)
    Y.data[:] = 1
    monkeypatch.setattr("sk_twolayer._training.batches.MAX_GROUP_BYTES", 1)
    sizes = []

    def as_dense(t, original=minibatches.as_dense):
        sizes.append(t.shape[0])
        assert sp.issparse(t)  # it was not dense before
        return original(t)

    monkeypatch.setattr(minibatches, "as_dense", as_dense)
    make(batch_size=20, max_iter=1).fit(X, Y.tocsr())
    assert max(sizes) == 20


def test_a_sparse_indicator_is_left_as_it_was(data):
    X, Y = data[0][:2], sp.csr_array(([1, 1, 1, 0], [2, 0, 1, 1], [0, 2, 4]), shape=(2, 3))
    make(max_iter=1).fit(X, Y)
    assert (Y.nnz, Y.indices.tolist()) == (4, [2, 0, 1, 1])


@pytest.mark.parametrize("scoring", ["roc_auc", "f1_macro", "accuracy"])
def test_scorers_with_sparse_indicators(scoring, data):
    X, Y = data
    dense, sparse = (
        make(early_stopping=True, scoring=scoring).fit(X, y) for y in (Y, sp.csr_array(Y))
    )
    assert dense.validation_scores_ == sparse.validation_scores_


@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csr_array, sp.csc_array])
def test_predict_is_sparse_where_y_was(container, data):
    X, Y = data
    dense, sparse = make().fit(X, Y), make().fit(X, container(Y))
    predicted = sparse.predict(X)
    assert sp.issparse(predicted)
    assert predicted.format == "csr"
    assert predicted.dtype == dense.predict(X).dtype
    assert_array_equal(predicted.toarray(), dense.predict(X))
    assert sparse.score(X, Y) == sparse.score(X, container(Y)) == dense.score(X, Y)
    assert (dense.sparse_output_, sparse.sparse_output_) == (False, True)
    streamed = make().partial_fit(X, container(Y), range(4)).partial_fit(X, Y)
    assert sp.issparse(streamed.predict(X))
    assert sp.issparse(pickle.loads(pickle.dumps(sparse)).predict(X))


@pytest.mark.parametrize("kind", ["labels", "classes"])
def test_predict_of_thousands_of_outputs_never_holds_all_scores(kind, rng):
    n, n_outputs = 20_000, 2000
    X = rng.standard_normal((n, 3)).astype(np.float32)
    k = np.arange(2 * n_outputs)
    Y = sp.csr_array((np.ones(len(k) - 1, int), (k[1:], k[1:] % n_outputs)))
    y = Y if kind == "labels" else k % n_outputs
    clf = make(max_iter=1, hidden_size=4).fit(X[: len(k)], y)
    clf.intercepts_[1][:] -= 10  # few labels a row
    clf.predict(X[:5000])
    tracemalloc.start()
    try:
        clf.predict(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6 < n * n_outputs * 4


@pytest.mark.parametrize("n_outputs", [1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sign", [-1, 1])
def test_predict_is_the_decision_of_predict_proba_also_at_ties(n_outputs, dtype, sign):
    """Scores of a few rounding errors, whose probabilities are one half as far as a float tells."""
    eps = np.finfo(dtype).eps
    for label_kind in ("classes", "labels"):
        if (label_kind, n_outputs) in (("labels", 1), ("classes", 2)):
            continue
        X = np.arange(40, dtype=dtype)[:, np.newaxis] / 8
        k = np.arange(40)
        y = k % max(2, n_outputs) if label_kind == "classes" else np.c_[[k % 2] * n_outputs].T
        clf = make(max_iter=1, hidden_size=1, activation="identity").fit(X, y)
        clf.coefs_ = [np.ones((1, 1), dtype), np.full((1, n_outputs), sign * eps, dtype)]
        clf.coefs_[1] *= np.arange(1, n_outputs + 1, dtype=dtype)  # the last class is the likeliest
        clf.intercepts_ = [np.zeros(1, dtype), np.zeros(n_outputs, dtype)]
        proba, predicted = clf.predict_proba(X), clf.predict(X)
        if label_kind == "labels":
            assert_array_equal(predicted, proba > 0.5)
            assert (clf.decision_function(X) > 0)[proba == 0.5].any() or sign < 0
        else:
            assert_array_equal(predicted, proba.argmax(axis=1))
            tied = proba.max(axis=1) == proba[:, 0]
            assert tied[X[:, 0] == 0].all()


@pytest.mark.parametrize("kind", ["two", "three", "labels"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_probability_is_zero_or_one(kind, dtype, rng):
    X, k = rng.standard_normal((60, 4)).astype(dtype), np.arange(60)
    y = {"two": k % 2, "three": k % 3, "labels": np.c_[k % 2, k % 3 > 0]}[kind]
    clf = make(max_iter=2).fit(X, y)
    clf.coefs_[1] *= dtype(1e5)
    proba, log_proba = clf.predict_proba(X), clf.predict_log_proba(X)
    limits = np.finfo(dtype)
    assert proba.min() == limits.tiny
    assert proba.max() == 1 - limits.epsneg
    assert np.isfinite(np.log(proba)).all()
    assert np.isfinite(np.log1p(-proba)).all()
    assert np.isfinite(log_proba).all()
    assert log_proba.min() < np.log(limits.tiny)  # exact, where the probability is not
