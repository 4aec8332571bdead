"""The last layer: scores to probabilities, and how far those are from the target."""

from sk_twolayer.losses._base import LossLayer
from sk_twolayer.losses._sigmoid import SigmoidWithLoss
from sk_twolayer.losses._softmax import SoftmaxWithLoss, softmax

__all__ = ["LossLayer", "SigmoidWithLoss", "SoftmaxWithLoss", "softmax"]
