"""One class out of several: softmax and cross-entropy."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from scipy.special import log_softmax

from sk_twolayer._typing import Array, Operation
from sk_twolayer.layers._base import run_all
from sk_twolayer.losses._base import LossLayer, clip_probabilities

MAX_CLASSES_BY_COLUMN = 64


def softmax(x: Array, out: Array | None = None) -> Array:
    """Return the probabilities of scores: ``exp(x) / sum(exp(x))`` along the last axis.

    The maximum of each row is subtracted first, which does not change the result, but prevents an
    overflow of ``exp``.

    Parameters
    ----------
    x : array-like of shape (..., classes)
        Scores.
    out : ndarray of the same shape, default=None
        Filled with the result; may be `x`.

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
    x = np.asarray(x)
    if out is None:
        out = empty_probabilities(x.shape, np.result_type(x, np.float32))
    if not (x.flags.c_contiguous and out.flags.c_contiguous and x.dtype == out.dtype):
        np.copyto(out, x)  # with the memory layout of `out`: see `empty_probabilities`
        x = out
    with np.errstate(over="ignore"):  # a difference of two scores may be -inf
        run_all(_bind_softmax(x, out, *_empty_row_stats(out)))
    return out


def empty_probabilities(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return an uninitialized array for softmax.

    For few classes it is stored by columns. Then NumPy adds whole columns, which is faster than
    many sums along short rows.
    """
    return np.empty(shape, dtype, order="F" if shape[-1] <= MAX_CLASSES_BY_COLUMN else "C")


def _bind_softmax(x: Array, y: Array, shift: Array, total: Array) -> list[Operation]:
    """Bind ``y = exp(x - shift) / total``.

    `shift` and `total`, one element per row, are overwritten with the maximum of the row and the
    sum of its ``exp(x - shift)``.
    """
    # with the classes as the first axis, so that `shift` and `total` broadcast
    x, y = np.moveaxis(x, -1, 0), np.moveaxis(y, -1, 0)
    # positional arguments are faster; those of reduce are axis, dtype and out
    return [
        partial(np.maximum.reduce, x, 0, None, shift),
        partial(np.subtract, x, shift, y),
        partial(np.exp, y, y),
        partial(np.add.reduce, y, 0, None, total),
        partial(np.divide, y, total, y),
    ]


def _empty_row_stats(x: Array) -> tuple[Array, Array]:
    """Return uninitialized arrays for `shift` and `total` of `_bind_softmax`."""
    dtype = np.result_type(x, np.float32)
    return np.empty(x.shape[:-1], dtype), np.empty(x.shape[:-1], dtype)


class SoftmaxWithLoss(LossLayer):
    """Cross-entropy over softmax, for one class out of several.

    With ``y = softmax(x)``::

        loss = -mean over rows of sum_k t_k log(y_k)        dx = (y - t) / batch

    The loss is computed from the scores, not from probabilities that may have underflowed.

    The targets `t` are either integers of shape (batch,), the class numbers in [0, classes); or of
    shape (batch, classes), rows of probabilities that sum to 1, such as one-hot rows. The number of
    dimensions and the dtype of `t` determine which of the two they are.

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

    @staticmethod
    def probabilities(x: Array, out: Array | None = None) -> Array:
        y = softmax(x, out)
        return clip_probabilities(y) if y.shape[-1] > 1 else y  # a single class has probability 1

    @staticmethod
    def log_probabilities(x: Array) -> Array:
        with np.errstate(over="ignore"):  # a difference of two scores may be -inf
            y: Array = log_softmax(x, axis=-1)
        np.maximum(y, np.finfo(y.dtype).min, out=y)
        return y

    def encode_targets(self, t: Array, out: Array) -> Array:
        outputs = out.shape[-1]
        if t.ndim == 2:
            return self._write_distributions(t, out)
        if t.ndim != 1 or t.dtype.kind not in "iu":
            raise ValueError(
                "t must be integer labels of shape (batch,) or rows of probabilities of shape "
                f"(batch, {outputs}), but it is {t.dtype} of shape {t.shape}"
                + ("; convert float labels with t.astype(int)" if t.dtype.kind == "f" else "")
            )
        if t.size and (t.min() < 0 or t.max() >= outputs):
            first = np.flatnonzero((t < 0) | (t >= outputs))[0]
            raise ValueError(
                f"label {t[first]} in row {first} of t is out of range: with {outputs} scores per "
                f"row, labels must be in [0, {outputs - 1}]"
            )
        return np.equal(t.reshape(out.shape[:-1])[..., np.newaxis], np.arange(outputs), out=out)

    def bind_probabilities(self, y: Array) -> list[Operation]:
        self.y = y
        return _bind_softmax(self.x, y, *self.row_stats)

    def _new_row_stats(self) -> tuple[Array, ...]:
        return _empty_row_stats(self.x)

    def _row_losses(self) -> Array:
        shift, total = self.row_stats
        # computed from the scores, since the probability of the target may have underflowed
        target_score = np.einsum("...j,...j->...", self.x, self.t)
        losses: Array = np.log(total) - (target_score - shift)
        return losses

    @staticmethod
    def _predict(y: Array) -> Array:
        decision: Array = y.argmax(axis=1, keepdims=True)
        return decision

    def _write_distributions(self, t: Array, out: Array) -> Array:
        """Check that the rows of `t` are probability distributions, and write them to `out`."""
        if t.shape[1] != out.shape[-1]:
            raise ValueError(
                f"t has {t.shape[1]} columns but x has {out.shape[-1]}: give one column per class, "
                "or integer labels of shape (batch,)"
            )
        self._write_probabilities(t, out)
        sums = t.sum(axis=1)
        off = np.flatnonzero(np.abs(sums - 1) > 1e-3)
        if off.size:
            raise ValueError(
                f"row {off[0]} of t sums to {sums[off[0]]:g}, not to 1: give one-hot rows, "
                "other distributions, or integer labels of shape (batch,)"
            )
        return out
