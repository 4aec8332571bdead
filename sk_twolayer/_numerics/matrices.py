"""Rows of any matrix, dense or sparse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.sparse import issparse

from sk_twolayer._typing import Array

BLOCK_ROWS = 1024  # to work on at once: enough for BLAS, and their hidden units fit the cache
SQUARE_BLOCK_ELEMENTS = 2**15  # elements: all the memory that mean_squares takes
HASH_BLOCK_ELEMENTS = 2**17  # elements: all the memory that hash_rows takes beside its result


def is_sparse(X: Any) -> bool:
    """Tell whether a matrix is sparse."""
    return bool(issparse(X))


def take_rows(X: Any, rows: Array | slice, out: Array | None = None) -> Any:
    """Return the rows of a dense or sparse matrix: ``X[rows]``.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._numerics.matrices import take_rows
    >>> take_rows(np.array([[1, 2], [3, 4], [5, 6]]), np.array([2, 0]))
    array([[5, 6],
           [1, 2]])
    """
    if issparse(X) or isinstance(rows, slice):
        return X[rows]
    if X.flags.c_contiguous:
        return X.take(rows, 0, out, "clip")  # faster than X[rows] for short rows
    if out is None:
        out = np.empty((len(rows), *X.shape[1:]), X.dtype)
    out[...] = X[rows]  # take() would copy the whole of such an X first
    return out


def row_batches(X: Any, rows: Array | slice, size: int, out: Array | None = None) -> Iterator[Any]:
    """Yield rows of a dense or sparse matrix, some at a time.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._numerics.matrices import row_batches
    >>> [x.tolist() for x in row_batches(np.array([[1], [2], [3]]), np.array([2, 0, 1]), 2)]
    [[[3], [1]], [[2]]]
    """
    if is_sparse(X):
        X = take_rows(X, rows)  # all of them at once: cutting out consecutive ones costs little
        rows = slice(0, X.shape[0])
    if isinstance(rows, slice):
        for start in range(rows.start, rows.stop, size):
            x = X[start : min(start + size, rows.stop)]
            if out is not None:
                out[...] = x
            yield x if out is None else out
    elif out is not None and X.flags.c_contiguous:  # take_rows, asked once for all of them
        for start in range(0, len(rows), size):
            yield X.take(rows[start : start + size], 0, out, "clip")
    else:
        for start in range(0, len(rows), size):
            yield take_rows(X, rows[start : start + size], out)


def bytes_per_row(X: Any) -> int:
    """Return about how many bytes a row of a dense or sparse matrix takes."""
    if issparse(X):
        return int(X.nnz * (X.dtype.itemsize + X.indices.itemsize) // X.shape[0])
    return int(X.shape[1] * X.dtype.itemsize)


def as_dense(X: Any) -> Array:
    """Return a matrix as an ndarray, the same one if it is dense already."""
    dense: Array = X.toarray() if issparse(X) else X
    return dense


def without_duplicates(X: Any) -> Any:
    """Return a matrix whose sparse entries are added up where there are several in one place.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from sk_twolayer._numerics.matrices import without_duplicates
    >>> without_duplicates(csr_array(([1, 1], [0, 0], [0, 2]), shape=(1, 1))).data
    array([2])
    """
    if issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


def mean_squares(X: Any, weights: Array | None = None) -> Array:
    """Return the mean square of each column.

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
    sums, n_at_once = np.zeros(d, X.dtype), max(1, SQUARE_BLOCK_ELEMENTS // max(1, d))
    with np.errstate(over="ignore", under="ignore"):
        for start in range(0, n, n_at_once):
            rows = slice(start, start + n_at_once)
            x = X[rows]
            square = x.multiply(x).tocsr() if issparse(x) else x * x
            if weights is not None:  # and no product, in which BLAS might multiply inf by 0
                factors = weights[rows, np.newaxis]
                square = square.multiply(factors) if issparse(x) else square * factors
            sums += np.asarray(square.sum(axis=0)).ravel()
    sums /= max(n if weights is None else float(weights.sum()), 1.0)
    return sums


def mean_nonzeros(X: Any, weights: Array | None = None) -> float:
    """Return the mean number of elements per row that are not 0, at least 1.

    It is rounded, so that the order in which weights are summed makes no difference.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._numerics.matrices import mean_nonzeros
    >>> mean_nonzeros(np.array([[1.0, 2.0], [-1.0, 0.0]]))
    1.5
    """
    n, d = X.shape
    if weights is None:  # by the total alone, which is quicker
        values = X.data if issparse(X) else X
        return max(1.0, round(float(np.count_nonzero(values) / max(n, 1)), 6))
    if issparse(X):  # explicit zeros do not count
        counts = np.diff(np.concatenate([[0], np.cumsum(X.data != 0)])[X.indptr])
    else:
        size = max(1, SQUARE_BLOCK_ELEMENTS // max(1, d))
        blocks = [np.count_nonzero(X[k : k + size], axis=1) for k in range(0, n, size)]
        counts = np.concatenate(blocks) if blocks else np.zeros(0)
    return max(1.0, round(float(np.average(counts, weights=weights)), 6)) if n else 1.0


def hash_rows(X: Any) -> Array:
    """Return a number for each row that depends on nothing but what the row holds.

    Rows with equal elements have equal keys, be they dense or sparse, float32 or float64;
    others differ but for a chance of about ``2**-64``. The key of ``x`` is
    ``sum_j h(x_j) r_j``, modulo ``2**64``, with fixed random odd ``r`` and ``h(0) = 0`` [1]_.

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
    factors = np.random.RandomState(0).randint(0, 2**64, size=d, dtype=np.uint64) | np.uint64(1)
    keys = np.empty(n, np.uint64)
    n_at_once = max(1, HASH_BLOCK_ELEMENTS // max(1, d))
    for start in range(0, n, n_at_once):
        rows = slice(start, start + n_at_once)
        if issparse(X):
            part = without_duplicates(X[rows])
            terms = _splitmix64(part.data) * factors[part.indices]
            sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
            keys[rows] = sums[part.indptr[1:]] - sums[part.indptr[:-1]]
        else:
            keys[rows] = (_splitmix64(X[rows]) * factors).sum(axis=1, dtype=np.uint64)
    return keys


def _splitmix64(x: Array) -> Array:
    """Return the ``h`` above: the bits of each number, each of them spread over all 64."""
    z: Array = (x.astype(np.float64) + 0.0).view(np.uint64)  # -0.0 + 0.0 is 0.0
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z ^= z >> np.uint64(shift)
        z *= np.uint64(factor)
    z ^= z >> np.uint64(31)
    return z
