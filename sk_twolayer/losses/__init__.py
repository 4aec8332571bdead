"""Losses, which are the last layer: probabilities of scores, and their loss against targets."""

from sk_twolayer.losses._base import LossLayer
from sk_twolayer.losses._sigmoid import SigmoidWithLoss
from sk_twolayer.losses._softmax import SoftmaxWithLoss, softmax

__all__ = ["LossLayer", "SigmoidWithLoss", "SoftmaxWithLoss", "softmax"]
