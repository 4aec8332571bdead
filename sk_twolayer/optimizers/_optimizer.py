"""What the first-order optimizers have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from sklearn.base import BaseEstimator

from sk_twolayer._typing import Array


class Optimizer(BaseEstimator, ABC):
    """Base of the first-order optimizers: hyperparameters in ``__init__``, state in attributes.

    An optimizer is a scikit-learn estimator as far as parameters go: it can be cloned, and a
    grid search reaches its parameters as ``solver__momentum``. The classifier trains with a
    clone, so the object it was given never changes. An optimizer remembers its last steps: by
    hand, take a new one for each net.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    @property
    @abstractmethod
    def auto_learning_rate(self) -> float:
        """The learning rate that suits inputs of unit scale: float."""

    @abstractmethod
    def step(self, theta: Array, add_gradient: Callable[..., None], learning_rate: float) -> None:
        """Take one step downhill, in place.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            All parameters; changed in place.
        add_gradient : callable
            ``add_gradient(into, *, scale, keep)`` sets ``into <- keep*into + scale*gradient``
            for an array like `theta`, or for `theta` itself.
        learning_rate : float
            Length of the step.
        """
