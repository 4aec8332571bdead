"""A neural network with one hidden layer for scikit-learn, with readable layers."""

from sk_twolayer._version import __version__
from sk_twolayer.classifier import TwoLayerClassifier
from sk_twolayer.network import TwoLayerNet

__all__ = ["TwoLayerClassifier", "TwoLayerNet", "__version__"]
