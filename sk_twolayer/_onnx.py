"""Conversion of a fitted classifier to ONNX by skl2onnx, where that is installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from sk_twolayer.layers._registry import make_activation

ALIAS = "TwoLayerClassifier"
OPTIONS = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "nocl": [True, False],
    "raw_scores": [True, False],
}


class OnnxConvertible:
    """Base of classes that skl2onnx converts, alone or inside other estimators.

    skl2onnx looks classes up in a table, and its converters of meta-estimators do so before any
    method of the inner estimator is called. So every subclass is added to the table as soon as both
    it and skl2onnx have been imported, in whatever order. This package never imports skl2onnx.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "skl2onnx" in sys.modules:
            _register(cls)


class _Skl2onnxFinder(MetaPathFinder):
    """Registers all convertible classes when skl2onnx is imported; finds no other module."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name != "skl2onnx":
            return None
        for finder in [finder for finder in sys.meta_path if finder is not self]:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _RegisteringLoader(spec.loader)
                return spec
        return None


class _RegisteringLoader(Loader):
    """The loader of skl2onnx, which registers all convertible classes after it."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        for cls in _subclasses(OnnxConvertible):
            _register(cls)


sys.meta_path.insert(0, _Skl2onnxFinder())


def _subclasses(cls: type[Any]) -> Iterator[type[Any]]:
    subclass: type[Any]
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _register(cls: type[Any]) -> None:
    """Add a class to the table of skl2onnx."""
    from skl2onnx import update_registered_converter

    update_registered_converter(cls, ALIAS, _infer_types, _convert, options=OPTIONS, parser=_parse)


def _parse(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
    """Declare the operator that a classifier becomes, and return its outputs.

    The outputs have the names that skl2onnx gives those of scikit-learn's classifiers.
    """
    from skl2onnx.common.data_types import FloatTensorType

    options = scope.get_options(model, {"zipmap": True, "output_class_labels": False})
    zipmap, class_labels = options["zipmap"], options.get("output_class_labels", False)
    if zipmap and class_labels:
        raise RuntimeError("Option 'output_class_labels' needs the option zipmap=False")
    operator = scope.declare_local_operator(ALIAS, model)
    operator.inputs = inputs
    # A ZipMap takes float32 only.
    number_type = _number_type(inputs) if zipmap in (False, "columns") else FloatTensorType
    types = {"label": _label_type(_classes(scope, model))([None]), "probabilities": number_type()}
    outputs = [scope.declare_local_variable(*item) for item in types.items()]
    operator.outputs.extend(outputs)
    if zipmap:
        return _declare_zipmap(scope, model, outputs, columns=zipmap == "columns")
    return [*outputs, _declare_class_labels(scope, model)] if class_labels else outputs


def _declare_zipmap(scope: Any, model: Any, inputs: list[Any], *, columns: bool) -> Any:
    """Declare skl2onnx's operator for one dictionary per row, or for one output per class."""
    from skl2onnx.common.data_types import DictionaryType, FloatTensorType, SequenceType

    classes = _classes(scope, model)
    is_integer = classes.dtype.kind == "i"
    label_type = _label_type(classes)
    outputs = {"output_label": label_type([None])}
    if columns:
        prefix, number_type = "i" if is_integer else "s", type(inputs[1].type)
        outputs |= {f"{prefix}{label}": number_type() for label in classes.tolist()}
    else:
        dictionary = DictionaryType(label_type([None]), FloatTensorType())
        outputs["output_probability"] = SequenceType(dictionary)
    operator = scope.declare_local_operator("SklearnZipMap" + ("Columns" if columns else ""))
    operator.inputs = inputs
    if is_integer:
        operator.classlabels_int64s = classes.tolist()
    else:
        operator.classlabels_strings = [label.encode() for label in classes.tolist()]
    operator.outputs.extend([scope.declare_local_variable(*item) for item in outputs.items()])
    operator.init_status(is_evaluated=True)
    return operator.outputs


def _declare_class_labels(scope: Any, model: Any) -> Any:
    """Declare skl2onnx's operator for the output of the class labels."""
    operator = scope.declare_local_operator("SklearnClassLabels")
    operator.classes = _classes(scope, model)
    label_type = _label_type(operator.classes)(operator.classes.shape)
    operator.outputs.append(scope.declare_local_variable("class_labels", label_type))
    return operator.outputs[0]


def _infer_types(operator: Any) -> None:
    """Set the types and shapes of the outputs, which meta-estimators declare otherwise."""
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

    strings = [v.raw_name for v in operator.inputs if isinstance(v.type, StringTensorType)]
    if strings:
        raise ValueError(
            f"inputs {strings} hold strings, but {ALIAS} takes numbers: encode them in a pipeline"
        )
    model = operator.raw_operator
    classes = _classes(operator.scope_inst, model)
    rows, columns = operator.inputs[0].get_first_dimension(), len(classes)
    shape = [rows, columns] if model._multilabel else [rows]
    labels, probabilities = operator.outputs
    labels.set_type(_label_type(classes)(shape))
    declared = type(probabilities.type)
    if declared not in (FloatTensorType, DoubleTensorType):
        declared = _number_type(operator.inputs)
    probabilities.set_type(declared([rows, columns]))


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of a classifier to a graph."""
    from skl2onnx.common._apply_operation import apply_cast, apply_concat, apply_sub
    from skl2onnx.common.data_types import guess_proto_type

    model = operator.raw_operator
    labels, probabilities = operator.outputs
    raw = container.get_options(model, {"raw_scores": False})["raw_scores"]
    array, dtype = _add_net(scope, operator, container, raw)
    if model.n_outputs_ < len(model.classes_):
        whole, other, both = map(scope.get_unique_variable_name, ("whole", "other", "both"))
        container.add_initializer(whole, dtype, [], [0.0 if raw else 1.0])
        apply_sub(scope, [whole, array], other, container)
        apply_concat(scope, [other, array], both, container, axis=1)
        array = both
    if model._multilabel:
        threshold = scope.get_unique_variable_name("threshold")
        container.add_initializer(threshold, dtype, [], [0.0 if raw else 0.5])
        _add_likely_labels(scope, container, [array, threshold], labels.full_name)
    else:
        classes = _classes(scope, model)
        _add_likeliest_class(scope, container, array, classes, labels.full_name)
    to = guess_proto_type(probabilities.type)
    apply_cast(scope, array, probabilities.full_name, container, to=to)


def _add_net(scope: Any, operator: Any, container: Any, raw: bool) -> tuple[str, Any]:
    """Add the layers: the second by skl2onnx's converter of MLPClassifier; return name and type."""
    from skl2onnx.common.data_types import guess_proto_type
    from skl2onnx.operator_converters.multilayer_perceptron import _predict

    model = operator.raw_operator
    dtype = guess_proto_type(_number_type(operator.inputs)())
    rows = _add_input(scope, operator.inputs, container, dtype)
    second_layer = SimpleNamespace(  # which looks at no more than this
        activation="identity",
        out_activation_="identity" if raw else model.out_activation_,
        n_layers_=2,
        coefs_=model.coefs_[1:],
        intercepts_=model.intercepts_[1:],
    )
    hidden = _add_hidden_units(scope, container, rows, model, dtype)
    return _predict(scope, hidden, container, second_layer, dtype), dtype


def _add_hidden_units(scope: Any, container: Any, source: str, model: Any, dtype: Any) -> str:
    """Add the first layer, whose activation brings its own nodes; return the name of its output."""
    from skl2onnx.common._apply_operation import apply_cast
    from skl2onnx.proto import onnx_proto

    layer: Any = make_activation(model.activation_)
    if not hasattr(layer, "onnx_nodes"):
        raise ValueError(
            f"the activation {type(layer).__name__} cannot be converted to ONNX: give its class a "
            "method onnx_nodes(add, x) that returns add(op, x), or choose an activation by name"
        )

    def constant(value: Any) -> str:
        name: str = scope.get_unique_variable_name("constant")
        container.add_initializer(name, dtype, np.shape(value), np.ravel(value))
        return name

    def add(op: str, *inputs: Any, **attributes: Any) -> str:
        names = [x if isinstance(x, str) else constant(x) for x in inputs]
        as_single = op == "Erf" and dtype == onnx_proto.TensorProto.DOUBLE
        if as_single:  # onnxruntime has it for float32 alone
            names = [add("Cast", *names, to=onnx_proto.TensorProto.FLOAT)]
        output: str = scope.get_unique_variable_name(op.lower())
        container.add_node(op, names, output, name=scope.get_unique_operator_name(op), **attributes)
        return add("Cast", output, to=dtype) if as_single else output

    x = scope.get_unique_variable_name("cast_input")
    apply_cast(scope, source, x, container, to=dtype)
    x = add("Add", add("MatMul", x, model.coefs_[0]), model.intercepts_[0][np.newaxis])
    return str(layer.onnx_nodes(add, x))


def _add_input(scope: Any, inputs: Sequence[Any], container: Any, dtype: Any) -> str:
    """Add the nodes that put several inputs side by side, and return the name of the result."""
    from skl2onnx.common._apply_operation import apply_cast, apply_concat

    names: list[str] = [variable.full_name for variable in inputs]
    if len(names) == 1:
        return names[0]
    parts = [scope.get_unique_variable_name("column") for _ in names]
    for name, part in zip(names, parts, strict=True):
        apply_cast(scope, name, part, container, to=dtype)
    rows: str = scope.get_unique_variable_name("rows")
    apply_concat(scope, parts, rows, container, axis=1)
    return rows


def _add_likely_labels(scope: Any, container: Any, compared: list[str], labels: str) -> None:
    """Give a row each label whose result is above a threshold."""
    from skl2onnx.common._apply_operation import apply_cast, apply_greater
    from skl2onnx.proto import onnx_proto

    above = scope.get_unique_variable_name("above")
    apply_greater(scope, compared, above, container)
    apply_cast(scope, above, labels, container, to=onnx_proto.TensorProto.INT64)


def _add_likeliest_class(scope: Any, container: Any, array: str, classes: Any, labels: str) -> None:
    """Give a row the class with the largest result."""
    from skl2onnx.proto import onnx_proto

    numbers = classes.dtype.kind == "i"
    dtype = onnx_proto.TensorProto.INT64 if numbers else onnx_proto.TensorProto.STRING
    values = classes.tolist() if numbers else [label.encode() for label in classes]
    table, index = map(scope.get_unique_variable_name, ("classes", "index"))
    container.add_initializer(table, dtype, [len(values)], values)
    unique = scope.get_unique_operator_name
    container.add_node("ArgMax", array, index, name=unique("ArgMax"), axis=1, keepdims=0)
    container.add_node("Gather", [table, index], labels, name=unique("Gather"))


def _number_type(inputs: Sequence[Any]) -> Any:
    """Return the type to compute in: float64 if any input has that, else float32."""
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    is_double = any(isinstance(variable.type, DoubleTensorType) for variable in inputs)
    return DoubleTensorType if is_double else FloatTensorType


def _classes(scope: Any, model: Any) -> Any:
    """Return the class labels as ONNX can have them: strings, integers, or with nocl their numbers.

    "nocl" is the option of scikit-learn's classifiers that leaves class labels out of the graph.
    """
    classes = model.classes_
    if scope.get_options(model, {"nocl": False}).get("nocl", False):
        return np.arange(len(classes))
    if all(isinstance(label, str) for label in classes.tolist()):
        return classes
    if classes.dtype.kind in "biuf" and np.array_equal(classes.astype(np.int64), classes):
        return classes.astype(np.int64)
    raise ValueError(
        f"the class labels {classes.tolist()} cannot be those of an ONNX model, which are strings "
        "or integers of 64 bits: fit to such labels"
    )


def _label_type(classes: Any) -> Any:
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType

    return Int64TensorType if classes.dtype.kind == "i" else StringTensorType
