"""The page for those who come from MLPClassifier leaves out no name."""

from inspect import signature
from pathlib import Path

import pytest
from sklearn.neural_network import MLPClassifier

from sk_twolayer import TwoLayerClassifier

PAGE = (Path(__file__).parents[2] / "docs" / "migration.md").read_text(encoding="utf-8")
ATTRIBUTES = [
    "classes_",
    "loss_",
    "best_loss_",
    "loss_curve_",
    "validation_scores_",
    "best_validation_score_",
    "t_",
    "coefs_",
    "intercepts_",
    "n_features_in_",
    "feature_names_in_",
    "n_iter_",
    "n_layers_",
    "n_outputs_",
    "out_activation_",
]


@pytest.mark.parametrize("name", [*signature(MLPClassifier).parameters, *ATTRIBUTES])
def test_every_name_of_mlpclassifier_begins_a_row(name):
    assert f"\n| `{name}`" in PAGE


@pytest.mark.parametrize("name", TwoLayerClassifier().get_params(deep=False))
def test_every_parameter_is_named(name):
    assert f"`{name}`" in PAGE
