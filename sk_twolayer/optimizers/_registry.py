"""Optimizers by name."""

from __future__ import annotations

from sklearn.base import clone

from sk_twolayer._sklearn_compat import as_python
from sk_twolayer.optimizers._adaptive import AdaGrad, Adam, RMSProp
from sk_twolayer.optimizers._base import Optimizer
from sk_twolayer.optimizers._lbfgs import LBFGS
from sk_twolayer.optimizers._sgd import SGD

SOLVERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "adagrad": AdaGrad,
    "rmsprop": RMSProp,
    "lbfgs": LBFGS,
}


def make_optimizer(solver: str | Optimizer) -> Optimizer:
    """Return a new optimizer, with the parameters of `solver` and without state.

    Parameters
    ----------
    solver : str or Optimizer
        A name of `SOLVERS`, for the default parameters, or an optimizer to clone.

    Raises
    ------
    ValueError
        If there is no such name, or a parameter of the optimizer is out of its range.

    Examples
    --------
    >>> from sk_twolayer.optimizers import SGD
    >>> from sk_twolayer.optimizers._registry import make_optimizer
    >>> make_optimizer("sgd"), make_optimizer(SGD(momentum=0.5))
    (SGD(), SGD(momentum=0.5))
    """
    if isinstance(solver, str):
        if solver not in SOLVERS:
            raise ValueError(
                f"solver must be one of {sorted(SOLVERS)} or an Optimizer, got {solver!r}"
            )
        return SOLVERS[solver]()
    optimizer: Optimizer = clone(solver)
    optimizer._validate_params()
    vars(optimizer).update({name: as_python(value) for name, value in vars(optimizer).items()})
    return optimizer


def uses_minibatches(solver: object) -> bool:
    """Return False if a solver takes full-batch steps, and True for every other value.

    Values that are not solvers are included, because `partial_fit` should exist and refuse them.
    """
    if isinstance(solver, str):
        return SOLVERS.get(solver, Optimizer).uses_minibatches
    return not isinstance(solver, Optimizer) or solver.uses_minibatches
