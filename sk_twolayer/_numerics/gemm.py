"""Matrix products in place: ``into <- keep*into + scale * a @ b``, which is BLAS's gemm.

BLAS calls `keep` beta and `scale` alpha. The forward pass of an affine layer adds to the bias
(``keep=1``), a gradient overwrites an array (``keep=0``), and a step of gradient descent changes
``into=W`` by ``scale=-learning_rate``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy.linalg import blas

from sk_twolayer._numerics.matrices import blocks, is_sparse
from sk_twolayer._typing import AddInPlace, Array, Matrix, Operation, SparseMatrix

_GEMM = {np.dtype(np.float32): blas.sgemm, np.dtype(np.float64): blas.dgemm}
_AXPY = {np.dtype(np.float32): blas.saxpy, np.dtype(np.float64): blas.daxpy}
_SCAL = {np.dtype(np.float32): blas.sscal, np.dtype(np.float64): blas.dscal}

FLUSH_BLOCK_ELEMENTS = 2**13


def bind_product(
    into: Array,
    a: Matrix,
    b: Array,
    *,
    scale: float = 1.0,
    keep: float = 1.0,
    transpose_a: bool = False,
) -> Operation:
    """Return a function without arguments that computes ``into <- keep*into + scale*a@b``.

    Shapes and dtypes are checked here, once. The function is a single call of BLAS, if BLAS can
    compute the product in place. It uses the contents of the arrays at the time of the call: the
    arrays are kept, not copied.

    Parameters
    ----------
    into : ndarray of shape (n, m)
        Changed in place. With ``keep=0`` it is overwritten, even if it contained nan or infinity.
    a : ndarray or sparse container of shape (n, k), or (k, n) with `transpose_a`
        Left factor. Neither factor may share memory with `into`.
    b : ndarray of shape (k, m)
        Right factor.
    scale : float, default=1.0
        Factor of the product.
    keep : float, default=1.0
        Factor of the previous contents of `into`.
    transpose_a : bool, default=False
        Whether to use the transpose of `a`.

    Raises
    ------
    ValueError
        If the three shapes do not fit together. The function that is returned raises it if `into`
        is read-only.

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
    if isinstance(a, np.ndarray) and _can_use_blas(into, a, b):
        gemm, left, right, target, *transposed = _gemm_arguments(into, a, b, transpose_a)
        return partial(gemm, scale, left, right, keep, target, *transposed, 1)
    return partial(_bind_without_blas(into, a, b, transpose_a), scale, keep)


def bind_add_product(into: Array, a: Matrix, b: Array, *, transpose_a: bool = False) -> AddInPlace:
    """Return a function ``add(scale, keep)`` that computes ``into <- keep*into + scale*a@b``.

    The arguments are those of `bind_product`.

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
    if not (isinstance(a, np.ndarray) and _can_use_blas(into, a, b)):
        return _bind_without_blas(into, a, b, transpose_a)
    gemm, left, right, target, trans_left, trans_right = _gemm_arguments(into, a, b, transpose_a)

    def add(scale: float, keep: float) -> None:
        gemm(scale, left, right, keep, target, trans_left, trans_right, 1)

    return add


def add_scaled(into: Array, x: Array, *, scale: float = 1.0, keep: float = 1.0) -> None:
    """Add a multiple of an array in place: ``into <- keep*into + scale*x``.

    With ``keep=0``, `into` is overwritten, even if it contained nan or infinity. `x` must have the
    shape of `into`, and must not share memory with it.

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
        np.multiply(x, scale, out=into, casting="unsafe")  # casts as an assignment does
        return
    if keep != 1:
        into *= keep
    if x.ndim == 1 and _can_use_blas(into, x):
        # a single pass over memory, without the temporary array of scale * x
        _AXPY[into.dtype](x, into, x.size, scale)
    else:
        into += x if scale == 1 else scale * x


def bind_add_scaled(into: Array, x: Array) -> AddInPlace:
    """Bind `add_scaled` to its arrays, and return a function ``add(scale, keep)``.

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
    """Set numbers below ``2**24`` times the smallest normal number of the dtype to zero, in place.

    A value that is multiplied by a factor below 1 in each step becomes a denormal number in the
    end, for example a weight of a column of zeros because of the penalty. Processors are many times
    slower with denormal numbers.

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
    for block in blocks(len(x), FLUSH_BLOCK_ELEMENTS):
        values = x[block]
        values[np.abs(values) < limit] = 0


def _check_same_shape(into: Array, x: Array) -> None:
    if x.shape != into.shape:
        raise ValueError(f"an array of shape {x.shape} cannot be added into one of {into.shape}")


def _check_shapes(into: Array, a: Matrix, b: Array, transpose_a: bool) -> None:
    n, k = (a.shape[1], a.shape[0]) if transpose_a else a.shape
    if b.shape[0] != k or into.shape != (n, b.shape[1]):
        raise ValueError(
            f"shapes do not fit: a product of ({n}, {k}) and {b.shape} cannot be added "
            f"into an array of shape {into.shape}"
        )


def _can_use_blas(into: Array, *factors: Array) -> bool:
    """Tell whether BLAS can compute from `factors` and write to `into` in place.

    All must have the same floating type. `into` must be contiguous, aligned and writable: of any
    other array, f2py passes a copy to BLAS, and the result would be lost. It may copy a factor,
    which takes no longer than other methods. BLAS refuses empty arrays.
    """
    dtype = into.dtype
    if dtype not in _GEMM or not into.flags.forc or not into.flags.behaved:
        return False
    return all(x.dtype == dtype and x.size for x in factors)


# BLAS works on matrices that are stored by columns ("F"). The transpose of a matrix that is stored
# by rows ("C") is stored by columns, in the same memory, and gemm can transpose either factor. So
# every product of contiguous matrices is one call without a copy. The table has both factors for
# gemm, each with a 1 if gemm transposes it; with `transpose_a`, the number of `a` is inverted.
#
#   into  a  b    call of gemm        first factor   second factor
#   F     F  F    into   <- a @ b       a    0         b    0
#   F     F  C    into   <- a @ b       a    0         b.T  1
#   F     C  F    into   <- a @ b       a.T  1         b    0
#   F     C  C    into   <- a @ b       a.T  1         b.T  1
#   C     F  F    into.T <- b.T @ a.T   b    1         a    1
#   C     F  C    into.T <- b.T @ a.T   b.T  0         a    1
#   C     C  F    into.T <- b.T @ a.T   b    1         a.T  0
#   C     C  C    into.T <- b.T @ a.T   b.T  0         a.T  0
def _gemm_arguments(
    into: Array, a: Array, b: Array, transpose_a: bool
) -> tuple[Callable[..., Array], Array, Array, Array, int, int]:
    """Return gemm, its factors, its result, and whether it transposes the first and the second."""
    gemm = _GEMM[into.dtype]
    if into.flags.f_contiguous:
        (left, trans_left), (right, trans_right) = _by_columns(a, transpose_a), _by_columns(b)
    else:
        into = into.T
        left, trans_left = _by_columns(b, transpose=True)
        right, trans_right = _by_columns(a, transpose=not transpose_a)
    return gemm, left, right, into, trans_left, trans_right


def _by_columns(x: Array, transpose: bool = False) -> tuple[Array, int]:
    """Return `x` or ``x.T``, whichever is stored by columns, and whether gemm must transpose it."""
    return (x, int(transpose)) if x.flags.f_contiguous else (x.T, int(not transpose))


def _bind_without_blas(into: Array, a: Matrix, b: Array, transpose_a: bool) -> AddInPlace:
    """Bind a product that BLAS cannot compute: of a sparse matrix, or of mixed types."""
    if transpose_a and is_sparse(a) and a.format == "csr" and 4 * a.nnz < len(into):
        return partial(_add_few_rows, into, a, b)
    return partial(_add_any_product, into, a.T if transpose_a else a, b)


def _add_any_product(into: Array, a: Matrix, b: Array, scale: float, keep: float) -> None:
    add_scaled(into, a @ _scaled(b, scale), keep=keep)


def _add_few_rows(into: Array, a: SparseMatrix, b: Array, scale: float, keep: float) -> None:
    """Add ``a.T @ b`` for a csr matrix `a` that has nonzeros in few of its columns.

    The whole product would be an array of the shape of `into`, nearly all of it zeros: for text, as
    large as all weights of the first layer. So the columns of `a` without nonzeros are removed
    first, and only the rows of `into` for the other columns are changed.
    """
    if keep == 0:
        into[...] = 0
    elif keep != 1:
        into *= keep
    columns, new_indices = np.unique(a.indices, return_inverse=True)
    parts: Any = a.data, new_indices.astype(a.indices.dtype), a.indptr
    make: Any = type(a)  # the constructor is not part of the protocol
    used: SparseMatrix = make(parts, shape=(a.shape[0], len(columns)))
    into[columns] += used.T @ _scaled(b, scale)


def _scaled(b: Array, scale: float) -> Array:
    """Return `b` times a number, in its own dtype; `b` is smaller than the product."""
    return b if scale == 1 else float(scale) * b
