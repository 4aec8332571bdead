"""The classifier inside scikit-learn's own machinery."""

import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import SGD
from tests.helpers import PLAIN


@pytest.fixture
def clf():
    return TwoLayerClassifier(hidden_size=20, max_iter=30, tol=None, random_state=0, **PLAIN)


def test_pipeline(clf, cancer):
    X, y = cancer
    pipeline = make_pipeline(StandardScaler(), clf).fit(1000 * X, y)
    assert pipeline.score(1000 * X, y) > 0.95
    assert_array_equal(
        pipeline.decision_function(1000 * X) > 0, pipeline.predict_proba(1000 * X)[:, 1] > 0.5
    )


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_grid_search(clf, digits, n_jobs):
    X, y = digits
    grid = {
        "twolayerclassifier__hidden_size": [2, 30],
        "twolayerclassifier__learning_rate": [1e-6, 0.1],
    }
    search = GridSearchCV(make_pipeline(StandardScaler(), clf), grid, cv=3, n_jobs=n_jobs)
    search.fit(X, y)
    assert list(search.best_params_.values()) == [30, 0.1]
    assert search.best_score_ > 0.9
    assert clf.hidden_size == 20


def test_grid_search_reaches_into_the_optimizer(clf, digits):
    X, y = digits
    solver = SGD()
    clf.set_params(solver=solver, learning_rate=0.001)
    search = GridSearchCV(clf, {"solver__momentum": [0.0, 0.95]}, cv=2).fit(X, y)
    assert search.best_estimator_.solver.momentum == 0.95
    assert solver.momentum == 0.0


def test_parameters_round_trip(clf):
    params = clf.get_params()
    assert TwoLayerClassifier(**params).get_params() == params
    assert clone(clf).get_params() == params
    assert clf.set_params(hidden_size=7) is clf
    assert clf.hidden_size == 7
    nested = TwoLayerClassifier(solver=SGD(momentum=0.5))
    copied = clone(nested)
    assert copied.solver is not nested.solver
    assert copied.get_params()["solver__momentum"] == 0.5
    assert repr(nested) == "TwoLayerClassifier(solver=SGD(momentum=0.5))"
    assert is_classifier(clf)


def test_cross_validation(clf, cancer):
    scores = cross_val_score(clf, *cancer, cv=3, n_jobs=2)
    assert scores.min() > 0.9


def test_stacking(clf, digits):
    X, y = digits
    level = [("net", clf), ("wide net", clone(clf).set_params(hidden_size=40))]
    stack = StackingClassifier(level, LogisticRegression(max_iter=1000), cv=2)
    assert stack.fit(X, y).score(X, y) > 0.9
