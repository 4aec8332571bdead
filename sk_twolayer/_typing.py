"""Types that several modules share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class SparseMatrix(Protocol):
    """What this package uses of SciPy's sparse containers, which have no type stubs."""

    shape: tuple[int, ...]
    ndim: int
    dtype: np.dtype[Any]
    format: str
    nnz: int
    data: Array
    indices: Array
    indptr: Array
    has_canonical_format: bool

    @property
    def T(self) -> SparseMatrix: ...

    def __getitem__(self, key: Any, /) -> SparseMatrix: ...

    def __matmul__(self, other: Array, /) -> Array: ...

    def astype(self, dtype: DTypeLike) -> SparseMatrix: ...

    def copy(self) -> SparseMatrix: ...

    def max(self, axis: int | None = None) -> Any: ...

    def min(self, axis: int | None = None) -> Any: ...

    def multiply(self, other: Any, /) -> SparseMatrix: ...

    def reshape(self, *shape: int) -> SparseMatrix: ...

    def sum(self, axis: int | None = None, dtype: DTypeLike | None = None) -> Any: ...

    def sum_duplicates(self) -> None: ...

    def toarray(self) -> Array: ...

    def tocoo(self) -> Any: ...

    def tocsr(self) -> SparseMatrix: ...


Matrix: TypeAlias = Array | SparseMatrix
"""A dense matrix, or a sparse one by rows: input rows, or an indicator matrix of labels."""

Operation: TypeAlias = Callable[[], object]
"""A function without arguments, such as ``partial(np.exp, x, out=y)``, to be called many times."""

AddInPlace: TypeAlias = Callable[[float, float], object]
"""``add(scale, keep)``: change an array in place to ``keep * array + scale * something``."""


class AddGradient(Protocol):
    """``add_gradient(into, scale=, keep=)`` computes ``into <- keep*into + scale*gradient``."""

    def __call__(self, into: Array, *, scale: float = 1.0, keep: float = 1.0) -> None:
        """Change `into` in place."""


class Classifier(Protocol):
    """What other modules use of `TwoLayerClassifier`: its parameters and fitted attributes."""

    hidden_size: int
    activation: Any
    solver: Any
    learning_rate_schedule: str
    batch_size: int | str
    tol: float | None
    n_iter_no_change: int | str
    early_stopping: bool
    validation_fraction: float
    scoring: Any
    class_weight: dict[Any, float] | str | None
    random_state: Any

    classes_: Array
    coefs_: list[Array]
    intercepts_: list[Array]
    activation_: Any
    n_features_in_: int
    n_outputs_: int
    out_activation_: str
    loss_curve_: list[float]
    best_loss_: float
    validation_scores_: list[float] | None
    best_validation_score_: float | None

    @property
    def _multilabel(self) -> bool: ...
