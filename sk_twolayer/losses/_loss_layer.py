"""What the losses have in common: link, mean loss, gradient, accuracy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from sk_twolayer._layer import Layer
from sk_twolayer._typing import Array


class LossLayer(Layer, ABC):
    """Base of the losses: probabilities `y` of the scores `x`, and their mean loss against `t`.

    Each loss here is a negative log-likelihood whose gradient, taken together with its
    link function, cancels to ``dx = (y - t) / batch``.
    """

    y: Array
    t: Array

    def forward(
        self, x: Array, t: Any, sample_weight: Array | None = None, out: Array | None = None
    ) -> float:
        """Return the mean loss of scores against targets, which are checked first.

        Parameters
        ----------
        x : ndarray of shape (batch, outputs) or (outputs,)
            Scores: what the last affine layer put out.
        t : array-like
            Targets; see the class.
        sample_weight : ndarray of shape (batch,), default=None
            Factor of each row's loss. The mean is over rows: weights that average 1 make it
            the weighted mean.
        out : ndarray in the shape of `x`, default=None
            Where to put the probabilities; may be `x`.

        Returns
        -------
        float
            The mean over the batch of weight times loss.

        Raises
        ------
        ValueError
            If the targets are not what the class describes, or not as many as the scores.
        """
        x, t = self._rows(x, t)
        if sample_weight is not None:
            sample_weight = np.asarray(sample_weight)
            if sample_weight.shape != (len(x),):
                raise ValueError(f"sample_weight must have shape ({len(x)},): one for each row")
        return self.compare(x, t, sample_weight, np.atleast_2d(out) if out is not None else None)

    def compare(
        self, x: Array, t: Array, sample_weight: Array | None = None, out: Array | None = None
    ) -> float:
        """Return the mean loss of scores against targets that :meth:`encode` has made.

        Parameters
        ----------
        x : ndarray of shape (batch, outputs), floating
            Scores.
        t : ndarray of shape (batch, outputs)
            Target probabilities in the dtype of `x`; not checked again.
        sample_weight : ndarray of shape (batch,), default=None
            Factor of each row's loss.
        out : ndarray of shape (batch, outputs), default=None
            Where to put the probabilities; may be `x`.

        Returns
        -------
        float
            The mean over the batch of weight times loss.
        """
        self.t, self.sample_weight = t, sample_weight
        self.y, losses = self._link_and_losses(x, t, out)
        total = losses.sum() if sample_weight is None else losses @ sample_weight
        return float(total) / len(x)

    def backward(self, dout: float = 1.0, out: Array | None = None) -> Array:
        """Return the gradient with respect to the scores: ``dout * (y - t) / batch``.

        Parameters
        ----------
        dout : float, default=1.0
            Gradient with respect to the loss.
        out : ndarray of shape (batch, outputs), default=None
            Where to put the result; may be the probabilities `y`.

        Returns
        -------
        ndarray of shape (batch, outputs)
            Gradient with respect to the scores, each row times its weight.
        """
        dx = np.subtract(self.y, self.t, out=out)
        if self.sample_weight is not None:
            dx *= self.sample_weight[:, np.newaxis]
        dx *= dout / len(dx)
        return dx

    def accuracy(self, x: Array, t: Any) -> float:
        """Return the share of rows in which the most likely outcome is the target.

        Parameters
        ----------
        x : ndarray of shape (batch, outputs) or (outputs,)
            Scores.
        t : array-like
            Targets; see the class.

        Returns
        -------
        float
            A number in [0, 1].

        Raises
        ------
        ValueError
            If the targets are not what the class describes, or not as many as the scores.
        """
        x, t = self._rows(x, t)
        decided, wanted = self._decide(self.probabilities(x)), self._decide(t)
        return float((decided == wanted).all(axis=1).mean())

    def _rows(self, x: Any, t: Any) -> tuple[Array, Array]:
        """Return scores and encoded targets as a batch, even of one row."""
        x, t = np.asarray(x), np.asarray(t)
        if x.ndim == 1:
            x, t = x[np.newaxis], t[np.newaxis]
        if x.ndim != 2 or not x.size:
            raise ValueError(f"x must be rows of scores, but its shape is {x.shape}")
        if t.ndim and len(t) != len(x):
            raise ValueError(f"x has {len(x)} rows but t has {len(t)}: give one target per row")
        return x, self.encode(t, x.shape[1], np.result_type(x, np.float32))

    @abstractmethod
    def encode(self, t: Array, outputs: int, dtype: Any) -> Array:
        """Check targets and return them as rows of probabilities.

        Parameters
        ----------
        t : ndarray
            Targets; see the class.
        outputs : int
            Number of scores in a row.
        dtype : dtype
            Floating type of the result.

        Returns
        -------
        ndarray of shape (batch, outputs)
            Target probabilities.

        Raises
        ------
        ValueError
            If the targets are not what the class describes.
        """

    @staticmethod
    @abstractmethod
    def probabilities(x: Array) -> Array:
        """Return the probabilities that scores stand for.

        Parameters
        ----------
        x : ndarray of shape (batch, outputs), floating
            Scores.

        Returns
        -------
        ndarray of shape (batch, outputs)
            Probabilities.
        """

    @staticmethod
    @abstractmethod
    def log_probabilities(x: Array) -> Array:
        """Return the logarithms of the probabilities, which do not underflow as those may.

        Parameters
        ----------
        x : ndarray of shape (batch, outputs), floating
            Scores.

        Returns
        -------
        ndarray of shape (batch, outputs)
            Log-probabilities.
        """

    @abstractmethod
    def _link_and_losses(self, x: Array, t: Array, out: Array | None) -> tuple[Array, Array]:
        """Return the probabilities, in `out` if given, and the loss of each row."""

    @staticmethod
    @abstractmethod
    def _decide(y: Array) -> Array:
        """Return the most likely outcome of each row, of shape (batch, anything)."""

    @staticmethod
    def _probabilities_only(t: Array, dtype: Any) -> Array:
        """Check that every element of `t` is a number in [0, 1], and return them in `dtype`."""
        if t.dtype.kind not in "biuf":
            raise ValueError(f"t must hold numbers, but its dtype is {t.dtype}")
        if not ((t >= 0) & (t <= 1)).all():  # a nan fails both
            raise ValueError(
                f"t must hold probabilities in [0, 1], but it goes from {t.min()} to {t.max()}"
            )
        return t.astype(dtype)
