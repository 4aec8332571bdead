"""Base class of the optimizers, and the types between an optimizer and the training loop."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from enum import Enum
from operator import is_
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

import numpy as np

from sk_twolayer._numerics.gemm import flush_denormals
from sk_twolayer._numerics.matrices import blocks
from sk_twolayer._sklearn_compat import EstimatorBase
from sk_twolayer._typing import AddGradient, Array
from sk_twolayer.schedules import LearningRate

Bound = TypeVar("Bound")

# Elements of each vector in a block, see `in_blocks`: four float32 blocks take 1 MB of cache.
BLOCK_ELEMENTS = 2**16


class StopReason(Enum):
    """What ended a training run."""

    MAX_ITER = "the maximum number of epochs was reached"
    MAX_FUN = "the maximum number of evaluations of the objective was reached"
    NO_IMPROVEMENT = "no improvement for n_iter_no_change epochs"
    OPTIMUM = "the optimizer converged"
    CALLBACK = "a callback stopped it"
    INTERRUPT = "it was interrupted"


class EpochResult(NamedTuple):
    """Result of an epoch of an optimizer.

    `loss` is the mean loss of the rows, `objective` is the loss plus the penalty, and
    `learning_rate` is that of the first step. `stop` says why training ends after this epoch; it is
    None if training continues.
    """

    loss: float
    objective: float
    learning_rate: float
    stop: StopReason | None = None


class Objective(Protocol):
    """The objective of training, as a function of one parameter vector `theta`."""

    @property
    def theta(self) -> Array:
        """All parameters; the optimizer changes them in place."""

    @property
    def penalty(self) -> float:
        """The penalty on the parameters, a part of the objective."""

    def minibatch_epoch(
        self, step: Callable[[Array, AddGradient, float], None], learning_rate: LearningRate
    ) -> float:
        """Call ``step(theta, add_gradient, rate)`` for each minibatch, and return the mean loss."""

    def evaluate(self, gradient: Array) -> float:
        """Fill `gradient` with the gradient over all rows, and return the objective."""


class Optimizer(EstimatorBase, ABC):
    """Base class of the optimizers: hyperparameters in ``__init__``, state in attributes.

    An optimizer that takes minibatch steps implements `step` and `default_learning_rate`. An
    optimizer that takes full-batch steps sets ``uses_minibatches = False`` and implements
    `epochs` as well; see `LBFGS`.

    An optimizer has parameters like an estimator of scikit-learn: it can be cloned, and a grid
    search can vary the parameters, for example ``solver__momentum``. The classifier trains with a
    clone and does not change the object that it is given. Each step changes the state of the
    optimizer: to train by hand, use a new optimizer for each network.

    Attributes
    ----------
    uses_minibatches : bool
        Whether each step uses the gradient of a minibatch; otherwise that of all rows.

    Examples
    --------
    An optimizer that uses only the sign of the gradient:

    >>> import numpy as np
    >>> from sk_twolayer.optimizers import Optimizer
    >>> class SignDescent(Optimizer):
    ...     def default_learning_rate(self, inputs_per_row, hidden_size, *, decays):
    ...         return 0.001
    ...
    ...     def step(self, theta, add_gradient, learning_rate):
    ...         gradient = np.empty_like(theta)
    ...         add_gradient(gradient, scale=1, keep=0)
    ...         theta -= learning_rate * np.sign(gradient)
    >>> theta = np.array([1.0, -200.0])
    >>> def add_gradient(into, *, scale, keep):  # of (theta**2).sum() / 2
    ...     into[:] = keep * into + scale * theta
    >>> SignDescent().step(theta, add_gradient, learning_rate=0.1)
    >>> theta
    array([   0.9, -199.9])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}
    uses_minibatches: ClassVar[bool] = True
    _bound: tuple[tuple[Any, ...], Any]

    @abstractmethod
    def default_learning_rate(
        self, inputs_per_row: float, hidden_size: int, *, decays: bool
    ) -> float:
        """Return the learning rate for standardised inputs.

        Parameters
        ----------
        inputs_per_row : float
            Mean number of nonzeros per row of X: the number of columns, if X is dense.
        hidden_size : int
            Number of hidden units.
        decays : bool
            Whether the schedule reduces the learning rate to 0.

        Returns
        -------
        float
            The initial learning rate of ``learning_rate="auto"``.
        """

    @abstractmethod
    def step(self, theta: Array, add_gradient: AddGradient, learning_rate: float) -> None:
        """Take one descent step, in place.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            All parameters; changed in place.
        add_gradient : callable
            ``add_gradient(into, *, scale, keep)`` computes ``into <- keep*into + scale*gradient``
            for an array like `theta`, or for `theta` itself.
        learning_rate : float
            Size of the step.
        """

    def epochs(
        self, objective: Objective, learning_rate: LearningRate
    ) -> Generator[EpochResult, None, StopReason]:
        """Train for one epoch per item of this generator, which returns why training ended.

        Parameters
        ----------
        objective : Objective
            The objective to minimise; its `theta` is changed in place.
        learning_rate : LearningRate
            The learning rate; its progress is updated.

        Yields
        ------
        EpochResult
            Loss, objective and learning rate of the epoch.
        """
        while True:
            rate = learning_rate.current
            loss = objective.minibatch_epoch(self.step, learning_rate)
            self.flush_denormals()
            yield EpochResult(loss, loss + objective.penalty, rate)

    def get_state(self) -> dict[str, Any]:
        """Return the state, without the parameters.

        Returns
        -------
        dict of str to ndarray, number or str
            The attributes that are not parameters; and as "kind", the name of the class.
        """
        parameters = self.get_params(deep=False)
        state: dict[str, Any] = self.__getstate__()
        state = {name: value for name, value in state.items() if name not in parameters}
        return {"kind": type(self).__name__, **state}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from the state of another optimizer of the same class.

        The state of an optimizer of another class is ignored.

        Parameters
        ----------
        state : dict
            What `get_state` of the other optimizer returned; it is copied.
        """
        if state["kind"] == type(self).__name__:
            state = {name: value for name, value in state.items() if name != "kind"}
            self.__setstate__(copy.deepcopy(state))

    def _peak_vectors(self, n_epochs: int) -> int:
        """Return the largest number of arrays of the size of `theta` that training uses at a time.

        The default is four: `theta`, its gradient, one array of state, and a temporary array.
        """
        return 4

    def flush_denormals(self) -> None:
        """Set values of the state that are close to 0 to 0, because denormals are slow."""
        for value in vars(self).values():
            if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim:
                flush_denormals(value)

    def _bound_to(self, bind: Callable[..., Bound], *vectors: Array) -> Bound:
        """Return ``bind(*vectors)``, which is computed in the first step and cached.

        It is computed again if `bind` or one of the vectors is not the same object as before. The
        cache is not part of the saved state.
        """
        key = (bind, *vectors)
        if "_bound" not in vars(self) or not all(map(is_, self._bound[0], key)):
            self._bound = key, bind(*vectors)
        bound: Bound = self._bound[1]
        return bound

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_bound"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():  # not vars(self).update, since some are properties
            setattr(self, name, value)


def in_blocks(*vectors: Array) -> Iterator[tuple[Array, ...]]:
    """Split vectors into blocks that fit in the cache together, for several passes over each one.

    Parameters
    ----------
    *vectors : ndarrays of shape (n,)
        The vectors.

    Yields
    ------
    tuple of ndarrays
        Views of the same block of each vector.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.optimizers._base import in_blocks
    >>> [len(x) for x, y in in_blocks(np.zeros(99999), np.zeros(99999))]
    [65536, 34463]
    """
    for block in blocks(len(vectors[0]), BLOCK_ELEMENTS):
        yield tuple(vector[block] for vector in vectors)


def _block_like(vector: Array) -> Array:
    """Return an uninitialized array for a block, to be used for each block in turn."""
    return np.empty_like(vector[:BLOCK_ELEMENTS])
