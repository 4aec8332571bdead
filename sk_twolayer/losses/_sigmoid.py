"""Loss for binary outcomes: logistic sigmoid and cross-entropy."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.special import expit, log_expit

from sk_twolayer._typing import Array, Operation
from sk_twolayer.losses._base import LossLayer, clip_probabilities


class SigmoidWithLoss(LossLayer):
    """Cross-entropy over the logistic sigmoid, for one or several binary outcomes per row.

    With ``y = 1 / (1 + exp(-x))``, and a sum over the columns k::

        loss = -mean over rows of sum_k (t_k log(y_k) + (1 - t_k) log(1 - y_k))
        dx = (y - t) / batch

    The loss is computed from the scores, not from probabilities that may have underflowed.

    The targets `t` are 0, 1 or probabilities in between, in the shape of the scores. For a single
    column of scores, they may also be of shape (batch,).

    References
    ----------
    .. [1] D. R. Cox, "The Regression Analysis of Binary Sequences", 1958.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.losses import SigmoidWithLoss
    >>> layer = SigmoidWithLoss()
    >>> round(layer.forward(np.array([[0.0], [1000.0]]), np.array([1, 1])), 4)  # log(2) / 2
    0.3466
    >>> layer.backward()
    array([[-0.25],
           [ 0.  ]])
    """

    @staticmethod
    def probabilities(x: Array, out: Array | None = None) -> Array:
        return clip_probabilities(expit(x, out))

    @staticmethod
    def log_probabilities(x: Array) -> Array:
        y: Array = log_expit(x)
        return y

    def encode_targets(self, t: Array, out: Array) -> Array:
        outputs = out.shape[-1]
        if t.shape[1:] != (outputs,) and not (t.ndim == 1 and outputs == 1):
            raise ValueError(
                f"t must have shape (batch, {outputs})"
                + (" or (batch,)" if outputs == 1 else "")
                + f", but it has {t.shape}"
            )
        return self._write_probabilities(t, out)

    def bind_probabilities(self, y: Array) -> list[Operation]:
        self.y = y
        return [partial(expit, self.x, y)]

    def _new_row_stats(self) -> tuple[Array, ...]:
        return ()

    def _row_losses(self) -> Array:
        # softplus(x) - x*t, where softplus(x) = max(x, 0) + log(1 + exp(-abs(x))). First, x*t is
        # subtracted from max(x, 0): for t=1 and positive x, the difference is exactly 0.
        flat_part = np.log1p(np.exp(-np.abs(self.x)))
        terms = np.maximum(self.x, 0) - self.x * self.t + flat_part
        losses: Array = np.sum(terms, axis=-1)
        return losses

    @staticmethod
    def _predict(y: Array) -> Array:
        return y > 0.5
