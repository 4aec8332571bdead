"""Numerical gradients, and their comparison with those of backpropagation."""

from __future__ import annotations

import copy
from collections.abc import Callable
from inspect import Parameter, signature
from numbers import Real
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from sk_twolayer._typing import Array
from sk_twolayer.losses import LossLayer

__all__ = ["check_gradients", "numerical_gradient"]


class _Layer(Protocol):
    """A layer with one or several inputs, or a loss."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]


def numerical_gradient(
    f: Callable[[Array], float],
    x: Array | list[Any] | tuple[Any, ...] | float,
    *,
    step: float = 1e-5,
) -> Array:
    """Return the gradient of a function by central differences, one element at a time.

    The error of ``(f(x + h e_i) - f(x - h e_i)) / 2h`` is about ``h**2`` times the third
    derivative, plus the rounding error of `f` divided by ``h``.

    Parameters
    ----------
    f : callable
        Function of an array that returns a number. It is called with `x` itself, so it may
        also use a larger structure that contains `x`, such as a network.
    x : ndarray of float64, list or number
        The point at which to compute the gradient. An array is changed while `f` is called, and
        then restored exactly. A list or a number is copied to an array of float64.
    step : float, default=1e-5
        The ``h`` above.

    Returns
    -------
    ndarray in the shape of `x`
        The gradient.

    Raises
    ------
    TypeError
        If `x` is not an array, a list or a number.
    ValueError
        If an array is not float64: in a smaller type, rounding errors are larger than the
        differences, and an integer does not change by the step.

    References
    ----------
    .. [1] C. Bishop, "Pattern Recognition and Machine Learning", 2006, section 5.3.3.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer.gradient_check import numerical_gradient
    >>> numerical_gradient(lambda x: (x**2).sum(), np.array([3.0, 4.0])).round(6)
    array([6., 8.])
    """
    if isinstance(x, list | tuple | Real):
        x = np.array(x, dtype=np.float64)
    if not isinstance(x, np.ndarray):
        raise TypeError(
            f"x must be an ndarray of float64, a list or a number, got {type(x).__name__}"
        )
    if x.dtype != np.float64:
        raise ValueError(
            f"a numerical gradient needs float64, but x is {x.dtype}: convert it with "
            "x.astype(float)"
        )
    gradient: Array = np.empty_like(x)
    for i in np.ndindex(x.shape):
        middle = x[i].copy()
        try:
            x[i] = middle + step
            above = f(x)
            x[i] = middle - step
            below = f(x)
        finally:
            x[i] = middle
        gradient[i] = (above - below) / (2 * step)
    return gradient


def check_gradients(
    model: Any, x: Any = None, t: ArrayLike | None = None, *, tol: float | None = None
) -> dict[str, float]:
    """Compare the gradients by backpropagation with central differences.

    For a network, these are the gradients of its loss with respect to every parameter. For a loss,
    it is the gradient with respect to the scores. For another layer, they are the gradients of a
    weighted sum of its outputs, with respect to its inputs and to every parameter ``W`` for which
    it has a gradient ``dW``.

    Parameters
    ----------
    model : TwoLayerNet or layer
        A network in float64; or any layer, of this package or your own, with `forward` and
        `backward`, an object or its class; or any object with ``gradient(x, t)`` and
        ``numerical_gradient(x, t)``. A layer is copied, not changed.
    x : array-like, default=None
        Input: a few rows for a network; for a layer of two inputs, a tuple of two arrays. For a
        layer, None uses numbers of both signs with absolute values between 0.1 and 4, which avoids
        a kink at 0.
    t : array-like, default=None
        Targets of a network or a loss; for a loss, None uses one-hot rows.
    tol : float, default=None
        Largest accepted difference, relative to gradients whose absolute value is above 1. None
        is 1e-6 for a layer, and no limit for a network.

    Returns
    -------
    dict of str to float
        The largest absolute difference for each parameter or input: below 1e-7 if
        backpropagation is correct, except at the kink of a relu.

    Raises
    ------
    AssertionError
        If a difference is larger than `tol`; the message names the element and both numbers.
    ValueError
        If the network is not float64.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer import TwoLayerNet
    >>> from sk_twolayer.gradient_check import check_gradients
    >>> net = TwoLayerNet(4, 5, 3, weight_init_std=1.0, activation="tanh", random_state=0)
    >>> x = np.random.RandomState(0).standard_normal((6, 4))
    >>> differences = check_gradients(net, x, np.array([0, 1, 2, 0, 1, 2]))
    >>> sorted(differences)
    ['W1', 'W2', 'b1', 'b2']
    >>> max(differences.values()) < 1e-7
    True

    A layer with a mistake:

    >>> class Square:
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x**2
    ...     def backward(self, dout):
    ...         return self.x * dout
    >>> check_gradients(Square(), [[3.0, -1.0]])
    Traceback (most recent call last):
    ...
    AssertionError: Square.backward is wrong: ...the gradient of x[0, 1] is ...
    """
    if hasattr(model, "gradient") and hasattr(model, "numerical_gradient"):
        if x is None or t is None:
            raise ValueError("the gradients of a network are those of its loss: give x and t")
        gradients = model.gradient(x, t), model.numerical_gradient(x, t)
        return _compare(type(model).__name__, *gradients, tol)
    layer: _Layer = model() if isinstance(model, type) else copy.deepcopy(model)
    _convert_to_float64(layer)
    gradients = _layer_gradients(layer, x, t)
    return _compare(type(layer).__name__, *gradients, 1e-6 if tol is None else tol)


def _compare(
    name: str, backpropagated: dict[str, Array], numerical: dict[str, Array], tol: float | None
) -> dict[str, float]:
    """Return the largest difference of each array; raise an error if one exceeds the tolerance."""
    differences = {}
    for key, expected in numerical.items():
        found = np.asarray(backpropagated[key])
        if found.shape != expected.shape:
            raise AssertionError(
                f"{name}.backward is wrong: the gradient of {key} has shape {found.shape}, but "
                f"{key} has {expected.shape}"
            )
        difference: Array = np.abs(found - expected)
        differences[key] = float(difference.max(initial=0.0))
        if tol is None or not difference.size:
            continue
        excess: Array = difference / np.maximum(1, np.abs(expected))
        worst = np.unravel_index(np.where(np.isnan(excess), np.inf, excess).argmax(), excess.shape)
        if not excess[worst] <= tol:
            index = f"[{', '.join(map(str, worst))}]" if worst else ""
            raise AssertionError(
                f"{name}.backward is wrong: by it, the gradient of {key}{index} is "
                f"{found[worst]:.10g}, but by central differences {expected[worst]:.10g} "
                f"(difference {difference[worst]:.1e}, tol={tol:g})"
            )
    return differences


def _layer_gradients(
    layer: _Layer, x: Any, t: ArrayLike | None
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the gradients of a layer by its `backward` and by central differences."""
    n_arguments = _n_arguments(layer.forward)
    has_two_inputs = isinstance(x, tuple) and t is None  # whose shapes may differ
    is_loss = isinstance(layer, LossLayer) or (
        n_arguments > 1 and not has_two_inputs and _is_number(layer, x, t)
    )
    names = ["x", "y"] if n_arguments > 1 and not is_loss else ["x"]
    inputs = dict(zip(names, _inputs(layer, x, len(names)), strict=True))
    targets = [_targets(inputs["x"], t)] if is_loss else []

    def forward() -> Array:
        return np.asarray(layer.forward(*(array.copy() for array in inputs.values()), *targets))

    y = forward()
    dout = np.ones(()) if is_loss else _numbers(y.shape, seed=1)
    result = layer.backward() if is_loss else layer.backward(dout.copy())
    results = (result,) if len(names) == 1 else tuple(result)
    if len(results) != len(names):
        raise AssertionError(
            f"{type(layer).__name__}.backward is wrong: it must return {len(names)} gradients, one "
            f"for each input, but returned {len(results)}"
        )
    found = {name: np.array(gradient) for name, gradient in zip(names, results, strict=True)}
    parameters = {
        name: getattr(layer, name)
        # W and b of Affine are properties, which are not in __dict__
        for name in ("W", "b", *getattr(layer, "__dict__", ()))
        if isinstance(getattr(layer, name, None), float | np.ndarray)
        and isinstance(getattr(layer, f"d{name}", None), int | float | np.ndarray)
    }
    found.update({name: np.array(getattr(layer, f"d{name}")) for name in parameters})

    def objective(_: Array) -> float:
        return float((forward() * dout).sum())

    numerical = {name: numerical_gradient(objective, array) for name, array in inputs.items()}
    for name, value in parameters.items():
        numerical[name] = _parameter_gradient(layer, name, value, objective)
    return found, numerical


def _parameter_gradient(
    layer: _Layer, name: str, value: Array | float, objective: Callable[[Array], float]
) -> Array:
    """Return the numerical gradient with respect to an array or a number of a layer."""
    if isinstance(value, np.ndarray):
        return numerical_gradient(objective, value)

    def objective_at(number: Array) -> float:
        setattr(layer, name, float(number))
        return objective(number)

    gradient = numerical_gradient(objective_at, np.array(value))
    setattr(layer, name, value)
    return gradient


def _convert_to_float64(layer: _Layer) -> None:
    """Convert the parameters of a layer to float64, because `numerical_gradient` requires it."""
    attributes: dict[str, Any] = getattr(layer, "__dict__", {})
    for name, value in attributes.items():
        is_parameter = name.lstrip("_") in ("W", "b")
        if isinstance(value, np.ndarray) and (value.dtype.kind == "f" or is_parameter):
            attributes[name] = value.astype(np.float64)


def _n_arguments(forward: Callable[..., Any]) -> int:
    """Return the number of required arguments of a method."""
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    arguments = signature(forward).parameters.values()
    return sum(a.default is Parameter.empty and a.kind in kinds for a in arguments)


def _is_number(layer: _Layer, x: Any, t: ArrayLike | None) -> bool:
    """Tell whether a layer of two arguments returns a single number, as a loss does."""
    [scores] = _inputs(layer, x, 1)
    return np.ndim(layer.forward(scores, _targets(scores, t))) == 0


def _inputs(layer: _Layer, x: Any, n: int) -> list[Array]:
    """Return copies of the inputs in float64; without inputs, numbers in a suitable shape."""
    if x is None:
        shape = (4, 5)
        if hasattr(layer, "W"):
            shape = (4, len(layer.W))
        return [_numbers(shape, seed=i) for i in range(n)]
    if n == 1:
        return [np.array(x, dtype=np.float64)]
    return [np.array(value, dtype=np.float64) for value in x]


def _targets(x: Array, t: ArrayLike | None) -> ArrayLike:
    """Return the given targets; without any, one-hot rows."""
    return np.eye(x.shape[-1])[np.arange(len(x)) % x.shape[-1]] if t is None else t


def _numbers(shape: tuple[int, ...], seed: int) -> Array:
    """Return numbers of both signs with absolute values between 0.1 and 4."""
    rng = np.random.RandomState(seed)
    sizes = np.linspace(0.1, 4, max(1, int(np.prod(shape))))
    numbers: Array = rng.permutation(sizes * (-1.0) ** np.arange(sizes.size)).reshape(shape)
    return numbers
