"""Whatever comes in: a correct result, or an error that says why; and nothing is changed.

"Correct" is what the same numbers give as a plain array. Warnings are errors, as in all tests.
"""

import pickle
import re

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import assume, example, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sk_twolayer import TwoLayerClassifier
from tests.strategies import (
    SPOILED,
    dense_rows,
    given,
    indicators,
    labels,
    matrices,
    no_classes,
    no_labels,
    no_rows,
    no_weights,
    row_weights,
    sparse_rows,
)

# Numbers of all sizes are not of unit scale, as fit rightly says.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:column .* of X is not scaled"),
]

N = 8
TRAINING_ROWS = {"rows": st.integers(2, 12)}
SEVERAL_ROWS = {"rows": st.just(N), "columns": st.just(2)}
PLAIN_X = np.random.RandomState(0).standard_normal((N, 2))
PLAIN_Y = np.arange(N) % 3
LARGE_LABELS = [2**53, 2**53 + 1] * (N // 2)  # which are the same as floats
ANSWERS = ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform"]
# How NumPy and Python start to complain of a caller's slip, which here would be one of ours.
INTERNAL = (
    r"operands could not|cannot reshape|shapes .* not aligned|index \S+ is out of bounds|ufunc '|"
    r"Cannot cast ufunc|'<' not|unhashable type|.* has no attribute|unsupported operand|.*len\(\)|"
    r".* length is ambiguous"
)
# scikit-learn asks for a row of labels; a column is as good.
columns_allowed = pytest.mark.filterwarnings("ignore:A column-vector y was passed")


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
        assert not re.match(INTERNAL, str(result)), result
        assert joblib.hash(vars(clf)) == state
    assert repr(clf) == parameters
    assert [content(argument) for argument in given_ones] == before
    return result


def is_refused(result):
    """Tell whether arguments were refused for what they are, before they did any harm."""
    return isinstance(result, Exception) and "diverged" not in str(result)


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
        assert np.isfinite(given_guise).all()
        assert_allclose(given_guise, given_plain, rtol=1e-3, atol=1e-5)
    proba = clf.predict_proba(X)
    assert proba.min() >= 0
    assert proba.max() <= 1
    assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    assert set(clf.predict(X)) <= set(clf.classes_)
    best = proba.max(axis=1)
    assert (
        proba[np.arange(len(proba)), np.searchsorted(clf.classes_, clf.predict(X))] == best
    ).all()
    sure = proba > 1e-30
    assert_allclose(clf.predict_log_proba(X)[sure], np.log(proba[sure]), 1e-4, 1e-6)
    y = np.arange(len(proba)) % 2
    assert attempt(clf.score, X, y) == pytest.approx(np.mean(expected.predict(plain) == y))


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


@given(sparse_rows(rows=st.integers(6, 12)))
def test_sparse_rows_are_held_out_like_dense_ones(rows):
    X, plain = rows
    y = np.arange(len(plain)) % 2
    options = {"early_stopping": True, "validation_fraction": 0.4}
    clf, expected = (train(make(**options), "fit", X, y) for X in (X, plain))
    if isinstance(expected, Exception):
        assert str(clf) == str(expected)
    else:
        assert clf.validation_scores_ == pytest.approx(expected.validation_scores_, rel=1e-4)


@pytest.mark.filterwarnings("ignore:X has feature names, but")  # which is true of data frames
@given(no_rows(N), st.sampled_from(["fit", "partial_fit"]))
def test_what_are_no_rows(X, method):
    assert is_refused(train(make(), method, X, PLAIN_Y))
    fitted = make().fit(PLAIN_X, PLAIN_Y)
    assert is_refused(train(fitted, method, X, PLAIN_Y))
    assert is_refused(attempt(fitted.score, X, PLAIN_Y))
    for name in ANSWERS:
        assert is_refused(attempt(getattr(fitted, name), X))


@pytest.mark.filterwarnings("ignore:X has feature names, but")
@given(no_rows(N))
def test_what_are_no_validation_rows(X):
    clf = make(early_stopping=True)
    assert is_refused(attempt(clf.fit, PLAIN_X, PLAIN_Y, X_val=X, y_val=PLAIN_Y))


@pytest.mark.filterwarnings("ignore:X has feature names, but")
@columns_allowed
@given(dense_rows(**SEVERAL_ROWS) | sparse_rows(**SEVERAL_ROWS), row_weights(N), st.booleans())
def test_validation_data(rows, weights, early_stopping):
    """Rows to measure on are worth what their plain array is."""
    X, plain = rows
    curves = []
    for X_val, weight in ((X, weights[0]), (plain, np.array(weights[1], float))):
        clf = make(early_stopping=early_stopping, scoring=None)
        options = {"X_val": X_val, "y_val": PLAIN_Y, "sample_weight_val": weight}
        fitted = attempt(clf.fit, PLAIN_X, PLAIN_Y, **options)
        refused = isinstance(fitted, Exception)
        curves.append(str(fitted) if refused else (*clf.validation_scores_, *clf.loss_curve_))
    if isinstance(curves[1], str):
        assert curves[0][:20] == curves[1][:20]
    else:
        assert curves[0] == pytest.approx(curves[1], rel=1e-5)


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
        if not np.isfinite(value):
            assert "Input X contains" in str(answer)
        assert isinstance(answer, Exception) or np.isfinite(answer.astype(float)).all()


@columns_allowed
@settings(max_examples=3 * settings().max_examples)  # so that most labels meet most guises
@example((pd.Series(LARGE_LABELS, dtype="Int64"), LARGE_LABELS), False)
@given(labels(N), st.booleans())
def test_labels(targets, in_parts):
    """What labels are called makes no difference to what is learned."""
    y, plain = targets
    classes = sorted(set(plain))
    codes = [classes.index(label) for label in plain]
    clf = make(max_iter=1, alpha=1e-4, learning_rate=0.01)
    if in_parts:
        clf = attempt(clf.partial_fit, PLAIN_X, y, classes)
    else:
        clf = attempt(clf.fit, PLAIN_X, y)
    assert not isinstance(clf, Exception), clf
    assert clf.classes_.tolist() == classes
    assert_same(clf, make(max_iter=1, alpha=1e-4, learning_rate=0.01).fit(PLAIN_X, codes))
    answers = clf.predict(PLAIN_X)
    expected = make(max_iter=1, alpha=1e-4, learning_rate=0.01).fit(PLAIN_X, codes).predict(PLAIN_X)
    assert answers.tolist() == [classes[code] for code in expected]
    assert attempt(clf.score, PLAIN_X, y) == pytest.approx(np.mean(expected == codes))


@columns_allowed
@given(labels(N), st.sampled_from(["dict", "balanced"]))
def test_weights_of_any_classes(targets, kind):
    """A weight of a class is one of each of its rows."""
    y, plain = targets
    of_class = {label: 1 + 3 * (label == plain[0]) for label in set(plain)}
    if kind == "balanced":
        of_class = {label: 1 / plain.count(label) for label in of_class}
    clf = make(class_weight=of_class if kind == "dict" else kind)
    fitted, expected = attempt(clf.fit, PLAIN_X, y), make()
    assert not isinstance(fitted, Exception), fitted
    codes = [sorted(of_class).index(label) for label in plain]
    expected.fit(PLAIN_X, codes, [of_class[label] for label in plain])
    for array, of_weights in zip(parameters(clf), parameters(expected), strict=True):
        assert_allclose(array, of_weights, rtol=1e-7, atol=1e-12)


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
    assert sp.issparse(answer) == clf.sparse_output_ >= sp.issparse(y)
    answer = answer.toarray() if sp.issparse(answer) else answer
    assert_array_equal(answer, clf.predict_proba(PLAIN_X) > 0.5)
    assert answer.shape == plain.shape
    assert clf.score(PLAIN_X, y) == (answer == plain).all(axis=1).mean()


@columns_allowed
@given(no_labels(N), st.sampled_from(["fit", "partial_fit"]))
def test_what_are_no_labels(y, method):
    for clf in (make(), make().fit(PLAIN_X, PLAIN_Y)):
        assert is_refused(train(clf, method, PLAIN_X, y))


@columns_allowed
@given(no_labels(N))
def test_what_are_no_validation_labels(y):
    clf = make(early_stopping=True)
    assert is_refused(attempt(clf.fit, PLAIN_X, PLAIN_Y, X_val=PLAIN_X, y_val=y))


@given(no_classes())
def test_what_are_no_classes(classes):
    clf = make()
    assert is_refused(attempt(clf.partial_fit, PLAIN_X, PLAIN_Y, classes))
    if classes is not None:  # which a fitted model knows
        clf.fit(PLAIN_X, PLAIN_Y)
        assert is_refused(attempt(clf.partial_fit, PLAIN_X, PLAIN_Y, classes))


@given(row_weights(N), st.sampled_from(["sgd", "adam", "lbfgs"]))
def test_weights(weights, solver):
    """A weight is that many copies of the row."""
    weights, plain = weights
    copies = np.repeat(np.arange(N), plain)
    y = PLAIN_Y % 2
    assume(len(set(y[copies])) == 2)
    clf, of_copies = (make(solver=solver, batch_size="full") for _ in range(2))
    clf = attempt(clf.fit, PLAIN_X, y, weights)
    assert not isinstance(clf, Exception), clf
    of_copies.fit(PLAIN_X[copies], y[copies])
    for array, of_copy in zip(parameters(clf), parameters(of_copies), strict=True):
        assert_allclose(array, of_copy, rtol=1e-6, atol=1e-9)


@given(row_weights(N))
def test_rows_without_weight(weights):
    """A row of weight zero changes nothing in training, in any minibatches."""
    weights, plain = weights
    there = np.flatnonzero(plain)
    assume(set(PLAIN_Y[there]) == set(PLAIN_Y))
    clf = attempt(make(batch_size=2).fit, PLAIN_X, PLAIN_Y, weights)
    kept = np.array(plain, float)[there]
    expected = make(batch_size=2).fit(PLAIN_X[there], PLAIN_Y[there], kept)
    assert clf.classes_.tolist() == expected.classes_.tolist()
    for array, of_kept in zip(parameters(clf), parameters(expected), strict=True):
        assert_allclose(array, of_kept, rtol=1e-6, atol=1e-9)


@given(no_weights(N), st.sampled_from(["fit", "partial_fit"]))
def test_what_are_no_weights(weights, method):
    nothing_to_do = method == "partial_fit" and isinstance(weights, list) and weights == [0.0] * N
    for clf in (make(), make().fit(PLAIN_X, PLAIN_Y)):
        outcome = train(clf, method, PLAIN_X, PLAIN_Y, weights)
        assert is_refused(outcome) != nothing_to_do


@given(no_weights(N))
def test_what_are_no_validation_weights(weights):
    clf = make()
    options = {"X_val": PLAIN_X, "y_val": PLAIN_Y, "sample_weight_val": weights}
    assert is_refused(attempt(clf.fit, PLAIN_X, PLAIN_Y, **options))


@columns_allowed
@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_sizes_of_nothing_and_one(n_rows, n_columns, n_labels):
    X, y = np.ones((n_rows, n_columns)), np.ones((n_rows, n_labels), int)
    for targets in (y, y[:, :1].ravel()):
        clf = attempt(make().fit, X, targets)
        if not isinstance(clf, Exception):
            assert clf.predict(X).shape == (targets.ravel() if n_labels == 1 else targets).shape
