"""A two-layer neural-network classifier for scikit-learn, made of readable layers."""

from sk_twolayer._version import __version__
from sk_twolayer.classifier import TwoLayerClassifier
from sk_twolayer.network import TwoLayerNet

__all__ = ["TwoLayerClassifier", "TwoLayerNet", "__version__"]
