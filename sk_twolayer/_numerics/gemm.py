"""The products everything is made of.

The one contract: ``into <- keep * into + scale * a @ b``, which is what BLAS calls gemm.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from scipy.linalg import blas

from sk_twolayer._typing import AddInPlace, Array, Operation

_GEMM = {np.dtype(np.float32): blas.sgemm, np.dtype(np.float64): blas.dgemm}
_AXPY = {np.dtype(np.float32): blas.saxpy, np.dtype(np.float64): blas.daxpy}
_SCAL = {np.dtype(np.float32): blas.sscal, np.dtype(np.float64): blas.dscal}

FLUSH_BLOCK_ELEMENTS = 2**13  # elements


def add_product(
    into: Array,
    a: Any,
    b: Array,
    *,
    scale: float = 1.0,
    keep: float = 1.0,
    transpose_a: bool = False,
) -> None:
    """Add a matrix product to an array in place: ``into <- keep*into + scale*a@b``.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._numerics.gemm import add_product
    >>> W = np.ones((2, 2))
    >>> add_product(W, np.array([[1.0, 0.0]]), np.array([[3.0, 5.0]]), scale=-0.1, transpose_a=True)
    >>> W
    array([[0.7, 0.5],
           [1. , 1. ]])
    """
    bind_product(into, a, b, scale=scale, keep=keep, transpose_a=transpose_a)()


def bind_product(
    into: Array,
    a: Any,
    b: Array,
    *,
    scale: float = 1.0,
    keep: float = 1.0,
    transpose_a: bool = False,
) -> Operation:
    """Prepare a product once, to be added many times: the operation is `add_product`.

    All that can be known from the arrays' shapes and types is found out here; what is left is a
    single call of BLAS, which takes whatever the arrays hold by then.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._numerics.gemm import bind_product
    >>> x, W = np.ones((1, 2)), np.ones((2, 2))
    >>> add_square = bind_product(W, x, x, transpose_a=True)
    >>> for x[...] in (1, 3):
    ...     _ = add_square()
    >>> W
    array([[11., 11.],
           [11., 11.]])
    """
    _check_shapes(into, a, b, transpose_a)
    if not _can_use_blas(into, a, b):  # sparse, empty, mixed, integer, or an odd target
        return partial(_bind_without_blas(into, a, b, transpose_a), scale, keep)
    gemm, a, b, into, *transposed = _gemm_arguments(into, a, b, transpose_a)
    return partial(gemm, scale, a, b, keep, into, *transposed, 1)


def bind_add_product(into: Array, a: Any, b: Array, *, transpose_a: bool = False) -> AddInPlace:
    """Prepare a product once, to be added many times with `scale` and `keep` given each time.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._numerics.gemm import bind_add_product
    >>> x, W = np.ones((1, 2)), np.ones((2, 2))
    >>> bind_add_product(W, x, x, transpose_a=True)(0.5, 2.0)
    >>> W
    array([[2.5, 2.5],
           [2.5, 2.5]])
    """
    _check_shapes(into, a, b, transpose_a)
    if not _can_use_blas(into, a, b):
        return _bind_without_blas(into, a, b, transpose_a)
    gemm, a, b, into, transposed_a, transposed_b = _gemm_arguments(into, a, b, transpose_a)

    def add(scale: float, keep: float) -> None:
        gemm(scale, a, b, keep, into, transposed_a, transposed_b, 1)

    return add


def add_scaled(into: Array, x: Array, *, scale: float = 1.0, keep: float = 1.0) -> None:
    """Add a multiple of an array in place: ``into <- keep*into + scale*x``.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._numerics.gemm import add_scaled
    >>> velocity = np.array([1.0, 2.0])
    >>> add_scaled(velocity, np.array([8.0, 8.0]), scale=-0.25, keep=0.5)
    >>> velocity
    array([-1.5, -1. ])
    """
    _check_same_shape(into, x)
    if keep == 0:
        np.multiply(x, scale, out=into, casting="unsafe")  # what assignment allows
        return
    if keep != 1:
        into *= keep
    if x.ndim == 1 and _can_use_blas(into, x):
        # one pass, where scale * x would be a new array
        _AXPY[into.dtype](x, into, x.size, scale)
    else:
        into += x if scale == 1 else scale * x


def bind_add_scaled(into: Array, x: Array) -> AddInPlace:
    """Prepare `add_scaled` once, to be called many times with `scale` and `keep`.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._numerics.gemm import bind_add_scaled
    >>> mean, gradient = np.array([1.0, 2.0]), np.array([5.0, 6.0])
    >>> bind_add_scaled(mean, gradient)(0.25, 0.75)
    >>> mean
    array([2., 3.])
    """
    _check_same_shape(into, x)
    if x.ndim != 1 or not _can_use_blas(into, x):
        return lambda scale, keep: add_scaled(into, x, scale=scale, keep=keep)
    axpy, scal, n = _AXPY[into.dtype], _SCAL[into.dtype], x.size

    def add(scale: float, keep: float) -> None:
        if keep == 0:
            np.multiply(x, scale, into)
            return
        if keep != 1:
            scal(keep, into, n)
        axpy(x, into, n, scale)

    return add


def flush_denormals(x: Array) -> None:
    """Set what is next to nothing to zero in place: below ``2**24`` times the least normal number.

    Whatever shrinks by a factor a step, like the weights of a column that is always zero under a
    penalty, ends in denormal numbers, over which processors take many times as long.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._numerics.gemm import flush_denormals
    >>> theta = np.array([1.0, 1e-30, -1e-32], dtype=np.float32)
    >>> flush_denormals(theta)
    >>> theta
    array([1.e+00, 1.e-30, 0.e+00], dtype=float32)
    """
    limit = np.finfo(x.dtype).tiny * x.dtype.type(2**24)
    for start in range(0, len(x), FLUSH_BLOCK_ELEMENTS):
        piece = x[start : start + FLUSH_BLOCK_ELEMENTS]
        piece[np.abs(piece) < limit] = 0


def _check_same_shape(into: Array, x: Array) -> None:
    if x.shape != into.shape:
        raise ValueError(f"an array of shape {x.shape} cannot be added into one of {into.shape}")


def _check_shapes(into: Array, a: Any, b: Array, transpose_a: bool) -> None:
    n, k = a.shape[::-1] if transpose_a else a.shape
    if b.shape[0] != k or into.shape != (n, b.shape[1]):
        raise ValueError(
            f"shapes do not fit: a product of ({n}, {k}) and {b.shape} cannot be added "
            f"into an array of shape {into.shape}"
        )


def _can_use_blas(into: Array, *factors: Any) -> bool:
    """Tell whether BLAS can work on `into` in place, and on factors of the same kind.

    f2py copies what is not contiguous. For a factor that is as good as any other way; a copied
    `into` would be lost.
    """
    dtype = into.dtype
    if dtype not in _GEMM or not into.flags.forc or not into.flags.behaved:
        return False
    for x in factors:  # a plain loop: this guards several passes of every step of Adam
        if not isinstance(x, np.ndarray) or x.dtype != dtype or not x.size:
            return False
    return True


def _gemm_arguments(into: Array, a: Array, b: Array, transpose_a: bool) -> tuple[Any, ...]:
    """Return a routine of BLAS, `a`, `b` and `into` by columns, and which factors to transpose."""
    transpose_b = False
    if not into.flags.f_contiguous:  # into.T <- b.T @ a.T
        into, a, b, transpose_a, transpose_b = into.T, b, a, True, not transpose_a
    if not a.flags.f_contiguous:
        a, transpose_a = a.T, not transpose_a
    if not b.flags.f_contiguous:
        b, transpose_b = b.T, not transpose_b
    return _GEMM[into.dtype], a, b, into, int(transpose_a), int(transpose_b)


def _bind_without_blas(into: Array, a: Any, b: Array, transpose_a: bool) -> AddInPlace:
    if transpose_a and getattr(a, "format", "dense") == "csr" and 4 * a.nnz < len(into):
        return partial(_add_few_rows, into, a, b)
    return partial(_add_any_product, into, a.T if transpose_a else a, b)


def _add_any_product(into: Array, a: Any, b: Array, scale: float, keep: float) -> None:
    add_scaled(into, a @ _scaled(b, scale), keep=keep)


def _add_few_rows(into: Array, a: Any, b: Array, scale: float, keep: float) -> None:
    """Add ``a.T @ b`` for a sparse `a` whose columns are empty but for a few."""
    if keep == 0:
        into[...] = 0
    elif keep != 1:
        into *= keep
    columns, places = np.unique(a.indices, return_inverse=True)
    shape = (a.shape[0], len(columns))
    used = type(a)((a.data, places.astype(a.indices.dtype), a.indptr), shape=shape)
    into[columns] += used.T @ _scaled(b, scale)


def _scaled(b: Array, scale: float) -> Array:
    return b if scale == 1 else float(scale) * b  # smaller than the product
