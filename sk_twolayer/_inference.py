"""Predictions of a fitted model, computed in blocks of rows.

Each public method for predictions calls one of these functions, with the fitted classifier and the
X of the user. They do not change the classifier, so several threads may use the same one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.utils.validation import check_array

from sk_twolayer._data.inputs import rows_to_predict
from sk_twolayer._numerics.matrices import is_sparse
from sk_twolayer._numerics.threads import one_blas_thread
from sk_twolayer._typing import Array, Classifier, Matrix
from sk_twolayer.layers._base import bind_forward, run_all
from sk_twolayer.layers._registry import make_activation
from sk_twolayer.losses import SigmoidWithLoss, SoftmaxWithLoss
from sk_twolayer.losses._softmax import empty_probabilities

# Predictions are computed in blocks of rows, each of which stays in the cache from the check of its
# input to its result. The input, the hidden units and the scores of a block take at most
# ..._BLOCK_BYTES each, unless that would be fewer than MIN_..._ROWS, for which the products would
# be inefficient. If there are many hidden units, MIN_HIDDEN_ROWS of them take more than
# MAX_HIDDEN_BYTES: then fewer rows, down to MIN_SCORE_ROWS, are in a block.
MAX_BLOCK_ROWS = 8192
INPUT_BLOCK_BYTES, MIN_INPUT_ROWS = 2**20, 2048
HIDDEN_BLOCK_BYTES, MIN_HIDDEN_ROWS, MAX_HIDDEN_BYTES = 2**20, 1024, 2**22
SCORE_BLOCK_BYTES, MIN_SCORE_ROWS = 2**22, 32
# Up to this number of multiplications, all builds of OpenBLAS use one thread for a product (for a
# vector times a matrix, up to 9216). So the number of threads need not be limited, which takes
# several microseconds.
SINGLE_THREAD_MULTIPLICATIONS = 2**13
# Predictions that need at least this number of multiplications in total, which take about 10 ms,
# compute their blocks in several threads.
PARALLEL_MULTIPLICATIONS = 2**28
# Scores that differ by less than this number times the machine epsilon may have equal
# probabilities.
TIE_EPS = 8

Result = TypeVar("Result")


def is_multilabel(model: Classifier) -> bool:
    """Tell whether the model is for targets with several labels per row."""
    return model.out_activation_ == "logistic" and model.n_outputs_ > 1


def predict_labels(model: Classifier, X: object) -> Any:
    """Return the class of each row with the largest probability, the first of equal ones.

    For multilabel models, return an indicator matrix of the probabilities above one half, which is
    sparse if the model was fitted to a sparse one. Only the scores of one block are in memory at a
    time, or of one block per thread.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from sk_twolayer._inference import predict_labels
    >>> model = SimpleNamespace(
    ...     coefs_=[np.array([[1.0, -1.0]]), np.eye(2)], intercepts_=[np.zeros(2), np.zeros(2)],
    ...     activation_="relu", n_outputs_=2, out_activation_="logistic", n_features_in_=1,
    ...     classes_=np.arange(2))
    >>> predict_labels(model, np.array([[3.0], [0.0], [-4.0]]))
    array([[1, 0],
           [0, 0],
           [0, 1]])
    """
    X = rows_to_predict(model, X)
    if is_multilabel(model):
        if getattr(model, "sparse_output_", False):
            return _sparse_indicator(model, X)
        indicator = np.empty((X.shape[0], model.n_outputs_), np.intp)
        _for_blocks(model, X, lambda rows, scores: _assign(indicator, rows, _decide(model, scores)))
        return indicator
    labels = np.empty(X.shape[0], model.classes_.dtype)

    def write(rows: slice, scores: Array) -> None:
        labels[rows] = model.classes_[_decide(model, scores)]

    _for_blocks(model, X, write)
    return labels


def decision_scores(model: Classifier, X: object) -> Array:
    """Return the scores: the log-odds of the second class, or one score per class or label.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from sk_twolayer._inference import decision_scores
    >>> model = SimpleNamespace(
    ...     coefs_=[np.array([[1.0, -1.0]]), np.ones((2, 1))],
    ...     intercepts_=[np.zeros(2), np.zeros(1)], activation_="relu", n_outputs_=1,
    ...     out_activation_="logistic", n_features_in_=1)
    >>> decision_scores(model, np.array([[3.0], [-4.0]]))
    array([3., 4.])
    """
    X = rows_to_predict(model, X)
    out = np.empty((X.shape[0], model.n_outputs_), model.coefs_[0].dtype)
    _for_blocks(model, X, lambda rows, scores: None, into=out)
    return out[:, 0] if model.n_outputs_ == 1 else out


def probabilities(model: Classifier, X: object) -> Array:
    """Return the probability of each class or label, none of which is 0 or 1."""
    X = rows_to_predict(model, X)
    out = empty_probabilities((X.shape[0], _n_columns(model)), model.coefs_[0].dtype)
    _for_blocks(
        model,
        X,
        lambda rows, scores: _probabilities(model, scores, out[rows]),
        into=None if _has_two_classes(model) else out,
    )
    return out


def log_probabilities(model: Classifier, X: object) -> Array:
    """Return the logarithm of each probability, from the scores and without rounding to 0 or 1."""
    X = rows_to_predict(model, X)
    out = np.empty((X.shape[0], _n_columns(model)), model.coefs_[0].dtype)

    def write(rows: slice, scores: Array) -> None:
        if model.out_activation_ == "softmax":
            out[rows] = SoftmaxWithLoss.log_probabilities(scores)
        else:
            if _has_two_classes(model):
                scores = np.hstack([-scores, scores])
            out[rows] = SigmoidWithLoss.log_probabilities(scores)

    _for_blocks(model, X, write)
    return out


def hidden_units(model: Classifier, X: object) -> Array:
    """Return the activations of the hidden units: ``activation(X @ W1 + b1)``."""
    X = rows_to_predict(model, X)
    out = np.empty((X.shape[0], len(model.intercepts_[0])), model.coefs_[0].dtype)
    _for_blocks(model, X, lambda rows, hidden: _assign(out, rows, hidden), hidden_only=True)
    return out


def _for_blocks(
    model: Classifier,
    X: Matrix,
    use: Callable[[slice, Array], Result],
    *,
    into: Array | None = None,
    hidden_only: bool = False,
) -> list[Result]:
    """Call ``use(rows, scores)`` for each block of rows, and return the results in order.

    BLAS computes each product with one thread, so that the bits of a result depend on the block
    alone. Large predictions compute several blocks in parallel instead, in as many threads as BLAS
    may use. The products are those of NumPy, which release the GIL. Those of SciPy, which training
    uses, do not.

    Parameters
    ----------
    model : Classifier
        The classifier.
    X : ndarray or csr container of shape (n, n_features)
        Input rows, in the dtype of the model. NaN and infinity are errors.
    use : callable
        ``use(rows, scores)`` gets the slice of the rows and an array of shape
        (n_rows, n_outputs), which it may change.
    into : ndarray of shape (n, n_outputs), default=None
        If it is C-contiguous, the scores are computed in its rows; otherwise it is ignored.
    hidden_only : bool, default=False
        Whether to pass the activations of the hidden units instead of the scores.

    Returns
    -------
    list
        What `use` returned for each block.
    """
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    n, largest = X.shape[0], max(W1.size, W2.size)
    work = n * (W1.size + W2.size)
    size = _block_rows(n, W1, W2, work)
    buffer = into if into is not None and into.flags.c_contiguous else None

    def run(start: int, hidden: Array | None = None) -> Result:
        x = X[start : start + size]
        with np.errstate(over="ignore", invalid="ignore"):
            _check_finite(x, model)
            if is_sparse(x):
                results = x @ W1
            else:
                results = np.dot(x, W1, None if hidden is None else hidden[: len(x)])
            results += b1
            # each block has its own layer, because blocks may be computed in several threads
            run_all(bind_forward(make_activation(model.activation_), results, results))
            if not hidden_only:
                out = None if buffer is None else buffer[start : start + size]
                results = np.dot(results, W2, out)
                results += b2
            _check_overflow(results, x, start, model)
        return use(slice(start, start + len(results)), results)

    starts = range(0, n, size)
    if n * largest <= SINGLE_THREAD_MULTIPLICATIONS:
        return [run(start) for start in starts]
    with one_blas_thread() as n_threads:
        if work < PARALLEL_MULTIPLICATIONS or min(n_threads, len(starts)) == 1:
            hidden = np.empty((min(n, size), len(b1)), W1.dtype)  # shared by all blocks
            return [run(start, hidden) for start in starts]
        with ThreadPoolExecutor(min(n_threads, len(starts))) as pool:
            return list(pool.map(run, starts))


def _block_rows(n: int, W1: Array, W2: Array, work: int) -> int:
    """Return the number of rows per block.

    It depends on shapes only, and not on the number of threads, because the results of blocks of
    another size may differ in their last bits.
    """
    (n_features, n_hidden), n_outputs, itemsize = W1.shape, W2.shape[1], W1.itemsize
    # smaller blocks if several threads share the cache
    hidden_bytes = (
        HIDDEN_BLOCK_BYTES // 2 if work >= PARALLEL_MULTIPLICATIONS else HIDDEN_BLOCK_BYTES
    )
    hidden_rows = min(MIN_HIDDEN_ROWS, MAX_HIDDEN_BYTES // (n_hidden * itemsize))
    size: int = min(
        MAX_BLOCK_ROWS,
        max(MIN_INPUT_ROWS, INPUT_BLOCK_BYTES // (n_features * itemsize)),
        max(MIN_SCORE_ROWS, hidden_rows, hidden_bytes // (n_hidden * itemsize)),
        max(MIN_SCORE_ROWS, SCORE_BLOCK_BYTES // (n_outputs * itemsize)),
    )
    if work >= PARALLEL_MULTIPLICATIONS:  # at least eight blocks for the threads
        size = min(size, max(MIN_SCORE_ROWS, math.ceil(n / 8)))
    return size


def _check_finite(x: Matrix, model: Classifier) -> None:
    """Raise scikit-learn's error if rows have NaN or infinity."""
    values = x.data if is_sparse(x) else x
    # vdot is faster than a sum, but it copies an array that is not contiguous
    total = np.vdot(values, values) if values.flags.c_contiguous else values.sum()
    if not math.isfinite(total):  # the sum may have overflowed: check each number
        check_array(x, accept_sparse="csr", input_name="X", estimator=model)


def _check_overflow(results: Array, x: Matrix, start: int, model: Classifier) -> None:
    """Raise an error if the results of some rows are not finite."""
    # vdot is the fastest check, and does not warn
    if math.isfinite(np.vdot(results, results)) or np.isfinite(results).all():
        return
    row = int(np.flatnonzero(~np.isfinite(results).all(axis=1))[0])
    # again for the whole block, since the output of a user's layer may depend on the other rows
    hidden_input = x @ model.coefs_[0] + model.intercepts_[0]
    hidden = np.empty_like(hidden_input)
    run_all(bind_forward(make_activation(model.activation_), hidden_input.copy(), hidden))
    is_finite = np.isfinite(hidden[row])
    if np.isfinite(hidden_input[row]).all() and not is_finite.all():
        activation = model.activation_
        name = activation if isinstance(activation, str) else type(activation).__name__
        raise ValueError(
            f"the activation {name} returned {hidden[row][~is_finite][0]} for row {start + row} of "
            f"X, although its input is finite: it ranges from {hidden_input[row].min():g} to "
            f"{hidden_input[row].max():g}"
        )
    raise ValueError(
        f"the results of row {start + row} of X overflow {results.dtype}: X ranges from "
        f"{x.min():g} to {x.max():g} in rows {start} to {start + len(results) - 1}. Scale the "
        f"columns as those of the X to which the {type(model).__name__} was fitted"
    )


def _has_two_classes(model: Classifier) -> bool:
    """Tell whether there is one score for two classes."""
    return model.out_activation_ == "logistic" and model.n_outputs_ == 1


def _n_columns(model: Classifier) -> int:
    return 2 if _has_two_classes(model) else model.n_outputs_


def _assign(out: Array, rows: slice, values: Array) -> None:
    out[rows] = values


def _probabilities(model: Classifier, scores: Array, out: Array | None = None) -> Array:
    """Return the probabilities of a block of scores."""
    if is_multilabel(model):
        return SigmoidWithLoss.probabilities(scores, out)
    if _has_two_classes(model):
        # the sigmoid of s and -s is the softmax of -s/2 and s/2, whose difference is s
        pairs = np.empty((2, len(scores)), scores.dtype)
        np.multiply(scores[:, 0], -0.5, out=pairs[0])
        np.multiply(scores[:, 0], 0.5, out=pairs[1])
        scores = pairs.T
    return SoftmaxWithLoss.probabilities(scores, out)


def _decide(model: Classifier, scores: Array) -> Array:
    """Return the number of the most likely class, or whether each label is likely.

    The scores are compared, which is faster than computing probabilities. But scores that are
    almost equal can have probabilities that are equal after rounding. If a block has such scores,
    its probabilities are compared, so that `predict` agrees with ``argmax`` of `predict_proba`.
    """
    near = TIE_EPS * float(np.finfo(scores.dtype).eps)
    if is_multilabel(model):
        decided = scores > 0
        if ((scores < near) & decided).any():
            decided = _probabilities(model, scores) > 0.5
        return decided
    if _has_two_classes(model):
        above = scores[:, 0] > 0
        is_tie = bool(((scores[:, 0] < near) & above).any())
        number: Array = above.view(np.int8)
    else:
        number = scores.argmax(axis=1)
        top = scores[np.arange(len(scores)), number]
        is_tie = bool(np.count_nonzero(scores >= (top - near)[:, np.newaxis]) > len(scores))
    return _probabilities(model, scores).argmax(axis=1) if is_tie else number


def _sparse_indicator(model: Classifier, X: Matrix) -> csr_matrix:
    """Return the labels of each row as a sparse matrix, without making a dense one of all rows."""

    def find(rows: slice, scores: Array) -> tuple[Array, Array]:
        decided = _decide(model, scores)
        return np.count_nonzero(decided, axis=1), np.nonzero(decided)[1].astype(np.int32)

    counts, columns = zip(*_for_blocks(model, X, find), strict=True)
    starts = np.concatenate([[0], *counts]).cumsum()
    indices = np.concatenate(columns)
    return csr_matrix(
        (np.ones(len(indices), np.intp), indices, starts), shape=(X.shape[0], model.n_outputs_)
    )
