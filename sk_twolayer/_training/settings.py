"""Settings of a training run: every "auto" resolved, every combination checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from sk_twolayer._data.dataset import Dataset
from sk_twolayer._data.targets import Labels
from sk_twolayer._numerics.matrices import BLOCK_ROWS, mean_squares, row_keys
from sk_twolayer._sklearn_compat import as_python
from sk_twolayer._training.memory import check_memory
from sk_twolayer._typing import Array
from sk_twolayer.optimizers import Optimizer
from sk_twolayer.optimizers._registry import make_optimizer, uses_minibatches

# batch_size="auto"
MIN_BATCH_ROWS, MAX_BATCH_ROWS = 32, 128
# max_iter="auto"
MIN_EPOCHS, MAX_EPOCHS, TARGET_STEPS = 10, 40, 4500
LBFGS_EPOCHS = 200
# n_iter_no_change="auto"
MIN_PATIENCE_EPOCHS, MIN_PATIENCE_STEPS = 10, 100
# alpha="auto"
AUTO_ALPHA = 3e-4
STREAM_ROWS = 10_000  # assumed in partial_fit, where the number of rows is not known


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Parameters of a training run, none of which is "auto".

    Parameters
    ----------
    batch_size : int
        Rows per minibatch; all rows for an optimizer that takes full-batch steps.
    block_size : int
        Rows that are in the workspace at the same time: `batch_size`, or fewer for full-batch
        steps, whose gradient is summed over blocks.
    period : int
        Number of epochs in which the "cosine" schedule falls to 0.
    fixed_length : bool
        Whether the schedule determines the number of epochs, so that only validation scores may
        end training earlier.
    max_iter : int
        Resolved largest number of epochs; in `partial_fit`, length of the history.
    auto_epochs : int
        Number of epochs of ``max_iter="auto"``.
    n_epochs : int
        Largest number of epochs of this call.
    """

    n_features: int
    hidden_size: int
    n_outputs: int
    loss: str
    dtype: np.dtype[Any]
    activation: Any
    weight_init_std: float | str
    solver: str | Optimizer
    learning_rate: float
    schedule: str
    period: int
    fixed_length: bool
    alpha: float
    dropout: float
    batch_size: int
    block_size: int
    max_iter: int
    auto_epochs: int
    n_epochs: int
    shuffle: bool
    tol: float | None
    n_iter_no_change: int
    early_stopping: bool

    @classmethod
    def resolve(
        cls,
        params: Mapping[str, Any],
        dataset: Dataset,
        labels: Labels,
        *,
        resumed_alpha: float | None = None,
        streaming: bool = False,
    ) -> Self:
        """Return the settings that parameters of the estimator stand for on some data.

        Parameters
        ----------
        params : mapping
            The parameters of the estimator, each of them valid by itself.
        dataset : Dataset
            The training rows.
        labels : Labels
            The classes, or labels, of the targets.
        resumed_alpha : float or None
            The strength of the penalty so far, where training is resumed.
        streaming : bool
            Whether these are rows for one epoch, and more may follow.
        """
        n, n_features = dataset.X.shape
        optimizer = make_optimizer(params["solver"])
        learning_rate = as_python(params["learning_rate"])
        if learning_rate == "auto":
            learning_rate = optimizer.default_learning_rate(n_features)
        if optimizer.uses_minibatches:
            batch_size = resolve_batch_size(as_python(params["batch_size"]), n)
            n_steps = math.ceil(n / max(1, batch_size))
            auto_epochs = auto_max_iter(n_steps)
        else:
            # a full-batch step, with its line search, does the work of many
            batch_size, n_steps, auto_epochs = n, MIN_PATIENCE_STEPS, LBFGS_EPOCHS
        schedule = params["learning_rate_schedule"]
        resumable = streaming or params["warm_start"]
        max_iter = auto_epochs if params["max_iter"] == "auto" else int(params["max_iter"])
        if schedule == "auto":
            schedule = "constant" if resumable else "cosine"
            if schedule == "cosine":
                max_iter = min(max_iter, auto_epochs)
        sizes = n_features, int(params["hidden_size"]), labels.n_outputs
        settings = cls(
            n_features=n_features,
            hidden_size=sizes[1],
            n_outputs=labels.n_outputs,
            loss=labels.loss,
            dtype=dataset.X.dtype,
            activation=params["activation"],
            weight_init_std=as_python(params["weight_init_std"]),
            solver=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            period=max_iter,
            fixed_length=schedule == "cosine" and not resumable and optimizer.uses_minibatches,
            alpha=0.0,
            dropout=float(params["dropout"]),
            batch_size=batch_size,
            block_size=batch_size if optimizer.uses_minibatches else min(n, BLOCK_ROWS),
            max_iter=max_iter,
            auto_epochs=auto_epochs,
            n_epochs=min(n, 1) if streaming else max_iter,
            shuffle=bool(params["shuffle"]),
            tol=as_python(params["tol"]),
            n_iter_no_change=resolve_patience(params["n_iter_no_change"], n_steps),
            early_stopping=bool(params["early_stopping"]),
        )
        check_memory(settings, n)  # before the rows are compared, for "auto"
        alpha = _resolve_alpha(params["alpha"], dataset, resumed_alpha, streaming=streaming)
        return replace(settings, alpha=alpha)


def check_parameters(params: Mapping[str, Any]) -> None:
    """Refuse combinations of parameters that are valid one by one."""
    if params["dropout"] and not uses_minibatches(params["solver"]):
        raise ValueError(
            f"dropout={params['dropout']} is not supported with {params['solver']!r}, which uses "
            "full-batch steps. Set dropout=0, or choose another solver"
        )


def partial_fit_problem(params: Mapping[str, Any]) -> str | None:
    """Return why there is no `partial_fit` with some parameters, or None if there is."""
    if not uses_minibatches(params["solver"]):
        return (
            "partial_fit needs a solver that takes steps by minibatches, which L-BFGS does not: "
            'set solver to "sgd" or "adam", for example'
        )
    if params["early_stopping"]:
        return (
            "partial_fit does not support early_stopping=True: it trains one epoch per call, and "
            "the caller decides when to stop. Set early_stopping=False"
        )
    if isinstance(params["class_weight"], str):
        return (
            "class_weight='balanced' needs all rows at once, which partial_fit does not have: "
            "give a dict, for example from sklearn.utils.compute_class_weight"
        )
    return None


def resolve_batch_size(batch_size: int | str, n_samples: int) -> int:
    """Return the number of rows per minibatch.

    "auto" is ``n_samples // 32``, clipped to [32, 128], and all rows up to 64 of them, which would
    otherwise make too few steps per epoch of the default number of epochs. "full" is all rows. A
    number larger than the number of rows is all rows.

    Examples
    --------
    >>> from sk_twolayer._training.settings import resolve_batch_size
    >>> [resolve_batch_size("auto", n) for n in (50, 100, 2000, 60000)]
    [50, 32, 62, 128]
    >>> resolve_batch_size("full", 1000), resolve_batch_size(20, 1000), resolve_batch_size(20, 10)
    (1000, 20, 10)
    """
    if not isinstance(batch_size, str):
        return min(batch_size, n_samples)
    if batch_size == "full" or n_samples <= 2 * MIN_BATCH_ROWS:
        return n_samples
    return min(max(MIN_BATCH_ROWS, n_samples // 32), MAX_BATCH_ROWS)


def auto_max_iter(steps_per_epoch: int) -> int:
    """Return the number of epochs that take 4500 steps, clipped to [10, 40].

    Examples
    --------
    >>> from sk_twolayer._training.settings import auto_max_iter
    >>> [auto_max_iter(n_steps) for n_steps in (8, 118, 313, 469)]
    [40, 38, 14, 10]
    """
    return min(max(MIN_EPOCHS, round(TARGET_STEPS / max(1, steps_per_epoch))), MAX_EPOCHS)


def resolve_patience(n_iter_no_change: int | str, steps_per_epoch: int) -> int:
    """Return the number of epochs without improvement after which training stops.

    "auto" is as many as take 100 steps, and at least 10: ten steps of gradient descent by
    themselves are too few to tell.

    Examples
    --------
    >>> from sk_twolayer._training.settings import resolve_patience
    >>> resolve_patience("auto", steps_per_epoch=1), resolve_patience("auto", steps_per_epoch=32)
    (100, 10)
    """
    if not isinstance(n_iter_no_change, str):
        return int(n_iter_no_change)
    return max(MIN_PATIENCE_EPOCHS, math.ceil(MIN_PATIENCE_STEPS / max(1, steps_per_epoch)))


def _resolve_alpha(
    alpha: Any, dataset: Dataset, resumed: float | None, *, streaming: bool
) -> float:
    """Return the strength of the penalty."""
    if alpha != "auto":
        return float(alpha)
    X = dataset.X
    if not X.shape[0]:
        return resumed or 0.0
    n_different = STREAM_ROWS if streaming else len(np.unique(row_keys(X)))
    return auto_alpha(mean_squares(X, dataset.weights), n_different)


def auto_alpha(mean_squares: Array, n_different: int) -> float:
    """Return the strength of the penalty that suits some inputs.

    ``3e-4 * min(E[x @ x], features) / sqrt(n)``, for ``n`` different rows: as strong for the sum
    of many inputs as for that of few, which smaller weights hold to the same size, and the weaker
    the more rows there are to tell what the weights should be. Chosen on data of 150 to 60,000 rows
    and 2 to 784 columns (`benchmarks/defaults.py`); rounded, so that the order of a sum makes no
    difference.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._training.settings import auto_alpha
    >>> round(auto_alpha(np.ones(784), 60000), 6), round(auto_alpha(np.ones(25), 400), 6)
    (0.000977, 0.000377)
    >>> round(auto_alpha(np.full(784, 100.0), 60000), 6), auto_alpha(np.zeros(3), 10)
    (0.000977, 0.0)
    """
    strength = AUTO_ALPHA * min(float(mean_squares.sum()), len(mean_squares))
    if not strength:
        return 0.0
    # powers of two with whole eighths: no quotient of whole numbers lies just between two of them
    return float(2 ** (round(8 * math.log2(strength / math.sqrt(n_different))) / 8))
