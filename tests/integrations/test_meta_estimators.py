"""scikit-learn's meta-estimators with samples that lack classes, and with small folds."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV, SequentialFeatureSelector
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    learning_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.semi_supervised import SelfTrainingClassifier

from sk_twolayer import TwoLayerClassifier

rng = np.random.RandomState(0)
X, y = make_classification(
    180, 6, n_informative=5, n_redundant=1, n_classes=3, class_sep=2.0, random_state=0
)
COLUMNS = np.c_[y == 0, np.ones(180, bool), y == 1, np.zeros(180, bool)].astype(int)

pytestmark = pytest.mark.slow  # most tests fit many nets


def make(**options):
    return TwoLayerClassifier(
        **{"hidden_size": 16, "learning_rate": 0.05, "random_state": 0, **options}
    )


def importance(clf):
    return np.abs(clf.coefs_[0]).sum(axis=1)


def test_bagging_of_samples_without_a_rare_class():
    rare = np.where(np.arange(180) < 4, 2, y % 2)
    bagging = BaggingClassifier(make(), 40, max_samples=0.5, oob_score=True, random_state=0)
    bagging.fit(X, rare)
    assert bagging.oob_decision_function_.shape == (180, 3)
    assert_allclose(bagging.oob_decision_function_.sum(axis=1), 1, rtol=1e-9)
    assert bagging.score(X, rare) > 0.7


def test_bagging_of_samples_of_one_class():
    few = np.isin(np.arange(180), [3, 30, 60, 90, 120, 150]).astype(int)
    bagging = BaggingClassifier(make(), max_samples=0.1, random_state=0).fit(X, few)
    assert all(clf.classes_.tolist() == [0, 1] for clf in bagging.estimators_)
    assert bagging.predict_proba(X).shape == (180, 2)


def test_soft_voting_with_weights_of_zero():
    voting = VotingClassifier([("a", make()), ("b", LogisticRegression())], voting="soft")
    voting.fit(X, y, sample_weight=(y != 1) * 1.0)
    assert voting.predict_proba(X).shape == (180, 3)
    assert_array_equal(voting.named_estimators_["a"].classes_, [0, 1, 2])
    assert 1 not in voting.predict(X[y != 1])


@pytest.mark.parametrize("columns", [COLUMNS, COLUMNS[:, 1:]], ids=["four", "three"])
def test_one_model_per_column_with_constant_columns(columns):
    model = MultiOutputClassifier(make()).fit(X, columns)
    constant = columns.min(axis=0) == columns.max(axis=0)
    assert_array_equal(model.predict(X)[:, constant], columns[:, constant])
    for column, proba in zip(columns.T, model.predict_proba(X), strict=True):
        assert proba.shape == (180, len(np.unique(column)))
        assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.parametrize("method", ["predict", "decision_function"])
def test_chain_with_constant_columns(method):
    chain = ClassifierChain(make(), chain_method=method).fit(X, COLUMNS)
    assert_array_equal(chain.predict(X)[:, [1, 3]], COLUMNS[:, [1, 3]])
    assert_array_equal(chain.decision_function(X)[:, [1, 3]], 0)


def test_learning_curve_whose_first_part_has_one_class():
    order = np.argsort(y, kind="stable")
    _, train, test = learning_curve(
        make(batch_size=50), X[order], y[order], train_sizes=[20, 60, 120], error_score="raise"
    )
    assert np.isfinite(train).all()
    assert np.isfinite(test).all()
    assert_array_equal(train[0], 1)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro"])
def test_time_series_folds_with_class_weights_of_all_classes(scoring):
    order = np.argsort(y, kind="stable")
    clf = make(class_weight={0: 1, 1: 2, 2: 5}, batch_size=100)
    scores = cross_val_score(
        clf, X[order], y[order], cv=TimeSeriesSplit(4), scoring=scoring, error_score="raise"
    )
    assert np.isfinite(scores).all()


def test_halving_search_with_a_batch_larger_than_the_first_rounds():
    search = HalvingGridSearchCV(
        make(batch_size=100),
        {"batch_size": [100, 150], "alpha": [1e-4, 1e-2]},
        min_resources=30,
        random_state=0,
        error_score="raise",
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.score(X, y) > 0.6


@pytest.mark.parametrize(
    "meta",
    [
        OneVsOneClassifier(make(batch_size=130)),
        OneVsRestClassifier(make(batch_size=1000)),
        OutputCodeClassifier(make(batch_size=1000), code_size=2, random_state=0),
        StackingClassifier([("a", make(batch_size=170))], LogisticRegression(), cv=3),
        CalibratedClassifierCV(make(batch_size=170), cv=3),
        CalibratedClassifierCV(make(batch_size=170), cv=3, ensemble=False),
        BaggingClassifier(make(batch_size=170), 5, max_samples=0.3, random_state=0),
        BaggingClassifier(make(batch_size=170), 5, bootstrap_features=True, random_state=0),
        AdaBoostClassifier(make(batch_size=1000), n_estimators=5, random_state=0),
        RFECV(make(batch_size=170), importance_getter=importance, min_features_to_select=4, cv=3),
        GridSearchCV(make(), {"batch_size": [50, 1000]}, cv=3, error_score="raise"),
    ],
    ids=lambda meta: type(meta).__name__,
)
def test_batch_size_larger_than_the_rows_of_a_part(meta):
    assert meta.fit(X, y).score(X, y) > 0.6


def test_self_training_with_a_batch_larger_than_the_labelled_rows():
    partly = np.where(np.arange(180) % 3, -1, y)
    model = SelfTrainingClassifier(make(batch_size=100), threshold=0.6).fit(X, partly)
    assert model.score(X, y) > 0.6
    assert model.estimator_.classes_.tolist() == [0, 1, 2]


def test_feature_selection_with_a_large_batch():
    selector = SequentialFeatureSelector(
        make(batch_size=170, max_iter=3, tol=None), n_features_to_select=2, cv=2
    )
    assert selector.fit(X, y).get_support().sum() == 2


def test_one_versus_rest_of_an_indicator_matrix_with_constant_columns():
    with pytest.warns(UserWarning, match="Label .* is present in all training examples"):
        model = OneVsRestClassifier(make()).fit(X, COLUMNS[:, :2])
    assert_array_equal(model.predict(X)[:, 1], 1)


@pytest.mark.filterwarnings("ignore:Number of classes in training fold")
@pytest.mark.filterwarnings("ignore:The least populated class")
def test_cross_validated_probabilities_with_folds_of_fewer_classes():
    order = np.argsort(y, kind="stable")
    rare = np.where(np.arange(180) < 2, 2, y[order] % 2)
    proba = cross_val_predict(make(), X[order], rare, cv=3, method="predict_proba")
    assert proba.shape == (180, 3)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_all_meta_estimators_with_one_class(solver):
    one = np.full(180, "only")
    clf = make(solver=solver)
    for meta in (
        BaggingClassifier(clf, 3, random_state=0),
        VotingClassifier([("a", clf), ("b", clf)], voting="soft"),
        GridSearchCV(clf, {"hidden_size": [4, 8]}, cv=2, error_score="raise"),
        SelfTrainingClassifier(make(solver=solver)),
    ):
        labels = np.zeros(180, int) if isinstance(meta, SelfTrainingClassifier) else one
        if isinstance(meta, SelfTrainingClassifier):
            with pytest.warns(UserWarning, match="y contains no unlabeled samples"):
                meta.fit(X, labels)
        else:
            meta.fit(X, labels)
        assert_array_equal(meta.predict(X), labels)
        assert_array_equal(meta.predict_proba(X), np.ones((180, 1)))
