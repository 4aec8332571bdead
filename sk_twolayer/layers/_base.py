"""Base classes of the layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from sk_twolayer._typing import Array, Operation


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


class ElementwiseLayer(Layer, ABC):
    """Base of the layers whose output has the shape of their input, element by element.

    Attributes
    ----------
    y : ndarray
        The last output.
    keeps_integers : bool
        Whether whole numbers give whole numbers; otherwise they give float64.
    """

    keeps_integers: ClassVar[bool] = True
    y: Array

    def forward(self, x: Any, out: Array | None = None) -> Array:
        """Return the output, element by element; the class has the formula.

        Parameters
        ----------
        x : ndarray
            Input of any shape.
        out : ndarray of the same shape, default=None
            Where to put the result; may be `x`.

        Returns
        -------
        ndarray
            The output, in the dtype of `x`; of whole numbers, see `keeps_integers`.
        """
        x = np.asarray(x)
        if out is None:
            is_whole = x.dtype.kind in "biu" and not self.keeps_integers
            out = np.empty_like(x, np.float64 if is_whole else x.dtype)
        perform(self.bind_forward(x, out))
        return out

    def backward(self, dout: Any, out: Array | None = None) -> Array:
        """Return `dout` times the slope at the last input; the class has the formula.

        Parameters
        ----------
        dout : ndarray
            Gradient with respect to the output.
        out : ndarray of the same shape, default=None
            Where to put the result; may be `dout`, which is otherwise left alone.

        Returns
        -------
        ndarray
            Gradient with respect to the input.
        """
        dout = np.asarray(dout)
        if out is None:
            out = np.empty_like(dout, np.result_type(dout, self.y))
        perform(self.bind_backward(dout, out))
        return out

    @abstractmethod
    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        """Lay `forward` over arrays.

        Parameters
        ----------
        x : ndarray
            Input.
        out : ndarray of the same shape
            Output; may be `x`.

        Returns
        -------
        list of callables
            What fills `out`, whenever it is performed.
        """

    @abstractmethod
    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        """Lay `backward` over `dout`, `out` and the arrays of the last `forward`.

        Parameters
        ----------
        dout : ndarray
            Gradient with respect to the output.
        out : ndarray of the same shape
            Gradient with respect to the input; may be `dout`.

        Returns
        -------
        list of callables
            What fills `out`, whenever it is performed.
        """
