"""The layer that holds parameters: a matrix product and a bias."""

from __future__ import annotations

import math

import numpy as np

from sk_twolayer._layer import Layer
from sk_twolayer._linalg import add_product
from sk_twolayer._typing import Array


class Affine(Layer):
    """Multiply by a matrix and add a bias: ``out = x @ W + b``.

    Backward, with `dout` of shape (batch, outputs)::

        dx = dout @ W.T        dW = x.T @ dout        db = sum of the rows of dout

    The parameters' gradients are an *action*, :meth:`add_dW` and :meth:`add_db`: whoever
    trains says where they land, and the step of gradient descent can happen inside the
    product. The attributes `dW` and `db` are the same action into fresh arrays.

    Parameters
    ----------
    W : ndarray of shape (inputs, outputs)
        Weights; kept, not copied.
    b : ndarray of shape (outputs,)
        Biases; kept, not copied.

    References
    ----------
    .. [1] K. Saitoh, "Deep Learning from Scratch", O'Reilly Japan, 2016, section 5.6.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import Affine
    >>> layer = Affine(W=np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]]), b=np.array([0.0, 0.0, 1.0]))
    >>> layer.forward(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[ 1.,  2.,  9.],
           [ 3.,  4., 19.]])
    >>> layer.backward(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    array([[ 7., 11.],
           [16., 23.]])
    >>> layer.db
    array([5., 7., 9.])
    >>> layer.dW
    array([[13., 17., 21.],
           [18., 24., 30.]])
    """

    x: Array
    dout: Array
    x_shape: tuple[int, ...]

    def __init__(self, W: Array, b: Array) -> None:
        self.W = W
        self.b = b

    def forward(self, x: Array, out: Array | None = None) -> Array:
        """Return ``x @ W + b``.

        Parameters
        ----------
        x : ndarray or sparse container
            One row of shape (inputs,), a batch of shape (batch, inputs), or a batch of
            anything of shape (batch, ...), which is flattened row by row.
        out : ndarray of shape (outputs,) or (batch, outputs), default=None
            Where to put the result; must not share memory with `x`.

        Returns
        -------
        ndarray of shape (outputs,) or (batch, outputs)
            The output, one row for each row of `x`.

        Raises
        ------
        ValueError
            If the rows of `x` have another length than `W` has rows, or `out` is `x` or
            cannot be filled in place.
        """
        if out is x:
            raise ValueError("an affine layer cannot put its result where its input is")
        self.x_shape = x.shape
        self.x = _as_rows(x)
        if out is None:
            batch = x.shape[: x.ndim > 1]  # of one row: nothing
            out = np.empty(batch + self.b.shape, np.result_type(x.dtype, self.W, self.b))
        out[...] = self.b
        add_product(_view_as_rows(out), self.x, self.W)
        return out

    def backward(self, dout: Array, out: Array | None = None) -> Array:
        """Remember `dout` for the parameters' gradients and return ``dout @ W.T``.

        Parameters
        ----------
        dout : ndarray of shape (outputs,) or (batch, outputs)
            Gradient with respect to the output.
        out : ndarray in the shape of `x`, default=None
            Where to put the result; must not share memory with `dout`.

        Returns
        -------
        ndarray in the shape of `x`
            Gradient with respect to the input.
        """
        self.receive(dout)
        if out is None:
            out = np.empty(self.x_shape, np.result_type(dout, self.W))
        add_product(_view_as_rows(out), self.dout, self.W.T, keep=0)
        return out

    def receive(self, dout: Array) -> None:
        """Remember `dout` for the parameters' gradients: `backward` for a first layer.

        Parameters
        ----------
        dout : ndarray of shape (outputs,) or (batch, outputs)
            Gradient with respect to the output.
        """
        self.dout = _as_rows(dout)

    def add_dW(self, into: Array, *, scale: float = 1.0, keep: float = 1.0) -> None:
        """Add the gradient of `W` in place: ``into <- keep*into + scale * x.T @ dout``.

        Parameters
        ----------
        into : ndarray of shape (inputs, outputs)
            Changed in place; `W` itself, with a negative `scale`, is a step downhill.
        scale, keep : float, default=1.0
            Factors of the gradient and of what `into` held before.
        """
        add_product(into, self.x, self.dout, scale=scale, keep=keep, transpose_a=True)

    def add_db(self, into: Array, *, scale: float = 1.0, keep: float = 1.0) -> None:
        """Add the gradient of `b` in place: ``into <- keep*into + scale * ones @ dout``.

        Parameters
        ----------
        into : ndarray of shape (outputs,)
            Changed in place.
        scale, keep : float, default=1.0
            Factors of the gradient and of what `into` held before.
        """
        ones = np.ones((1, len(self.dout)), self.dout.dtype)  # so a bias is added like a weight
        add_product(into[np.newaxis], ones, self.dout, scale=scale, keep=keep)

    @property
    def dW(self) -> Array:
        """Gradient with respect to `W`, ndarray of shape (inputs, outputs), computed anew."""
        into = np.empty(self.W.shape, np.result_type(self.x.dtype, self.dout))
        self.add_dW(into, keep=0)
        return into

    @property
    def db(self) -> Array:
        """Gradient with respect to `b`, ndarray of shape (outputs,), computed anew."""
        into = np.empty(self.b.shape, self.dout.dtype)
        self.add_db(into, keep=0)
        return into


def _as_rows(x: Array) -> Array:
    """Return an array as a matrix: one row becomes a batch of one, the rest is flattened."""
    if x.ndim == 2:
        return x
    return x[np.newaxis] if x.ndim == 1 else x.reshape(len(x), math.prod(x.shape[1:]))


def _view_as_rows(out: Array) -> Array:
    """Return `out` as a matrix, for writing: a copy of it would be lost."""
    rows = _as_rows(out)
    if rows.size and not np.may_share_memory(rows, out):
        raise ValueError(
            f"out, of shape {out.shape}, must be contiguous to be filled row by row; "
            "pass an array made by np.empty"
        )
    return rows
