"""One class out of several: softmax and cross-entropy."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import log_softmax

from sk_twolayer._typing import Array
from sk_twolayer.losses._loss_layer import LossLayer


def softmax(x: Array, out: Array | None = None) -> Array:
    """Turn scores into probabilities: ``exp(x) / sum(exp(x))`` along the last axis.

    Shifting a row by its maximum changes nothing but keeps ``exp`` from overflowing.

    Parameters
    ----------
    x : ndarray of shape (..., classes)
        Scores.
    out : ndarray of the same shape, default=None
        Where to put the result; may be `x`.

    Returns
    -------
    ndarray of shape (..., classes)
        Positive numbers that sum to 1, in the dtype of `x`.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.losses import softmax
    >>> softmax(np.array([0.3, 2.9, 4.0])).round(3)
    array([0.018, 0.245, 0.737])
    >>> softmax(np.array([1010.0, 1000.0, 990.0])).round(6)
    array([9.99955e-01, 4.50000e-05, 0.00000e+00])
    """
    y = _shift(x, out)
    _exponential_shares(y)
    return y


def _shift(x: Array, out: Array | None) -> Array:
    """Return the scores with each row's maximum at 0, in a floating type."""
    if out is None:
        out = np.empty_like(x, np.result_type(x, np.float32))
    np.subtract(x, x.max(axis=-1, keepdims=True), out=out)
    return out


def _exponential_shares(x: Array) -> Array:
    """Replace shifted scores by their probabilities, and return what they were divided by."""
    np.exp(x, out=x)
    total: Array = x.sum(axis=-1, keepdims=True)
    x /= total
    return total


class SoftmaxWithLoss(LossLayer):
    """Cross-entropy over softmax, for one class out of several.

    With ``y = softmax(x)``::

        loss = -mean over rows of sum_k t_k log(y_k)        dx = (y - t) / batch

    The loss is computed from the scores, not from probabilities that may have underflowed.

    The target `t` is either of shape (batch,) and integer: class numbers in [0, classes); or
    of shape (batch, classes): rows of probabilities that sum to 1, such as one-hot rows. Which
    of the two is decided by its dimensions and dtype, never guessed from sizes.

    References
    ----------
    .. [1] J. Bridle, "Probabilistic Interpretation of Feedforward Classification Network
       Outputs", Neurocomputing, 1990.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.losses import SoftmaxWithLoss
    >>> layer = SoftmaxWithLoss()
    >>> scores = np.log([[0.3, 0.2, 0.5], [0.1, 0.8, 0.1]])
    >>> round(layer.forward(scores, np.array([2, 1])), 4)  # -(log 0.5 + log 0.8) / 2
    0.4581
    >>> layer.backward().round(2)
    array([[ 0.15,  0.1 , -0.25],
           [ 0.05, -0.1 ,  0.05]])
    """

    probabilities = staticmethod(softmax)

    @staticmethod
    def log_probabilities(x: Array) -> Array:
        y: Array = log_softmax(x, axis=-1)
        return y

    def encode(self, t: Array, outputs: int, dtype: Any) -> Array:
        if t.ndim == 2:
            return self._distributions(t, outputs, dtype)
        if t.ndim != 1 or t.dtype.kind not in "iu":
            raise ValueError(
                "t must be integer labels of shape (batch,) or rows of probabilities of shape "
                f"(batch, {outputs}), but it is {t.dtype} of shape {t.shape}"
                + ("; labels held as floats need t.astype(int)" if t.dtype.kind == "f" else "")
            )
        outside = np.flatnonzero((t < 0) | (t >= outputs))
        if outside.size:
            raise ValueError(
                f"label {t[outside[0]]} in row {outside[0]} of t is out of range: "
                f"with {outputs} scores a row, labels go from 0 to {outputs - 1}"
            )
        rows = np.zeros((len(t), outputs), dtype, order="F")
        rows[np.arange(len(t)), t] = 1
        return rows

    def _link_and_losses(self, x: Array, t: Array, out: Array | None) -> tuple[Array, Array]:
        y = _shift(x, out)
        target_score = np.einsum("ij,ij->i", y, t)
        total = _exponential_shares(y)
        return y, np.log(total[:, 0]) - target_score

    @staticmethod
    def _decide(y: Array) -> Array:
        decision: Array = y.argmax(axis=1, keepdims=True)
        return decision

    def _distributions(self, t: Array, outputs: int, dtype: Any) -> Array:
        """Check that the rows of `t` are probability distributions, and return them."""
        if t.shape[1] != outputs:
            raise ValueError(
                f"t has {t.shape[1]} columns but x has {outputs}: give one a class, or integer "
                "labels of shape (batch,)"
            )
        rows = self._probabilities_only(t, dtype)
        off = np.flatnonzero(np.abs(rows.sum(axis=1) - 1) > 1e-3)
        if off.size:
            raise ValueError(
                f"row {off[0]} of t sums to {rows[off[0]].sum():g}, not to 1: give one-hot rows, "
                "other distributions, or integer labels of shape (batch,)"
            )
        return rows
