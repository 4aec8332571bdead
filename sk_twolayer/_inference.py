"""Scores of many rows in bounded memory, by layers that live as long as the call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from sk_twolayer._numerics.matrices import BLOCK_ROWS
from sk_twolayer._numerics.threads import one_blas_thread
from sk_twolayer._typing import Array
from sk_twolayer.layers._base import perform
from sk_twolayer.layers._registry import Activation
from sk_twolayer.network._chain import affine_layers, bind_forward

BLOCK_BYTES = 2**20  # of X: what is checked is still in the cache when it is multiplied
MIN_BLOCK_ROWS = 512  # for a product worth the call
FEW_MULTIPLICATIONS = 2**18  # which OpenBLAS does on one thread anyway: a limit costs more
NARROW = 2**12  # elements of W1 or W2: from here on more threads pay


def scores_in_blocks(
    coefs: Sequence[Array],
    intercepts: Sequence[Array],
    activation: Activation,
    X: Any,
    check: Callable[[Any], object] | None = None,
) -> Array:
    """Return the scores of each row: ``activation(X @ W1 + b1) @ W2 + b2``.

    Nothing is kept, so that many threads may share the parameters.

    Parameters
    ----------
    coefs : sequence of two ndarrays, of shapes (inputs, hidden) and (hidden, outputs)
        W1 and W2.
    intercepts : sequence of two ndarrays, of shapes (hidden,) and (outputs,)
        The biases b1 and b2.
    activation : str or layer
        What lies between: a name, or a layer of which each call takes a copy.
    X : ndarray or sparse container of shape (n, inputs)
        Input rows, in the dtype of the parameters.
    check : callable, default=None
        Is called with each block of rows before it is worked on: so a large X comes from memory
        into the cache once.

    Returns
    -------
    ndarray of shape (n, outputs)
        Scores, in the dtype of the parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._inference import scores_in_blocks
    >>> W1, W2 = np.array([[1.0, -1.0]]), np.array([[1.0], [1.0]])
    >>> scores_in_blocks([W1, W2], [np.zeros(2), np.zeros(1)], "relu", np.array([[3.0], [-4.0]]))
    array([[3.],
           [4.]])
    """
    (W1, W2), (b1, b2) = coefs, intercepts
    layers = affine_layers(W1, b1, W2, b2, activation)
    n, (n_hidden, n_outputs) = X.shape[0], W2.shape
    block = min(n, BLOCK_ROWS, max(MIN_BLOCK_ROWS, BLOCK_BYTES // (len(W1) * W1.itemsize)))
    hidden = np.empty((block, n_hidden), W2.dtype)
    scores = np.empty((n, n_outputs), W2.dtype)
    with _suitable_blas_threads(n, coefs):
        for start in range(0, n, block):
            x, out = X[start : start + block], scores[start : start + block]
            if check is not None:
                check(x)
            room = hidden[: len(out)]
            perform(bind_forward(layers, x, (room, room, out)))
    return scores


def hidden_units(
    coefs: Sequence[Array], intercepts: Sequence[Array], activation: Activation, X: Any
) -> Array:
    """Return the activations of the hidden units: ``activation(X @ W1 + b1)``.

    Parameters
    ----------
    coefs : sequence of two ndarrays, of shapes (inputs, hidden) and (hidden, outputs)
        W1 and W2.
    intercepts : sequence of two ndarrays, of shapes (hidden,) and (outputs,)
        The biases b1 and b2.
    activation : str or layer
        What a hidden unit does with its weighted sum.
    X : ndarray or sparse container of shape (n, inputs)
        Input rows, in the dtype of the parameters.

    Returns
    -------
    ndarray of shape (n, hidden)
        Activations, in the dtype of the parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._inference import hidden_units
    >>> W1, W2 = np.array([[1.0, -1.0]]), np.array([[1.0], [1.0]])
    >>> hidden_units([W1, W2], [np.zeros(2), np.zeros(1)], "relu", np.array([[3.0], [-4.0]]))
    array([[3., 0.],
           [0., 4.]])
    """
    (W1, W2), (b1, b2) = coefs, intercepts
    layers = affine_layers(W1, b1, W2, b2, activation)
    del layers["Affine2"]
    hidden = np.empty((X.shape[0], len(b1)), W1.dtype)
    with _suitable_blas_threads(len(hidden), coefs):
        perform(bind_forward(layers, X, (hidden, hidden)))
    return hidden


def _suitable_blas_threads(n: int, coefs: Sequence[Array]) -> AbstractContextManager[None]:
    """Return a context that holds BLAS to one thread for a narrow net, unless it would anyway.

    It depends on the net, so that threads that share one agree, whatever rows they bring: the
    number of threads decides on the last bits of a product, and is the same for all of a process.
    """
    largest = max(W.size for W in coefs)
    limited = largest < NARROW and n * largest > FEW_MULTIPLICATIONS
    return one_blas_thread() if limited else nullcontext()
