"""Layers for two inputs: multiply and add."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_twolayer._typing import Array
from sk_twolayer.layers._base import Layer


class MulLayer(Layer):
    """Multiply two values: ``out = x * y``.

    Backward: the gradient of each input is `dout` times the *other* input, since ``d(xy)/dx = y``.

    References
    ----------
    .. [1] K. Saitoh, "Deep Learning from Scratch", O'Reilly Japan, 2016, section 5.4.

    Examples
    --------
    >>> from sk_twolayer.layers import MulLayer
    >>> layer = MulLayer()
    >>> layer.forward(100, 2)
    200
    >>> layer.backward(1.1)
    (2.2, 110.00000000000001)
    """

    x: Any
    y: Any

    def forward(self, x: Any, y: Any) -> Any:
        """Return ``x * y``, and keep both.

        Parameters
        ----------
        x, y : float or array-like
            The values to multiply, of the same shape.

        Returns
        -------
        float or ndarray
            The product.
        """
        self.x, self.y = _as_operand(x), _as_operand(y)
        return self.x * self.y

    def backward(self, dout: Any) -> tuple[Any, Any]:
        """Return the gradients of both inputs: `dout` times the other input.

        Parameters
        ----------
        dout : float or array-like
            Gradient with respect to the product.

        Returns
        -------
        dx, dy : float or ndarray
            ``dout * y`` and ``dout * x``.
        """
        self._check_called("x")
        dout = _as_operand(dout)
        return dout * self.y, dout * self.x


class AddLayer(Layer):
    """Add two values: ``out = x + y``.

    Backward: the gradient of both inputs is `dout` itself, so `forward` need not keep anything.

    References
    ----------
    .. [1] K. Saitoh, "Deep Learning from Scratch", O'Reilly Japan, 2016, section 5.4.

    Examples
    --------
    >>> from sk_twolayer.layers import AddLayer
    >>> layer = AddLayer()
    >>> layer.forward(200, 450)
    650
    >>> layer.backward(1.1)
    (1.1, 1.1)
    """

    def forward(self, x: Any, y: Any) -> Any:
        """Return ``x + y``.

        Parameters
        ----------
        x, y : float or array-like
            The values to add, of the same shape.

        Returns
        -------
        float or ndarray
            The sum.
        """
        return _as_operand(x) + _as_operand(y)

    def backward(self, dout: Any) -> tuple[Any, Any]:
        """Return the gradients of both inputs: `dout`, twice.

        Parameters
        ----------
        dout : float or array-like
            Gradient with respect to the sum.

        Returns
        -------
        dx, dy : float or ndarray
            `dout` and `dout`; if it is an array, two copies.
        """
        dout = _as_operand(dout)
        if isinstance(dout, np.ndarray):
            return dout.copy(), dout.copy()
        return dout, dout


def _as_operand(value: Any) -> Array | Any:
    """Return a list or tuple as an array, and a number unchanged."""
    return np.asarray(value) if isinstance(value, list | tuple) else value
