"""Settings of a training run: every "auto" resolved, every combination checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from sk_twolayer._data.dataset import Dataset
from sk_twolayer._data.split import n_observations
from sk_twolayer._data.targets import Labels
from sk_twolayer._numerics.matrices import BLOCK_ROWS, mean_nonzeros, mean_squares
from sk_twolayer._sklearn_compat import as_python
from sk_twolayer._training.memory import check_memory
from sk_twolayer._typing import Array
from sk_twolayer.optimizers import Optimizer
from sk_twolayer.optimizers._registry import make_optimizer, uses_minibatches

# batch_size="auto"
MIN_BATCH_ROWS, MAX_BATCH_ROWS = 16, 128
# max_iter="auto"
MIN_EPOCHS, MAX_EPOCHS, TARGET_STEPS, MIN_STEPS = 10, 40, 4500, 300
LBFGS_EPOCHS = 200
# n_iter_no_change="auto"
MIN_PATIENCE_EPOCHS, MIN_PATIENCE_STEPS = 10, 100
# alpha="auto"
AUTO_ALPHA, MAX_SPARSE_NOISE = 4.5e-3, 2 / 3
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
    solver : Optimizer
        An optimizer with valid parameters and without state. Training uses a copy.
    period : int
        Number of epochs in which the "cosine" schedule falls to 0.
    fixed_length : bool
        Whether the schedule determines the number of epochs. If so, only the validation score can
        end training earlier.
    max_iter : int
        Largest number of epochs; in `partial_fit`, the number of epochs in the history.
    auto_epochs : int
        The number of epochs that ``max_iter="auto"`` stands for.
    n_epochs : int
        Largest number of epochs of this call: 1 in `partial_fit`, and 0 without rows.
    """

    n_features: int
    hidden_size: int
    n_outputs: int
    loss: str
    dtype: np.dtype[Any]
    activation: Any
    weight_init_std: float | str
    solver: Optimizer
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
        streaming: bool = False,
    ) -> Self:
        """Return the settings for parameters of the estimator and a data set.

        Parameters
        ----------
        params : mapping
            The parameters of the estimator, which `check_parameters` has accepted.
        dataset : Dataset
            The training rows.
        labels : Labels
            The classes, or labels, of the targets.
        streaming : bool
            Whether to train for one epoch, after which other rows may follow, as in `partial_fit`.
        """
        n, n_features = dataset.X.shape
        optimizer = make_optimizer(params["solver"])
        if optimizer.uses_minibatches:
            batch_size = resolve_batch_size(as_python(params["batch_size"]), n)
            n_steps = math.ceil(n / max(1, batch_size))
            auto_epochs = auto_max_iter(n_steps, int(params["hidden_size"]))
        else:
            # a full-batch step and its line search make as much progress as many minibatch steps
            batch_size, n_steps, auto_epochs = n, MIN_PATIENCE_STEPS, LBFGS_EPOCHS
        schedule = params["learning_rate_schedule"]
        resumable = streaming or params["warm_start"]
        max_iter = auto_epochs if params["max_iter"] == "auto" else int(params["max_iter"])
        if schedule == "auto":
            schedule = "cosine" if optimizer.uses_minibatches and not resumable else "constant"
            if schedule == "cosine":
                max_iter = min(max_iter, auto_epochs)
        # softmax of a single score has no gradient, so that weights of 0 stay 0
        is_constant = len(labels.classes) == 1
        sizes = n_features, int(params["hidden_size"]), labels.n_outputs
        learning_rate, alpha = as_python(params["learning_rate"]), as_python(params["alpha"])
        inputs_per_row = 1.0
        if "auto" in (learning_rate, alpha):  # otherwise not needed, and it reads all of X
            inputs_per_row = mean_nonzeros(dataset.X, dataset.weights)
        if learning_rate == "auto":
            learning_rate = optimizer.default_learning_rate(
                inputs_per_row, sizes[1], decays=schedule == "cosine"
            )
        settings = cls(
            n_features=n_features,
            hidden_size=sizes[1],
            n_outputs=labels.n_outputs,
            loss=labels.loss,
            dtype=dataset.X.dtype,
            activation=params["activation"],
            weight_init_std=0.0 if is_constant else as_python(params["weight_init_std"]),
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
        check_memory(settings, n)  # before alpha="auto", which hashes all rows
        if alpha == "auto":
            n_rows = STREAM_ROWS if streaming or not n else n_observations(dataset)
            squares = mean_squares(dataset.X, dataset.weights)
            alpha = auto_alpha(squares, inputs_per_row, n_rows, labels)
        return replace(settings, alpha=float(alpha))


def check_parameters(params: Mapping[str, Any]) -> None:
    """Refuse parameters that are valid one by one, but not in combination."""
    if params["dropout"] and not uses_minibatches(params["solver"]):
        raise ValueError(
            f"dropout={params['dropout']} is not supported with {params['solver']!r}, which uses "
            "full-batch steps. Set dropout=0, or choose another solver"
        )


def partial_fit_problem(params: Mapping[str, Any]) -> str | None:
    """Return why parameters do not allow `partial_fit`, or None if they do.

    Invalid parameters are no problem here, because `partial_fit` refuses them itself.
    """
    if not uses_minibatches(params["solver"]):
        return (
            "partial_fit needs a solver that takes minibatch steps, and "
            f'{params["solver"]!r} takes full-batch steps: set solver to "sgd" or "adam", for '
            "example"
        )
    if isinstance(params["early_stopping"], bool | np.bool_) and params["early_stopping"]:
        return (
            "partial_fit does not support early_stopping=True: it trains one epoch per call, and "
            "the caller decides when to stop. Set early_stopping=False"
        )
    if isinstance(params["class_weight"], str) and params["class_weight"] == "balanced":
        return (
            "class_weight='balanced' needs all rows at once, and partial_fit is given only some of "
            "them: give a dict, for example from sklearn.utils.compute_class_weight"
        )
    return None


def resolve_batch_size(batch_size: int | str, n_samples: int) -> int:
    """Return the number of rows per minibatch.

    "auto" is ``n_samples // 32``, clipped to [16, 128], or all rows if there are at most 32.
    "full", or a number larger than the number of rows, is all rows.

    Examples
    --------
    >>> from sk_twolayer._training.settings import resolve_batch_size
    >>> [resolve_batch_size("auto", n) for n in (30, 100, 2000, 60000)]
    [30, 16, 62, 128]
    >>> resolve_batch_size("full", 1000), resolve_batch_size(20, 1000), resolve_batch_size(20, 10)
    (1000, 20, 10)
    """
    if not isinstance(batch_size, str):
        return min(batch_size, n_samples)
    if batch_size == "full" or n_samples <= 2 * MIN_BATCH_ROWS:
        return n_samples
    return min(max(MIN_BATCH_ROWS, n_samples // 32), MAX_BATCH_ROWS)


def auto_max_iter(steps_per_epoch: int, hidden_size: int) -> int:
    """Return the number of epochs for ``max_iter="auto"``.

    It is as many epochs as take 4500 steps, clipped to [10, 40], but at least as many as take 300
    steps, or ``300 * sqrt(256 / h)`` steps for fewer than 256 hidden units h. Fewer units need more
    steps, because the gradient of each changes more while the others move.

    Examples
    --------
    >>> from sk_twolayer._training.settings import auto_max_iter
    >>> [auto_max_iter(n_steps, hidden_size=256) for n_steps in (1, 8, 118, 313, 469)]
    [300, 40, 38, 14, 10]
    >>> [auto_max_iter(1, hidden_size=h) for h in (4, 64, 1024)]
    [2400, 600, 300]
    """
    n_steps = max(1, steps_per_epoch)
    epochs = min(max(MIN_EPOCHS, round(TARGET_STEPS / n_steps)), MAX_EPOCHS)
    min_steps = MIN_STEPS * math.sqrt(max(1.0, 256 / hidden_size))
    return max(epochs, math.ceil(min_steps / n_steps))


def resolve_patience(n_iter_no_change: int | str, steps_per_epoch: int) -> int:
    """Return the number of epochs without improvement after which training stops.

    "auto" is as many epochs as take 100 steps, but at least 10. If an epoch is a single step, ten
    epochs are too few to tell whether the objective still decreases.

    Examples
    --------
    >>> from sk_twolayer._training.settings import resolve_patience
    >>> resolve_patience("auto", steps_per_epoch=1), resolve_patience("auto", steps_per_epoch=32)
    (100, 10)
    """
    if not isinstance(n_iter_no_change, str):
        return int(n_iter_no_change)
    return max(MIN_PATIENCE_EPOCHS, math.ceil(MIN_PATIENCE_STEPS / max(1, steps_per_epoch)))


def auto_alpha(mean_squares: Array, inputs_per_row: float, n_rows: int, labels: Labels) -> float:
    """Return the strength of the penalty for ``alpha="auto"``.

    It is ``4.5e-3 * noise * S / sqrt(n + 6 D)``, rounded, where

    - ``S`` is the sum of the root mean squares ``r`` of the columns, each clipped to at most 1. It
      is the number of columns if they are standardised. If a score is a sum over many inputs,
      their weights have to be smaller. S is linear in the scale of X, and so are the weights that
      compensate for a scale.
    - ``n`` is the number of rows. Fewer rows determine the weights less.
    - ``D = (sum r)**2 / sum r**2`` is the effective number of columns. It is the number of columns
      if they are standardised. If it exceeds n/6, columns are redundant, and the penalty grows only
      with its root.
    - ``noise`` estimates how little information a row has about its class. It is
      ``(1 + 50 K/n) / (K - 1)`` for K classes, because ``K - 1`` free scores share the weights, and
      there are ``n / K`` rows per class; K is 2 for multilabel targets. For rows with k nonzeros in
      d columns it is at least ``min(d/3, 150) / (16 k)``, clipped to 2/3, because short texts have
      little information.

    The rule was chosen on half of the data sets of `benchmarks/choose_defaults.py`, and confirmed
    on the other half. The part for rows with few nonzeros was chosen by `benchmarks/text.py`.

    Parameters
    ----------
    mean_squares : ndarray of shape (n_features,)
        Mean square of each column.
    inputs_per_row : float
        Mean number of nonzeros per row.
    n_rows : int
        Number of rows, as `n_observations` counts them.
    labels : Labels
        The classes, or labels.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer._data.targets import Labels
    >>> from sk_twolayer._training.settings import auto_alpha
    >>> binary, digits = Labels(np.arange(2)), Labels(np.arange(10))
    >>> round(auto_alpha(np.ones(25), 25, 400, binary), 4)
    0.006
    >>> round(auto_alpha(np.ones(784), 784, 60000, digits), 4)
    0.0015
    >>> auto_alpha(np.zeros(3), 0, 10, binary)
    0.0
    """
    n, d = n_rows, len(mean_squares)
    roots = np.minimum(np.sqrt(mean_squares, dtype=np.float64), 1.0)
    total = float(roots.sum())
    if not total:
        return 0.0
    n_effective = total**2 / float(roots @ roots)
    n_classes = 2 if labels.loss == "sigmoid" else max(2, len(labels.classes))
    of_classes = (1 + 50 * n_classes / n) / (n_classes - 1)
    of_sparse_rows = min(min(d / 3, 150) / (16 * inputs_per_row), MAX_SPARSE_NOISE)
    noise = max(of_classes, of_sparse_rows)
    return _rounded(AUTO_ALPHA * noise * total / math.sqrt(n + 6 * n_effective))


def _rounded(value: float) -> float:
    """Return the nearest power of two whose exponent is a multiple of 1/8.

    Rounding errors depend on the dtype and the order of the rows. They could only change the result
    if the exact value were half-way between two such powers. Those points are irrational numbers,
    so it is not half-way if it is a quotient of whole numbers.
    """
    return float(2 ** (round(8 * math.log2(value)) / 8))
