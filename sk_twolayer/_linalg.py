"""Floor 0: the products everything is made of, rows of any container, BLAS threads.

The one contract: ``into <- keep * into + scale * a @ b``, which is what BLAS calls gemm.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from scipy.linalg import blas
from scipy.sparse import issparse
from threadpoolctl import OpenBLASController, ThreadpoolController

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


def take_rows(X: Any, rows: Array) -> Any:
    """Return the rows of a dense or sparse matrix: ``X[rows]``.

    Parameters
    ----------
    X : ndarray or sparse container of shape (n, d)
        Where to take from.
    rows : ndarray of shape (m,), dtype intp
        Row numbers, each in [0, n).

    Returns
    -------
    ndarray or sparse container of shape (m, d)
        The rows, in C order when dense.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._linalg import take_rows
    >>> take_rows(np.array([[1, 2], [3, 4], [5, 6]]), np.array([2, 0]))
    array([[5, 6],
           [1, 2]])
    """
    if issparse(X):
        return X[rows]
    if X.flags.c_contiguous:
        return X.take(rows, axis=0, mode="clip")  # faster than X[rows] for short rows
    out = np.empty((len(rows), X.shape[1]), X.dtype)
    out[...] = X[rows]  # take() would copy the whole of such an X first
    return out


def bytes_per_row(X: Any) -> int:
    """Return about how many bytes a row of a dense or sparse matrix takes.

    Parameters
    ----------
    X : ndarray or sparse container of shape (n, d)
        The matrix.

    Returns
    -------
    int
        Bytes of the row's values, and of a sparse row's column numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._linalg import bytes_per_row
    >>> bytes_per_row(np.zeros((10, 3)))
    24
    """
    if issparse(X):
        return int(X.nnz * (X.dtype.itemsize + X.indices.itemsize) // X.shape[0])
    return int(X.shape[1] * X.dtype.itemsize)


@cache
def _controller() -> ThreadpoolController:
    """Find this process's BLAS libraries, once: the search costs far more than a limit."""
    return ThreadpoolController()


class _SingleThreadedBlas:
    """Knows who wants one BLAS thread: the first sets the limit, the last restores it.

    For most libraries the limit belongs to the process, not to the thread that sets it, so fits
    that overlap in several threads must share one: each restoring what it found would leave the
    limit at one. OpenBLAS on OpenMP has a limit for each thread, set and restored by each.

    An interrupt may come between any two lines here. What was before the first limit is
    therefore forgotten only once it is restored, if not by this fit then by the next one.
    """

    def __init__(self) -> None:
        self._before: dict[str, int] = {}
        self.forget_users()

    def forget_users(self) -> None:
        """Start with no users and an open lock, as a forked process must.

        If it was forked during a fit, its own first fit restores the limit from before that.
        """
        self._lock = threading.Lock()
        self._users: set[object] = set()

    def enter(self, user: object) -> None:
        with self._lock:
            self._users.add(user)
            libraries = _blas_libraries()
            if not self._before:
                self._before = {library.filepath: library.num_threads for library in libraries}
            _set_threads(libraries, dict.fromkeys(self._before, 1))

    def leave(self, user: object) -> None:
        with self._lock:
            self._users.discard(user)
            libraries = _blas_libraries()
            if self._users:
                libraries = [library for library in libraries if _limits_each_thread(library)]
            _set_threads(libraries, self._before)
            if not self._users:
                self._before = {}


def _blas_libraries() -> list[Any]:
    return [library for library in _controller().lib_controllers if library.user_api == "blas"]


def _limits_each_thread(library: Any) -> bool:
    return bool(library.internal_api == "openblas" and library.threading_layer == "openmp")


def _set_threads(libraries: list[Any], threads: dict[str, int]) -> None:
    """Set the limits from this thread, though another may have set them last.

    Since threadpoolctl 3.8 the first thread to set a limit of the process is the only one that
    can, until it is made to let go.
    """
    let_go = getattr(OpenBLASController, "clear_controlling_thread", None)
    if let_go:
        let_go(force=True)
    for library in libraries:
        if library.filepath in threads:
            library.set_num_threads(threads[library.filepath])
    if let_go:
        let_go(force=True)


_SINGLE_THREADED_BLAS = _SingleThreadedBlas()
if hasattr(os, "register_at_fork"):
    # The threads of the parent, which may hold the lock, do not exist in the child.
    os.register_at_fork(after_in_child=_SINGLE_THREADED_BLAS.forget_users)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Run a block with one BLAS thread, and restore the limit afterwards whatever happens.

    Training wants this twice over: threads that wait for each other make small products
    slower, and a threaded product sums in another order, so that a model's last bits would
    depend on how many threads the machine, or a parallel search, happened to leave it.

    Examples
    --------
    >>> from sk_twolayer._linalg import one_blas_thread
    >>> with one_blas_thread():
    ...     pass
    """
    user = object()
    try:
        _SINGLE_THREADED_BLAS.enter(user)
        yield
    finally:
        try:
            _SINGLE_THREADED_BLAS.leave(user)
        except BaseException:  # interrupted: leave() may be called again, and must be
            _SINGLE_THREADED_BLAS.leave(user)
            raise
