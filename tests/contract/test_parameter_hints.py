"""Errors of names and values of other libraries' parameters name the ones to use here."""

import os
import subprocess
import sys
from inspect import signature

import pytest
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier

from sk_twolayer import TwoLayerClassifier
from sk_twolayer._migration.parameter_hints import NAMES, VALUES
from sk_twolayer.optimizers import SGD

OWN = set(signature(TwoLayerClassifier).parameters)
X, Y = [[0.0], [1.0]], [0, 1]


@pytest.mark.parametrize(
    "name", sorted(set(signature(MLPClassifier).parameters) - OWN | set(NAMES))
)
def test_an_unknown_name_is_an_error_that_names_the_parameter_and_the_page(name):
    for make in (TwoLayerClassifier, TwoLayerClassifier().set_params):
        with pytest.raises((TypeError, ValueError), match=name) as error:
            make(**{name: 1})
        assert f"Use {NAMES[name]}; see the page" in str(error.value)
        assert any(own in NAMES[name] for own in OWN)


def test_no_parameter_of_the_class_is_in_the_table():
    assert not OWN & set(NAMES)


def test_a_name_without_a_counterpart_is_a_type_error_without_a_hint():
    with pytest.raises(TypeError, match=r"'nonsense'\.$"):
        TwoLayerClassifier(nonsense=1)


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_an_invalid_value_is_an_error_that_names_the_valid_one(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of TwoLayerClassifier") as error:
        TwoLayerClassifier(**{name: value}).fit(X, Y)
    assert str(error.value).endswith(f" Use {VALUES[name, value]}.")


def test_a_tuple_of_hidden_layers_is_an_error_that_asks_for_an_integer():
    with pytest.raises(ValueError, match="one hidden layer: use an integer"):
        TwoLayerClassifier((100,)).fit(X, Y)


def test_the_class_of_a_solver_is_an_error_that_asks_for_an_object():
    with pytest.raises(ValueError, match=r"Use an object: solver=SGD\(\)\.$"):
        TwoLayerClassifier(solver=SGD).fit(X, Y)


def test_a_parameter_of_a_solver_that_is_a_name_is_an_error_that_asks_for_an_object():
    with pytest.raises(ValueError, match=r"solver__momentum cannot be set.*solver=SGD\(\)"):
        TwoLayerClassifier(solver="sgd").set_params(solver__momentum=0.9)
    with pytest.raises(ValueError, match=r"activation__slope .*such as activation=LeakyRelu\(\)"):
        TwoLayerClassifier().set_params(activation__slope=0.1)
    with pytest.raises(ValueError, match=r"scoring='loss' is a string, which has no parameters$"):
        TwoLayerClassifier().set_params(scoring__x=1)
    with pytest.raises(ValueError, match=r"solver=SGD is a class, .* such as solver=SGD\(\)$"):
        TwoLayerClassifier(solver=SGD).set_params(solver__momentum=0.9)
    clf = TwoLayerClassifier().set_params(solver=SGD(), solver__momentum=0.9)
    assert clf.solver.momentum == 0.9


@pytest.mark.parametrize(
    ("name", "value"),
    [("class_weight", None), ("class_weight", {0: 2.0}), ("hidden_size", 3), ("verbose", True)],
)
def test_a_parameter_of_a_value_without_parameters_is_an_error(name, value):
    message = f"{name}__x cannot be set, because {name} is an object of type "
    message += f"{type(value).__name__}, which has no parameters$"
    with pytest.raises(ValueError, match=message):
        TwoLayerClassifier(**{name: value}).set_params(**{f"{name}__x": 1})


def test_signature_clone_and_subclasses_are_those_without_the_decorator():
    class Small(TwoLayerClassifier):
        def __init__(self, hidden_size=3, extra=1):
            super().__init__(hidden_size)
            self.extra = extra

    assert list(Small().get_params()) == ["extra", "hidden_size"]
    assert clone(Small(extra=2)).extra == 2
    assert next(iter(signature(TwoLayerClassifier).parameters)) == "hidden_size"


def test_messages_list_choices_in_the_same_order_in_every_process_and_no_private_module():
    script = (
        "from sk_twolayer import TwoLayerClassifier\n"
        "from sk_twolayer.optimizers import SGD\n"
        "for params in ({'solver': 3}, {'solver': SGD}, {'scoring': 'roc'}):\n"
        "    try:\n        TwoLayerClassifier(**params).fit([[0], [1]], [0, 1])\n"
        "    except ValueError as error:\n        print(error)\n"
    )
    messages = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        ).stdout
        for seed in ("1", "2", "3")
    }
    [message] = messages
    assert "{'adagrad', 'adam', 'lbfgs', 'rmsprop', 'sgd'}" in message
    assert "'sk_twolayer.optimizers.Optimizer'" in message
    assert "<class 'sk_twolayer.optimizers.SGD'>" in message
    assert "'roc'" in message
    assert "._" not in message
