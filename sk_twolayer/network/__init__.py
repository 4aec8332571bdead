"""The two-layer network: layers in order over one parameter vector."""

from sk_twolayer.network._network import TwoLayerNet

__all__ = ["TwoLayerNet"]
