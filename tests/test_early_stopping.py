"""Rows held out: which ones, what is measured on them, and which parameters are kept."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from plain import PLAIN
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss, make_scorer
from threadpoolctl import threadpool_limits

from sk_twolayer import TwoLayerClassifier
from sk_twolayer._data.dataset import Dataset
from sk_twolayer._data.split import hold_out
from sk_twolayer._numerics.matrices import row_keys
from sk_twolayer.optimizers import LBFGS


def make(**options):
    return TwoLayerClassifier(
        **{**PLAIN, "hidden_size": 10, "max_iter": 15, "tol": None, "random_state": 0, **options}
    )


@pytest.fixture
def parts(digits):
    X, y = digits
    return X[:600], y[:600], X[600:900], y[600:900]


class TestRowKeys:
    def test_equal_rows_and_no_others_have_equal_keys(self, rng):
        X = rng.randint(3, size=(2000, 6)).astype(float)
        _, expected = np.unique(X, axis=0, return_inverse=True)
        _, found = np.unique(row_keys(X), return_inverse=True)
        assert len(np.unique(np.c_[expected.ravel(), found], axis=0)) == expected.max() + 1
        assert found.max() == expected.max()

    @pytest.mark.parametrize("container", [sp.csr_matrix, sp.csr_array])
    def test_containers_types_and_orders_do_not_matter(self, container, rng, monkeypatch):
        X = (rng.standard_normal((50, 7)) * (rng.uniform(size=(50, 7)) < 0.5)).astype(np.float32)
        expected = row_keys(X)
        for same in (
            X.astype(float),
            np.asfortranarray(X),
            container(X),
            np.where(X == 0, -0.0, X),
        ):
            before = same.copy()
            assert_array_equal(row_keys(same), expected)
            assert_array_equal(sp.csr_array(same).toarray(), sp.csr_array(before).toarray())
        monkeypatch.setattr("sk_twolayer._numerics.matrices.HASHED_AT_ONCE", 10)
        assert_array_equal(row_keys(X), expected)
        assert_array_equal(row_keys(container(X)), expected)

    def test_duplicate_entries_are_added_up_and_left_alone(self):
        X = sp.csr_array(([1.0, 2.0, 5.0], [0, 0, 1], [0, 2, 3]), shape=(2, 2))
        assert_array_equal(row_keys(X), row_keys(np.array([[3.0, 0.0], [0.0, 5.0]])))
        assert X.nnz == 3


class TestHoldOut:
    def test_strata_and_share(self, digits):
        X, y = digits
        training, held_out = hold_out(Dataset(X, y, None), 0.2, seed=0)
        assert training.X.shape[0] + held_out.X.shape[0] == len(X)
        assert_allclose(np.bincount(held_out.t) / np.bincount(y), 0.2, atol=0.01)

    def test_which_rows_does_not_depend_on_order_container_or_copies(self, digits, rng):
        X, y = digits[0][:200], digits[1][:200]
        _, expected = hold_out(Dataset(X, y, None), 0.2, seed=3)
        order, copies = rng.permutation(200), rng.randint(1, 4, size=200)
        keys = set(row_keys(expected.X))
        for rows in (order, np.repeat(order, copies)):
            for container in (np.asarray, sp.csr_array):
                training, held_out = hold_out(Dataset(container(X[rows]), y[rows], None), 0.2, 3)
                assert set(row_keys(held_out.X)) == keys
                assert not keys & set(row_keys(training.X))
        _, other = hold_out(Dataset(X, y, None), 0.2, seed=4)
        assert set(row_keys(other.X)) != keys

    def test_weights_average_one_on_both_sides(self, digits, rng):
        X, y = digits
        for part in hold_out(Dataset(X, y, rng.uniform(1, 9, len(y))), 0.3, seed=0):
            assert_allclose(part.weights.mean(), 1)

    def test_a_class_of_one_row_is_learned(self, digits):
        X, y = digits[0][:100], digits[1][:100].copy()
        y[5] = 77
        clf = make(early_stopping=True).fit(X, y)
        assert 77 in clf.classes_

    def test_too_few_rows(self):
        X, y = np.arange(4.0).reshape(4, 1), np.array([0, 0, 1, 1])
        make(early_stopping=True, batch_size=1).fit(X, y)
        with pytest.raises(ValueError, match=r"holds out 1 of 2 .*X_val and y_val, or set early"):
            make(early_stopping=True).fit(X[1:3], y[1:3])


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_the_best_epoch_is_kept(solver, parts):
    X, y, X_val, y_val = parts
    options = {
        "solver": solver,
        "early_stopping": True,
        "learning_rate": {"sgd": 1.0}.get(solver, 0.05),
    }
    clf = make(**options, batch_size=32, max_iter=45).fit(X, y, X_val=X_val, y_val=y_val)
    losses = clf.validation_loss_curve_
    assert len(losses) == len(clf.validation_scores_) == clf.n_iter_
    assert_allclose(clf.validation_scores_, -np.array(losses))
    assert clf.best_validation_score_ == -min(losses)
    assert_allclose(log_loss(y_val, clf.predict_proba(X_val)), min(losses))
    assert np.argmin(losses) < len(losses) - 1  # else this would show nothing
    up_to_best = make(**options, batch_size=32, max_iter=int(np.argmin(losses)) + 1)
    assert_array_equal(
        up_to_best.set_params(early_stopping=False).fit(X, y).coefs_[0], clf.coefs_[0]
    )


def test_the_curves_without_early_stopping_only_watch(parts):
    X, y, X_val, y_val = parts
    watched = make().fit(X, y, X_val=X_val, y_val=y_val)
    plain = make().fit(X, y)
    assert_array_equal(watched.coefs_[0], plain.coefs_[0])
    assert plain.validation_loss_curve_ is plain.validation_scores_ is None
    assert plain.best_validation_score_ is None
    assert_allclose(watched.validation_loss_curve_[-1], log_loss(y_val, plain.predict_proba(X_val)))


@pytest.mark.parametrize(
    ("scoring", "score"),
    [
        ("accuracy", accuracy_score),
        (None, accuracy_score),
        (make_scorer(balanced_accuracy_score), balanced_accuracy_score),
        (lambda clf, X, y: (clf.predict(X) == y).mean(), accuracy_score),
    ],
    ids=["accuracy", "None", "make_scorer", "lambda"],
)
def test_scorers_see_labels(scoring, score, parts):
    X, y, X_val, y_val = parts
    names = np.array(list("abcdefghij"))
    clf = make(early_stopping=True, scoring=scoring, batch_size=32)
    clf.fit(X, names[y], X_val=X_val, y_val=names[y_val])
    assert score(names[y_val], clf.predict(X_val)) == clf.best_validation_score_
    assert clf.best_validation_score_ == max(clf.validation_scores_) > 0.5


def test_among_equal_scores_the_least_loss_wins(parts):
    X, y, X_val, y_val = parts
    scoring = make_scorer(lambda t, p: 0.5)
    clf = make(early_stopping=True, scoring=scoring).fit(X, y, X_val=X_val, y_val=y_val)
    assert_allclose(log_loss(y_val, clf.predict_proba(X_val)), min(clf.validation_loss_curve_))


@pytest.mark.parametrize("k", [1, 3])
def test_patience_and_tolerance_are_of_the_score(k, parts):
    X, y, X_val, y_val = parts
    scores = iter([0.5, 0.7, 0.7, 0.75, 0.6, 0.7, 0.72, 0.9])
    clf = make(
        early_stopping=True, scoring=lambda *_: next(scores), tol=0.01, n_iter_no_change=k
    ).fit(X, y, X_val=X_val, y_val=y_val)
    assert clf.n_iter_ == {1: 3, 3: 7}[k]


class TestWeights:
    def test_validation_weights_are_copies(self, parts, rng):
        X, y, X_val, y_val = parts
        copies = rng.randint(4, size=len(y_val))
        options = {"early_stopping": True, "class_weight": {3: 2.0}}
        weighted = make(**options).fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=copies)
        repeated = make(**options).fit(
            X, y, X_val=np.repeat(X_val, copies, axis=0), y_val=np.repeat(y_val, copies)
        )
        assert_allclose(weighted.validation_loss_curve_, repeated.validation_loss_curve_)
        assert_array_equal(weighted.coefs_[0], repeated.coefs_[0])

    @pytest.mark.parametrize("scoring", ["loss", "accuracy"])
    @pytest.mark.parametrize("solver", ["adam", "lbfgs"])
    def test_weights_are_copies_where_rows_are_held_out(self, scoring, solver, parts, rng):
        X, y, *_ = parts
        copies = rng.randint(4, size=len(y))
        options = {
            "solver": solver,
            "scoring": scoring,
            "early_stopping": True,
            "batch_size": "full",
        }
        weighted = make(**options).fit(X, y, sample_weight=copies)
        repeated = make(**options).fit(np.repeat(X, copies, axis=0), np.repeat(y, copies))
        assert_allclose(weighted.validation_scores_, repeated.validation_scores_, rtol=1e-8)
        assert_allclose(weighted.coefs_[0], repeated.coefs_[0], rtol=0, atol=1e-10)

    def test_a_scorer_without_weights(self, parts):
        X, y, *_ = parts
        with pytest.raises(ValueError, match=r"takes no sample_weight.*make_scorer"):
            make(early_stopping=True, scoring=lambda clf, X, y: 1.0).fit(
                X, y, sample_weight=np.arange(len(y))
            )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X_val": 1}, "must be given together"),
        ({"y_val": 1}, "must be given together"),
        ({"sample_weight_val": 1}, "must be given together"),
        ({"X_val": np.zeros((2, 3)), "y_val": [0, 1]}, "3 features"),
        ({"X_val": np.zeros((2, 64)), "y_val": [0, 99]}, r"y_val has labels .* not among"),
        ({"X_val": np.zeros((2, 64)), "y_val": np.eye(2)}, "y_val must be one label a row"),
        (
            {"X_val": np.zeros((2, 64)), "y_val": [0, 1], "sample_weight_val": [1, -1]},
            "sample_weight_val must not be negative",
        ),
        (
            {"X_val": np.zeros((2, 64)), "y_val": [0, 1], "sample_weight_val": [0, 0]},
            "sample_weight_val is zero for every row",
        ),
    ],
    ids=str,
)
def test_bad_validation_data(given, message, parts):
    X, y, *_ = parts
    with pytest.raises(ValueError, match=message):
        make(early_stopping=True).fit(X, y, **given)


def test_a_score_that_is_no_number(parts):
    X, y, *_ = parts
    with pytest.raises(ValueError, match="score of the validation rows is nan"):
        make(early_stopping=True, scoring=lambda *_: np.nan).fit(X, y)


def test_verbose_tells_the_validation(parts, capsys):
    X, y, *_ = parts
    make(early_stopping=True, scoring="accuracy", max_iter=2, verbose=True).fit(X, y)
    first, second = capsys.readouterr().out.splitlines()
    assert len(first) == len(second)
    for word in ("epoch", "loss", "validation loss", "score", "learning rate", " s"):
        assert word in first


@pytest.mark.parametrize("scoring", [None, "accuracy", lambda clf, X, y, **weights: 1.0])
def test_scorers_with_weights(scoring, parts, rng):
    X, y, *_ = parts
    weight = rng.uniform(1, 2, size=len(y))
    clf = make(early_stopping=True, scoring=scoring).fit(X, y, sample_weight=weight)
    assert 0 < clf.best_validation_score_ <= 1


def test_an_unknown_scorer_is_refused_even_where_it_has_no_use(parts):
    X, y, *_ = parts
    with pytest.raises(ValueError, match="scoring"):
        make(scoring="speed").fit(X, y)


@pytest.mark.parametrize("solver", [LBFGS(max_fun=1), LBFGS(gtol=1e9)], ids=str)
def test_no_step_at_all_keeps_the_start(solver, parts):
    X, y, *_ = parts
    clf = make(solver=solver, early_stopping=True).fit(X, y)
    assert clf.n_iter_ == 1
    assert len(clf.loss_curve_) == len(clf.validation_scores_) == 1
    assert clf.loss_ == pytest.approx(log_loss(y, clf.predict_proba(X)), rel=0.1)


def test_numpy_numbers_as_dropout(parts):
    X, y, *_ = parts
    plain, numpys = (make(dropout=kind(0.25)).fit(X, y) for kind in (float, np.float64))
    assert_array_equal(plain.coefs_[0], numpys.coefs_[0])


def test_a_loop_of_warm_starts_keeps_its_history_with_more_than_one_blas_thread(rng):
    """A net measured again comes to the same score, though BLAS splits its products."""
    X, y = rng.standard_normal((1200, 784)).astype(np.float32), rng.randint(3, size=1200)
    options = {"early_stopping": True, "validation_fraction": 0.5, "n_iter_no_change": 20}
    clf = make(**options, warm_start=True, max_iter=1, batch_size=50)
    with threadpool_limits(2, user_api="blas"):
        for _ in range(4):
            clf.fit(X, y)
    assert len(clf.validation_scores_) == 4
