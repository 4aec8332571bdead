"""scikit-learn's own checks, in several configurations, with no failure expected."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.layers._registry import ACTIVATIONS
from sk_twolayer.optimizers import SGD

# The checks' toy data are not of unit scale, as fit rightly says.
pytestmark = pytest.mark.filterwarnings("ignore:column .* of X is not scaled")


class FloatLabels(TwoLayerClassifier):
    """The classifier as it is, fitted to the same labels as floats."""

    def fit(self, X, y, sample_weight=None):
        if np.asarray(y).dtype.kind in "iu":
            y = np.asarray(y, dtype=float)
        return super().fit(X, y, sample_weight)


CONFIGURATIONS = [
    TwoLayerClassifier(),
    FloatLabels(),
    *(
        # small nets, which a few dozen rows of toy data tell what to do
        TwoLayerClassifier(hidden_size=30, **options)
        for options in (
            *({"activation": name} for name in ACTIVATIONS if name != "relu"),
            {"batch_size": "full"},
            {"solver": "sgd"},
            {"solver": SGD(momentum=0.9)},
            {"solver": SGD(momentum=0.9, nesterov=True)},
            {"solver": "adagrad", "learning_rate": 0.1},
            {"solver": "rmsprop", "learning_rate": 0.01},
            {"solver": "lbfgs"},
            {"solver": "lbfgs", "early_stopping": True},
            {"early_stopping": True},
            {"early_stopping": True, "solver": "sgd"},
            {"dropout": 0.5},
            {"learning_rate_schedule": "constant"},
            {"learning_rate_schedule": "invscaling"},
            {"learning_rate_schedule": "adaptive"},
            {"class_weight": "balanced"},
        )
    ),
]


# The checks run on toy data with few epochs, where not converging is expected.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learns_checks(estimator, check):
    check(estimator)
