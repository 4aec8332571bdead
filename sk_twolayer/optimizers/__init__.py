"""Optimizers: they see one vector and one action, no layer and no data.

The action is ``add_gradient(into, *, scale, keep)``: ``into <- keep*into + scale*gradient``.
`LBFGS` asks for the objective as well, wherever it looks.
"""

from __future__ import annotations

from typing import Any

from sklearn.base import clone

from sk_twolayer._sklearn_compat import as_python
from sk_twolayer.optimizers._adaptive import AdaGrad, Adam, AdamW, RMSProp
from sk_twolayer.optimizers._base import Optimizer
from sk_twolayer.optimizers._lbfgs import LBFGS
from sk_twolayer.optimizers._sgd import SGD

__all__ = [
    "LBFGS",
    "SGD",
    "SOLVERS",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSProp",
    "go_on_from",
    "make_optimizer",
    "memory_of",
]

#: The optimizers by name.
SOLVERS: dict[str, type[Optimizer] | type[LBFGS]] = {
    "sgd": SGD,
    "adam": Adam,
    "adagrad": AdaGrad,
    "rmsprop": RMSProp,
    "lbfgs": LBFGS,
}


def make_optimizer(solver: str | Optimizer | LBFGS) -> Optimizer | LBFGS:
    """Return an optimizer that is the caller's to change, and has taken no step yet.

    Parameters
    ----------
    solver : {"sgd", "adam", "adagrad", "rmsprop", "lbfgs"}, Optimizer or LBFGS
        A name for the defaults, or an optimizer to take the parameters from.

    Returns
    -------
    Optimizer or LBFGS
        A new one.

    Raises
    ------
    ValueError
        If there is no such name, or a parameter of the optimizer is out of its range.

    Examples
    --------
    >>> from sk_twolayer.optimizers import SGD, make_optimizer
    >>> make_optimizer("sgd"), make_optimizer(SGD(momentum=0.5))
    (SGD(), SGD(momentum=0.5))
    """
    if isinstance(solver, str) and solver not in SOLVERS:
        raise ValueError(f"solver must be one of {sorted(SOLVERS)} or an Optimizer, got {solver!r}")
    optimizer: Any = SOLVERS[solver]() if isinstance(solver, str) else clone(solver)
    optimizer._validate_params()
    vars(optimizer).update({name: as_python(value) for name, value in vars(optimizer).items()})
    return optimizer  # type: ignore[no-any-return]


def memory_of(optimizer: Optimizer | LBFGS) -> dict[str, Any]:
    """Return what an optimizer remembers of its steps.

    Parameters
    ----------
    optimizer : Optimizer or LBFGS
        The optimizer.

    Returns
    -------
    dict of str to ndarray, number or str
        What `go_on_from` takes: its attributes, without its parameters, and its kind.

    Examples
    --------
    >>> from sk_twolayer.optimizers import SGD, memory_of
    >>> memory_of(SGD(momentum=0.5))
    {'kind': 'SGD'}
    """
    parameters = optimizer.get_params()
    state: Any = optimizer.__getstate__()  # without what is never saved
    memory = {name: value for name, value in state.items() if name not in parameters}
    return {"kind": type(optimizer).__name__, **memory}


def go_on_from(optimizer: Optimizer | LBFGS, memory: dict[str, Any]) -> None:
    """Take over what another optimizer remembers, if it was of the same kind.

    Parameters
    ----------
    optimizer : Optimizer or LBFGS
        The optimizer; changed in place.
    memory : dict
        What `memory_of` returned for the other one.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.optimizers import Adam, go_on_from, memory_of
    >>> past, adam, theta = Adam(), Adam(beta_1=0.8), np.zeros(2)
    >>> past.step(theta, lambda into, *, scale=1, keep=1: into.fill(1), learning_rate=0.1)
    >>> go_on_from(adam, memory_of(past))
    >>> sorted(memory_of(adam)) == sorted(memory_of(past)), adam
    (True, Adam(beta_1=0.8))
    """
    if memory["kind"] == type(optimizer).__name__:
        optimizer.__dict__.update({name: memory[name] for name in memory if name != "kind"})
