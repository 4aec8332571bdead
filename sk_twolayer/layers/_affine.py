"""The affine layer: a matrix product and a bias."""

from __future__ import annotations

import math
from functools import partial
from operator import setitem
from typing import TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike

from sk_twolayer._numerics.gemm import bind_add_product, bind_product
from sk_twolayer._numerics.matrices import is_sparse
from sk_twolayer._typing import AddInPlace, Array, Matrix, Operation, SparseMatrix
from sk_twolayer.layers._base import Layer, run_all

AnyMatrix = TypeVar("AnyMatrix", bound=Matrix)


class Affine(Layer):
    """Multiply by a matrix and add a bias: ``out = x @ W + b``.

    Backward, with `dout` of shape (batch, outputs)::

        dx = dout @ W.T        dW = x.T @ dout        db = sum of the rows of dout

    The attributes `dW` and `db` compute the gradients of the parameters as new arrays.
    :meth:`bind_dW` and :meth:`bind_db` return functions that add a multiple of them to an existing
    array. If that is the parameter itself, the matrix product is a step of gradient descent.

    Parameters
    ----------
    W : array-like of shape (inputs, outputs)
        Weights; an array is kept, not copied.
    b : array-like of shape (outputs,)
        Biases; an array is kept, not copied.

    Attributes
    ----------
    W, b : ndarray
        The parameters. Assigning to one writes into its array, so that the layers of a network
        always use the arrays of its `params`.

    Raises
    ------
    ValueError
        If `W` is not a matrix, or `b` does not have one number per column of `W`.

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

    x: Matrix
    dout: Array
    x_shape: tuple[int, ...]

    def __init__(self, W: ArrayLike, b: ArrayLike) -> None:
        self._W, self._b = np.asarray(W), np.asarray(b)
        if self._W.ndim != 2:
            raise ValueError(f"W must have shape (inputs, outputs), but it has {self._W.shape}")
        if self._b.shape != self._W.shape[1:]:
            hint = "; pass b.ravel()" if self._b.size == self._W.shape[1] else ""
            raise ValueError(
                f"b must have shape {self._W.shape[1:]}, one number per column of W, but it has "
                f"{self._b.shape}{hint}"
            )

    @property
    def W(self) -> Array:
        """The weights, ndarray of shape (inputs, outputs)."""
        return self._W

    @W.setter
    def W(self, value: ArrayLike) -> None:
        _write("W", self._W, value)

    @property
    def b(self) -> Array:
        """The biases, ndarray of shape (outputs,)."""
        return self._b

    @b.setter
    def b(self, value: ArrayLike) -> None:
        _write("b", self._b, value)

    def forward(self, x: ArrayLike | SparseMatrix, out: Array | None = None) -> Array:
        """Return ``x @ W + b``.

        Parameters
        ----------
        x : array-like or sparse container
            One row of shape (inputs,), a batch of shape (batch, inputs), or a batch with more
            dimensions, of shape (batch, ...), of which each row is flattened.
        out : ndarray of shape (outputs,) or (batch, outputs), default=None
            Filled with the result; must not share memory with `x`, `W` or `b`.

        Returns
        -------
        ndarray of shape (outputs,) or (batch, outputs)
            The output, one row for each row of `x`.

        Raises
        ------
        ValueError
            If the number of columns of `x` is not the number of rows of `W`, or if `out` has
            another shape, shares memory with an operand, or cannot be filled in place.
        """
        rows = self._without_small_integers(x if is_sparse(x) else np.asarray(x))
        if not rows.ndim:
            raise ValueError("x must be a row or a batch of rows, but it is a single number")
        shape = rows.shape[: rows.ndim > 1] + self.b.shape  # for a single row, the shape of b
        if out is None:
            out = np.empty(shape, np.result_type(rows.dtype, self.W, self.b))
        else:
            _check_out(out, shape, x=rows, W=self.W, b=self.b)
        run_all(self.bind_forward(rows, out))
        return out

    def bind_forward(self, x: Matrix, out: Array) -> list[Operation]:
        """Bind `forward` to an input and an output array (advanced).

        Parameters
        ----------
        x : ndarray or sparse container
            Input. With more than two dimensions it must be contiguous: otherwise it is copied, and
            the copy does not change when `x` does.
        out : ndarray of shape (outputs,) or (batch, outputs)
            Output.

        Returns
        -------
        list of callables
            Functions without arguments that compute `out` from the current contents of the arrays.
        """
        self.x_shape = x.shape
        self.x = _as_rows(x)
        return [
            partial(setitem, out, ..., self.b),
            bind_product(_view_as_rows(out), self.x, self.W),
        ]

    def backward(self, dout: ArrayLike, out: Array | None = None) -> Array:
        """Return ``dout @ W.T``, and keep `dout` for the gradients of the parameters.

        Parameters
        ----------
        dout : array-like of shape (outputs,) or (batch, outputs)
            Gradient with respect to the output.
        out : ndarray in the shape of `x`, default=None
            Filled with the result; must not share memory with `dout`, `W` or the last `x`.

        Returns
        -------
        ndarray in the shape of `x`
            Gradient with respect to the input.

        Raises
        ------
        AttributeError
            If `forward` has not been called.
        ValueError
            If `dout` does not have the shape of the last output, or `out` cannot be used.
        """
        dout = self._checked_dout(dout)
        if out is None:
            out = np.empty(self.x_shape, np.result_type(dout, self.W))
        else:
            _check_out(out, self.x_shape, dout=dout, W=self.W, x=self.x)
        run_all(self.bind_backward(dout, out))
        return out

    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        """Bind `backward` to its arrays and to those of the last `forward` (advanced).

        Parameters
        ----------
        dout : ndarray of shape (outputs,) or (batch, outputs)
            Gradient with respect to the output.
        out : ndarray in the shape of `x`
            Gradient with respect to the input.

        Returns
        -------
        list of callables
            Functions without arguments that compute `out` from the current contents of the arrays.
        """
        self.set_dout(dout)
        return [bind_product(_view_as_rows(out), self.dout, self.W.T, keep=0)]

    def set_dout(self, dout: Array) -> None:
        """Set `dout` for the gradients of the parameters, without computing ``dx`` (advanced).

        This replaces `backward` for the first layer of a network.

        Parameters
        ----------
        dout : ndarray of shape (outputs,) or (batch, outputs)
            Gradient with respect to the output.
        """
        self.dout = _as_rows(dout)

    def _checked_dout(self, value: ArrayLike) -> Array:
        """Return `dout` as an array after checking its shape; one row may be a batch of one."""
        self._check_called("x_shape")
        dout: Array = self._without_small_integers(np.asarray(value))
        expected = (self.x.shape[0], *self.b.shape)
        if dout.ndim not in (1, 2) or _as_rows(dout).shape != expected:
            raise ValueError(f"dout must have shape {expected}, but it has {dout.shape}")
        return dout

    def _without_small_integers(self, x: AnyMatrix) -> AnyMatrix:
        """Convert integers to the type of W, since sums of uint8, for example, would overflow."""
        if x.dtype.kind not in "biu":
            return x
        return cast(AnyMatrix, x.astype(np.result_type(x.dtype, self.W)))

    def bind_dW(self, into: Array) -> AddInPlace:
        """Bind the gradient of `W` to an array (advanced).

        Parameters
        ----------
        into : ndarray of shape (inputs, outputs)
            Changed in place. With `W` itself and a negative `scale`, that is a step of gradient
            descent.

        Returns
        -------
        callable
            ``add(scale, keep)``: ``into <- keep*into + scale * x.T @ dout``.
        """
        return bind_add_product(into, self.x, self.dout, transpose_a=True)

    def bind_db(self, into: Array) -> AddInPlace:
        """Bind the gradient of `b` to an array (advanced).

        Parameters
        ----------
        into : ndarray of shape (outputs,)
            Changed in place.

        Returns
        -------
        callable
            ``add(scale, keep)``: ``into <- keep*into + scale * ones @ dout``.
        """
        ones = np.ones((1, len(self.dout)), self.dout.dtype)  # the sum of rows as a product
        return bind_add_product(into[np.newaxis], ones, self.dout)

    @property
    def dW(self) -> Array:
        """Gradient with respect to `W`: a new ndarray of shape (inputs, outputs)."""
        self._check_called("dout")
        into = np.empty(self.W.shape, np.result_type(self.x.dtype, self.dout))
        self.bind_dW(into)(1.0, 0.0)
        return into

    @property
    def db(self) -> Array:
        """Gradient with respect to `b`: a new ndarray of shape (outputs,)."""
        self._check_called("dout")
        into = np.empty(self.b.shape, self.dout.dtype)
        self.bind_db(into)(1.0, 0.0)
        return into


def _write(name: str, parameter: Array, value: ArrayLike) -> None:
    """Write a value to the array of a parameter."""
    if value is not parameter:  # after ``layer.W -= step``, it is
        if np.shape(value) != parameter.shape:
            raise ValueError(
                f"{name} has shape {parameter.shape}, but the new value {np.shape(value)}"
            )
        np.copyto(parameter, value)


def _check_out(out: Array, shape: tuple[int, ...], **read: Matrix) -> None:
    """Refuse an `out` of another shape, or one that shares memory with a factor of the product."""
    if out.shape != shape:
        raise ValueError(f"out must have shape {shape}, but it has {out.shape}")
    for name, x in read.items():
        if isinstance(x, np.ndarray) and np.shares_memory(out, x):
            raise ValueError(
                f"out shares memory with {name}, from which the result is computed: give another "
                "array, for example one made by np.empty"
            )


def _as_rows(x: AnyMatrix) -> AnyMatrix:
    """Return a single row as a matrix of one row, and a batch with each row flattened."""
    if x.ndim == 2:
        return x
    rows = x[np.newaxis] if x.ndim == 1 else x.reshape(x.shape[0], math.prod(x.shape[1:]))
    return cast(AnyMatrix, rows)


def _view_as_rows(out: Array) -> Array:
    """Return `out` as a matrix to write to; it must be a view, because a copy would be lost."""
    if out.ndim == 2:
        return out
    rows = _as_rows(out)
    if rows.size and not np.may_share_memory(rows, out):
        raise ValueError(
            f"out, of shape {out.shape}, must be contiguous to be filled row by row: give an array "
            "made by np.empty"
        )
    return rows
