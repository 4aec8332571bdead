"""What the first-order optimizers have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from sk_twolayer._numerics.gemm import forget_traces
from sk_twolayer._typing import Array

BLOCK_SIZE = 2**16  # elements: four vectors of them in float32 take 1 MB


class Optimizer(BaseEstimator, ABC):
    """Base of the first-order optimizers: hyperparameters in ``__init__``, state in attributes.

    An optimizer is a scikit-learn estimator as far as parameters go: it can be cloned, and a
    grid search reaches its parameters as ``solver__momentum``. The classifier trains with a
    clone, so the object it was given never changes. An optimizer remembers its last steps: by
    hand, take a new one for each net.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}
    _memory: Array

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

    def forget_traces(self) -> None:
        """Set what is next to nothing in its memory to zero; once an epoch is enough."""
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                forget_traces(value)

    def _memory_like(self, theta: Array) -> Array:
        """Return memory for a gradient: the same for each step, and never saved."""
        if not hasattr(self, "_memory") or self._memory.shape != theta.shape:
            self._memory = np.empty_like(theta)
        return self._memory

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_memory"}


def in_blocks(*vectors: Array) -> Iterator[tuple[Array, ...]]:
    """Cut vectors into pieces that fit the cache together, for several passes over each.

    Parameters
    ----------
    *vectors : ndarrays of shape (n,)
        What to cut.

    Yields
    ------
    tuple of ndarrays
        A piece of each, as views.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.optimizers._base import in_blocks
    >>> [len(x) for x, y in in_blocks(np.zeros(99999), np.zeros(99999))]
    [65536, 34463]
    """
    for start in range(0, len(vectors[0]), BLOCK_SIZE):
        piece = slice(start, start + BLOCK_SIZE)
        yield tuple(vector[piece] for vector in vectors)
