"""Base classes of the layers, and how any layer is bound to arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, ClassVar, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse

from sk_twolayer._sklearn_compat import BaseEstimator
from sk_twolayer._typing import Array, Matrix, Operation

AddNode: TypeAlias = Callable[..., str]
"""``add(op, *inputs, **attributes)``: add a node to an ONNX graph, and return its output's name."""


class SupportsBackward(Protocol):
    """The two methods that a layer of a network must have; it need not derive from `Layer`."""

    def forward(self, x: Any, /) -> Any: ...

    def backward(self, dout: Any, /) -> Any: ...


class Layer(ABC):
    """Base class of the layers: a step of a computation, and its derivative.

    ``forward`` computes the output and keeps what ``backward`` needs. ``backward`` is given the
    gradient of the loss with respect to that output, `dout`, and returns the gradient with respect
    to the input. That is the chain rule for one step.

    If a method has an argument `out`, ``out=None`` allocates the result; a given array is filled
    with the result and returned. A layer that works element by element accepts its input as `out`.
    Layers keep arrays without copying them: do not change one between ``forward`` and ``backward``.

    A subclass needs `forward` and `backward`. Training calls `bind_forward` and `bind_backward`
    once for its arrays, and for every minibatch calls the functions that they return. By default,
    these call `forward` and `backward` and copy the results. A layer that overrides the two methods
    can write its results to the arrays without a copy.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.layers import Layer
    >>> class Square(Layer):
    ...     def forward(self, x):
    ...         self.x = np.asarray(x)
    ...         return self.x**2
    ...     def backward(self, dout):
    ...         return 2 * self.x * dout
    >>> square = Square()
    >>> square.forward([1.0, -3.0])
    array([1., 9.])
    >>> square.backward(np.array([1.0, 10.0]))
    array([  2., -60.])
    >>> square
    Square(): x (2,)
    """

    @abstractmethod
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return the output, and keep what `backward` needs.

        Parameters
        ----------
        *args : ndarray
            Input; one array for the layers of a network.
        **kwargs : dict
            Options of the layer, such as `out`.

        Returns
        -------
        ndarray
            Output.
        """

    @abstractmethod
    def backward(self, *args: Any, **kwargs: Any) -> Any:
        """Return the gradient with respect to the input of the last `forward`.

        Parameters
        ----------
        *args : ndarray
            Gradient with respect to the output.
        **kwargs : dict
            Options of the layer, such as `out`.

        Returns
        -------
        ndarray
            Gradient with respect to the input.
        """

    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        """Bind `forward` to an input and an output array (advanced).

        Parameters
        ----------
        x : ndarray
            Input.
        out : ndarray
            Output; may be `x` if the layer works element by element.

        Returns
        -------
        list of callables
            Functions without arguments that compute `out` from the current contents of `x`.
        """
        return _bind_by_copying(self.forward, x, out)

    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        """Bind `backward` to its arrays and to those of the last `bind_forward` (advanced).

        Parameters
        ----------
        dout : ndarray
            Gradient with respect to the output.
        out : ndarray
            Gradient with respect to the input; may be `dout` if the layer works element by
            element.

        Returns
        -------
        list of callables
            Functions without arguments that compute `out` from the current contents of `dout`.
        """
        return _bind_by_copying(self.backward, dout, out)

    def __repr__(self) -> str:
        shapes = [
            f"{name.lstrip('_')} {value.shape}"
            for name, value in vars(self).items()
            if isinstance(value, np.ndarray) or issparse(value)
        ]
        return ": ".join([self._name(), *([", ".join(shapes)] if shapes else [])])

    def _name(self) -> str:
        """Return the name of the class with the parameters, such as ``Elu(alpha=2)``."""
        return f"{type(self).__name__}()"

    def _check_called(self, attribute: str) -> None:
        """Raise an error if an attribute is not set, since `forward` or `backward` sets it."""
        if attribute not in vars(self):
            raise AttributeError(
                f"this {type(self).__name__} has no {attribute!r} yet: call forward() first, and "
                "then backward()"
            )


def run_all(operations: Iterable[Operation]) -> None:
    """Call operations in order."""
    for operation in operations:
        operation()


def bind_forward(layer: SupportsBackward, x: Matrix, out: Array) -> list[Operation]:
    """Bind `forward` of a layer to arrays; the layer need not have `bind_forward`."""
    if _has_binding(layer, "forward"):
        return cast(Layer, layer).bind_forward(cast(Array, x), out)
    return _bind_by_copying(layer.forward, cast(Array, x), out)


def bind_backward(layer: SupportsBackward, dout: Array, out: Array) -> list[Operation]:
    """Bind `backward` of a layer to arrays; the layer need not have `bind_backward`."""
    if _has_binding(layer, "backward"):
        return cast(Layer, layer).bind_backward(dout, out)
    return _bind_by_copying(layer.backward, dout, out)


def _has_binding(layer: SupportsBackward, method: str) -> bool:
    """Tell whether a layer has a ``bind_<method>`` that computes the same as its `method`.

    A subclass of `Relu` that overrides `forward` but not `bind_forward` does not have one: the
    method that it inherits computes relu. Neither does a layer whose `forward` was assigned to the
    object.
    """
    return _class_has_binding(type(layer), method) and method not in getattr(layer, "__dict__", ())


@lru_cache(maxsize=256)  # because predictions bind a layer for each block of rows
def _class_has_binding(cls: type, method: str) -> bool:
    """Tell whether the first class that defines `method` or ``bind_<method>`` has the latter."""
    for base in cls.__mro__:
        if f"bind_{method}" in vars(base):
            return True
        if method in vars(base):
            return False
    return False


def _bind_by_copying(method: Callable[[Array], Any], x: Array, out: Array) -> list[Operation]:
    """Bind a method that returns a new array to an input and an output array.

    The method is called with a copy of `x`, because it may overwrite its argument, or keep it for
    `backward`, and `out` may be `x`. The result is converted to the floating type of `out`.
    """
    own_x = np.empty_like(x)

    def call_and_copy() -> None:
        own_x[...] = x
        result = np.asarray(method(own_x))
        if result.shape != out.shape:
            name = getattr(method, "__qualname__", method)
            raise ValueError(
                f"{name} returned an array of shape {result.shape}, but must return one of shape "
                f"{out.shape} for its argument of shape {x.shape}"
            )
        np.copyto(out, result, casting="same_kind")

    return [call_and_copy]


class ElementwiseLayer(Layer, BaseEstimator):
    """Base class of the layers that apply a function to each element of their input.

    Parameters of a layer follow scikit-learn's convention: `clone` returns a layer that has not
    been called yet, and a grid search can vary a parameter by ``activation__slope``.

    Attributes
    ----------
    y : ndarray
        The last output.
    keeps_integers : bool
        Whether the output for integers has their dtype; otherwise it is float64.
    """

    keeps_integers: ClassVar[bool] = True
    y: Array

    def forward(self, x: ArrayLike, out: Array | None = None) -> Array:
        """Return the output; the formula is in the docstring of the class.

        Parameters
        ----------
        x : array-like
            Input of any shape.
        out : ndarray of the same shape, default=None
            Filled with the result; may be `x`.

        Returns
        -------
        ndarray
            The output, in the dtype of `x`; for integers, see `keeps_integers`.

        Raises
        ------
        ValueError
            If `out` has another shape.
        """
        x = np.asarray(x)
        if x.dtype.kind in "biu" and not self.keeps_integers:
            x = x.astype(np.float64)
        if out is None:
            out = np.empty_like(x)
        _check_same_shape("out", out, "x", x)
        run_all(self.bind_forward(x, out))
        return out

    def backward(self, dout: ArrayLike, out: Array | None = None) -> Array:
        """Return `dout` times the derivative at the last input; see the class.

        Parameters
        ----------
        dout : array-like
            Gradient with respect to the output.
        out : ndarray of the same shape, default=None
            Filled with the result; may be `dout`, which is not changed otherwise.

        Returns
        -------
        ndarray
            Gradient with respect to the input.

        Raises
        ------
        AttributeError
            If `forward` has not been called.
        ValueError
            If the shape of `dout` is not that of the last output, or that of `out` is not that of
            `dout`.
        """
        self._check_called("y")
        dout = np.asarray(dout)
        _check_same_shape("dout", dout, "the last output", self.y)
        if out is None:
            out = np.empty_like(dout, np.result_type(dout, self.y))
        _check_same_shape("out", out, "dout", dout)
        run_all(self.bind_backward(dout, out))
        return out

    @abstractmethod
    def bind_forward(self, x: Array, out: Array) -> list[Operation]:
        pass

    @abstractmethod
    def bind_backward(self, dout: Array, out: Array) -> list[Operation]:
        pass

    def __repr__(self) -> str:  # with shapes, unlike that of BaseEstimator
        return Layer.__repr__(self)

    def _name(self) -> str:
        return str(BaseEstimator.__repr__(self))


def _check_same_shape(name: str, x: Array, other_name: str, other: Array) -> None:
    if x.shape != other.shape:
        raise ValueError(f"{name} has shape {x.shape}, but {other_name} has {other.shape}")
