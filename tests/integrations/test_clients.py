"""What other people's code does with the classifier, as it is: a line of docs/clients.md each."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFE
from sklearn.inspection import DecisionBoundaryDisplay, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    HalvingGridSearchCV,
    LearningCurveDisplay,
    ValidationCurveDisplay,
    train_test_split,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from sk_twolayer import TwoLayerClassifier


@pytest.fixture
def clf():
    return TwoLayerClassifier(
        16,
        learning_rate=0.01,
        learning_rate_schedule="constant",
        batch_size=50,
        max_iter=15,
        tol=None,
        random_state=0,
    )


@pytest.fixture
def halves(digits):
    """X_train, X_test, y_train, y_test."""
    return train_test_split(*digits, test_size=0.5, random_state=0, stratify=digits[1])


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_skops(clf, digits):
    """A file whose types are the package's own and scikit-learn's, and whose model is the same."""
    X, y = digits
    model = make_pipeline(StandardScaler(), clf).fit(X, y)
    file = skops.io.dumps(model)
    unknown = skops.io.get_untrusted_types(data=file)
    assert unknown == ["sk_twolayer.classifier.TwoLayerClassifier"]
    loaded = skops.io.loads(file, trusted=unknown)
    assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_data_frames(clf, cancer, frame):
    """Names are remembered, their order is checked, and results are those of the array."""
    X, y = cancer
    names = [f"column {k}" for k in range(X.shape[1])]
    table = frame(dict(zip(names, X.T, strict=True)))
    series = {pd.DataFrame: pd.Series, pl.DataFrame: pl.Series}[frame]
    fitted = clone(clf).fit(table, series(np.where(y, "benign", "malignant")))
    assert fitted.feature_names_in_.tolist() == names
    assert_array_equal(fitted.classes_, ["benign", "malignant"])
    expected = clf.fit(X, np.where(y, "benign", "malignant")).predict_proba(X)
    assert_array_equal(fitted.predict_proba(table), expected)
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(table[names[::-1]])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_of_hidden_units(clf, cancer, library):
    X, y = cancer
    hidden = clf.fit(X, y).transform(X)
    frame = clf.set_output(transform=library).transform(X)
    assert type(frame) is {"pandas": pd.DataFrame, "polars": pl.DataFrame}[library]
    assert list(frame.columns) == clf.get_feature_names_out().tolist()
    assert_array_equal(frame.to_numpy(), hidden)


def test_halving_grid_search(clf, digits):
    grid = {"hidden_size": [1, 2, 24], "learning_rate": [1e-5, 0.01]}
    search = HalvingGridSearchCV(
        clf, grid, cv=2, factor=3, min_resources=300, aggressive_elimination=False, random_state=0
    ).fit(*digits)
    assert search.best_params_ == {"hidden_size": 24, "learning_rate": 0.01}
    assert search.n_iterations_ == 2
    assert search.n_candidates_ == [6, 2]


def test_permutation_importance(clf, rng):
    """Only the column that tells the classes apart matters."""
    y = np.arange(400) % 2
    X = rng.normal(size=(400, 4))
    X[:, 2] += 3 * y
    result = permutation_importance(clf.fit(X, y), X, y, n_repeats=3, random_state=0)
    assert result.importances_mean.argmax() == 2
    assert result.importances_mean[2] > 0.3
    assert abs(np.delete(result.importances_mean, 2)).max() < 0.1


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_decision_boundary_display(clf, cancer, method):
    """What is drawn at a point is what the classifier answers there."""
    X, y = cancer[0][:, :2], cancer[1]
    display = DecisionBoundaryDisplay.from_estimator(
        clf.fit(X, y), X, response_method=method, grid_resolution=7
    )
    points = np.stack([display.xx0.ravel(), display.xx1.ravel()], axis=1)
    answer = getattr(clf, method)(points)
    answer = answer[:, 1] if answer.ndim == 2 else answer
    assert_allclose(display.response.ravel(), answer, rtol=1e-6)


def test_learning_curve_display(clf, halves):
    X, _, y, _ = halves
    display = LearningCurveDisplay.from_estimator(clf, X, y, train_sizes=[60, 400], cv=2)
    few, many = display.test_scores.mean(axis=1)
    assert few < many
    assert many > 0.85
    drawn = {line.get_label(): line.get_ydata() for line in display.lines_}
    assert_array_equal(drawn["Test"], [few, many])


def test_validation_curve_display(clf, halves):
    X, _, y, _ = halves
    display = ValidationCurveDisplay.from_estimator(
        clf, X, y, param_name="hidden_size", param_range=[1, 16], cv=2
    )
    narrow, wide = display.test_scores.mean(axis=1)
    assert narrow < wide


def test_feature_union(clf, halves):
    """Hidden units beside principal components, as input of another classifier."""
    X_train, X_test, y_train, y_test = halves
    union = FeatureUnion([("hidden", clf), ("components", PCA(4, random_state=0))])
    model = make_pipeline(union, LogisticRegression(max_iter=5000)).fit(X_train, y_train)
    features = model[0].transform(X_test)
    assert_array_equal(features[:, :16], model[0].transformer_list[0][1].transform(X_test))
    assert features.shape == (len(X_test), 20)
    assert model.score(X_test, y_test) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibrated_classifier(clf, cancer, method):
    """A net sure of too much becomes better calibrated."""
    X, y = cancer
    X_train, X_test, y_train, y_test = train_test_split(X[:, :5], y, random_state=0)
    clf.set_params(hidden_size=200, max_iter=300, alpha=0)
    calibrated = CalibratedClassifierCV(clone(clf), method=method, cv=5)
    before = log_loss(y_test, clf.fit(X_train, y_train).predict_proba(X_test))
    after = log_loss(y_test, calibrated.fit(X_train, y_train).predict_proba(X_test))
    assert after < before


def test_self_training(clf, halves):
    X_train, X_test, y_train, y_test = halves
    some = np.where(np.arange(len(y_train)) < 150, y_train, -1)
    clf.set_params(max_iter=60)
    model = SelfTrainingClassifier(clf, threshold=0.95, max_iter=3).fit(X_train, some)
    assert (model.labeled_iter_ > 0).sum() > 100
    assert model.score(X_test, y_test) > 0.85


def test_bagging(clf, halves):
    X_train, X_test, y_train, y_test = halves
    model = BaggingClassifier(clf, n_estimators=3, random_state=0).fit(X_train, y_train)
    assert model.score(X_test, y_test) > 0.9


def test_ada_boost(clf, halves):
    """Which weighs rows anew for each net: six nets of three units do better than one."""
    X_train, X_test, y_train, y_test = halves
    weak = clf.set_params(hidden_size=3)
    model = AdaBoostClassifier(weak, n_estimators=6, random_state=0).fit(X_train, y_train)
    assert len(model.estimators_) == 6
    alone = clone(weak).fit(X_train, y_train)
    assert model.score(X_test, y_test) > alone.score(X_test, y_test)


def test_one_versus_rest(clf, halves):
    X_train, X_test, y_train, y_test = halves
    model = OneVsRestClassifier(clf).fit(X_train, y_train)
    assert [net.n_outputs_ for net in model.estimators_] == [1] * 10
    assert model.score(X_test, y_test) > 0.9


def test_rfe(clf, rng):
    """The columns that tell the classes apart remain; the product of the weights names them."""
    y = np.arange(400) % 2
    X = rng.normal(size=(400, 8))
    X[:, [2, 5]] += 2 * y[:, np.newaxis]

    def importances(net):
        return np.abs(net.coefs_[0] @ net.coefs_[1]).sum(axis=1)

    selector = RFE(clf, n_features_to_select=2, importance_getter=importances).fit(X, y)
    assert np.flatnonzero(selector.support_).tolist() == [2, 5]


def test_shap(clf, rng):
    """The explanations add up to the probabilities, and name the column that matters."""
    shap = pytest.importorskip("shap")
    y = np.arange(200) % 2
    X = rng.normal(size=(200, 4))
    X[:, 2] += 3 * y
    explainer = shap.Explainer(clf.fit(X, y).predict_proba, X[:50])
    explanation = explainer(X[:5])
    total = explanation.base_values + explanation.values.sum(axis=1)
    assert_allclose(total, clf.predict_proba(X[:5]), atol=1e-6)
    assert np.abs(explanation.values).mean(axis=(0, 2)).argmax() == 2


def test_skrub(clf, halves):
    """A step of skrub has the hidden units as its result; the learner predicts."""
    skrub = pytest.importorskip("skrub")
    X_train, X_test, y_train, y_test = halves
    step = skrub.X(X_train).skb.apply(clf, y=skrub.y(y_train))
    assert step.skb.eval().shape == (len(X_train), 16)
    learner = step.skb.make_learner().fit({"X": X_train, "y": y_train})
    expected = clone(clf).fit(X_train, y_train)
    assert_array_equal(learner.predict({"X": X_test}), expected.predict(X_test))
    assert_allclose(learner.predict_proba({"X": X_test}), expected.predict_proba(X_test))
    assert learner.score({"X": X_test, "y": y_test}) == expected.score(X_test, y_test)


@pytest.mark.filterwarnings("default")
def test_mlflow(clf, digits, tmp_path):
    """A model is saved with skops if its type is trusted; autolog sees it in a pipeline."""
    mlflow = pytest.importorskip("mlflow")
    X, y = digits
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.create_experiment("nets", artifact_location=str(tmp_path))
    mlflow.set_experiment("nets")
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(
            clf.fit(X, y),
            name="model",
            serialization_format="skops",
            skops_trusted_types=["sk_twolayer.classifier.TwoLayerClassifier"],
        )
    loaded = mlflow.sklearn.load_model(info.model_uri)
    assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    try:
        with mlflow.start_run() as run:
            make_pipeline(StandardScaler(), clone(clf)).fit(X, y)
    finally:
        mlflow.sklearn.autolog(disable=True)
    logged = mlflow.get_run(run.info.run_id).data
    assert logged.params["twolayerclassifier__hidden_size"] == "16"
    assert logged.metrics["training_accuracy_score"] > 0.9


# nyoka last: it leaves a half-imported xgboost behind
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("library", ["hummingbird", "emlearn", "nyoka"])
def test_tools_for_mlpclassifier(clf, digits, library, tmp_path, monkeypatch):
    """They take the MLPClassifier that a classifier is converted to."""
    monkeypatch.chdir(tmp_path)  # emlearn compiles into the current folder
    X, y = digits
    mlp = clf.fit(X, y).to_mlp()
    if library == "emlearn":
        model = pytest.importorskip("emlearn").convert(mlp, method="inline")
        assert_array_equal(model.predict(X), clf.predict(X))
    elif library == "nyoka":
        nyoka = pytest.importorskip("nyoka")
        names, path = [f"x{k}" for k in range(X.shape[1])], tmp_path / "net.pmml"
        nyoka.skl_to_pmml(Pipeline([("net", mlp)]), names, "y", str(path))
        assert "<NeuralNetwork" in path.read_text()
    else:
        ml = pytest.importorskip("hummingbird.ml")
        model = ml.convert(mlp, "torch", X[:1])
        assert_allclose(model.predict_proba(X), clf.predict_proba(X), atol=1e-5)


def test_the_page_of_clients_names_tests():
    """Every line names a test there is; and every test here, but this one, is in a line."""
    here = Path(__file__).parent
    page = (here.parent.parent / "docs" / "clients.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", page))
    tests = {
        path.name: set(re.findall(r"^def (test_\w+)", path.read_text(), re.M))
        for path in here.glob("test_*.py")
    }
    assert named <= set().union(*tests.values())
    assert tests["test_clients.py"] - named == {"test_the_page_of_clients_names_tests"}
    assert all(re.search(r"`test_\w+` \|$", line) for line in page.splitlines()[8:])
