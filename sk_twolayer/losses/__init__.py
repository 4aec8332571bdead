"""Floor 1: the last layer: scores to probabilities, and how far those are from the target."""

from sk_twolayer.losses._loss_layer import LossLayer
from sk_twolayer.losses._sigmoid import SigmoidWithLoss
from sk_twolayer.losses._softmax import SoftmaxWithLoss, softmax

__all__ = ["LossLayer", "SigmoidWithLoss", "SoftmaxWithLoss", "softmax"]
