"""The penalty on large weights."""

from __future__ import annotations

import math
from collections.abc import Callable

from sk_twolayer._numerics.gemm import add_scaled
from sk_twolayer._typing import Array

AUTO_ALPHA = 3e-4


def auto_alpha(mean_squares: Array, n_different: int) -> float:
    """Return the strength of the penalty that suits some inputs.

    ``3e-4 * min(E[x @ x], features) / sqrt(n)``, for ``n`` different rows: as strong for the sum
    of many inputs as for that of few, which smaller weights hold to the same size, and the weaker
    the more rows there are to tell what the weights should be. Chosen on data of 150 to 60,000 rows
    and 2 to 784 columns (`benchmarks/defaults.py`); rounded, so that the order of a sum makes no
    difference.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.network._penalty import auto_alpha
    >>> round(auto_alpha(np.ones(784), 60000), 6), round(auto_alpha(np.ones(25), 400), 6)
    (0.000977, 0.000377)
    >>> round(auto_alpha(np.full(784, 100.0), 60000), 6), auto_alpha(np.zeros(3), 10)
    (0.000977, 0.0)
    """
    strength = AUTO_ALPHA * min(float(mean_squares.sum()), len(mean_squares))
    if not strength:
        return 0.0
    # powers of two with whole eighths: no quotient of whole numbers lies just between two of them
    return float(2 ** (round(8 * math.log2(strength / math.sqrt(n_different))) / 8))


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
        """Bind the penalty's share of a gradient to an array, as an action."""
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
