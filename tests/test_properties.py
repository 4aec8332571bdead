"""Whatever comes in: a correct result, or an error that says why; and nothing is changed.

"Correct" is what the same numbers give as a plain array. Warnings are errors, as in all tests.
"""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from strategies import (
    SPOILED,
    WEIGHT_GUISES,
    dense_rows,
    indicators,
    labels,
    matrices,
    no_labels,
    no_rows,
    no_weights,
    sparse_rows,
)

from sk_twolayer import TwoLayerClassifier

N = 8
TRAINING_ROWS = {"rows": st.integers(2, 12)}
SEVERAL_ROWS = {"rows": st.just(N), "columns": st.just(2)}
PLAIN_X = np.random.RandomState(0).standard_normal((N, 2))
PLAIN_Y = np.arange(N) % 3
ANSWERS = ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform"]


def make(**options):
    return TwoLayerClassifier(
        **{"hidden_size": 3, "max_iter": 2, "tol": None, "random_state": 0, **options}
    )


def content(value):
    """Return all that a caller could see change in an argument."""
    if sp.issparse(value):
        parts = [getattr(value, name, None) for name in ("data", "indices", "indptr", "row", "col")]
        value = (value.format, value.shape, parts if value.format not in ("lil", "dok") else None)
    if isinstance(value, pd.Series | pd.DataFrame):  # which remember what was asked of them
        value = (value.to_numpy().tolist(), value.index.tolist(), str(value.dtypes))
    return pickle.dumps(value)


def attempt(method, *arguments, **options):
    """Call a method; return its result, or the error if it refuses, which it may in words only."""
    given_ones = [*arguments, *options.values()]
    before = [content(argument) for argument in given_ones]
    clf = method.__self__
    parameters, state = repr(clf), joblib.hash(vars(clf))
    try:
        result = method(*arguments, **options)
    except (ValueError, TypeError) as error:
        result = error
    if isinstance(result, Exception):
        assert len(str(result)) > 15
        assert joblib.hash(vars(clf)) == state
    assert repr(clf) == parameters
    assert [content(argument) for argument in given_ones] == before
    return result


def train(clf, method, X, y, sample_weight=None):
    """Train by one of the two methods, and return what came of it."""
    if method == "fit":
        return attempt(clf.fit, X, y, sample_weight)
    return attempt(clf.partial_fit, X, y, np.unique(PLAIN_Y), sample_weight)


def parameters(clf):
    return clf.coefs_ + clf.intercepts_


def assert_same(clf, expected):
    for array, of_plain in zip(parameters(clf), parameters(expected), strict=True):
        assert array.dtype == of_plain.dtype
        assert_array_equal(array, of_plain)


def check_answers(clf, X, expected, plain):
    """Check what a model says of its rows: what another says of the plain ones, and sense."""
    for name in ANSWERS:
        given_guise = attempt(getattr(clf, name), X)
        given_plain = attempt(getattr(expected, name), plain)
        if isinstance(given_plain, Exception):
            assert type(given_guise) is type(given_plain)
            return
        assert_allclose(given_guise, given_plain, rtol=1e-3, atol=1e-5)
    proba = clf.predict_proba(X)
    assert proba.min() >= 0
    assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    assert set(clf.predict(X)) <= set(clf.classes_)
    best = proba.max(axis=1)
    assert (
        proba[np.arange(len(proba)), np.searchsorted(clf.classes_, clf.predict(X))] == best
    ).all()
    with np.errstate(divide="ignore", under="ignore"):
        assert_allclose(
            clf.predict_log_proba(X)[proba > 1e-30], np.log(proba[proba > 1e-30]), 1e-4, 1e-6
        )


@given(dense_rows(**TRAINING_ROWS), st.sampled_from(["fit", "partial_fit"]))
def test_dense_rows(rows, method):
    X, plain = rows
    y = np.arange(len(plain)) % min(3, len(plain))
    clf = train(make(), method, X, y)
    expected = train(make(), method, plain, y)
    if isinstance(expected, Exception):
        assert str(clf) == str(expected)
        return
    assert_same(clf, expected)
    check_answers(clf, X, expected, plain)


@given(sparse_rows(**TRAINING_ROWS), st.sampled_from(["fit", "partial_fit"]))
def test_sparse_rows(rows, method):
    X, plain = rows
    y = np.arange(len(plain)) % min(3, len(plain))
    clf, expected = (train(make(), method, X, y) for X in (X, plain))
    for array, of_plain in zip(parameters(clf), parameters(expected), strict=True):
        assert array.dtype == of_plain.dtype
        assert_allclose(array, of_plain, rtol=1e-4, atol=1e-5)
    check_answers(clf, X, expected, plain)


@pytest.mark.filterwarnings("ignore:X has feature names, but")  # which is true of data frames
@given(no_rows(N), st.sampled_from(["fit", "partial_fit"]))
def test_what_are_no_rows(X, method):
    assert isinstance(train(make(), method, X, PLAIN_Y), Exception)
    fitted = make().fit(PLAIN_X, PLAIN_Y)
    assert isinstance(train(fitted, "partial_fit", X, PLAIN_Y), Exception)
    for name in ANSWERS:
        assert isinstance(attempt(getattr(fitted, name), X), Exception)


@pytest.mark.filterwarnings("ignore:X has feature names, but")
@given(no_rows(N))
def test_what_are_no_validation_rows(X):
    clf = make(early_stopping=True)
    assert isinstance(attempt(clf.fit, PLAIN_X, PLAIN_Y, X_val=X, y_val=PLAIN_Y), Exception)


@given(matrices(**SEVERAL_ROWS), st.sampled_from(SPOILED), st.integers(0, N - 1), st.booleans())
def test_one_spoiled_cell(X, value, row, sparse):
    X[row, 1] = value
    X = sp.csr_array(X) if sparse else X
    clf = train(make(), "fit", X, PLAIN_Y)
    if not np.isfinite(value):
        assert "Input X contains" in str(clf)
    if not isinstance(clf, Exception):
        assert all(np.isfinite(array).all() for array in parameters(clf))
    fitted = make().fit(PLAIN_X, PLAIN_Y)
    for name in ANSWERS:
        answer = attempt(getattr(fitted, name), X)
        assert isinstance(answer, Exception) or np.isfinite(answer.astype(float)).all()


@given(st.data(), st.booleans())
def test_labels(data, in_parts):
    """What labels are called makes no difference to what is learned."""
    y, plain = data.draw(labels(N))
    classes = sorted(set(plain))
    codes = [classes.index(label) for label in plain]
    clf = make(max_iter=1)
    if in_parts:
        clf = attempt(clf.partial_fit, PLAIN_X, y, classes)
    else:
        clf = attempt(clf.fit, PLAIN_X, y)
    if isinstance(y, np.ndarray) and y.dtype.hasobject and not isinstance(plain[0], str):
        assert "Unknown label type" in str(clf)
        return
    assert not isinstance(clf, Exception), clf
    assert clf.classes_.tolist() == classes
    assert_same(clf, make(max_iter=1).fit(PLAIN_X, codes))
    assert clf.predict(PLAIN_X).tolist() == [
        classes[code] for code in make(max_iter=1).fit(PLAIN_X, codes).predict(PLAIN_X)
    ]


@given(indicators(N), st.sampled_from(["fit", "partial_fit"]))
def test_indicator_matrices(targets, method):
    y, plain = targets
    classes = range(plain.shape[1])
    clf, expected = make(), make()
    for each, given_targets in ((clf, y), (expected, plain)):
        arguments = (classes,) if method == "partial_fit" else ()
        assert attempt(getattr(each, method), PLAIN_X, given_targets, *arguments) is each
    assert_same(clf, expected)
    assert clf.classes_.tolist() == list(classes)
    answer = clf.predict(PLAIN_X)
    assert_array_equal(answer, clf.predict_proba(PLAIN_X) > 0.5)
    assert answer.shape == plain.shape
    assert clf.score(PLAIN_X, y) == (answer == plain).all(axis=1).mean()


@given(no_labels(N), st.sampled_from(["fit", "partial_fit"]))
def test_what_are_no_labels(y, method):
    assert isinstance(train(make(), method, PLAIN_X, y), Exception)


@given(
    st.lists(st.integers(0, 2), min_size=N, max_size=N),
    st.sampled_from(WEIGHT_GUISES),
    st.sampled_from(["sgd", "adam", "lbfgs"]),
)
def test_weights(weights, guise, solver):
    """A weight is that many copies of the row."""
    copies = np.repeat(np.arange(N), weights)
    y = PLAIN_Y % 2
    assume(len(set(y[copies])) == 2)
    clf, of_copies = (make(solver=solver, batch_size="full") for _ in range(2))
    clf = attempt(clf.fit, PLAIN_X, y, guise(weights))
    assert not isinstance(clf, Exception), clf
    of_copies.fit(PLAIN_X[copies], y[copies])
    for array, of_copy in zip(parameters(clf), parameters(of_copies), strict=True):
        assert_allclose(array, of_copy, rtol=1e-6, atol=1e-9)


@given(no_weights(N), st.sampled_from(["fit", "partial_fit"]))
def test_what_are_no_weights(weights, method):
    outcome = train(make(), method, PLAIN_X, PLAIN_Y, weights)
    nothing_to_do = method == "partial_fit" and isinstance(weights, list) and weights == [0.0] * N
    assert isinstance(outcome, Exception) != nothing_to_do


@pytest.mark.filterwarnings("ignore:A column-vector y was passed")  # scikit-learn asks for a row
@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_sizes_of_nothing_and_one(n_rows, n_columns, n_labels):
    X, y = np.ones((n_rows, n_columns)), np.ones((n_rows, n_labels), int)
    for targets in (y, y[:, :1].ravel()):
        clf = attempt(make().fit, X, targets)
        if not isinstance(clf, Exception):
            assert clf.predict(X).shape == targets.shape
