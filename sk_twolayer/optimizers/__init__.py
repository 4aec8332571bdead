"""Optimizers, which change one vector of parameters by means of its gradient.

They are given the gradient as a function, ``add_gradient(into, *, scale, keep)``, which computes
``into <- keep*into + scale*gradient``.
"""

from sk_twolayer.optimizers._adaptive import AdaGrad, Adam, AdamW, RMSProp
from sk_twolayer.optimizers._base import Optimizer
from sk_twolayer.optimizers._lbfgs import LBFGS
from sk_twolayer.optimizers._sgd import SGD

__all__ = ["LBFGS", "SGD", "AdaGrad", "Adam", "AdamW", "Optimizer", "RMSProp"]
