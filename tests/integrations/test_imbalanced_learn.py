"""imbalanced-learn: samplers before the classifier, in its pipelines and ensembles."""

import numpy as np
import pytest
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from numpy.testing import assert_array_equal
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.preprocessing import StandardScaler

from sk_twolayer import TwoLayerClassifier


@pytest.fixture
def clf():
    return TwoLayerClassifier(
        8, solver="adam", learning_rate=0.01, batch_size=50, max_iter=20, tol=None, random_state=0
    )


@pytest.fixture
def rare(rng):
    """One row in twenty is of class "rare", and it overlaps with the others."""
    y = np.where(np.arange(2000) % 20 == 0, "rare", "usual")
    X = rng.normal(size=(2000, 5)) + 1.2 * (y == "rare")[:, np.newaxis]
    return train_test_split(X, y, random_state=0, stratify=y)


@pytest.mark.parametrize("sampler", [SMOTE, RandomOverSampler, RandomUnderSampler])
def test_a_pipeline_with_a_sampler(clf, rare, sampler):
    """The net trains on the rows the sampler makes, and predicts those there are."""
    X_train, X_test, y_train, y_test = rare
    model = make_pipeline(StandardScaler(), sampler(random_state=0), clf).fit(X_train, y_train)
    by_hand = sampler(random_state=0).fit_resample(model[0].transform(X_train), y_train)
    alone = TwoLayerClassifier(**clf.get_params()).fit(*by_hand)
    assert_array_equal(model.predict(X_test), alone.predict(model[0].transform(X_test)))
    plain = TwoLayerClassifier(**clf.get_params()).fit(X_train, y_train).predict(X_test)
    assert balanced_accuracy_score(y_test, model.predict(X_test)) > 0.05 + balanced_accuracy_score(
        y_test, plain
    )


def test_a_grid_search_over_sampler_and_net(clf, rare):
    X_train, _, y_train, _ = rare
    model = make_pipeline(StandardScaler(), RandomOverSampler(random_state=0), clf)
    grid = {
        "randomoversampler__sampling_strategy": [0.2, 1.0],
        "twolayerclassifier__learning_rate": [1e-6, 0.01],
    }
    search = GridSearchCV(model, grid, cv=3, scoring="balanced_accuracy").fit(X_train, y_train)
    assert list(search.best_params_.values()) == [1.0, 0.01]


def test_balanced_bagging(clf, rare):
    X_train, X_test, y_train, y_test = rare
    model = BalancedBaggingClassifier(clf, n_estimators=3, random_state=0).fit(X_train, y_train)
    assert balanced_accuracy_score(y_test, model.predict(X_test)) > 0.8
