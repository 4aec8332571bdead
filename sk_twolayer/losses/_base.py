"""Base class of the losses: mean loss, gradient and accuracy."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sk_twolayer._typing import Array, Operation
from sk_twolayer.layers._base import Layer, run_all


class LossLayer(Layer):
    """Base class of the losses: probabilities `y` of scores `x`, and their mean loss against `t`.

    Each loss here is a negative log-likelihood. The product of its gradient and that of its link
    function, which computes the probabilities, is ``dx = (y - t) / batch``.

    The ``bind_...`` methods use the arrays given to `set_batch`. Those may be a stack of batches,
    of shape (batches, batch, outputs). Then :meth:`select` returns a layer for each batch, and
    :meth:`sum_losses` of the layer for the stack computes the losses of all batches in one call.

    Attributes
    ----------
    x, t, sample_weight : ndarray
        Scores, target probabilities and weights of the batch.
    y : ndarray
        The probabilities.
    row_stats : tuple of ndarrays of shape (..., batch)
        Statistics of each row that the link function computes and the loss uses.
    """

    x: Array
    t: Array
    sample_weight: Array | None
    y: Array
    row_stats: tuple[Array, ...]

    def forward(
        self,
        x: ArrayLike,
        t: ArrayLike,
        sample_weight: ArrayLike | None = None,
        out: Array | None = None,
    ) -> float:
        """Return the mean loss of scores against targets, which are checked first.

        Parameters
        ----------
        x : array-like of shape (batch, outputs) or (outputs,)
            Scores: the output of the last affine layer.
        t : array-like
            Targets; see the class.
        sample_weight : array-like of shape (batch,), default=None
            Factor of the loss of each row. The sum is divided by the number of rows, so the result
            is the weighted mean if the mean of the weights is 1.
        out : ndarray in the shape of `x`, default=None
            Filled with the probabilities; may be `x`.

        Returns
        -------
        float
            The mean over the batch of weight times loss.

        Raises
        ------
        ValueError
            If the targets are not as the class describes, or not as many as the scores; or if
            `out` has another shape.
        """
        scores, targets = self._rows(x, t)
        weights = None if sample_weight is None else np.asarray(sample_weight)
        if weights is not None and weights.shape != (len(scores),):
            raise ValueError(
                f"sample_weight must have shape ({len(scores)},), one weight per row, but it has "
                f"{weights.shape}"
            )
        if out is not None:
            out = np.atleast_2d(out)
            if out.shape != scores.shape:
                raise ValueError(f"out has shape {out.shape}, but x has {scores.shape}")
        return self.mean_loss(scores, targets, weights, out)

    def mean_loss(
        self, x: Array, t: Array, sample_weight: Array | None = None, out: Array | None = None
    ) -> float:
        """Return the mean loss of scores against encoded targets (advanced).

        Parameters
        ----------
        x : ndarray of shape (batch, outputs), floating
            Scores.
        t : ndarray of shape (batch, outputs)
            Target probabilities in the dtype of `x`, from :meth:`encode_targets`; not checked.
        sample_weight : ndarray of shape (batch,), default=None
            Factor of each row's loss.
        out : ndarray of shape (batch, outputs), default=None
            Filled with the probabilities; may be `x`.

        Returns
        -------
        float
            The mean over the batch of weight times loss.
        """
        if out is None:
            out = np.empty_like(x, np.result_type(x, np.float32))
        self.set_batch(x.copy() if np.may_share_memory(x, out) else x, t, sample_weight)
        run_all(self.bind_probabilities(out))
        return self.sum_losses() / len(x)

    def set_batch(self, x: Array, t: Array, sample_weight: Array | None = None) -> None:
        """Set the arrays of scores and targets, which may be filled later (advanced).

        Parameters
        ----------
        x : ndarray of shape (..., batch, outputs), floating
            Scores.
        t : ndarray of the same shape
            Target probabilities in the dtype of `x`; not checked.
        sample_weight : ndarray of shape (..., batch), default=None
            Factor of each row's loss.
        """
        self.x, self.t, self.sample_weight = x, t, sample_weight
        self.row_stats = self._new_row_stats()

    def select(self, batches: int | slice) -> Self:
        """Return a layer for one batch, or some of the batches, of a stack (advanced).

        Parameters
        ----------
        batches : int or slice
            Index of the batches in the stack.

        Returns
        -------
        LossLayer
            A layer with the same options over views of the same arrays.
        """
        layer = type(self).__new__(type(self))  # copy.copy would call __getstate__
        vars(layer).update(vars(self))
        layer.x, layer.t = self.x[batches], self.t[batches]
        if self.sample_weight is not None:
            layer.sample_weight = self.sample_weight[batches]
        layer.row_stats = tuple(values[batches] for values in self.row_stats)
        return layer

    def __getstate__(self) -> dict[str, Any]:
        of_batch = ("x", "t", "sample_weight", "y", "row_stats")
        return {name: value for name, value in vars(self).items() if name not in of_batch}

    def without_batch(self) -> Self:
        """Return a layer with the options of this one, and no batch.

        Returns
        -------
        LossLayer
            A new layer.
        """
        layer = type(self).__new__(type(self))
        vars(layer).update(self.__getstate__())
        return layer

    def sum_losses(self) -> float:
        """Return the sum of weight times loss over all rows (advanced).

        The operations of `bind_probabilities`, which write `row_stats`, must have been called.

        Returns
        -------
        float
            The sum.
        """
        losses = self._row_losses()
        if self.sample_weight is not None:
            losses = losses * self.sample_weight
        return float(losses.sum())

    def backward(self, dout: float = 1.0, out: Array | None = None) -> Array:
        """Return the gradient with respect to the scores: ``dout * (y - t) / batch``.

        Parameters
        ----------
        dout : float, default=1.0
            Gradient with respect to the loss.
        out : ndarray of shape (batch, outputs), default=None
            Filled with the result; may be the probabilities `y`.

        Returns
        -------
        ndarray of shape (batch, outputs)
            Gradient with respect to the scores, each row times its weight.
        """
        self._check_called("y")
        if out is None:
            out = np.empty_like(self.y)
        if out.shape != self.y.shape:
            raise ValueError(f"out has shape {out.shape}, but the scores have {self.y.shape}")
        run_all(self.bind_backward(out, dout))
        return out

    def bind_backward(  # type: ignore[override]  # dout is a number here, and optional
        self, out: Array, dout: float = 1.0
    ) -> list[Operation]:
        """Bind `backward` to the arrays of `bind_probabilities` and an output array (advanced).

        Parameters
        ----------
        out : ndarray of shape (batch, outputs)
            Gradient with respect to the scores; may be the probabilities `y`.
        dout : float, default=1.0
            Gradient with respect to the mean loss. If it is the number of rows, the result is the
            gradient of the sum of their losses.

        Returns
        -------
        list of callables
            Functions without arguments that compute `out`.
        """
        operations: list[Operation] = [partial(np.subtract, self.y, self.t, out)]
        if self.sample_weight is not None:
            factors = self.sample_weight[:, np.newaxis]
            operations.append(partial(np.multiply, out, factors, out, casting="same_kind"))
        if dout != len(out):
            factor = np.array(dout / len(out), out.dtype)
            operations.append(partial(np.multiply, out, factor, out))
        return operations

    def accuracy(self, x: ArrayLike, t: ArrayLike) -> float:
        """Return the fraction of rows whose most likely outcome is the target.

        Parameters
        ----------
        x : array-like of shape (batch, outputs) or (outputs,)
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
            If the targets are not as the class describes, or not as many as the scores.
        """
        scores, targets = self._rows(x, t)
        is_right: Array = self._predict(self.probabilities(scores)) == self._predict(targets)
        return float(is_right.all(axis=1).mean())

    def _rows(self, x: ArrayLike, t: ArrayLike) -> tuple[Array, Array]:
        """Return scores and encoded targets as a batch; a single row is a batch of one."""
        x, t = np.asarray(x), np.asarray(t)
        if x.ndim == 1:
            x, t = x[np.newaxis], t[np.newaxis]
        if x.ndim != 2 or not x.size:
            raise ValueError(
                f"x must be rows of scores, of shape (batch, outputs), but its shape is {x.shape}"
            )
        if t.ndim and len(t) != len(x):
            raise ValueError(f"x has {len(x)} rows but t has {len(t)}: give one target per row")
        return x, self.encode_targets(t, np.empty_like(x, np.result_type(x, np.float32)))

    @abstractmethod
    def encode_targets(self, t: Array, out: Array) -> Array:
        """Check targets and write them as rows of probabilities.

        Parameters
        ----------
        t : ndarray of shape (rows,) or (rows, outputs)
            Targets; see the class.
        out : ndarray of shape (rows, outputs), or (batches, batch, outputs) with as many rows
            Filled with the target probabilities.

        Returns
        -------
        ndarray
            The target probabilities: `out`.

        Raises
        ------
        ValueError
            If the targets are not as the class describes.
        """

    @abstractmethod
    def bind_probabilities(self, y: Array) -> list[Operation]:
        """Bind the link function to the scores of the batch, and to an array (advanced).

        Parameters
        ----------
        y : ndarray of shape (batch, outputs)
            Probabilities. It must not share memory with the scores, from which the loss is computed
            later.

        Returns
        -------
        list of callables
            Functions without arguments that compute `y`.
        """

    @staticmethod
    @abstractmethod
    def probabilities(x: Array, out: Array | None = None) -> Array:
        """Return the probabilities of scores.

        They are never 0 or 1: a value that rounds to 0 or 1 is replaced by the smallest normal
        number of the dtype, or by the largest number below 1. So their logarithms are finite.

        Parameters
        ----------
        x : ndarray of shape (batch, outputs), floating
            Scores.
        out : ndarray of the same shape, default=None
            Filled with the probabilities; may be `x`.

        Returns
        -------
        ndarray of shape (batch, outputs)
            Probabilities.
        """

    @staticmethod
    @abstractmethod
    def log_probabilities(x: Array) -> Array:
        """Return the logarithms of the probabilities, computed without underflow.

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
    def _new_row_stats(self) -> tuple[Array, ...]:
        """Return uninitialized arrays for `row_stats`."""

    @abstractmethod
    def _row_losses(self) -> Array:
        """Return the loss of each row, of shape (..., batch)."""

    @staticmethod
    @abstractmethod
    def _predict(y: Array) -> Array:
        """Return the most likely outcome of each row, in an array of two dimensions."""

    @staticmethod
    def _write_probabilities(t: Array, out: Array) -> Array:
        """Check that every element of `t` is a number in [0, 1], and write them to `out`."""
        if t.dtype.kind not in "biuf":
            raise ValueError(f"t must contain numbers, but its dtype is {t.dtype}")
        if not ((t >= 0) & (t <= 1)).all():  # a nan fails both
            raise ValueError(
                f"t must contain probabilities in [0, 1], but its range is [{t.min()}, {t.max()}]"
            )
        out[...] = t.reshape(out.shape)
        return out


def clip_probabilities(y: Array) -> Array:
    """Clip `y` in place to the open interval (0, 1): see `LossLayer.probabilities`."""
    limits = np.finfo(y.dtype)
    return y.clip(limits.tiny, 1 - limits.epsneg, out=y)
