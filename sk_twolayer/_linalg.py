"""Floor 0: the products everything is made of.

The one contract: ``into <- keep * into + scale * a @ b``, which is what BLAS calls gemm.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import blas

from sk_twolayer._typing import Array

_GEMM = {np.dtype(np.float32): blas.sgemm, np.dtype(np.float64): blas.dgemm}
_AXPY = {np.dtype(np.float32): blas.saxpy, np.dtype(np.float64): blas.daxpy}


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

    Parameters
    ----------
    into : ndarray of shape (n, m)
        Changed in place. With ``keep=0`` it is overwritten whatever it held
        (0 times nan would be nan).
    a : ndarray or sparse container of shape (n, k), or (k, n) with `transpose_a`
        Left factor; like the right one, it must not share memory with `into`.
    b : ndarray of shape (k, m)
        Right factor.
    scale : float, default=1.0
        Factor of the product.
    keep : float, default=1.0
        Factor of what `into` held before.
    transpose_a : bool, default=False
        Whether to multiply with the transpose of `a`.

    Raises
    ------
    ValueError
        If the three shapes do not fit together, or `into` is read-only.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._linalg import add_product
    >>> W = np.ones((2, 2))
    >>> add_product(W, np.array([[1.0, 0.0]]), np.array([[3.0, 5.0]]), scale=-0.1, transpose_a=True)
    >>> W
    array([[0.7, 0.5],
           [1. , 1. ]])
    """
    n, k = a.shape[::-1] if transpose_a else a.shape
    if b.shape[0] != k or into.shape != (n, b.shape[1]):
        raise ValueError(
            f"shapes do not fit: a product of ({n}, {k}) and {b.shape} cannot be added "
            f"into an array of shape {into.shape}"
        )
    if not _suits_blas(into, a, b):  # sparse, empty, mixed, integer, or an odd target
        product = (a.T if transpose_a else a) @ b
        add_scaled(into, product, scale=scale, keep=keep)
    elif into.flags.f_contiguous:
        _gemm(into, _factor(a, transpose_a), _factor(b, False), scale, keep)
    else:  # BLAS thinks in columns: into.T <- b.T @ a.T
        _gemm(into.T, _factor(b, True), _factor(a, not transpose_a), scale, keep)


def add_scaled(into: Array, x: Array, *, scale: float = 1.0, keep: float = 1.0) -> None:
    """Add a multiple of an array in place: ``into <- keep*into + scale*x``.

    Parameters
    ----------
    into : ndarray
        Changed in place; overwritten with ``keep=0``.
    x : ndarray of the same shape
        What to add; must not share memory with `into`.
    scale, keep : float, default=1.0
        Factors of `x` and of what `into` held before.

    Raises
    ------
    ValueError
        If the shapes differ, or `into` is read-only.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._linalg import add_scaled
    >>> velocity = np.array([1.0, 2.0])
    >>> add_scaled(velocity, np.array([8.0, 8.0]), scale=-0.25, keep=0.5)
    >>> velocity
    array([-1.5, -1. ])
    """
    if x.shape != into.shape:
        raise ValueError(f"an array of shape {x.shape} cannot be added into one of {into.shape}")
    if keep == 0:
        into[...] = x if scale == 1 else scale * x
        return
    if keep != 1:
        into *= keep
    if x.ndim == 1 and _suits_blas(into, x):
        # one pass, where scale * x would be a new array
        _check_in_place(_AXPY[into.dtype](x, into, a=scale), into)
    else:
        into += x if scale == 1 else scale * x


def _suits_blas(into: Array, *factors: Any) -> bool:
    """Tell whether BLAS can work on `into` in place, and on factors of the same kind.

    f2py copies what is not contiguous. For a factor that is as good as any other way; a copied
    `into` would be lost.
    """
    dtype = into.dtype
    if dtype not in _GEMM or not into.flags.forc or not into.flags.behaved:
        return False
    for factor in factors:  # a plain loop: this guards every product of every minibatch
        if not isinstance(factor, np.ndarray) or factor.dtype != dtype or not factor.size:
            return False
    return True


def _factor(a: Array, transpose: bool) -> tuple[Array, bool]:
    """Return a column-major view of `a`, and whether gemm must transpose that view."""
    return (a, transpose) if a.flags.f_contiguous else (a.T, not transpose)


def _gemm(
    c: Array, a: tuple[Array, bool], b: tuple[Array, bool], scale: float, keep: float
) -> None:
    """Call BLAS on column-major arrays."""
    _check_in_place(_GEMM[c.dtype](scale, a[0], b[0], keep, c, a[1], b[1], 1), c)


def _check_in_place(result: Array, target: Array) -> None:
    """Make sure that BLAS wrote where it was told to."""
    if result is not target:
        raise RuntimeError("BLAS worked on a copy of its target; please report this as a bug")
