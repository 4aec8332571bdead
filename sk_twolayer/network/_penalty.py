"""The penalty on large weights."""

from __future__ import annotations

from collections.abc import Callable

from sk_twolayer._numerics.gemm import add_scaled
from sk_twolayer._typing import Array


class Penalty:
    """Half the sum of squares of some parameters, times a strength: ``alpha/2 * sum of W**2``.

    Its gradient is ``alpha * W``.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.network._penalty import Penalty
    >>> theta = np.array([3.0, 4.0, 100.0])
    >>> penalty, gradient = Penalty(theta, 2, alpha=0.1), np.empty(3)
    >>> penalty.value
    1.25
    >>> keep_weights = penalty.bind_gradient(gradient)(1.0, 0.0)
    >>> gradient[:2], keep_weights
    (array([0.3, 0.4]), 1.0)
    """

    def __init__(self, theta: Array, n_weights: int, alpha: float) -> None:
        self._theta, self._weights = theta, theta[:n_weights]
        self._alpha = float(alpha)  # a NumPy scalar would turn float32 into float64

    @property
    def value(self) -> float:
        """The penalty: float."""
        return 0.5 * self._alpha * float(self._weights @ self._weights) if self._alpha else 0.0

    def bind_gradient(self, into: Array) -> Callable[[float, float], float]:
        """Bind the gradient of the penalty to an array, as an action on its part for the weights.

        The gradient of ``alpha/2 * |W|**2`` is ``alpha * W``. The gradient of the loss is added to
        the same array by a product, which multiplies the array by a `keep` at no cost. So the
        action ``add(scale, keep)`` returns the `keep` for that product:

        - without a penalty, `keep` itself;
        - where the array is theta, ``keep*W + scale*alpha*W = (keep + scale*alpha) * W``, so only
          the factor changes;
        - otherwise ``keep*into + scale*alpha*W`` is computed here, and the product keeps it: 1.
        """
        alpha = self._alpha
        if not alpha:
            return lambda scale, keep: keep
        if into is self._theta:  # alpha * W is a multiple of what is there
            return lambda scale, keep: keep + scale * alpha
        weights, W = into[: len(self._weights)], self._weights

        def add(scale: float, keep: float) -> float:
            add_scaled(weights, W, scale=scale * alpha, keep=keep)
            return 1.0

        return add
