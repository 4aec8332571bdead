"""Floor 1: optimizers: they see one vector and one action, no layer and no data.

The action is ``add_gradient(into, *, scale, keep)``: ``into <- keep*into + scale*gradient``.
`LBFGS` asks for the objective as well, wherever it looks.
"""

from __future__ import annotations

from typing import Any

from sklearn.base import clone

from sk_twolayer.optimizers._adaptive import AdaGrad, Adam, RMSProp
from sk_twolayer.optimizers._lbfgs import LBFGS
from sk_twolayer.optimizers._optimizer import Optimizer
from sk_twolayer.optimizers._sgd import SGD

__all__ = ["LBFGS", "SGD", "SOLVERS", "AdaGrad", "Adam", "Optimizer", "RMSProp", "make_optimizer"]

SOLVERS: dict[str, type[Optimizer] | type[LBFGS]] = {
    "sgd": SGD,
    "adam": Adam,
    "adagrad": AdaGrad,
    "rmsprop": RMSProp,
    "lbfgs": LBFGS,
}


def make_optimizer(
    solver: str | Optimizer | LBFGS, past: Optimizer | LBFGS | None = None
) -> Optimizer | LBFGS:
    """Return an optimizer that is the caller's to change.

    Parameters
    ----------
    solver : {"sgd", "adam", "adagrad", "rmsprop", "lbfgs"}, Optimizer or LBFGS
        A name for the defaults, or an optimizer to take the parameters from.
    past : Optimizer or LBFGS, default=None
        Where to go on from: what it remembers of its steps is taken over, if it is of the same
        kind. Otherwise the new one has taken no step yet.

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
    if past is not None and type(past) is type(optimizer):
        parameters = optimizer.get_params()
        memory = {name: value for name, value in vars(past).items() if name not in parameters}
        optimizer.__dict__.update(memory)
    return optimizer  # type: ignore[no-any-return]
