"""What scikit-learn asks of an estimator: routed metadata, transform, tags, HTML, interrupts."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import SGD, Adam
from tests.helpers import PLAIN


@pytest.fixture
def clf():
    return TwoLayerClassifier(
        hidden_size=10, batch_size=200, max_iter=5, tol=None, random_state=0, **PLAIN
    )


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


def assert_same_model(one, other):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        assert_array_equal(a, b)


def assert_other_model(one, other):
    assert np.abs(one.coefs_[0] - other.coefs_[0]).max() > 1e-6


# --- metadata routing -------------------------------------------------------------------------


@pytest.mark.usefixtures("routing")
def test_a_pipeline_routes_weights(clf, cancer):
    X, y = cancer
    weight = np.linspace(0.1, 2, len(y))
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    pipeline = make_pipeline(scaler, clone(clf).set_fit_request(sample_weight=True))
    pipeline.fit(X, y, sample_weight=weight)
    scaled = StandardScaler().fit_transform(X)
    assert_same_model(pipeline[-1], clone(clf).fit(scaled, y, sample_weight=weight))
    assert_other_model(pipeline[-1], clone(clf).fit(scaled, y))


@pytest.mark.usefixtures("routing")
def test_weights_that_were_not_requested_are_an_error(clf, cancer):
    X, y = cancer
    with pytest.raises(ValueError, match="sample_weight"):
        make_pipeline(StandardScaler(), clf).fit(X, y, sample_weight=np.ones(len(y)))


@pytest.mark.usefixtures("routing")
def test_a_search_routes_weights(clf, cancer):
    X, y = cancer
    weight = np.linspace(0.1, 2, len(y))
    asking = clone(clf).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    search = GridSearchCV(asking, {"alpha": [0.0, 0.1]}, cv=2).fit(X, y, sample_weight=weight)
    direct = clone(clf).set_params(**search.best_params_).fit(X, y, sample_weight=weight)
    assert_same_model(search.best_estimator_, direct)
    assert search.score(X, y, sample_weight=weight) == direct.score(X, y, sample_weight=weight)


@pytest.mark.usefixtures("routing")
def test_cross_validation_routes_the_weights_of_each_fold(clf, cancer):
    X, y = cancer
    weight = np.where(np.arange(len(y)) % 3, 0.2, 2.0)
    asking = clone(clf).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    results = cross_validate(
        asking,
        X,
        y,
        cv=3,
        params={"sample_weight": weight},
        return_estimator=True,
        return_indices=True,
    )
    folds = zip(*results["indices"].values(), strict=True)
    for (train, test), fitted, score in zip(
        folds, results["estimator"], results["test_score"], strict=True
    ):
        direct = clone(clf).fit(X[train], y[train], sample_weight=weight[train])
        assert_same_model(fitted, direct)
        guess = direct.predict(X[test])
        assert score == accuracy_score(y[test], guess, sample_weight=weight[test])


@pytest.mark.usefixtures("routing")
def test_a_pipeline_transforms_the_validation_rows(clf, cancer):
    X, y = 1000 * cancer[0] + 5, cancer[1]
    X, y, X_val, y_val = X[:400], y[:400], X[400:], y[400:]
    clf.set_params(early_stopping=True, max_iter=15)
    asking = clone(clf).set_fit_request(X_val=True, y_val=True)
    pipeline = Pipeline(
        [("scale", StandardScaler()), ("clf", asking)], transform_input=["X_val"]
    ).fit(X, y, X_val=X_val, y_val=y_val)
    scaler = StandardScaler().fit(X)
    by_hand = clf.fit(scaler.transform(X), y, X_val=scaler.transform(X_val), y_val=y_val)
    assert_same_model(pipeline[-1], by_hand)
    assert pipeline[-1].validation_scores_ == by_hand.validation_scores_
    best = -log_loss(y_val, pipeline.predict_proba(X_val))
    assert_allclose(pipeline[-1].best_validation_score_, best)


@pytest.mark.usefixtures("routing")
def test_what_can_be_asked_for(clf):
    clf.set_fit_request(sample_weight=True, X_val=True, y_val=False, sample_weight_val=True)
    clf.set_partial_fit_request(classes=True, sample_weight=True)
    clf.set_score_request(sample_weight="importance")
    requests = clone(clf).get_metadata_routing()
    assert requests.fit.requests == {
        "sample_weight": True,
        "X_val": True,
        "y_val": False,
        "sample_weight_val": True,
    }
    assert requests.partial_fit.requests == {"classes": True, "sample_weight": True}
    assert requests.score.requests == {"sample_weight": "importance"}
    for method in ("predict", "predict_proba", "decision_function", "transform"):
        assert not hasattr(clf, f"set_{method}_request")


# --- transform --------------------------------------------------------------------------------

FORMULAS = {
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": expit,
    "tanh": np.tanh,
    "identity": lambda z: z,
}


@pytest.mark.parametrize("activation", FORMULAS)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_transform_is_the_formula(clf, digits, activation, dropout):
    X, y = digits
    clf.set_params(activation=activation, dropout=dropout).fit(X, y)
    before = X.copy()
    hidden = clf.transform(X)
    assert hidden.shape == (len(X), 10)
    expected = FORMULAS[activation](X @ clf.coefs_[0] + clf.intercepts_[0])
    assert_allclose(hidden, expected, atol=1e-12)
    scores = hidden @ clf.coefs_[1] + clf.intercepts_[1]
    assert_allclose(clf.decision_function(X), scores, atol=1e-12)
    assert_array_equal(X, before)
    assert_allclose(clone(clf).fit_transform(X, y), expected, atol=1e-12)


@pytest.mark.parametrize("activation", FORMULAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_transform_keeps_the_dtype(clf, digits, activation, dtype):
    X, y = digits[0].astype(dtype), digits[1]
    clf.set_params(activation=activation).fit(X, y)
    assert clf.transform(X).dtype == dtype
    expected = FORMULAS[activation](X @ clf.coefs_[0] + clf.intercepts_[0])
    assert_allclose(clf.transform(X), expected, atol=1e-5)


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_transform_of_sparse_rows(clf, digits, container, dtype):
    X, y = digits[0].astype(dtype), digits[1]
    clf.fit(X, y)
    hidden = clf.transform(container(X))
    assert isinstance(hidden, np.ndarray)
    assert hidden.dtype == dtype
    assert_allclose(hidden, clf.transform(X), atol=1e-5 if dtype == np.float32 else 1e-12)


def test_names_of_the_hidden_units(clf, cancer):
    names = [f"twolayerclassifier{k}" for k in range(10)]
    assert list(clf.fit(*cancer).get_feature_names_out()) == names


def test_transform_to_pandas(clf, cancer):
    X, y = pd.DataFrame(cancer[0]).add_prefix("column "), cancer[1]
    plain = clone(clf).fit(X, y).transform(X)
    hidden = clf.set_output(transform="pandas").fit(X, y).transform(X[::-1])
    assert list(hidden.columns) == list(clf.get_feature_names_out())
    assert list(hidden.index) == list(X.index[::-1])
    assert_allclose(hidden[::-1], plain, atol=1e-12)
    assert isinstance(clone(clf).fit_transform(X, y), pd.DataFrame)
    assert isinstance(clf.predict_proba(X), np.ndarray)


def test_a_step_that_is_not_the_last(clf, digits):
    X, y = digits
    clf.set_params(hidden_size=30, max_iter=20)
    pipeline = make_pipeline(clf, RidgeClassifier()).fit(X, y)
    hidden = clone(clf).fit(X, y).transform(X)
    last = RidgeClassifier().fit(hidden, y)
    assert_array_equal(pipeline.predict(X), last.predict(hidden))
    assert pipeline.score(X, y) > 0.9


# --- what the estimator says of itself --------------------------------------------------------


def test_tags(clf):
    assert is_classifier(clf)
    tags = get_tags(clf)
    assert tags.estimator_type == "classifier"
    assert tags.input_tags.sparse
    assert tags.target_tags.required
    assert tags.classifier_tags.multi_class
    assert tags.classifier_tags.multi_label
    assert tags.transformer_tags.preserves_dtype == ["float64", "float32"]
    assert not get_tags(clf.set_params(class_weight="balanced")).classifier_tags.multi_label


@pytest.mark.parametrize("fitted", [False, True])
def test_html(clf, cancer, fitted):
    if fitted:
        clf.fit(*cancer)
    html = clf._repr_html_()
    assert "TwoLayerClassifier" in html


@pytest.mark.parametrize("scoring", ["loss", "accuracy", "roc_auc", None, "callable"])
@pytest.mark.parametrize("own_rows", [False, True])
def test_named_columns_and_a_scorer(clf, cancer, scoring, own_rows):
    X, y = pd.DataFrame(cancer[0]).add_prefix("column "), cancer[1]
    if scoring == "callable":
        scoring = lambda fitted, X, y: fitted.score(X, y)  # noqa: E731
    clf.set_params(early_stopping=True, scoring=scoring)
    options = {"X_val": X[400:], "y_val": y[400:]} if own_rows else {}
    clf.fit(X[:400], y[:400], **options)  # a warning would be an error
    assert list(clf.feature_names_in_) == list(X.columns)
    if own_rows and scoring not in ("loss", "roc_auc"):
        assert clf.best_validation_score_ == clf.score(X[400:], y[400:])
    with pytest.warns(UserWarning, match="valid feature names"):
        clf.predict(X.to_numpy())
    with pytest.raises(ValueError, match="feature names should match"):
        clf.transform(X[X.columns[::-1]])


# --- KeyboardInterrupt ------------------------------------------------------------------------


class Interrupted(SGD):
    """Ctrl-C is pressed in the step `at`, counted from 1."""

    _parameter_constraints = {**SGD._parameter_constraints, "at": [int]}  # noqa: RUF012

    def __init__(self, momentum=0.0, nesterov=False, at=1):
        super().__init__(momentum, nesterov)
        self.at = at

    def step(self, theta, add_gradient, learning_rate):
        self.n_steps_ = getattr(self, "n_steps_", 0) + 1
        if self.n_steps_ == self.at:
            raise KeyboardInterrupt
        super().step(theta, add_gradient, learning_rate)


STEPS = 9  # in an epoch of the digits: 1797 rows, 200 a batch


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("within", [1, 5, STEPS])
def test_an_interrupt_keeps_whole_epochs(clf, digits, warm_start, within):
    X, y = digits
    solver = Interrupted(at=3 * STEPS + within)
    clf.set_params(max_iter=20, warm_start=warm_start, solver=solver)
    with pytest.warns(UserWarning, match="fit was interrupted after 3 epochs"):
        assert clf.fit(X, y) is clf
    assert clf.n_iter_ == len(clf.loss_curve_) == 3
    assert clf.t_ == 3 * len(y)
    assert clf.loss_ == clf.loss_curve_[-1]
    whole = clone(clf).set_params(max_iter=3, solver="sgd").fit(X, y)
    assert clf.loss_curve_ == whole.loss_curve_
    if within == 1:  # nothing was done in the fourth epoch
        assert_same_model(clf, whole)
    assert clf.predict(X).shape == y.shape
    assert clf.score(X, y) > 0.2


def test_training_resumes_after_an_interrupt(clf, digits):
    clf.set_params(max_iter=4, warm_start=True, solver=Interrupted(at=2 * STEPS + 4))
    with pytest.warns(UserWarning, match="fit was interrupted"):
        clf.fit(*digits)
    clf.set_params(solver=SGD()).fit(*digits)
    assert clf.n_iter_ == 4
    assert len(clf.loss_curve_) == 6
    assert clf.loss_ < clf.loss_curve_[1]


def test_an_interrupt_with_early_stopping_gives_the_best_epoch(clf, digits):
    X, y = digits
    wrong = (y + 1) % 10  # so that the first epoch is the best
    clf.set_params(max_iter=20, early_stopping=True, solver=Interrupted(at=4 * STEPS + 3))
    with pytest.warns(UserWarning, match="fit was interrupted"):
        clf.fit(X, y, X_val=X, y_val=wrong)
    assert clf.n_iter_ == len(clf.loss_curve_) == len(clf.validation_scores_) == 4
    assert clf.validation_scores_[0] == max(clf.validation_scores_) == clf.best_validation_score_
    settings = {**clf.get_params(deep=False), "solver": "sgd", "early_stopping": False}
    first = TwoLayerClassifier(**{**settings, "max_iter": 1}).fit(X, y)
    assert_same_model(clf, first)
    assert_allclose(-log_loss(wrong, clf.predict_proba(X)), clf.best_validation_score_)


def test_an_interrupt_with_early_stopping_and_rows_held_out(clf, digits):
    clf.set_params(max_iter=20, early_stopping=True, solver=Interrupted(at=30))
    with pytest.warns(UserWarning, match="fit was interrupted"):
        clf.fit(*digits)
    assert clf.n_iter_ == len(clf.loss_curve_) == len(clf.validation_scores_) >= 1
    assert clf.best_validation_score_ == max(clf.validation_scores_)
    assert_allclose(clf.predict_proba(digits[0]).sum(axis=1), 1)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("at", [1, 4])
def test_an_interrupt_in_the_first_epoch(clf, digits, early_stopping, at):
    X, y = digits
    solver = Interrupted(at=at)
    clf.set_params(early_stopping=early_stopping, solver=solver)
    before = dict(vars(clf))
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert vars(clf) == before
    assert not hasattr(solver, "n_steps_")


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_an_interrupt_in_the_first_epoch_of_a_second_call(clf, digits, method):
    X, y = digits
    clf.set_params(warm_start=True).fit(X, y)
    probabilities, curve = clf.predict_proba(X), list(clf.loss_curve_)
    clf.set_params(solver=Interrupted(at=2))
    before = dict(vars(clf))
    with pytest.raises(KeyboardInterrupt):
        getattr(clf, method)(X, y)
    assert vars(clf) == before
    assert clf.loss_curve_ == curve
    assert_array_equal(clf.predict_proba(X), probabilities)


# --- searches ---------------------------------------------------------------------------------


def test_grid_search_over_beta_1(clf, digits):
    solver = Adam()
    clf.set_params(solver=solver, learning_rate=0.01)
    grid = {"solver__beta_1": [0.0, 0.9, 0.999]}
    search = GridSearchCV(clf, grid, cv=2).fit(*digits)
    assert len(set(search.cv_results_["mean_test_score"])) == 3
    assert search.best_estimator_.solver.beta_1 == search.best_params_["solver__beta_1"]
    assert solver.beta_1 == 0.9
    assert not [name for name in vars(solver) if name.endswith("_")]


def test_grid_search_over_schedule_and_dropout(clf, digits):
    X, y = digits
    schedules = ["constant", "cosine", "invscaling", "adaptive"]
    grid = {"learning_rate_schedule": schedules, "dropout": [0.0, 0.9]}
    search = GridSearchCV(clf, grid, cv=2).fit(X, y)
    assert search.best_params_["dropout"] == 0.0
    assert_same_model(
        search.best_estimator_, clone(clf).set_params(**search.best_params_).fit(X, y)
    )
    scores = dict(
        zip(
            map(str, search.cv_results_["params"]),
            search.cv_results_["mean_test_score"],
            strict=True,
        )
    )
    assert len(set(scores.values())) >= 6  # adaptive with tol=None is constant
