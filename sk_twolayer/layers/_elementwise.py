"""What the layers that work element by element have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from sk_twolayer._layer import Layer, perform
from sk_twolayer._typing import Array, Operation


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
