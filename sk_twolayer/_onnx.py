"""Conversion of a fitted classifier to ONNX by skl2onnx, if that is installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol

import numpy as np

from sk_twolayer._typing import Array, Classifier
from sk_twolayer.layers._registry import make_activation

ALIAS = "TwoLayerClassifier"
OPTIONS = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": [False, True],
    "nocl": [True, False],
    "raw_scores": [True, False],
}


class Variable(Protocol):
    """What this module uses of skl2onnx's variables: inputs and outputs of operators."""

    raw_name: str
    full_name: str
    type: Any

    def set_type(self, type: Any, /) -> None: ...

    def get_first_dimension(self) -> Any: ...


class Operator(Protocol):
    """What this module uses of skl2onnx's operators; each is converted to some nodes."""

    inputs: list[Variable]
    outputs: list[Variable]
    raw_operator: Classifier
    scope_inst: Scope


class Scope(Protocol):
    """What this module uses of skl2onnx's scope, which declares operators and names."""

    def declare_local_operator(self, alias: str, model: Any = None) -> Any: ...

    def declare_local_variable(self, name: str, type: Any) -> Variable: ...

    def get_options(self, model: Any, default: dict[str, Any]) -> dict[str, Any]: ...

    def get_unique_operator_name(self, seed: str) -> str: ...

    def get_unique_variable_name(self, seed: str) -> str: ...


class Container(Protocol):
    """What this module uses of skl2onnx's container, which collects the nodes of the graph."""

    def add_initializer(self, name: str, type: Any, shape: Any, content: Any) -> Any: ...

    def add_node(self, op: str, inputs: Any, outputs: Any, **attributes: Any) -> None: ...

    def get_options(self, model: Any, default: dict[str, Any]) -> dict[str, Any]: ...


class OnnxConvertible:
    """Base of classes that skl2onnx converts, alone or inside other estimators.

    skl2onnx has a table of classes. Its converters of meta-estimators read the table before any
    method of the inner estimator is called, so that methods such as ``onnx_converter``, which
    skl2onnx looks for in other classes, come too late. Therefore every subclass is added to the
    table when both it and skl2onnx have been imported, in any order. This package never imports
    skl2onnx itself.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "skl2onnx" in sys.modules:
            _register(cls)


class _Skl2onnxFinder(MetaPathFinder):
    """Finds skl2onnx as Python does, and adds our classes to its table after its import."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name == "skl2onnx" else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_register(module: ModuleType) -> None:
            execute(module)
            for cls in _subclasses(OnnxConvertible):
                _register(cls)

        spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec


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


def _parse(
    scope: Scope, model: Classifier, inputs: list[Variable], custom_parsers: Any = None
) -> Any:
    """Declare the operator for a classifier, and return its outputs.

    The outputs have the same names as those of scikit-learn's classifiers.
    """
    from skl2onnx.common.data_types import FloatTensorType

    options = scope.get_options(model, {"zipmap": True, "output_class_labels": False})
    zipmap, class_labels = options["zipmap"], options.get("output_class_labels", False)
    if zipmap and class_labels:
        raise RuntimeError("Option 'output_class_labels' needs the option zipmap=False")
    operator = scope.declare_local_operator(ALIAS, model)
    operator.inputs = inputs
    # The operator ZipMap accepts float32 only.
    number_type = _number_type(inputs) if zipmap in (False, "columns") else FloatTensorType
    types = {"label": _label_type(_classes(scope, model))([None]), "probabilities": number_type()}
    outputs = [scope.declare_local_variable(*item) for item in types.items()]
    operator.outputs.extend(outputs)
    if zipmap:
        return _declare_zipmap(scope, model, outputs, columns=zipmap == "columns")
    return [*outputs, _declare_class_labels(scope, model)] if class_labels else outputs


def _declare_zipmap(
    scope: Scope, model: Classifier, inputs: list[Variable], *, columns: bool
) -> Any:
    """Declare the operator ZipMap of skl2onnx, which makes one dictionary per row.

    The keys of a dictionary are the class labels, and its values the probabilities. With `columns`,
    there is instead one output of probabilities per class.
    """
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


def _declare_class_labels(scope: Scope, model: Classifier) -> Any:
    """Declare the operator of skl2onnx whose output is the list of the class labels."""
    operator = scope.declare_local_operator("SklearnClassLabels")
    operator.classes = _classes(scope, model)
    label_type = _label_type(operator.classes)(operator.classes.shape)
    operator.outputs.append(scope.declare_local_variable("class_labels", label_type))
    return operator.outputs[0]


def _infer_types(operator: Operator) -> None:
    """Set the types and shapes of the outputs.

    Meta-estimators declare the outputs of the operator themselves. A float type that they have
    chosen for the probabilities is kept.
    """
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

    strings = [v.raw_name for v in operator.inputs if isinstance(v.type, StringTensorType)]
    if strings:
        raise ValueError(
            f"the inputs {strings} are strings, but {ALIAS} needs numbers: encode them in a "
            "pipeline, for example with OneHotEncoder"
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


def _convert(scope: Scope, operator: Operator, container: Container) -> None:
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


def _add_net(scope: Scope, operator: Operator, container: Container, raw: bool) -> tuple[str, Any]:
    """Add the nodes of both layers, and return the name and the type of the last output.

    The second layer and the output function are added by skl2onnx's converter of `MLPClassifier`.
    """
    from skl2onnx.common.data_types import guess_proto_type
    from skl2onnx.operator_converters.multilayer_perceptron import _predict

    model = operator.raw_operator
    dtype = guess_proto_type(_number_type(operator.inputs)())
    rows = _add_input(scope, operator.inputs, container, dtype)
    second_layer = SimpleNamespace(  # the converter reads these attributes only
        activation="identity",
        out_activation_="identity" if raw else model.out_activation_,
        n_layers_=2,
        coefs_=model.coefs_[1:],
        intercepts_=model.intercepts_[1:],
    )
    hidden = _add_hidden_units(scope, container, rows, model, dtype)
    return _predict(scope, hidden, container, second_layer, dtype), dtype


def _add_hidden_units(
    scope: Scope, container: Container, source: str, model: Classifier, dtype: Any
) -> str:
    """Add the nodes of the first layer, and return the name of its output.

    The activation adds its own nodes, by its method `onnx_nodes`.
    """
    from skl2onnx.common._apply_operation import apply_cast
    from skl2onnx.proto import onnx_proto

    layer: Any = make_activation(model.activation_)
    if not _has_onnx_nodes(layer):
        raise ValueError(
            f"the activation {type(layer).__name__} cannot be converted to ONNX: its class "
            "needs a method onnx_nodes(add, x) of its own that returns add(op, x). Add it, or "
            "choose an activation by name"
        )

    def constant(value: Any) -> str:
        name: str = scope.get_unique_variable_name("constant")
        container.add_initializer(name, dtype, np.shape(value), np.ravel(value))
        return name

    def add(op: str, *inputs: Any, **attributes: Any) -> str:
        names = [x if isinstance(x, str) else constant(x) for x in inputs]
        as_single = op == "Erf" and dtype == onnx_proto.TensorProto.DOUBLE
        if as_single:  # onnxruntime has Erf for float32 only
            names = [add("Cast", *names, to=onnx_proto.TensorProto.FLOAT)]
        output: str = scope.get_unique_variable_name(op.lower())
        container.add_node(op, names, output, name=scope.get_unique_operator_name(op), **attributes)
        return add("Cast", output, to=dtype) if as_single else output

    x = scope.get_unique_variable_name("cast_input")
    apply_cast(scope, source, x, container, to=dtype)
    x = add("Add", add("MatMul", x, model.coefs_[0]), model.intercepts_[0][np.newaxis])
    return str(layer.onnx_nodes(add, x))


def _has_onnx_nodes(layer: Any) -> bool:
    """Tell whether a layer has nodes that compute the same as its `forward`.

    A subclass of `Relu` that overrides `forward` does not have them: the `onnx_nodes` that it
    inherits compute relu. Neither does a layer whose `forward` was assigned to the object.
    """
    for namespace in (getattr(layer, "__dict__", {}), *map(vars, type(layer).__mro__)):
        if "onnx_nodes" in namespace:
            return True
        if "forward" in namespace or "bind_forward" in namespace:
            return False
    return False


def _add_input(scope: Scope, inputs: Sequence[Variable], container: Container, dtype: Any) -> str:
    """Add the nodes that concatenate several inputs, and return the name of the result."""
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


def _add_likely_labels(
    scope: Scope, container: Container, compared: list[str], labels: str
) -> None:
    """Add the nodes that find the labels of each row: those whose result is above a threshold.

    `compared` has the names of the results and of the threshold.
    """
    from skl2onnx.common._apply_operation import apply_cast, apply_greater
    from skl2onnx.proto import onnx_proto

    above = scope.get_unique_variable_name("above")
    apply_greater(scope, compared, above, container)
    apply_cast(scope, above, labels, container, to=onnx_proto.TensorProto.INT64)


def _add_likeliest_class(
    scope: Scope, container: Container, array: str, classes: Array, labels: str
) -> None:
    """Add the nodes that find the class of each row: the one with the largest result."""
    from skl2onnx.proto import onnx_proto

    numbers = classes.dtype.kind == "i"
    dtype = onnx_proto.TensorProto.INT64 if numbers else onnx_proto.TensorProto.STRING
    values = classes.tolist() if numbers else [label.encode() for label in classes]
    table, index = map(scope.get_unique_variable_name, ("classes", "index"))
    container.add_initializer(table, dtype, [len(values)], values)
    unique = scope.get_unique_operator_name
    container.add_node("ArgMax", array, index, name=unique("ArgMax"), axis=1, keepdims=0)
    container.add_node("Gather", [table, index], labels, name=unique("Gather"))


def _number_type(inputs: Sequence[Variable]) -> Any:
    """Return the type to compute in: float64 if any input has that, else float32."""
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    is_double = any(isinstance(variable.type, DoubleTensorType) for variable in inputs)
    return DoubleTensorType if is_double else FloatTensorType


def _classes(scope: Scope, model: Classifier) -> Array:
    """Return the class labels in a type that ONNX supports: strings or integers.

    With the option "nocl" (no class labels), they are the numbers of the classes, from 0 on.
    """
    classes = model.classes_
    if scope.get_options(model, {"nocl": False}).get("nocl", False):
        return np.arange(len(classes))
    if all(isinstance(label, str) for label in classes.tolist()):
        return classes
    if classes.dtype.kind in "biuf" and np.array_equal(classes.astype(np.int64), classes):
        return classes.astype(np.int64)
    raise ValueError(
        f"ONNX supports strings and 64-bit integers as class labels, but the labels are "
        f"{classes.tolist()}: fit the classifier to such labels, or set the option nocl=True"
    )


def _label_type(classes: Array) -> Any:
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType

    return Int64TensorType if classes.dtype.kind == "i" else StringTensorType
