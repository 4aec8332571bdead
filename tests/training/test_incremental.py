"""Going on: partial_fit, warm_start, and models loaded from disk."""

import copy
import pickle
from functools import partial

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_multilabel_classification

from sk_twolayer import TwoLayerClassifier
from sk_twolayer._training.state import Patience
from sk_twolayer.optimizers import LBFGS, SGD
from tests.helpers import (
    OPTIMIZERS,
    PLAIN,
    STEPPING,
    MyLeakyRelu,
    MyRelu,
    current_learning_rate,
)


def make(**options):
    return TwoLayerClassifier(
        **{**PLAIN, "hidden_size": 10, "max_iter": 10, "tol": None, "random_state": 0, **options}
    )


def assert_same(one, other, **tolerance):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        assert_allclose(a, b, **(tolerance or {"rtol": 0, "atol": 0}))


class TestWarmStart:
    @pytest.mark.parametrize("solver", OPTIMIZERS, ids=str)
    @pytest.mark.parametrize("early_stopping", [False, True])
    def test_a_loop_goes_where_one_long_fit_goes(self, solver, early_stopping, digits):
        X, y = digits[0][:300], digits[1][:300]
        options = {"solver": solver, "early_stopping": early_stopping, "batch_size": 50}
        long = make(max_iter=8, **options).fit(X, y)
        loop = make(max_iter=1, warm_start=True, **options)
        for _ in range(8):
            loop = pickle.loads(pickle.dumps(loop.fit(X, y)))  # also by way of the disk
            assert loop.n_iter_ == 1
        assert_same(loop, long)
        assert loop.loss_curve_ == long.loss_curve_
        assert loop.validation_scores_ == long.validation_scores_
        assert loop.t_ == long.t_

    @pytest.mark.parametrize(
        "options",
        [
            {"learning_rate_schedule": "invscaling"},
            {"learning_rate_schedule": "adaptive", "tol": 0.5, "n_iter_no_change": 2},
            {"dropout": 0.5},
        ],
        ids=str,
    )
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_schedules_and_dropout_are_resumed_too(self, options, digits):
        long = make(max_iter=9, **options).fit(*digits)
        loop = make(max_iter=1, warm_start=True, **options)
        for _ in range(9):
            loop.fit(*digits)
        assert_same(loop, long)
        assert not np.array_equal(long.coefs_[0], make(max_iter=9).fit(*digits).coefs_[0])

    def test_a_fit_that_had_stopped_gets_its_patience_back(self, digits):
        options = {"early_stopping": True, "tol": 10.0, "n_iter_no_change": 3, "max_iter": 50}
        clf = make(warm_start=True, **options).fit(*digits)
        assert clf.n_iter_ == 4
        best = clf.best_validation_score_
        clf.fit(*digits)
        assert clf.n_iter_ == 4
        assert clf.best_validation_score_ >= best
        assert len(clf.validation_scores_) == 8

    def test_the_model_may_remain_the_best_epoch(self, digits):
        X, y = digits[0][:500], digits[1][:500]
        clf = make(early_stopping=True, warm_start=True, max_iter=30).fit(X, y)
        before = clf.coefs_[0].copy()
        clf.set_params(learning_rate=50.0, max_iter=1).fit(X, y)  # a leap away
        assert_array_equal(clf.coefs_[0], before)

    def test_parameters_may_change_on_the_way(self, digits):
        clf = make(warm_start=True, solver="adam").fit(*digits)
        scores = clf.decision_function(digits[0])
        clf.set_params(solver=SGD(momentum=0.5), alpha=0.01, activation="tanh", max_iter=3)
        clf.fit(*digits)
        assert (clf.n_iter_, len(clf.loss_curve_), clf.activation_) == (3, 13, "tanh")
        W1, b1 = clf.coefs_[0], clf.intercepts_[0]
        hidden = np.tanh(digits[0] @ W1 + b1)
        assert_allclose(
            clf.decision_function(digits[0]), hidden @ clf.coefs_[1] + clf.intercepts_[1]
        )
        assert not np.allclose(clf.decision_function(digits[0]), scores)

    def test_it_starts_from_coefficients_set_by_hand(self, digits):
        clf = make(warm_start=True, max_iter=1, learning_rate=1e-12).fit(*digits)
        clf.coefs_ = [np.full_like(W, 0.01) for W in clf.coefs_]
        clf.fit(*digits)
        assert_allclose(clf.coefs_[0], 0.01, atol=1e-9)

    def test_what_it_refuses(self, digits):
        X, y = digits
        clf = make(warm_start=True, max_iter=1).fit(X, y)
        before = clf.coefs_[0].copy()
        with pytest.raises(ValueError, match=r"same classes.*Previously got \[0 1 2"):
            clf.fit(X[y < 5], y[y < 5])
        with pytest.raises(
            ValueError, match="hidden_size is 20, but the model to resume training from has 10"
        ):
            clf.set_params(hidden_size=20).fit(X, y)
        with pytest.raises(ValueError, match="3 features"):
            clf.set_params(hidden_size=10).fit(X[:, :3], y)
        assert_array_equal(clf.coefs_[0], before)

    def test_without_warm_start_fit_starts_again_and_keeps_no_state(self, digits):
        clf = make(solver="adam").fit(*digits)
        assert_same(clf, copy.deepcopy(clf).fit(*digits))
        assert clf._training_state is None


class TestPartialFit:
    @pytest.mark.parametrize("solver", STEPPING, ids=str)
    def test_calls_with_all_rows_are_epochs_of_fit(self, solver, digits):
        X, y = digits
        fitted = make(solver=solver, max_iter=5).fit(X, y)
        parts = make(solver=solver)
        for _ in range(5):
            parts = pickle.loads(pickle.dumps(parts.partial_fit(X, y, classes=np.arange(10))))
        assert_same(parts, fitted)
        assert parts.loss_curve_ == fitted.loss_curve_
        assert (parts.n_iter_, parts.t_) == (fitted.n_iter_, fitted.t_) == (5, 5 * len(X))

    def test_each_call_draws_a_fresh_permutation(self, digits):
        X, y = digits
        orders = []

        class Spy(SGD):
            def step(self, theta, add_gradient, learning_rate):
                orders.append(add_gradient.__self__.net.layers["Affine1"].x[:, 20:24].copy())

        clf = make(solver=Spy(), batch_size=1000)
        for _ in range(3):
            clf.partial_fit(X, y, classes=np.arange(10))
        assert len(orders) == 6  # two minibatches a call
        assert not np.array_equal(orders[0], orders[2])
        assert not np.array_equal(orders[2], orders[4])

    def test_chunks_with_some_of_the_classes(self, digits):
        X, y = digits
        clf = make(batch_size=32)
        for _ in range(30):
            for k in range(0, 1797, 100):
                clf.partial_fit(X[k : k + 100], y[k : k + 100], classes=np.arange(10))
        assert clf.score(X, y) > 0.9
        clf.partial_fit(X[:1], y[:1])  # a minibatch may be smaller here
        assert_array_equal(clf.classes_, np.arange(10))

    def test_it_resumes_training_after_fit(self, digits):
        X, y = digits
        clf = make().fit(X, y)
        before = clf.coefs_[0].copy()
        clf.partial_fit(X, y)
        assert (clf.n_iter_, clf.t_, len(clf.loss_curve_)) == (11, 11 * len(X), 10)
        assert 0 < abs(clf.coefs_[0] - before).max() < 0.1

    def test_its_history_and_its_pickle_stay_bounded(self, digits):
        X, y = digits[0][:20], digits[1][:20]
        clf = make(max_iter=7)
        for k in range(30):
            clf.partial_fit(X, y, classes=np.arange(10))
            if k == 10:
                size = len(pickle.dumps(clf))
        assert len(clf.loss_curve_) == 7
        assert len(pickle.dumps(clf)) < size + 100

    def test_weights(self, digits):
        X, y = digits[0][:100], digits[1][:100]
        copies = np.arange(100) % 3
        options = {"batch_size": "full", "class_weight": {3: 2.0}}
        weighted = make(**options).partial_fit(X, y, np.arange(10), copies)
        repeated = make(**options).partial_fit(
            np.repeat(X, copies, axis=0), np.repeat(y, copies), np.arange(10)
        )
        assert_same(weighted, repeated, rtol=0, atol=1e-12)
        assert not np.allclose(weighted.coefs_[1], make().partial_fit(X, y, range(10)).coefs_[1])

    def test_weights_that_are_all_zero_do_not_change_the_model(self, digits):
        X, y = digits
        clf = make(solver="adam").partial_fit(X, y, classes=np.arange(10))
        before = clf.coefs_[0].copy()
        clf.partial_fit(X, y, sample_weight=np.zeros(len(y)))
        assert_array_equal(clf.coefs_[0], before)
        assert clf.n_iter_ == 1
        fresh = make().partial_fit(X, y, classes=np.arange(10), sample_weight=np.zeros(len(y)))
        assert np.isfinite(fresh.predict_proba(X)).all()
        assert fresh.n_iter_ == 0

    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            ({"classes": [0, 1]}, "classes=.* is not the same as on last call"),
            ({"y": np.full(1797, 99)}, "y has labels that are not among the classes"),
            ({"X": np.full((1797, 64), np.nan)}, "NaN"),
            ({"X": np.zeros((1797, 3))}, "3 features"),
            ({"sample_weight": -np.ones(1797)}, "sample_weight must not be negative"),
            ({"X": np.full((1797, 64), 1.7e308)}, "training diverged"),
        ],
        ids=["classes", "labels", "nan", "features", "weights", "diverging"],
    )
    @pytest.mark.parametrize("solver", ["sgd", "adam"])
    def test_a_bad_chunk_leaves_the_model_as_it_was(self, bad, message, solver, digits):
        X, y = digits
        clf, untouched = make(solver=solver), make(solver=solver)
        for each in (clf, untouched):
            each.partial_fit(X, y, classes=np.arange(10))
        with pytest.raises(ValueError, match=message):
            clf.partial_fit(**{"X": X, "y": y, **bad})
        assert_same(clf.partial_fit(X, y), untouched.partial_fit(X, y))

    def test_a_first_call_needs_classes(self, digits):
        with pytest.raises(ValueError, match="classes must be passed on the first call"):
            make().partial_fit(*digits)
        with pytest.raises(ValueError, match="class_weight names"):
            make(class_weight={99: 1.0}).partial_fit(*digits, classes=np.arange(10))

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"solver": "lbfgs"}, "needs a solver that takes minibatch steps"),
            ({"solver": LBFGS()}, "needs a solver that takes minibatch steps"),
            ({"early_stopping": True}, "does not support early_stopping=True"),
            ({"class_weight": "balanced"}, "class_weight='balanced' needs all rows"),
        ],
        ids=str,
    )
    def test_parameters_that_do_not_allow_partial_fit(self, options, reason):
        clf = make(**options)
        assert not hasattr(clf, "partial_fit")
        with pytest.raises(AttributeError) as error:
            _ = clf.partial_fit
        assert reason in str(error.value.__cause__)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("solver", None),
            ("solver", 3),
            ("solver", LBFGS),
            ("early_stopping", "no"),
            ("early_stopping", np.ones(2)),
            ("class_weight", "even"),
        ],
    )
    def test_with_an_invalid_parameter_it_exists_and_names_the_parameter(self, name, value, digits):
        clf = make(**{name: value})
        assert hasattr(clf, "partial_fit")
        with pytest.raises(ValueError, match=f"The '{name}' parameter of TwoLayerClassifier"):
            clf.partial_fit(*digits, classes=range(10))

    def test_multilabel(self):
        X, Y = make_multilabel_classification(200, n_classes=4, random_state=0)
        clf = make(solver="adam", learning_rate=0.01)
        for _ in range(30):
            clf.partial_fit(X, Y, classes=range(4))
        assert clf.predict(X).shape == Y.shape
        with pytest.raises(ValueError, match="y has 3 columns, but there are 4 labels"):
            clf.partial_fit(X, Y[:, :3])


def test_the_first_types_are_kept(digits, tmp_path):
    X, y = digits
    clf = make(warm_start=True, solver="adam").fit(X.astype(np.float32), y)
    joblib.dump(clf, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")
    assert_same(loaded.fit(X, y), clf.fit(X.astype(np.float32), y))
    assert {a.dtype for a in loaded.coefs_ + loaded.intercepts_} == {np.dtype(np.float32)}


def no_cast(*labels):
    return np.array(labels * 30)[:60]


@pytest.mark.parametrize(
    ("classes", "y"),
    [
        (["a", "b"], no_cast("ab", "b")),
        ([False, True], no_cast(0, 1, 2)),
        (np.array([0, 1], np.uint8), no_cast(256, 1)),
        ([0, 1], no_cast("0", "1")),
    ],
    ids=str,
)
def test_unknown_labels_are_not_cast_into_known_ones(classes, y, digits):
    X = digits[0][:60]
    with pytest.raises(ValueError, match="y has labels that are not among the classes"):
        make().partial_fit(X, y, classes=classes)


def test_at_least_one_class_is_announced(digits):
    with pytest.raises(ValueError, match="at least one label, got classes="):
        make().partial_fit(digits[0], np.zeros(1797, int), classes=[])


def test_columns_are_announced_by_their_numbers(digits):
    with pytest.raises(ValueError, match=r"must be the numbers of the columns, range\(2\)"):
        make().partial_fit(digits[0], np.eye(2, dtype=int)[digits[1] % 2], classes=["b", "a"])


@pytest.mark.parametrize(
    "change",
    [
        {"early_stopping": False},
        {"scoring": "loss"},
        {"alpha": 0.5},
        {"activation": "tanh"},
        {"dropout": 0.3},
        {"data": 1},
        {"weights": 1},
    ],
    ids=str,
)
def test_patience_is_reset_if_epochs_are_not_comparable(change, digits):
    X, y = digits[0][:400], digits[1][:400] % 2
    clf = make(
        warm_start=True,
        early_stopping=True,
        scoring="accuracy",
        tol=1e-4,
        n_iter_no_change=3,
        max_iter=100,
        learning_rate=0.01,
    ).fit(X, y)
    change = dict(change)
    y = np.roll(y, 1) if change.pop("data", 0) else y
    weight = np.linspace(1, 2, 400) if change.pop("weights", 0) else None
    clf.set_params(**change)
    rule = Patience(1e-4, 3)
    rule.should_stop(-5.0)  # a best that nothing will reach
    clf._training_state["patience"] = rule.get_state()
    clf.set_params(max_iter=3, tol=None).fit(X, y, weight)
    assert clf._training_state["patience"]["best"] > -5.0


@pytest.mark.filterwarnings("ignore:Maximum number of epochs")
@pytest.mark.parametrize(
    "activation", ["tanh", MyRelu(), MyLeakyRelu(0.3)], ids=["name", "object", "with slope"]
)
def test_patience_continues_with_the_same_activation(activation, digits):
    """Also a layer of a user's own, whose repr may be another for each copy."""
    clf = make(activation=activation, warm_start=True, max_iter=1, tol=10.0, n_iter_no_change=50)
    counts = []
    for _ in range(5):
        clf.fit(*digits)
        counts.append(clf._training_state["patience"]["epochs_without_improvement"])
    assert counts == [0, 1, 2, 3, 4]


class TestValidationHistory:
    """It holds epochs whose scores compare: of the same rows and the same scoring."""

    @pytest.fixture
    def halves(self, digits):
        X, y = digits
        return X[:300], y[:300], {"X_val": X[300:500], "y_val": y[300:500]}

    def test_patience_continues_if_rows_and_scoring_are_the_same(self, halves):
        X, y, validation = halves
        clf = make(warm_start=True, max_iter=3).fit(X, y, **validation).fit(X, y, **validation)
        assert len(clf.validation_scores_) == len(clf.validation_loss_curve_) == 6
        assert clf.best_validation_score_ == max(clf.validation_scores_)

    def test_it_ends_where_there_are_no_rows(self, halves):
        X, y, validation = halves
        clf = make(warm_start=True, max_iter=3).fit(X, y, **validation).fit(X, y)
        assert clf.validation_scores_ is clf.validation_loss_curve_ is None
        assert clf.best_validation_score_ is None
        clf.fit(X, y, **validation).partial_fit(X, y)
        assert clf.validation_scores_ is None
        assert len(clf.loss_curve_) == 3  # of the last max_iter epochs

    @pytest.mark.parametrize("change", ["scoring", "rows", "weights"])
    @pytest.mark.parametrize("early_stopping", [False, True])
    def test_it_starts_again_where_they_differ(self, halves, change, early_stopping):
        X, y, validation = halves
        clf = make(warm_start=True, max_iter=3, scoring="accuracy", early_stopping=early_stopping)
        clf.fit(X, y, **validation)
        if change == "scoring":
            clf.set_params(scoring="neg_log_loss")
        elif change == "rows":
            validation = {name: rows[:150] for name, rows in validation.items()}
        else:
            validation["sample_weight_val"] = np.linspace(1, 2, 200)
        clf.fit(X, y, **validation)
        assert len(clf.validation_scores_) == 3
        if change == "scoring":
            assert clf.best_validation_score_ < 0

    def test_it_starts_again_after_a_fit_that_was_not_to_be_resumed(self, halves):
        X, y, validation = halves
        clf = make(max_iter=3).fit(X, y, **validation).set_params(warm_start=True)
        assert len(clf.fit(X, y, **validation).validation_scores_) == 3


class TestParametersSetByHand:
    def test_early_stopping_starts_from_them(self, digits):
        clf = make(warm_start=True, early_stopping=True, learning_rate=1e-12).fit(*digits)
        clf.coefs_ = [np.full_like(W, 0.01) for W in clf.coefs_]
        clf.intercepts_ = [np.zeros_like(b) for b in clf.intercepts_]
        clf.set_params(max_iter=1).fit(*digits)
        assert_allclose(clf.coefs_[0], 0.01, atol=1e-9)

    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    def test_before_the_first_fit_they_are_refused(self, method, digits):
        clf = make(warm_start=True)
        clf.coefs_ = [np.ones((64, 10)), np.ones((10, 10))]
        with pytest.raises(ValueError, match=r"coefs_ was assigned to .* that is not fitted"):
            getattr(clf, method)(*digits)

    def test_shapes_that_do_not_fit_are_refused(self, digits):
        clf = make(warm_start=True).fit(*digits)
        clf.coefs_ = [clf.coefs_[0], clf.coefs_[1][:, :3]]
        with pytest.raises(ValueError, match=r"must have the shapes .*\(10, 10\).*\(10, 3\)"):
            clf.fit(*digits)


def test_a_slower_pace_is_not_carried_into_another_schedule(digits):
    clf = make(
        warm_start=True, learning_rate_schedule="adaptive", tol=10.0, n_iter_no_change=1
    ).fit(*digits)
    assert clf._training_state["learning_rate"]["divisor"] > 1
    clf.set_params(learning_rate_schedule="constant", tol=None).fit(*digits)
    assert current_learning_rate(clf, digits[0]) == 0.1


def test_models_without_a_seed_draw_from_one_stream_in_turn(digits):
    X, y = digits[0][:50], digits[1][:50]
    shared = np.random.RandomState(0)
    make_one = partial(make, batch_size=10, random_state=shared)
    models = [make_one().partial_fit(X, y, range(10)) for _ in range(2)]
    state = shared.get_state()[2]
    for model in models:
        model.partial_fit(X, y)
    assert shared.get_state()[2] != state
    assert all(model._training_state["random_state"] is None for model in models)


def test_tol_none_trains_on_whatever_the_score(digits):
    clf = make(early_stopping=True, scoring=lambda *_: -np.inf, n_iter_no_change=1)
    assert clf.fit(*digits).n_iter_ == 10


def test_labels_of_another_kind(digits):
    X, y = digits
    clf = make(warm_start=True, max_iter=1).fit(X, y)
    with pytest.raises(ValueError, match="is not the same as on last call"):
        clf.partial_fit(X, y, classes=list("abcdefghij"))
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        clf.fit(X, np.array(list("abcdefghij"))[y])
