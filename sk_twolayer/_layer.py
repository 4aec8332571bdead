"""Floor 0: what every layer promises."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import get_annotations
from typing import TYPE_CHECKING, NoReturn

from sk_twolayer._typing import Operation


class Layer:
    """A step of a computation that can be walked backwards.

    ``forward`` computes the output and remembers just what ``backward`` will need;
    ``backward`` takes the gradient of the loss with respect to that output, `dout`,
    and returns the gradient with respect to the input: the chain rule, one link.

    Where a method has an argument `out`, ``out=None`` allocates the result; an array
    given as `out` is overwritten with it and returned; where a layer works element by element,
    that may be the input itself.
    Arrays are kept by reference: do not change one between ``forward`` and ``backward``.

    A layer that trains has each formula in a method named ``bind_...``, which lays it over
    arrays: it returns the operations, calls with all their arguments, that fill `out` from what
    the input holds when they are performed. ``forward`` performs them once; training binds them
    once and performs them for every minibatch.
    """

    if not TYPE_CHECKING:  # for a type checker it would make every misspelling an attribute

        def __getattr__(self, name: str) -> NoReturn:
            # Runs only when an attribute is missing, so the clear message costs nothing.
            kinds = type(self).__mro__
            if hasattr(type(self), name) or any(name in get_annotations(kind) for kind in kinds):
                raise AttributeError(
                    f"this {type(self).__name__} has no {name!r} yet: call forward(), then "
                    "backward(), before reading it"
                )
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def perform(operations: Iterable[Operation]) -> None:
    """Call one operation after the other."""
    for operation in operations:
        operation()
