"""Functions of dense or sparse matrices of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import issparse

from sk_twolayer._typing import Array, Matrix, SparseMatrix

if TYPE_CHECKING:
    from typing_extensions import TypeIs

# Number of rows that are evaluated together: enough for an efficient product, and few enough for
# their hidden units to fit the cache.
BLOCK_ROWS = 1024
# Numbers of elements of X that are squared or hashed together, so that temporary arrays are small.
SQUARE_BLOCK_ELEMENTS = 2**15
HASH_BLOCK_ELEMENTS = 2**17


def blocks(n: int, size: int) -> list[slice]:
    """Return slices that cut ``range(n)`` into blocks of `size`; the last one may be shorter.

    Examples
    --------
    >>> from sk_twolayer._numerics.matrices import blocks
    >>> blocks(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def _row_blocks(X: Matrix, n_elements: int) -> list[slice]:
    """Return slices that cut the rows of a matrix into blocks of about `n_elements` elements."""
    n, d = X.shape
    return blocks(n, max(1, n_elements // max(1, d)))


def is_sparse(X: object) -> TypeIs[SparseMatrix]:
    """Tell whether a matrix is sparse."""
    return bool(issparse(X))


def take_rows(X: Matrix, rows: Array | slice, out: Array | None = None) -> Matrix:
    """Return rows of a matrix: ``X[rows]``.

    Parameters
    ----------
    X : ndarray or sparse container of shape (n, ...)
        The matrix.
    rows : ndarray of shape (m,), dtype intp, or slice
        Row numbers, each in [0, n).
    out : ndarray of shape (m, ...), default=None
        Filled with the rows and returned, if X is dense; ignored if X is sparse.

    Returns
    -------
    ndarray or sparse container of shape (m, ...)
        The rows. A slice of a dense matrix without `out` is a view; other dense rows are
        contiguous.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._numerics.matrices import take_rows
    >>> take_rows(np.array([[1, 2], [3, 4], [5, 6]]), np.array([2, 0]))
    array([[5, 6],
           [1, 2]])
    """
    if not isinstance(X, np.ndarray):  # faster than is_sparse, for each minibatch
        return X[rows]
    if isinstance(rows, slice):
        if out is None:
            return X[rows]
    elif X.flags.c_contiguous:
        # faster than X[rows] for short rows; mode="clip" writes to `out` without a buffer
        return X.take(rows, 0, out, "clip")
    elif out is None:
        out = np.empty((len(rows), *X.shape[1:]), X.dtype)
    out[...] = X[rows]  # take() would first copy the whole of an X that is not contiguous
    return out


def bytes_per_row(X: Matrix) -> int:
    """Return the mean number of bytes per row: of values, and if sparse also of column numbers."""
    if is_sparse(X):
        return int(X.nnz * (X.dtype.itemsize + X.indices.itemsize) // X.shape[0])
    return int(X.shape[1] * X.dtype.itemsize)


def as_dense(X: Matrix) -> Array:
    """Return a matrix as an ndarray: the matrix itself if it is dense."""
    return X.toarray() if is_sparse(X) else X


def without_duplicates(X: Matrix) -> Matrix:
    """Return a matrix in which duplicate entries, which sparse formats allow, are summed.

    X is not changed. X itself is returned if it has no duplicates.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from sk_twolayer._numerics.matrices import without_duplicates
    >>> without_duplicates(csr_array(([1, 1], [0, 0], [0, 2]), shape=(1, 1))).data
    array([2])
    """
    if is_sparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def mean_squares(X: Matrix, weights: Array | None = None) -> Array:
    """Return the mean square of each column: ``sum_i w_i X_ij**2 / sum_i w_i``.

    Parameters
    ----------
    X : ndarray or sparse container of shape (n, d)
        The matrix.
    weights : ndarray of shape (n,), default=None
        Weights of the rows; None is 1 each.

    Returns
    -------
    ndarray of shape (d,), in the dtype of X
        The mean squares: infinity where a square overflows, and 0 without rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._numerics.matrices import mean_squares
    >>> mean_squares(np.array([[1.0, 2.0], [-1.0, 0.0]]))
    array([1., 2.])
    >>> mean_squares(np.array([[1.0, 2.0], [-1.0, 0.0]]), np.array([3.0, 1.0]))
    array([1., 3.])
    """
    n, d = X.shape
    sums = np.zeros(d, X.dtype)
    with np.errstate(over="ignore", under="ignore"):
        for rows in _row_blocks(X, SQUARE_BLOCK_ELEMENTS):
            x = X[rows]
            square = x.multiply(x).tocsr() if is_sparse(x) else x * x
            if weights is not None:
                # not a matrix product, in which BLAS might multiply infinity by 0
                factors = weights[rows, np.newaxis]
                square = square.multiply(factors) if is_sparse(square) else square * factors
            sums += np.asarray(square.sum(axis=0)).ravel()
    sums /= max(n if weights is None else float(weights.sum()), 1.0)
    return sums


def mean_nonzeros(X: Matrix, weights: Array | None = None) -> float:
    """Return the mean number of nonzero elements per row, at least 1.

    It is rounded to six digits, so that it does not depend on the order of the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._numerics.matrices import mean_nonzeros
    >>> mean_nonzeros(np.array([[1.0, 2.0], [-1.0, 0.0]]))
    1.5
    """
    n = X.shape[0]
    if weights is None:  # the total, which is faster to count
        values = X.data if is_sparse(X) else X
        return max(1.0, round(float(np.count_nonzero(values) / max(n, 1)), 6))
    if is_sparse(X):  # nnz would count explicit zeros
        counts = np.diff(np.concatenate([[0], np.cumsum(X.data != 0)])[X.indptr])
    else:
        counts = np.zeros(n)
        for rows in _row_blocks(X, SQUARE_BLOCK_ELEMENTS):
            counts[rows] = np.count_nonzero(X[rows], axis=1)
    return max(1.0, round(float(np.average(counts, weights=weights)), 6)) if n else 1.0


def hash_rows(X: Matrix) -> Array:
    """Return a hash of each row, which depends only on the elements of that row.

    The hash of a row ``x`` is ``sum_j h(x_j) r_j``, modulo ``2**64``, with fixed random odd numbers
    ``r_j`` [1]_. ``h`` mixes the 64 bits of a number, and ``h(0) = 0``: so zeros add nothing, and
    rows with equal elements have equal hashes, whether they are dense or sparse, float32 or
    float64. Two different rows have the same hash with a probability of about ``2**-64``.

    Parameters
    ----------
    X : ndarray or sparse container of shape (n, d), of numbers
        The matrix.

    Returns
    -------
    ndarray of shape (n,), dtype uint64
        The hashes.

    References
    ----------
    .. [1] D. Lemire, O. Kaser, "Strongly universal string hashing is fast", The Computer
       Journal 57, 2014; with the finalizer of G. Steele, D. Lea, C. Flood, "Fast splittable
       pseudorandom number generators", OOPSLA 2014, for ``h``.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._numerics.matrices import hash_rows
    >>> a, b, c = hash_rows(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, -0.0]]))
    >>> bool(a == b), bool(a == c)
    (False, True)
    """
    n, d = X.shape
    multipliers = np.random.RandomState(0).randint(0, 2**64, size=d, dtype=np.uint64)
    multipliers |= np.uint64(1)
    hashes = np.empty(n, np.uint64)
    for rows in _row_blocks(X, HASH_BLOCK_ELEMENTS):
        x = without_duplicates(X[rows])
        if is_sparse(x):
            terms = _splitmix64(x.data) * multipliers[x.indices]
            sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
            hashes[rows] = sums[x.indptr[1:]] - sums[x.indptr[:-1]]
        else:
            hashes[rows] = (_splitmix64(x) * multipliers).sum(axis=1, dtype=np.uint64)
    return hashes


def _splitmix64(x: Array) -> Array:
    """Return ``h`` of `hash_rows`: the finalizer of SplitMix64, applied to the bits of numbers."""
    z: Array = (x.astype(np.float64) + 0.0).view(np.uint64)  # -0.0 + 0.0 is 0.0
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z ^= z >> np.uint64(shift)
        z *= np.uint64(factor)
    z ^= z >> np.uint64(31)
    return z
