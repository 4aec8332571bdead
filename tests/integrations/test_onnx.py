"""ONNX: what onnxruntime answers for a converted classifier is what the classifier answers."""

import subprocess
import sys

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.layers import Elu, LeakyRelu, Relu
from sk_twolayer.layers._registry import ACTIVATIONS
from tests.helpers import LONG, MyLeakyRelu, MyRelu

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
def test_one_dictionary_per_row_by_default(digits, target, dtype):
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


INSIDE = {
    "calibrated": lambda clf: CalibratedClassifierCV(clf, cv=2),
    "stacking": lambda clf: StackingClassifier([("net", clf)], LogisticRegression(), cv=2),
    "stacking scores": lambda clf: StackingClassifier(
        [("net", clf)], LogisticRegression(), cv=2, stack_method="decision_function"
    ),
    "stacking, at the end": lambda clf: StackingClassifier(
        [("linear", LogisticRegression())], clf, cv=2
    ),
    "bagging": lambda clf: BaggingClassifier(clf, 2, random_state=0),
    "bagging columns": lambda clf: BaggingClassifier(clf, 2, max_features=0.5, random_state=0),
    "boosting": lambda clf: AdaBoostClassifier(clf, n_estimators=2, random_state=0),
    "one versus rest": OneVsRestClassifier,
    "one versus one": OneVsOneClassifier,
    "voting": lambda clf: VotingClassifier(
        [("net", clf), ("linear", LogisticRegression())], voting="soft", flatten_transform=False
    ),
    "hard voting": lambda clf: VotingClassifier(
        [("net", clf), ("linear", LogisticRegression())], flatten_transform=False
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize("target", ["classes", "strings"])
def test_inside_other_estimators(digits, inside, target):
    """They look inner classifiers up in a table of skl2onnx."""
    if (inside, target) == ("one versus one", "strings"):
        pytest.skip("skl2onnx converts no OneVsOneClassifier with strings for labels")
    X = digits[0][:400].astype(np.float32)
    model = INSIDE[inside](make(batch_size=50)).fit(X, TARGETS[target](*digits)[:400])
    labels, probabilities = run(model, X, {"zipmap": False})
    assert_array_equal(labels.ravel(), model.predict(X))
    if "one versus one" not in inside and hasattr(model, "predict_proba"):
        assert_allclose(probabilities, model.predict_proba(X), atol=1e-5)


def test_inside_a_classifier_of_several_targets(digits):
    X = digits[0].astype(np.float32)
    Y = np.c_[digits[1] % 2, digits[1] % 3]
    model = MultiOutputClassifier(make()).fit(X, Y)
    labels, probabilities = run(model, X, {"zipmap": False})
    assert_array_equal(labels, model.predict(X))
    for one, expected in zip(probabilities, model.predict_proba(X), strict=True):
        assert_allclose(one, expected, atol=1e-5)


def feed(X, graph):
    """Return the inputs of a graph, one for each column.

    skl2onnx renames columns whose names are those of outputs.
    """
    names = zip(graph.graph.input, X.columns, strict=True)
    return {variable.name: X[[column]].to_numpy() for variable, column in names}


def run_graph(graph, inputs):
    """Return the outputs by name."""
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [variable.name for variable in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


DTYPES = {
    "float32": ["float32"] * 4,
    "float64": ["float64"] * 4,
    "integers": ["int64"] * 4,
    "mixed, float32": ["int64", "float32", "bool", "float32"],
    "mixed, float64": ["bool", "float32", "int32", "float64"],
}


@pytest.mark.parametrize("zipmap", [False, True, "columns"])
@pytest.mark.parametrize("dtypes", DTYPES.values(), ids=DTYPES)
def test_a_data_frame_is_one_input_for_each_column(digits, dtypes, zipmap):
    columns = zip(["a", "b", "label", "probabilities"], digits[0].T[20:24], dtypes, strict=True)
    X = pd.DataFrame({name: (2 * column).astype(dtype) for name, column, dtype in columns})
    clf = make().fit(X, NUMBERS[digits[1]])
    graph = to_onnx(clf, X[:1], options={"zipmap": zipmap})
    labels, *outputs = run_graph(graph, feed(X, graph)).values()
    assert_array_equal(labels, clf.predict(X))
    dtype = np.float64 if "float64" in dtypes else np.float32
    if zipmap == "columns":
        assert {output.dtype for output in outputs} == {np.dtype(dtype)}
        probabilities = np.stack(outputs, axis=1)
    elif zipmap:
        probabilities = [list(row.values()) for row in outputs[0]]
    else:
        probabilities = outputs[0]
        assert probabilities.dtype == dtype
    assert_allclose(probabilities, clf.predict_proba(X), atol=1e-5)


def test_inputs_of_several_columns(digits):
    X = (4 * digits[0]).astype(np.float32)
    clf = make(learning_rate=0.001).fit(X, digits[1])
    types = [("left", FloatTensorType([None, 60])), ("right", Int64TensorType([None, 4]))]
    graph = to_onnx(clf, initial_types=types, options={"zipmap": False})
    X = X.round()
    outputs = run_graph(graph, {"left": X[:, :60], "right": X[:, 60:].astype(np.int64)})
    assert_allclose(outputs["probabilities"], clf.predict_proba(X), atol=1e-5)


def test_a_data_frame_through_a_pipeline_and_inside_a_search(digits):
    X = pd.DataFrame(digits[0][:, 20:24].astype(np.float32), columns=list("abcd"))
    model = make_pipeline(StandardScaler(), GridSearchCV(make(), {"hidden_size": [4]}, cv=2))
    graph = to_onnx(model.fit(X, digits[1]), X[:1])
    assert_array_equal(run_graph(graph, feed(X, graph))["output_label"], model.predict(X))


def test_a_column_of_strings_is_refused(digits):
    X = pd.DataFrame(digits[0][:, 20:22], columns=["a", "b"])
    clf = make().fit(X, digits[1])
    with pytest.raises(ValueError, match=r"inputs \['b'\] are strings"):
        to_onnx(clf, X[:1].assign(b="text"))


@pytest.mark.parametrize("target", ["two classes", "booleans", "classes", "strings", "labels"])
def test_an_output_for_each_class(digits, target):
    X = digits[0].astype(np.float32)
    clf = make().fit(X, TARGETS[target](*digits))
    outputs = run_graph(to_onnx(clf, X[:1], options={"zipmap": "columns"}), {"X": X})
    names = [f"s{c}" if isinstance(c, str) else f"i{int(c)}" for c in clf.classes_.tolist()]
    assert list(outputs) == ["output_label", *names]
    assert_array_equal(outputs["output_label"], clf.predict(X))
    probabilities = np.stack([outputs[name] for name in names], axis=1)
    assert_allclose(probabilities, clf.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("target", TARGETS)
def test_the_class_labels_as_an_output(digits, target):
    X = digits[0].astype(np.float32)
    clf = make().fit(X, TARGETS[target](*digits))
    options = {"zipmap": False, "output_class_labels": True}
    outputs = run_graph(to_onnx(clf, X[:1], options=options), {"X": X})
    assert list(outputs) == ["label", "probabilities", "class_labels"]
    assert_array_equal(outputs["class_labels"], clf.classes_)


def test_the_class_labels_as_an_output_need_an_array_of_probabilities(digits):
    clf = make().fit(*digits)
    with pytest.raises(RuntimeError, match="'output_class_labels' needs the option zipmap=False"):
        run(clf, digits[0], {"output_class_labels": True})


@pytest.mark.parametrize("zipmap", [False, True, "columns"])
@pytest.mark.parametrize("target", ["two strings", "classes with large names", "strings", "labels"])
def test_a_graph_without_class_labels(digits, target, zipmap):
    """The option nocl: classes have their numbers instead."""
    X = digits[0].astype(np.float32)
    y = TARGETS[target](*digits)
    clf = make().fit(X, y)
    graph = to_onnx(clf, X[:1], options={"zipmap": zipmap, "nocl": True})
    labels, *outputs = run_graph(graph, {"X": X}).values()
    expected = clf.predict(X)
    if y.ndim == 1:
        expected = np.searchsorted(clf.classes_, expected)
    assert_array_equal(labels, expected)
    assert b"seven" not in graph.SerializeToString()
    if zipmap is True:
        assert list(outputs[0][0]) == list(range(len(clf.classes_)))


@pytest.mark.parametrize("options", [{"zipmap": False}, {"zipmap": "columns"}])
def test_the_names_of_the_outputs_are_those_of_scikit_learns_mlpclassifier(digits, options):
    X = digits[0].astype(np.float32)
    clf = make().fit(X, NUMBERS[digits[1]])
    graphs = [to_onnx(model, X[:1], options=options) for model in (clf, clf.to_mlp())]
    ours, theirs = ([output.name for output in graph.graph.output] for graph in graphs)
    assert ours == theirs


def test_labels_that_onnx_does_not_have(digits):
    clf = make().fit(digits[0], digits[1].astype(np.uint64) + np.uint64(2**63))
    with pytest.raises(ValueError, match="ONNX supports strings and 64-bit integers"):
        to_onnx(clf, digits[0][:1])


def test_an_option_that_does_not_exist(digits):
    with pytest.raises(NameError, match="nonsense"):
        run(make().fit(*digits), digits[0], {"nonsense": 1, "zipmap": False})


FIRST = """
import sys
import numpy as np
from sklearn.datasets import load_iris
{imports}
from sk_twolayer import TwoLayerClassifier
class Mine(TwoLayerClassifier):
    pass
X, y = load_iris(return_X_y=True)
X, clf = X.astype(np.float32), {cls}(4, max_iter=2, tol=None, random_state=0)
model = {model}.fit(X, {y})
{more}
from skl2onnx import to_onnx
from onnxruntime import InferenceSession
options = {options}
graph = to_onnx(model, X[:1], options=options)
session = InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
labels = np.reshape(session.run(None, {{"X": X}})[0], model.predict(X).shape)
assert (labels == model.predict(X)).all()
print([output.name for output in graph.graph.output])
"""
MODELS = {
    "alone": ("", "clf"),
    "CalibratedClassifierCV": ("from sklearn.calibration import *", "{}(clf, cv=2)"),
    "StackingClassifier": ("from sklearn.ensemble import *", "{}([('net', clf)], cv=2)"),
    "BaggingClassifier": ("from sklearn.ensemble import *", "{}(clf, 2)"),
    "OneVsRestClassifier": ("from sklearn.multiclass import *", "{}(clf)"),
    "MultiOutputClassifier": ("from sklearn.multioutput import *", "{}(clf)"),
    "VotingClassifier": (
        "from sklearn.ensemble import *",
        "{}([('net', clf)], voting='soft', flatten_transform=False)",
    ),
}


def run_first(name, *, cls="TwoLayerClassifier", early="", late=""):
    """Convert a model in a fresh process, and return the names of the outputs."""
    imports, model = MODELS[name]
    several = name == "MultiOutputClassifier"
    code = FIRST.format(
        imports=f"{imports}\n{early}",
        cls=cls,
        model=model.format(name),
        y="np.c_[y > 0, y > 1].astype(int)" if several else "y",
        more=late,
        options="{'zipmap': False}",
    )
    command = [sys.executable, "-W", "error", "-c", code]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS if LONG else list(MODELS)[:3])
def test_nothing_has_to_be_imported_or_registered(name):
    """In a fresh process the first conversion is like any other."""
    late = 'assert "skl2onnx" not in sys.modules'
    assert run_first(name, late=late) == str(["label", "probabilities"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cls", "early"), [("TwoLayerClassifier", "import skl2onnx"), ("Mine", "")]
)
def test_the_order_of_imports_does_not_matter(cls, early):
    """Neither for the classifier nor for a class of one's own."""
    assert run_first("BaggingClassifier", cls=cls, early=early)


@pytest.mark.slow
def test_looking_for_skl2onnx_does_not_import_it():
    late = """
import importlib.util
assert importlib.util.find_spec("skl2onnx").origin.endswith("__init__.py")
assert "skl2onnx" not in sys.modules
import skl2onnx
assert type(skl2onnx.__loader__) is type(np.__loader__)
assert skl2onnx.__spec__.loader is skl2onnx.__loader__
"""
    assert run_first("BaggingClassifier", late=late)


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


class Capped(Relu):
    """Overrides `forward` and `backward`, and inherits the nodes of relu."""

    def forward(self, x, out=None):
        self.x = np.asarray(x)
        return np.clip(x, 0, 1)

    def backward(self, dout, out=None):
        return dout * ((self.x > 0) & (self.x < 1))


class CappedWithNodes(Capped):
    def onnx_nodes(self, add, x):
        return add("Min", add("Relu", x), 1.0)


def test_a_subclass_is_not_converted_with_the_nodes_of_its_base_class(digits):
    clf = make(activation=Capped()).fit(*digits)
    with pytest.raises(ValueError, match="the activation Capped cannot be converted to ONNX"):
        to_onnx(clf, digits[0][:1])
    clf = make(activation=CappedWithNodes()).fit(*digits)
    holds(clf, digits[0], {TwoLayerClassifier: {"zipmap": False}})
