"""The penalty on the size of the weights."""

from __future__ import annotations

from collections.abc import Callable

from sk_twolayer._numerics.gemm import add_scaled
from sk_twolayer._typing import Array


class Penalty:
    """Half the sum of the squared weights, times a strength: ``alpha/2 * sum of W**2``.

    Its gradient is ``alpha * W``.

    Parameters
    ----------
    theta : ndarray of shape (n_parameters,)
        All parameters; kept, not copied.
    n_weights : int
        Number of parameters that are penalised: the first ones.
    alpha : float
        Strength of the penalty.

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
        """The value of the penalty: float."""
        return 0.5 * self._alpha * float(self._weights @ self._weights) if self._alpha else 0.0

    def bind_gradient(self, into: Array) -> Callable[[float, float], float]:
        """Bind the gradient of the penalty to an array, together with that of the loss.

        Let ``W`` be the weights, ``w`` the part of `into` for the weights, and ``dL`` the gradient
        of the loss. The result should be::

            w <- keep*w + scale*(dL + alpha*W)

        ``scale*dL`` is added by a matrix product, which computes ``w <- keep_weights*w + scale*dL``
        and multiplies by ``keep_weights`` at no cost. The function that is returned here,
        ``add(scale, keep)``, must be called before it. It does what remains to be done, and returns
        ``keep_weights``:

        - Without a penalty, there is nothing to do: ``keep_weights = keep``.
        - If `into` is theta, then ``w`` is ``W``, and ``keep*W + scale*alpha*W`` is a multiple of
          it: ``keep_weights = keep + scale*alpha``.
        - Otherwise ``w <- keep*w + scale*alpha*W`` is computed first, and ``keep_weights = 1``.
        """
        alpha = self._alpha
        if not alpha:
            return lambda scale, keep: keep
        if into is self._theta:
            return lambda scale, keep: keep + scale * alpha
        weights, W = into[: len(self._weights)], self._weights

        def add(scale: float, keep: float) -> float:
            add_scaled(weights, W, scale=scale * alpha, keep=keep)
            return 1.0

        return add
