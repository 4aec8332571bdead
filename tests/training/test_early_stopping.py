"""Rows held out: which ones, what is measured on them, and which parameters are kept."""

import collections
import math
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    make_scorer,
    top_k_accuracy_score,
)
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from threadpoolctl import threadpool_limits

from sk_twolayer import TwoLayerClassifier
from sk_twolayer._data.dataset import Dataset, prepare_training_data
from sk_twolayer._data.split import train_validation_split
from sk_twolayer._numerics.matrices import hash_rows
from sk_twolayer._training.warnings import _columns_of_another_scale
from sk_twolayer.optimizers import LBFGS, SGD
from tests.helpers import PLAIN, without_address


class Untouchable(SGD):
    """An optimizer that is not to take a step."""

    def step(self, theta, add_gradient, learning_rate):
        raise AssertionError("training has begun")


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
        _, found = np.unique(hash_rows(X), return_inverse=True)
        assert len(np.unique(np.c_[expected.ravel(), found], axis=0)) == expected.max() + 1
        assert found.max() == expected.max()

    @pytest.mark.parametrize("container", [sp.csr_matrix, sp.csr_array])
    def test_containers_types_and_orders_do_not_matter(self, container, rng, monkeypatch):
        X = (rng.standard_normal((50, 7)) * (rng.uniform(size=(50, 7)) < 0.5)).astype(np.float32)
        expected = hash_rows(X)
        for same in (
            X.astype(float),
            np.asfortranarray(X),
            container(X),
            np.where(X == 0, -0.0, X),
        ):
            before = same.copy()
            assert_array_equal(hash_rows(same), expected)
            assert_array_equal(sp.csr_array(same).toarray(), sp.csr_array(before).toarray())
        monkeypatch.setattr("sk_twolayer._numerics.matrices.HASH_BLOCK_ELEMENTS", 10)
        assert_array_equal(hash_rows(X), expected)
        assert_array_equal(hash_rows(container(X)), expected)

    def test_duplicate_entries_are_added_up_and_left_alone(self):
        X = sp.csr_array(([1.0, 2.0, 5.0], [0, 0, 1], [0, 2, 3]), shape=(2, 2))
        assert_array_equal(hash_rows(X), hash_rows(np.array([[3.0, 0.0], [0.0, 5.0]])))
        assert X.nnz == 3


def split(X, y, fraction=0.1, seed=0, sample_weight=None):
    """Return the training and the validation set of a split."""
    X = X if sp.issparse(X) else np.asarray(X, float)
    dataset, *_ = prepare_training_data(X, np.asarray(y), sample_weight, None)
    return train_validation_split(dataset, fraction, seed)


def total_weights(dataset):
    """Return the share of each different row and target in the total weight."""
    X = dataset.X.toarray() if sp.issparse(dataset.X) else dataset.X
    weights = np.ones(len(X)) if dataset.weights is None else dataset.weights
    totals = collections.Counter()
    for row, weight in zip(np.column_stack([X, dataset.t]).tolist(), weights, strict=True):
        totals[tuple(row)] += weight / weights.sum()
    return dict(sorted(totals.items()))


def one_hot_table(columns, levels, noise, seed, n=4000):
    """Return one-hot rows of a table, labels that depend on the cell, and the cells' labels."""
    rng = np.random.RandomState(seed)
    cells = rng.randint(levels, size=(n, columns))
    labels = rng.randint(2, size=levels**columns)[cells @ levels ** np.arange(columns)]
    X = np.hstack([np.eye(levels)[column] for column in cells.T])
    return X, np.where(rng.uniform(size=n) < noise, 1 - labels, labels), labels


class TestSplit:
    def test_strata_and_share(self, digits):
        X, y = digits
        training, validation = split(X, y, 0.2)
        assert training.X.shape[0] + validation.X.shape[0] == len(X)
        assert_allclose(np.bincount(validation.t) / np.bincount(y), 0.2, atol=0.01)

    def test_which_rows_does_not_depend_on_order_container_or_copies(self, digits, rng):
        X, y = digits[0][:200], digits[1][:200]
        _, expected = split(X, y, 0.2, seed=3)
        order, copies = rng.permutation(200), rng.randint(1, 4, size=200)
        keys = set(hash_rows(expected.X))
        for rows in (order, np.repeat(order, copies)):
            for container in (np.asarray, sp.csr_array):
                training, validation = split(container(X[rows]), y[rows], 0.2, seed=3)
                assert set(hash_rows(validation.X)) == keys
                assert not keys & set(hash_rows(training.X))
        _, other = split(X, y, 0.2, seed=4)
        assert set(hash_rows(other.X)) != keys

    def test_weights_average_one_on_both_sides(self, digits, rng):
        X, y = digits
        for part in split(X, y, 0.3, sample_weight=rng.uniform(1, 9, len(y))):
            assert_allclose(part.weights.mean(), 1)

    def test_a_class_of_one_row_is_learned(self, digits):
        X, y = digits[0][:100], digits[1][:100].copy()
        y[5] = 77
        for fraction in (0.1, 0.9):
            training, validation = split(X, y, fraction)
            assert 10 in training.t
            assert 10 not in validation.t
        assert 77 in make(early_stopping=True).fit(X, y).classes_

    @pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
    @pytest.mark.parametrize("seed", range(5))
    def test_every_class_is_on_both_sides(self, fraction, seed, rng):
        sizes = [800, 196, 4]
        training, validation = split(rng.randn(1000, 3), np.repeat(range(3), sizes), fraction, seed)
        held_out = np.bincount(validation.t, minlength=3)
        assert held_out.sum() == 1000 * fraction
        assert_array_equal(held_out + np.bincount(training.t), sizes)
        assert held_out.min() >= 1
        assert np.bincount(training.t).min() >= 1
        expected = np.clip(np.multiply(sizes, fraction), 1, [799, 195, 3])
        assert_allclose(held_out, expected, atol=1)

    @pytest.mark.parametrize("fraction", [0.01, 0.1, 0.4, 0.5, 0.9, 0.99])
    def test_never_more_rows_than_the_fraction(self, fraction, rng):
        """Of 300 classes of two rows, each keeps one row for training."""
        y = np.repeat(np.arange(300), 2)
        training, validation = split(rng.randn(600, 4), y, fraction)
        assert len(validation.t) == min(math.ceil(600 * fraction), 300)
        assert len(set(validation.t)) == len(validation.t)
        assert len(set(training.t)) == 300

    @given(
        st.lists(st.integers(1, 30), min_size=1, max_size=12).filter(lambda sizes: max(sizes) > 1),
        st.floats(0.01, 0.99),
        st.integers(0, 2**32 - 1),
    )
    def test_classes_of_any_sizes(self, sizes, fraction, seed):
        t = np.repeat(np.arange(len(sizes)), sizes)
        X = np.arange(len(t), dtype=float)[:, np.newaxis]
        training, validation = train_validation_split(Dataset(X, t, None), fraction, seed)
        held_out = np.bincount(validation.t, minlength=len(sizes))
        kept = np.bincount(training.t, minlength=len(sizes))
        assert_array_equal(held_out + kept, sizes)
        assert kept.min() >= 1
        n_held_out = min(math.ceil(fraction * len(t)), len(t) - len(sizes))
        assert held_out.sum() == n_held_out
        n_measurable = np.sum(np.array(sizes) > 1)
        assert np.count_nonzero(held_out) == min(n_measurable, n_held_out)

    def test_too_few_rows(self):
        X, y = np.arange(4.0).reshape(4, 1), np.array([0, 0, 1, 1])
        make(early_stopping=True, batch_size=1).fit(X, y)
        with pytest.raises(
            ValueError, match=r"cannot hold out 1 of 2 .*X_val and y_val, or set early"
        ):
            make(early_stopping=True).fit(X[1:3], y[1:3])


class TestSplitOfRepeatedRows:
    @pytest.mark.parametrize("noise", [0, 0.25])
    @pytest.mark.parametrize(("columns", "levels"), [(2, 4), (3, 5), (4, 3), (3, 2), (4, 5)])
    def test_each_cell_of_a_table_gives_its_share(self, columns, levels, noise):
        X, y, _ = one_hot_table(columns, levels, noise, seed=0)
        _, validation = split(X, y)
        assert len(validation.t) == 400
        assert_allclose(np.bincount(validation.t), np.bincount(y) / 10, atol=1)
        n_held_out, n_all = (
            collections.Counter(zip(hash_rows(part.X), part.t, strict=True))
            for part in (validation, Dataset(X, y, None))
        )
        for cell, n in n_all.items():
            assert abs(n_held_out[cell] - n / 10) < 1.05  # a class's quota is a whole number

    @pytest.mark.parametrize(("columns", "levels"), [(2, 4), (3, 5), (4, 3), (3, 2)])
    def test_early_stopping_learns_noisy_labels_of_a_table(self, columns, levels):
        """It learned the opposite, when rows of one input and one label were held out together."""
        X, y, labels = one_hot_table(columns, levels, 0.25, seed=1)
        clf = TwoLayerClassifier(early_stopping=True, random_state=0).fit(X, y)
        assert clf.score(X, labels) > 0.95

    @pytest.mark.parametrize("n_copies", [5, 50])
    def test_early_stopping_learns_a_table_of_four_rows(self, n_copies):
        X = np.tile([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], (n_copies, 1))
        y = X[:, 0] != X[:, 1]
        training, validation = split(X, y)
        assert len(np.unique(training.X, axis=0)) == 4
        assert len(validation.t) == math.ceil(0.1 * len(y))

    @pytest.mark.parametrize("noise", [0, 0.25])
    @pytest.mark.parametrize("weighted", [1, 3])
    @pytest.mark.parametrize(("columns", "levels"), [(2, 4), (3, 5), (4, 5)])
    def test_a_table_of_counts_is_split_as_its_rows_are(
        self, columns, levels, noise, weighted, rng
    ):
        X, y, _ = one_hot_table(columns, levels, noise, seed=0)
        table, counts = np.unique(np.column_stack([X, y]), axis=0, return_counts=True)
        order, by_count = rng.permutation(len(X)), rng.permutation(len(table))
        table, counts = table[by_count], counts[by_count]
        rows = split(X[order], y[order])
        cells = split(table[:, :-1], table[:, -1].astype(int), sample_weight=weighted * counts)
        for of_rows, of_cells in zip(rows, cells, strict=True):
            expected, found = total_weights(of_rows), total_weights(of_cells)
            assert expected.keys() == found.keys()
            assert_allclose(list(found.values()), list(expected.values()), rtol=1e-9)

    def test_copies_drawn_by_chance_stay_together(self, digits, rng):
        """As BaggingClassifier draws them: rows or weights."""
        X, y = digits
        drawn = rng.randint(len(X), size=len(X))
        training, validation = split(X[drawn], y[drawn])
        assert not set(hash_rows(training.X)) & set(hash_rows(validation.X))
        assert len(validation.t) == pytest.approx(0.1 * len(X), abs=30)
        weights = np.bincount(drawn, minlength=len(X))
        weighted = split(X, y, sample_weight=weights)
        for of_rows, of_weights in zip((training, validation), weighted, strict=True):
            assert set(hash_rows(of_rows.X)) == set(hash_rows(of_weights.X))

    def test_weights_that_are_no_whole_numbers_divide_no_row(self, rng):
        X, y = rng.randn(100, 2), np.arange(100) % 2
        for weights in (rng.uniform(5, 50, 100), np.full(100, 7), np.full(100, 0.3)):
            training, validation = split(X, y, sample_weight=weights)
            assert len(training.t) + len(validation.t) == 100
            assert len(validation.t) == 10

    @pytest.mark.parametrize("dtype", [bool, np.int8, np.float16, np.float32, object])
    def test_weights_of_any_type_are_copies(self, dtype, digits, rng):
        X, y = digits[0][:200], digits[1][:200]
        weights = rng.randint(2 if dtype is bool else 4, size=200)
        _, expected = split(np.repeat(X, weights, axis=0), np.repeat(y, weights))
        _, validation = split(X, y, sample_weight=weights.astype(dtype))
        assert set(hash_rows(validation.X)) == set(hash_rows(expected.X))

    def test_a_class_of_larger_weight_divides_no_row(self, rng):
        X, y = rng.randn(300, 2), np.arange(300) % 3 // 2
        for weights in (np.where(y, 20, 1), np.where(y, 0.3, 0.03)):
            training, validation = split(X, y, sample_weight=weights)
            assert_array_equal(np.bincount(validation.t), [20, 10])
            assert len(training.t) == 270

    def test_one_row_that_occurs_often_does_not_leave_training(self, rng):
        X, y = np.vstack([rng.randn(300, 2), np.zeros((900, 2))]), np.arange(1200) % 2
        y[300:] = 0
        for seed in range(20):
            training, validation = split(X, y, seed=seed)
            assert len(validation.t) == 120
            assert 0.05 < np.mean(validation.X[:, 0] == 0) < 0.9
            assert np.sum(training.X[:, 0] == 0) > 700

    def test_labels_of_several_columns(self, rng):
        X, Y = rng.randint(2, size=(800, 3)).astype(float), rng.randint(2, size=(800, 2))
        training, validation = train_validation_split(Dataset(X, Y, None), 0.1, 0)
        assert len(validation.t) == 80
        assert len(np.unique(training.X, axis=0)) == 8


@pytest.mark.parametrize(
    ("solver", "learning_rate"), [("sgd", 0.2), ("adam", 0.02), ("lbfgs", "auto")]
)
def test_the_best_epoch_is_kept(solver, learning_rate, parts, rng):
    """Two of five training labels are drawn at random: learning them by heart is no use.

    So the validation loss falls, and then rises by far more than rounding.
    """
    X, y, X_val, y_val = parts
    X, y = X[:200], np.where(rng.uniform(size=200) < 0.4, rng.randint(10, size=200), y[:200])
    options = {"solver": solver, "learning_rate": learning_rate, "hidden_size": 30}
    options |= {"early_stopping": True, "batch_size": 32}
    clf = make(**options, max_iter=45).fit(X, y, X_val=X_val, y_val=y_val)
    losses = clf.validation_loss_curve_
    assert len(losses) == len(clf.validation_scores_) == clf.n_iter_
    assert_allclose(clf.validation_scores_, -np.array(losses))
    assert clf.best_validation_score_ == -min(losses)
    assert_allclose(log_loss(y_val, clf.predict_proba(X_val)), min(losses))
    assert min(losses) < losses[-1] - 0.1  # else the last epoch would be the best
    up_to_best = make(**options, max_iter=int(np.argmin(losses)) + 1)
    assert_array_equal(
        up_to_best.set_params(early_stopping=False).fit(X, y).coefs_[0], clf.coefs_[0]
    )


def test_validation_curves_without_early_stopping_do_not_affect_training(parts):
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


class TestAbsentClasses:
    """Validation rows may lack a class: those held out, or the user's own."""

    @pytest.fixture
    def data(self, rng):
        """Four classes, of which the last two are not among the validation rows."""
        names = np.array(["ant", "bee", "cat", "dog"])
        y, y_val = names[np.arange(120) % 4], names[np.arange(30) % 2]
        return rng.randn(120, 4), y, {"X_val": rng.randn(30, 4), "y_val": y_val}

    @pytest.mark.parametrize(
        ("scoring", "metric"),
        [
            ("neg_log_loss", lambda y, p, labels: -log_loss(y, p, labels=labels)),
            ("neg_brier_score", lambda y, p, labels: -brier_score_loss(y, p, labels=labels)),
            ("top_k_accuracy", lambda y, p, labels: top_k_accuracy_score(y, p, labels=labels)),
            (
                make_scorer(log_loss, response_method="predict_proba", greater_is_better=False),
                lambda y, p, labels: -log_loss(y, p, labels=labels),
            ),
            ("accuracy", lambda y, p, labels: accuracy_score(y, labels[p.argmax(axis=1)])),
            ("f1_macro", lambda y, p, labels: f1_score(y, labels[p.argmax(1)], average="macro")),
        ],
        ids=without_address,
    )
    def test_scorers_get_the_labels_of_all_classes(self, scoring, metric, data):
        X, y, own = data
        clf = make(early_stopping=True, scoring=scoring).fit(X, y, **own)
        expected = metric(own["y_val"], clf.predict_proba(own["X_val"]), clf.classes_)
        assert clf.best_validation_score_ == pytest.approx(expected)

    @pytest.mark.parametrize(
        "scoring",
        [
            "average_precision",
            "roc_auc_ovr",
            "roc_auc_ovr_weighted",
            make_scorer(lambda y, p: -log_loss(y, p), response_method="predict_proba"),
        ],
        ids=without_address,
    )
    def test_scorers_that_need_all_classes_are_refused_before_training(self, scoring, rng):
        X, y = rng.randn(120, 4), np.arange(120) % 4
        clf = make(early_stopping=True, scoring=scoring, solver=Untouchable())
        with pytest.raises(ValueError, match="no row of 2, 3: give X_val and y_val"):
            clf.fit(X, y, X_val=X[:30], y_val=np.arange(30) % 2)

    @pytest.mark.parametrize(
        "scoring", ["roc_auc", "roc_auc_ovr", "average_precision", "f1", "precision", "recall"]
    )
    def test_one_of_two_classes(self, scoring, rng):
        X, y = rng.randn(40, 3), np.arange(40) % 2
        clf = make(early_stopping=True, scoring=scoring, solver=Untouchable())
        with pytest.raises(ValueError, match=r"no row of 1: give .*raise validation_fraction"):
            clf.fit(X, y, X_val=X[:5], y_val=np.zeros(5, int))

    @pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc", "roc_auc_ovr"])
    @pytest.mark.parametrize("label", [3, 0.0, True, "cat"])
    def test_scorers_of_two_classes_are_refused_before_training_with_one(self, scoring, label, rng):
        X, y = rng.randn(40, 3), np.full(40, label)
        clf = make(early_stopping=True, scoring=scoring, solver=Untouchable())
        message = f"{scoring!r} needs at least two classes, and y has only one, {label!r}: give"
        with pytest.raises(ValueError, match=message):
            clf.fit(X, y)

    @pytest.mark.parametrize("value", [np.nan, "not a number"], ids=["nan", "error"])
    def test_functions_of_two_classes_are_refused_when_they_fail_with_one(self, value, rng):
        clf = make(early_stopping=True, scoring=lambda clf, X, y: float(value))
        with pytest.raises(ValueError, match="needs at least two classes, and y has only one, 1:"):
            clf.fit(rng.randn(40, 3), np.ones(40, int))

    @pytest.mark.parametrize("scoring", ["accuracy", "f1", "f1_macro", "average_precision"])
    def test_scorers_of_any_number_of_classes_are_used_with_one(self, scoring, rng):
        clf = make(early_stopping=True, scoring=scoring)
        clf.fit(rng.randn(40, 3), np.ones(40, int))
        assert clf.best_validation_score_ == 1

    @pytest.mark.parametrize("label", ["cat", 2.0, True, np.int8(127), np.datetime64("2020-01-01")])
    def test_one_class_of_any_type_has_an_accuracy(self, label, rng):
        y = np.full(40, label)
        clf = make(early_stopping=True, scoring="accuracy").fit(rng.randn(40, 3), y)
        assert clf.best_validation_score_ == 1

    @pytest.mark.filterwarnings("ignore:.*single label|.*single class:UserWarning")
    def test_a_score_of_one_class_may_come_with_a_warning(self, rng):
        clf = make(early_stopping=True, scoring="balanced_accuracy")
        clf.fit(rng.randn(40, 3), np.ones(40, int))
        assert clf.best_validation_score_ == 1

    @pytest.mark.parametrize("scoring", ["neg_log_loss", "top_k_accuracy"])
    def test_a_class_of_one_row_that_is_not_held_out(self, scoring, rng):
        X, y = rng.randn(61, 3), np.append(np.arange(60) % 3, 3)
        clf = make(early_stopping=True, scoring=scoring).fit(X, y)
        assert np.isfinite(clf.validation_scores_).all()
        clf = make(early_stopping=True, scoring="roc_auc_ovr", solver=Untouchable())
        with pytest.raises(ValueError, match="no row of 3"):
            clf.fit(X, y)

    @pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc_ovr", "roc_auc_ovo_weighted"])
    def test_a_rare_class_is_measured(self, scoring, rng):
        X, y = rng.randn(1000, 3), np.repeat([0, 1, 2], [800, 196, 4])
        clf = make(early_stopping=True, scoring=scoring, max_iter=2).fit(X, y)
        assert np.isfinite(clf.validation_scores_).all()

    @pytest.mark.parametrize(
        "scoring",
        [
            lambda clf, X, y: -log_loss(y, clf.predict_proba(X)),
            lambda clf, X, y: np.nan,
        ],
        ids=["error", "nan"],
    )
    def test_functions_are_refused_when_they_fail(self, scoring, data):
        X, y, own = data
        clf = make(early_stopping=True, scoring=scoring)
        with pytest.raises(ValueError, match="no row of 'cat', 'dog': give X_val and y_val"):
            clf.fit(X, y, **own)
        assert not hasattr(clf, "coefs_")

    def test_a_scorer_that_fails_for_another_reason_says_so_itself(self, data):
        X, y, own = data
        with pytest.raises(ValueError, match=r"average='binary'|pos_label"):
            make(early_stopping=True, scoring="f1").fit(X, y, **own)


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
        with pytest.raises(ValueError, match=r"does not accept sample_weight.*make_scorer"):
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
        ({"X_val": np.zeros((2, 64)), "y_val": np.eye(2)}, "y_val must be one label per row"),
        (
            {"X_val": np.zeros((2, 64)), "y_val": [0, 1], "sample_weight_val": [1, -1]},
            "sample_weight_val must not be negative",
        ),
        (
            {"X_val": np.zeros((2, 64)), "y_val": [0, 1], "sample_weight_val": [0, 0]},
            "sample_weight_val is zero for every row",
        ),
    ],
    ids=without_address,
)
def test_bad_validation_data(given, message, parts):
    X, y, *_ = parts
    with pytest.raises(ValueError, match=message):
        make(early_stopping=True).fit(X, y, **given)


def test_a_score_that_is_no_number(parts):
    X, y, *_ = parts
    with pytest.raises(ValueError, match="score of the validation rows is NaN"):
        make(early_stopping=True, scoring=lambda *_: np.nan).fit(X, y)


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


@pytest.mark.parametrize("solver", [LBFGS(max_fun=1), LBFGS(gtol=1e9)], ids=without_address)
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


class TestScaleOfValidationRows:
    """X_val as it was measured, beside an X that a pipeline has scaled."""

    @staticmethod
    def warns(X, X_val):
        clf = make(hidden_size=2, max_iter=1, learning_rate=1e-9)
        y, y_val = np.arange(X.shape[0]) % 2, np.arange(X_val.shape[0]) % 2
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clf.fit(X, y, X_val=X_val, y_val=y_val)
        return any("X_val is not scaled like X" in str(w.message) for w in caught)

    @pytest.mark.parametrize(
        "scaler",
        [StandardScaler(), MinMaxScaler(), RobustScaler(), QuantileTransformer(n_quantiles=50)],
        ids=lambda scaler: type(scaler).__name__,
    )
    @pytest.mark.parametrize(
        "load", [load_iris, load_wine, load_breast_cancer, load_digits, load_diabetes]
    )
    def test_a_scaler_that_has_seen_x_only(self, load, scaler):
        X, X_val = train_test_split(load(return_X_y=True)[0], random_state=0)
        scaler.fit(X)
        assert self.warns(scaler.transform(X), X_val)
        assert not self.warns(scaler.transform(X), scaler.transform(X_val))
        assert not self.warns(X, X_val)

    @pytest.mark.parametrize("factor", [1e-3, 0.05, 10.0, 1e3])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_normal_columns_of_another_scale(self, factor, dtype, rng):
        X, X_val = rng.randn(500, 5).astype(dtype), rng.randn(50, 5).astype(dtype)
        assert self.warns(X, X_val * dtype(factor))

    def test_sparse_counts_scaled_by_their_maximum(self, rng):
        X = sp.csr_array(rng.poisson(0.4, (2000, 10)) * 7.0)
        scaled = MaxAbsScaler().fit_transform(X)
        assert self.warns(scaled[:1000], X[1000:])
        assert not self.warns(scaled[:1000], scaled[1000:])

    @pytest.mark.parametrize(
        "draw",
        [
            lambda r, shape: r.standard_cauchy(shape),
            lambda r, shape: r.pareto(0.5, shape),
            lambda r, shape: r.lognormal(0, 5, shape) * (r.uniform(size=shape) < 0.4),
            lambda r, shape: (r.uniform(size=shape) < 0.01) * 1.0,
            lambda r, shape: (r.uniform(size=shape) < 0.3) * 1.0,
            lambda r, shape: np.ones(shape),
            lambda r, shape: np.where(r.uniform(size=shape) < 0.7, 0, 1) + 0.001 * r.randn(*shape),
            lambda r, shape: sp.csr_array(
                r.standard_cauchy(shape) * (r.uniform(size=shape) < 0.05)
            ),
        ],
        ids=["cauchy", "pareto", "zeros", "rare", "binary", "constant", "clusters", "sparse"],
    )
    @pytest.mark.parametrize(("n", "n_val"), [(50, 30), (300, 30), (60, 300), (1000, 100)])
    def test_random_splits_are_no_reason(self, draw, n, n_val, rng):
        for n_columns in (1, 2, 30):
            for _ in range(5):
                X = draw(rng, (n + n_val, n_columns))
                assert not _columns_of_another_scale(X[:n], X[n:]).any()

    def test_a_trend_in_one_of_many_columns_is_no_reason(self, rng):
        X = np.column_stack([np.arange(400.0), rng.randn(400, 5)])
        assert not _columns_of_another_scale(X[:300], X[300:]).any()

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_each_of_many_columns_is_compared_with_its_own_range(self, order, rng):
        scales = 2.0 ** (np.arange(700) % 20)
        X = np.asarray(rng.randn(600, 700) * scales, order=order)
        X_val = X[:300].copy()
        changed = [0, 217, 218, 219, 699]
        X_val[:, changed] *= 1000
        assert_array_equal(np.flatnonzero(_columns_of_another_scale(X, X_val)), changed)
        assert _columns_of_another_scale(X, X_val / 1000).sum() == 695

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_the_comparison_needs_less_memory_than_the_rows(self, order, rng):
        X = np.asarray(rng.randn(8000, 200), order=order)
        tracemalloc.start()
        try:
            _columns_of_another_scale(X, X[:4000])
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < X.nbytes / 2

    def test_the_message_names_the_column_and_the_way_out(self, rng):
        X = pd.DataFrame(rng.randn(200, 2), columns=["age", "income"])
        X_val = X[150:] * [1, 20_000]
        y = np.arange(200) % 2
        with pytest.warns(
            UserWarning, match=r"column 'income' .*transform_input=\['X_val'\]"
        ) as got:
            make().fit(X[:150], y[:150], X_val=X_val, y_val=y[150:])
        assert got[0].filename == __file__
