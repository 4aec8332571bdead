"""The layer that holds parameters: a matrix product and a bias."""

from __future__ import annotations

import math
from functools import partial
from operator import setitem

import numpy as np

from sk_twolayer._numerics.gemm import bind_product, bind_product_action
from sk_twolayer._typing import Action, Array, Operation
from sk_twolayer.layers._base import Layer, perform


class Affine(Layer):
    """Multiply by a matrix and add a bias: ``out = x @ W + b``.

    Backward, with `dout` of shape (batch, outputs)::

        dx = dout @ W.T        dW = x.T @ dout        db = sum of the rows of dout

    The parameters' gradients are an *action*, of :meth:`bind_dW` and :meth:`bind_db`: whoever
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
        if out is None:
            batch = x.shape[: x.ndim > 1]  # of one row: nothing
            out = np.empty(batch + self.b.shape, np.result_type(x.dtype, self.W, self.b))
        perform(self.bind_forward(x, out))
        return out

    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        """Lay `forward` over arrays.

        Parameters
        ----------
        x : ndarray or sparse container
            Input; one of more than two dimensions must be contiguous, or it will be copied once.
        out : ndarray of shape (outputs,) or (batch, outputs)
            Output.

        Returns
        -------
        list of callables
            What fills `out`, whenever it is performed.
        """
        self.x_shape = x.shape
        self.x = _as_rows(x)
        return [
            partial(setitem, out, ..., self.b),
            bind_product(_view_as_rows(out), self.x, self.W),
        ]

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
        if out is None:
            out = np.empty(self.x_shape, np.result_type(dout, self.W))
        perform(self.bind_backward(dout, out))
        return out

    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        """Lay `backward` over `dout`, `out` and the arrays of the last `forward`.

        Parameters
        ----------
        dout : ndarray of shape (outputs,) or (batch, outputs)
            Gradient with respect to the output.
        out : ndarray in the shape of `x`
            Gradient with respect to the input.

        Returns
        -------
        list of callables
            What fills `out`, whenever it is performed.
        """
        self.receive(dout)
        return [bind_product(_view_as_rows(out), self.dout, self.W.T, keep=0)]

    def receive(self, dout: Array) -> None:
        """Remember `dout` for the parameters' gradients: `backward` for a first layer.

        Parameters
        ----------
        dout : ndarray of shape (outputs,) or (batch, outputs)
            Gradient with respect to the output.
        """
        self.dout = _as_rows(dout)

    def bind_dW(self, into: Array) -> Action:
        """Lay the gradient of `W` over an array, as an action.

        Parameters
        ----------
        into : ndarray of shape (inputs, outputs)
            What the action changes; with `W` itself and a negative `scale`, it is a step downhill.

        Returns
        -------
        callable
            ``add(scale, keep)``: ``into <- keep*into + scale * x.T @ dout``.
        """
        return bind_product_action(into, self.x, self.dout, transpose_a=True)

    def bind_db(self, into: Array) -> Action:
        """Lay the gradient of `b` over an array, as an action.

        Parameters
        ----------
        into : ndarray of shape (outputs,)
            What the action changes.

        Returns
        -------
        callable
            ``add(scale, keep)``: ``into <- keep*into + scale * ones @ dout``.
        """
        ones = np.ones((1, len(self.dout)), self.dout.dtype)  # so a bias is added like a weight
        return bind_product_action(into[np.newaxis], ones, self.dout)

    @property
    def dW(self) -> Array:
        """Gradient with respect to `W`, ndarray of shape (inputs, outputs), computed anew."""
        into = np.empty(self.W.shape, np.result_type(self.x.dtype, self.dout))
        self.bind_dW(into)(1.0, 0.0)
        return into

    @property
    def db(self) -> Array:
        """Gradient with respect to `b`, ndarray of shape (outputs,), computed anew."""
        into = np.empty(self.b.shape, self.dout.dtype)
        self.bind_db(into)(1.0, 0.0)
        return into


def _as_rows(x: Array) -> Array:
    """Return an array as a matrix: one row becomes a batch of one, the rest is flattened."""
    if x.ndim == 2:
        return x
    return x[np.newaxis] if x.ndim == 1 else x.reshape(len(x), math.prod(x.shape[1:]))


def _view_as_rows(out: Array) -> Array:
    """Return `out` as a matrix, for writing: a copy of it would be lost."""
    if out.ndim == 2:
        return out
    rows = _as_rows(out)
    if rows.size and not np.may_share_memory(rows, out):
        raise ValueError(
            f"out, of shape {out.shape}, must be contiguous to be filled row by row; "
            "pass an array made by np.empty"
        )
    return rows
