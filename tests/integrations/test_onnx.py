"""ONNX: what onnxruntime answers for a converted classifier is what the classifier answers."""

import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from skl2onnx import to_onnx
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from students import MyLeakyRelu, MyRelu

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.layers import Elu, LeakyRelu
from sk_twolayer.layers._registry import ACTIVATIONS

NUMBERS = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
TARGETS = {
    "two classes": lambda X, y: y % 2,
    "two strings": lambda X, y: NUMBERS[y % 2],
    "booleans": lambda X, y: y > 4,
    "one class": lambda X, y: np.full(len(y), 7),
    "one string": lambda X, y: np.full(len(y), "only"),
    "classes": lambda X, y: y,
    "classes with large names": lambda X, y: y + 2**40,
    "strings": lambda X, y: NUMBERS[y],
    "strings as objects": lambda X, y: NUMBERS[y].astype(object),
    "two labels": lambda X, y: (X[:, [20, 30]] > 0.5).astype(int),
    "labels": lambda X, y: (X[:, [20, 30, 40]] > 0.5).astype(int),
}


def make(**parameters):
    return TwoLayerClassifier(
        16, solver="sgd", learning_rate=0.1, batch_size=100, max_iter=4, tol=None, random_state=0
    ).set_params(**parameters)


def run(model, X, options=None):
    """Return what onnxruntime answers for a model converted by one row."""
    graph = to_onnx(model, X[:1], options=options).SerializeToString()
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return session.run(None, {"X": X})


def holds(model, X, options):
    """Assert that onnxruntime's labels and probabilities are the model's."""
    labels, probabilities = run(model, X, options)
    assert_array_equal(labels, model.predict(X))
    assert_allclose(probabilities, model.predict_proba(X), atol=1e-5, rtol=0)
    assert probabilities.dtype == X.dtype


@pytest.mark.parametrize("scaled", [False, True], ids=["alone", "in a pipeline"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("target", TARGETS)
def test_every_kind_of_target(digits, target, dtype, scaled):
    X = digits[0].astype(dtype)
    clf = make()
    model = make_pipeline(StandardScaler(), clf) if scaled else clf
    model.fit(X, TARGETS[target](*digits))
    holds(model, X, {id(clf): {"zipmap": False}})


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_activation(digits, activation, dtype):
    X, y = digits[0].astype(dtype), digits[1]
    clf = make(activation=activation).fit(X, y)
    clf.set_params(activation="relu")  # the model is what it was fitted with
    holds(clf, X, {TwoLayerClassifier: {"zipmap": False}})


@pytest.mark.parametrize("target", ["two classes", "strings", "labels"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_dictionary_a_row_unless_told_otherwise(digits, target, dtype):
    """As skl2onnx does for scikit-learn's classifiers."""
    X = digits[0].astype(dtype)
    clf = make().fit(X, TARGETS[target](*digits))
    labels, dictionaries = run(clf, X)
    assert_array_equal(labels, clf.predict(X))
    assert list(dictionaries[0]) == clf.classes_.tolist()
    probabilities = [list(row.values()) for row in dictionaries]
    assert_allclose(probabilities, clf.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("target", ["two classes", "strings", "labels"])
def test_raw_scores(digits, target):
    X = digits[0].astype(np.float32)
    clf = make().fit(X, TARGETS[target](*digits))
    labels, scores = run(clf, X, {"zipmap": False, "raw_scores": True})
    assert_array_equal(labels, clf.predict(X))
    expected = clf.decision_function(X)
    if expected.ndim == 1:
        expected = np.stack([-expected, expected], axis=1)
    assert_allclose(scores, expected, atol=1e-4)


def test_the_graph_is_that_of_the_rival(digits):
    """The same layers: where MLPClassifier has the same parameters, the same probabilities."""
    X = digits[0].astype(np.float32)
    clf = make(activation="sigmoid").fit(X, digits[1])
    mlp = MLPClassifier((16,), activation="logistic", max_iter=1)
    with pytest.warns(match="Maximum iterations"):
        mlp.fit(X, digits[1])
    mlp.coefs_, mlp.intercepts_ = clf.coefs_, clf.intercepts_
    options = {"zipmap": False}
    assert_array_equal(run(mlp, X, options)[1], run(clf, X, options)[1])


def test_integers_are_calculated_with_as_float32(digits):
    X = (4 * digits[0]).astype(np.int64)
    clf = make(learning_rate=0.001).fit(X, digits[1])
    labels, probabilities = run(clf, X, {"zipmap": False})
    assert probabilities.dtype == np.float32
    assert_allclose(probabilities, clf.predict_proba(X), atol=1e-5)
    assert_array_equal(labels, clf.predict(X))


def test_a_grid_search(digits):
    X = digits[0].astype(np.float32)
    search = GridSearchCV(make(), {"hidden_size": [4, 8]}, cv=2).fit(X, digits[1])
    holds(search, X, {"zipmap": False})


def test_a_calibrated_classifier(digits):
    """It looks its inner classifiers up in skl2onnx, which knows of ours from the first one on."""
    X = digits[0].astype(np.float32)
    calibrated = CalibratedClassifierCV(make(), cv=2).fit(X, digits[1])
    to_onnx(calibrated.calibrated_classifiers_[0].estimator, X[:1])
    holds(calibrated, X, {"zipmap": False})


def test_labels_that_onnx_does_not_have(digits):
    clf = make().fit(digits[0], digits[1].astype(np.uint64) + np.uint64(2**63))
    with pytest.raises(ValueError, match="cannot be those of an ONNX model, which are"):
        to_onnx(clf, digits[0][:1])


def test_an_option_that_does_not_exist(digits):
    with pytest.raises(NameError, match="nonsense"):
        run(make().fit(*digits), digits[0], {"nonsense": 1, "zipmap": False})


def test_nothing_has_to_be_imported_or_registered():
    """In a fresh process the first conversion is like any other, with options and without."""
    code = """
import sys
import numpy as np
from sk_twolayer import TwoLayerClassifier
X, y = np.eye(3), [0, 1, 2]
clf = TwoLayerClassifier(2, batch_size=1, max_iter=1, tol=None).fit(X, y)
assert "skl2onnx" not in sys.modules
from skl2onnx import to_onnx
graphs = [to_onnx(clf, X[:1], options={"zipmap": zipmap}) for zipmap in (False, True, False)]
print([[output.name for output in graph.graph.output] for graph in graphs])
"""
    command = [sys.executable, "-W", "error", "-c", code]
    arrays, dictionaries = ["label", "probabilities"], ["output_label", "output_probability"]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    assert process.stdout.strip() == str([arrays, dictionaries, arrays])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_equal_probabilities_are_decided_alike(n_classes, rng):
    X = rng.standard_normal((30, 4)).astype(np.float32)
    clf = make(max_iter=1).fit(X, np.arange(30) % n_classes)
    clf.coefs_[1][:] = 0
    clf.intercepts_[1][:] = 0
    labels, _ = run(clf, X, {"zipmap": False})
    assert labels.tolist() == clf.predict(X).tolist() == [0] * 30


class OnnxLeakyRelu(MyLeakyRelu):
    """A student's layer that says which nodes it has."""

    def onnx_nodes(self, add, x):
        return add("Max", x, add("Mul", x, self.slope))


@pytest.mark.parametrize("activation", [LeakyRelu(0.3), Elu(2.0), OnnxLeakyRelu(0.3)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_layer_as_activation(digits, activation, dtype):
    X, y = digits[0].astype(dtype), digits[1]
    clf = make(activation=activation).fit(X, y)
    holds(clf, X, {TwoLayerClassifier: {"zipmap": False}})


def test_a_layer_without_nodes_is_refused_by_name(digits):
    clf = make(activation=MyRelu()).fit(*digits)
    with pytest.raises(ValueError, match="the activation MyRelu cannot be converted to ONNX"):
        to_onnx(clf, digits[0][:1])
