"""scikit-learn's own checks, in several configurations, with no failure expected."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import SGD

# The checks' toy data are not of unit scale, as fit rightly says.
pytestmark = pytest.mark.filterwarnings("ignore:column .* of X has a root mean square")


class FloatLabels(TwoLayerClassifier):
    """The classifier as it is, fitted to the same labels as floats."""

    def fit(self, X, y, sample_weight=None):
        if np.asarray(y).dtype.kind in "iu":
            y = np.asarray(y, dtype=float)
        return super().fit(X, y, sample_weight)


CONFIGURATIONS = [
    TwoLayerClassifier(),
    TwoLayerClassifier(activation="sigmoid"),
    TwoLayerClassifier(activation="tanh"),
    TwoLayerClassifier(activation="identity"),
    TwoLayerClassifier(batch_size="full"),
    TwoLayerClassifier(solver=SGD(momentum=0.9)),
    TwoLayerClassifier(solver=SGD(momentum=0.9, nesterov=True)),
    TwoLayerClassifier(solver="adam", learning_rate=0.01),
    TwoLayerClassifier(solver="adagrad", learning_rate=0.1),
    TwoLayerClassifier(solver="rmsprop", learning_rate=0.01),
    TwoLayerClassifier(solver="lbfgs"),
    TwoLayerClassifier(solver="lbfgs", early_stopping=True),
    TwoLayerClassifier(early_stopping=True),
    TwoLayerClassifier(solver="adam", learning_rate=0.01, early_stopping=True),
    TwoLayerClassifier(dropout=0.5),
    TwoLayerClassifier(learning_rate_schedule="cosine"),
    TwoLayerClassifier(learning_rate_schedule="invscaling"),
    TwoLayerClassifier(learning_rate_schedule="adaptive"),
    TwoLayerClassifier(class_weight="balanced"),
    FloatLabels(),
]


# The checks run on toy data with few epochs, where not converging is expected.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learns_checks(estimator, check):
    check(estimator)
