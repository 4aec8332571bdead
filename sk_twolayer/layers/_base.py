"""What a layer is: base classes, and the adapter for layers with `forward` and `backward` only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np
from scipy.sparse import issparse

from sk_twolayer._sklearn_compat import BaseEstimator
from sk_twolayer._typing import Array, Operation

AddNode: TypeAlias = Callable[..., str]
"""``add(op, *inputs, **attributes)``: add a node to an ONNX graph, and return its output's name."""


class SupportsBackward(Protocol):
    """The least that a layer of a net has: what a student writes."""

    def forward(self, x: Any, /) -> Any: ...

    def backward(self, dout: Any, /) -> Any: ...


class Layer(ABC):
    """Base of the layers: a step of a computation that can be differentiated.

    ``forward`` computes the output and remembers what ``backward`` will need; ``backward`` takes
    the gradient of the loss with respect to that output, `dout`, and returns the gradient with
    respect to the input. That is the chain rule for one step.

    Where a method has an argument `out`, ``out=None`` allocates the result; an array
    given as `out` is overwritten with it and returned; where a layer works element by element,
    that may be the input itself.
    Arrays are kept by reference: do not change one between ``forward`` and ``backward``.

    A subclass needs `forward` and `backward`. Training calls `bind_forward` and `bind_backward`
    once for its arrays, and the operations that they return for every minibatch. The defaults call
    `forward` and `backward` and copy the results; a layer that overrides them writes its results
    into the arrays, and saves the copies.

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
        """Return the output, and remember what `backward` will need.

        Parameters
        ----------
        *args : ndarray
            Input; one array for the layers of a net.
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
        """Return how the layer is made: the class with its parameters."""
        return f"{type(self).__name__}()"

    def _check_called(self, attribute: str) -> None:
        """Refuse to go on without what `forward` or `backward` remembers."""
        if attribute not in vars(self):
            raise AttributeError(
                f"this {type(self).__name__} has no {attribute!r} yet: call forward(), then "
                "backward(), before reading it"
            )


def run_all(operations: Iterable[Operation]) -> None:
    """Call one operation after the other."""
    for operation in operations:
        operation()


def bind_forward(layer: SupportsBackward, x: Any, out: Array) -> list[Operation]:
    """Bind `forward` of any layer to arrays, also of one that has no `bind_forward`."""
    if _is_bound_by_itself(layer, "forward"):
        bound: Any = layer
        return bound.bind_forward(x, out)  # type: ignore[no-any-return]
    return _bind_by_copying(layer.forward, x, out)


def bind_backward(layer: SupportsBackward, dout: Array, out: Array) -> list[Operation]:
    """Bind `backward` of any layer to arrays, also of one that has no `bind_backward`."""
    if _is_bound_by_itself(layer, "backward"):
        bound: Any = layer
        return bound.bind_backward(dout, out)  # type: ignore[no-any-return]
    return _bind_by_copying(layer.backward, dout, out)


def _is_bound_by_itself(layer: Any, method: str) -> bool:
    """Tell whether ``bind_<method>`` of a layer computes what its `method` does.

    It does not where a subclass of a layer such as `Relu` overrides `forward` alone: then the
    inherited `bind_forward` is the formula of the base class.
    """
    # a method may also be set on the object, after it was made
    cls: Any = type(layer)
    return _class_binds_itself(cls, method) and method not in getattr(layer, "__dict__", ())


@lru_cache(maxsize=256)
def _class_binds_itself(cls: type, method: str) -> bool:
    for kind in cls.__mro__:
        if f"bind_{method}" in vars(kind):
            return True
        if method in vars(kind):
            return False
    return False


def _bind_by_copying(method: Any, x: Array, out: Array) -> list[Operation]:
    """Bind a method that takes an array and returns another one to two fixed arrays.

    The method gets a copy of `x`: it may keep it until `backward` although `out` is `x`, and may
    even write into it. Its result may have another floating type, which becomes that of `out`.
    """
    own_x = np.empty_like(x)

    def call_and_copy() -> None:
        own_x[...] = x
        result = np.asarray(method(own_x))
        if result.shape != out.shape:
            name = getattr(method, "__qualname__", method)
            raise ValueError(
                f"{name} returned an array of shape {result.shape} for one of shape {x.shape}"
            )
        np.copyto(out, result, casting="same_kind")

    return [call_and_copy]


class ElementwiseLayer(Layer, BaseEstimator):
    """Base of the layers whose output has the shape of their input, element by element.

    Parameters of a layer follow scikit-learn's convention: `clone` makes a layer that has not
    been called yet, and a grid search reaches them as ``activation__slope``.

    Attributes
    ----------
    y : ndarray
        The last output.
    keeps_integers : bool
        Whether integers give integers; otherwise they give float64.
    """

    keeps_integers: ClassVar[bool] = True
    y: Array

    def forward(self, x: Any, out: Array | None = None) -> Array:
        """Return the output, element by element; the class has the formula.

        Parameters
        ----------
        x : array-like
            Input of any shape.
        out : ndarray of the same shape, default=None
            Where to put the result; may be `x`.

        Returns
        -------
        ndarray
            The output, in the dtype of `x`; of integers, see `keeps_integers`.

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

    def backward(self, dout: Any, out: Array | None = None) -> Array:
        """Return `dout` times the slope at the last input; the class has the formula.

        Parameters
        ----------
        dout : array-like
            Gradient with respect to the output.
        out : ndarray of the same shape, default=None
            Where to put the result; may be `dout`, which is otherwise left alone.

        Returns
        -------
        ndarray
            Gradient with respect to the input.

        Raises
        ------
        AttributeError
            If `forward` has not been called.
        ValueError
            If `dout` has another shape than the last output, or `out` than `dout`.
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

    def __repr__(self) -> str:  # not that of BaseEstimator, which has no shapes
        return Layer.__repr__(self)

    def _name(self) -> str:
        return str(BaseEstimator.__repr__(self))


def _check_same_shape(name: str, x: Array, other_name: str, other: Array) -> None:
    if x.shape != other.shape:
        raise ValueError(f"{name} has shape {x.shape}, but {other_name} has {other.shape}")
