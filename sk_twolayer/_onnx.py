"""A fitted classifier as an ONNX graph, by skl2onnx, if that is installed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from sk_twolayer.layers._registry import make_activation

ALIAS = "TwoLayerClassifier"
OPTIONS = {"zipmap": [True, False], "raw_scores": [True, False]}


class OnnxConvertible:
    """Makes ``skl2onnx.to_onnx`` take an estimator, alone or in a pipeline.

    skl2onnx asks a model of a class unknown to it for these three methods. So nothing has to be
    registered before, and skl2onnx is imported by nobody but itself.
    """

    def onnx_parser(self) -> Callable[..., list[Any]]:
        """Return what declares the outputs of the graph, and make the options known."""
        from skl2onnx import update_registered_converter

        update_registered_converter(
            type(self), ALIAS, _infer_shapes, _convert, options=OPTIONS, parser=_parse
        )
        return partial(_declare_outputs, model=self)

    def onnx_shape_calculator(self) -> Callable[[Any], None]:
        """Return what infers the types and shapes of the outputs."""
        return _infer_shapes

    def onnx_converter(self) -> Callable[[Any, Any, Any], None]:
        """Return what adds the nodes of the graph."""
        return _convert


def _parse(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
    """Declare the operator that a classifier becomes, and return its outputs."""
    operator = scope.declare_local_operator(ALIAS, model)
    operator.inputs = inputs
    operator.outputs.extend(_declare_outputs(scope, inputs, model))
    return operator.outputs


def _declare_outputs(scope: Any, inputs: Any, model: Any) -> list[Any]:
    """Declare labels and probabilities, under the names skl2onnx gives a classifier's.

    The probabilities are an array with the option ``zipmap=False``, or else a dictionary a row.
    """
    from skl2onnx.common.data_types import (
        DictionaryType,
        FloatTensorType,
        SequenceType,
        guess_tensor_type,
    )

    labels = _label_type([None], model)
    names, probabilities = ("label", "probabilities"), guess_tensor_type(inputs[0].type)
    if scope.get_options(model, {"zipmap": True})["zipmap"]:
        names = "output_label", "output_probability"
        probabilities = SequenceType(DictionaryType(labels, FloatTensorType()))
    types = labels, probabilities
    return [scope.declare_local_variable(*pair) for pair in zip(names, types, strict=True)]


def _infer_shapes(operator: Any) -> None:
    """Set the types and shapes of the outputs."""
    model = operator.raw_operator
    rows, columns = operator.inputs[0].get_first_dimension(), len(model.classes_)
    operator.outputs[0].set_type(
        _label_type([rows, columns] if model._multilabel else [rows], model)
    )
    if not _has_zipmap(operator):
        operator.outputs[1].type.shape = [rows, columns]


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of a classifier to a graph."""
    from skl2onnx.common._apply_operation import apply_concat, apply_identity, apply_sub

    model = operator.raw_operator
    raw = container.get_options(model, {"raw_scores": False})["raw_scores"]
    results, dtype = _add_net(scope, operator, container, raw)
    labels, probabilities = (variable.full_name for variable in operator.outputs)
    array = scope.get_unique_variable_name("array") if _has_zipmap(operator) else probabilities
    if model.n_outputs_ < len(model.classes_):  # one score for two classes
        whole, other = map(scope.get_unique_variable_name, ("whole", "other"))
        container.add_initializer(whole, dtype, [], [0.0 if raw else 1.0])
        apply_sub(scope, [whole, results], other, container)
        apply_concat(scope, [other, results], array, container, axis=1)
    else:
        apply_identity(scope, results, array, container)
    if model._multilabel:
        threshold = scope.get_unique_variable_name("threshold")
        container.add_initializer(threshold, dtype, [], [0.0 if raw else 0.5])
        _add_likely_labels(scope, container, [array, threshold], labels)
    else:
        _add_likeliest_class(scope, container, array, _classes(model), labels)
    if _has_zipmap(operator):
        _add_zipmap(scope, container, array, _classes(model), probabilities)


def _add_net(scope: Any, operator: Any, container: Any, raw: bool) -> tuple[str, Any]:
    """Add the layers: the second by skl2onnx's converter of MLPClassifier; return name and type."""
    from skl2onnx.common.data_types import guess_proto_type, guess_tensor_type
    from skl2onnx.operator_converters.multilayer_perceptron import _predict

    model, source = operator.raw_operator, operator.inputs[0]
    dtype = guess_proto_type(guess_tensor_type(source.type))
    second_layer = SimpleNamespace(  # which looks at no more than this
        activation="identity",
        out_activation_="identity" if raw else model.out_activation_,
        n_layers_=2,
        coefs_=model.coefs_[1:],
        intercepts_=model.intercepts_[1:],
    )
    hidden = _add_hidden_units(scope, container, source.full_name, model, dtype)
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
    table, place = map(scope.get_unique_variable_name, ("classes", "place"))
    container.add_initializer(table, dtype, [len(values)], values)
    unique = scope.get_unique_operator_name
    container.add_node("ArgMax", array, place, name=unique("ArgMax"), axis=1, keepdims=0)
    container.add_node("Gather", [table, place], labels, name=unique("Gather"))


def _add_zipmap(scope: Any, container: Any, array: str, classes: Any, dictionaries: str) -> None:
    """Make a dictionary of each row of probabilities, which ONNX has for float32 only."""
    from skl2onnx.common._apply_operation import apply_cast
    from skl2onnx.proto import onnx_proto

    single = scope.get_unique_variable_name("single")
    apply_cast(scope, array, single, container, to=onnx_proto.TensorProto.FLOAT)
    container.add_node(
        "ZipMap",
        single,
        dictionaries,
        op_domain="ai.onnx.ml",
        name=scope.get_unique_operator_name("ZipMap"),
        **{f"classlabels_{'int64s' if classes.dtype.kind == 'i' else 'strings'}": classes.tolist()},
    )


def _has_zipmap(operator: Any) -> bool:
    """Tell whether the probabilities were declared as dictionaries.

    The options do not tell: a meta-estimator declares its inner classifiers' as arrays.
    """
    from skl2onnx.common.data_types import SequenceType

    return isinstance(operator.outputs[1].type, SequenceType)


def _classes(model: Any) -> Any:
    """Return the class labels as ONNX can have them: strings or integers."""
    classes = model.classes_
    if all(isinstance(label, str) for label in classes.tolist()):
        return classes
    if classes.dtype.kind in "biuf" and np.array_equal(classes.astype(np.int64), classes):
        return classes.astype(np.int64)
    raise ValueError(
        f"the class labels {classes.tolist()} cannot be those of an ONNX model, which are strings "
        "or integers of 64 bits: fit to such labels"
    )


def _label_type(shape: list[int | None], model: Any) -> Any:
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType

    return (Int64TensorType if _classes(model).dtype.kind == "i" else StringTensorType)(shape)
