"""The two-layer network: layers in order over one vector of parameters."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.utils import check_random_state

from sk_twolayer._sklearn_compat import as_python
from sk_twolayer._typing import AddInPlace, Array
from sk_twolayer.gradient_check import numerical_gradient
from sk_twolayer.layers import Affine, Dropout
from sk_twolayer.layers._base import SupportsBackward
from sk_twolayer.layers._registry import Activation, check_activation, copy_activation, copy_layer
from sk_twolayer.losses import LossLayer, SigmoidWithLoss, SoftmaxWithLoss
from sk_twolayer.network._chain import affine_layers, backward, forward
from sk_twolayer.network._initialization import draw_weights, rectifies
from sk_twolayer.network._layers import NamedLayers, bind_parameter_gradient, relink
from sk_twolayer.network._penalty import Penalty
from sk_twolayer.network._views import NamedViews

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOSSES: dict[str, type[LossLayer]] = {"softmax": SoftmaxWithLoss, "sigmoid": SigmoidWithLoss}


class TwoLayerNet:
    """A network of two affine layers, with an activation between them and a loss at the end.

    The scores are ``activation(x @ W1 + b1) @ W2 + b2``, and the objective is
    ``loss(scores, t) + alpha/2 * (sum of W1**2 + sum of W2**2)``. With `dropout`, the loss and
    its gradient are computed without the units that :meth:`draw_dropout` leaves out; predictions
    always use all units.

    Parameters
    ----------
    input_size, hidden_size, output_size : int
        Number of features, of hidden units, and of scores.
    weight_init_std : float or "auto", default=0.01
        Standard deviation of the normal distribution from which the weights are drawn. "auto" is
        He's ``sqrt(2 / inputs)`` for relu and similar activations [2]_, and Glorot's
        ``sqrt(2 / (inputs + outputs))`` for others [3]_. Biases start at 0.
    activation : str or layer, default="relu"
        Activation of the hidden units: "relu", "sigmoid", "tanh", "identity", "leaky_relu", "elu",
        "softplus", "silu", "gelu" or "mish"; or a layer with ``forward(x)`` and
        ``backward(dout)``, an object or its class. The network uses a copy.
    loss : {"softmax", "sigmoid"} or LossLayer, default="softmax"
        The last layer: `SoftmaxWithLoss`, `SigmoidWithLoss`, or a `LossLayer` of your own.
    alpha : float, default=0.0
        Strength of the penalty on the weights; biases are not penalised.
    dropout : float in [0, 1), default=0.0
        Probability that a hidden unit is left out of a training step.
    dtype : dtype, default=float64
        Type of the parameters: float32 or float64.
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights.

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,)
        All parameters in one vector: the weights, then the biases.
    params : mapping of str to ndarray
        "W1", "W2", "b1" and "b2": views of `theta`.
    layers : mapping of str to layer
        The layers up to the scores, in order. Assigning to a name replaces a layer. Copies and
        pickles contain the new one.
    last_layer : LossLayer
        The loss layer; it can be replaced, too.
    alpha : float
        The strength of the penalty; it can be changed.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or the activation cannot be used, for example because it
        has parameters to learn.

    References
    ----------
    .. [1] K. Saitoh, "Deep Learning from Scratch", O'Reilly Japan, 2016, section 5.7.
    .. [2] K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", ICCV 2015.
    .. [3] X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer import TwoLayerNet
    >>> net = TwoLayerNet(2, 8, 2, weight_init_std=1.0, random_state=0)
    >>> x, t = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    >>> for _ in range(100):
    ...     gradient = net.gradient(x, t)
    ...     for name in net.params:
    ...         net.params[name] -= 0.5 * gradient[name]
    >>> net.predict(x).argmax(axis=1)
    array([0, 1, 1, 0])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        weight_init_std: float | str = 0.01,
        *,
        activation: Activation = "relu",
        loss: str | LossLayer | type[LossLayer] = "softmax",
        alpha: float = 0.0,
        dropout: float = 0.0,
        dtype: DTypeLike = np.float64,
        random_state: Any = None,
    ) -> None:
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "output_size": output_size}
        for name, size in sizes.items():
            if not isinstance(size, Integral) or isinstance(size, bool):
                raise ValueError(f"{name} must be an integer, got {size!r}")
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}")
        input_size, hidden_size, output_size = map(int, sizes.values())
        if isinstance(weight_init_std, str) and weight_init_std != "auto":
            raise ValueError(f"weight_init_std must be a number or 'auto', got {weight_init_std!r}")
        if weight_init_std != "auto":
            _check_not_negative("weight_init_std", weight_init_std)
        if not _is_number(dropout) or not 0 <= dropout < 1:
            raise ValueError(f"dropout must be a number in [0, 1), got {dropout!r}")
        dtype = np.dtype(dtype).name
        if dtype not in ("float32", "float64"):
            raise ValueError(f"dtype must be one of ['float32', 'float64'], got {dtype!r}")
        check_activation(activation, hidden_size, dtype)
        self._shapes: dict[str, tuple[int, ...]] = {
            "W1": (input_size, hidden_size),
            "W2": (hidden_size, output_size),
            "b1": (hidden_size,),
            "b2": (output_size,),
        }
        self._activation, self._dropout = copy_activation(activation), dropout
        self._last_layer = _make_loss(loss)
        self._replaced: dict[str, Any] = {}
        self._alpha = _check_not_negative("alpha", alpha)
        self._connect(np.zeros(sum(map(math.prod, self._shapes.values())), dtype))
        random_state = check_random_state(random_state)
        he = weight_init_std == "auto" and rectifies(self._activation, hidden_size, dtype)
        for name in ("W1", "W2"):
            draw_weights(self._params[name], weight_init_std, he, random_state)

    def _connect(self, theta: Array) -> None:
        """Make views of a vector of parameters, and layers over these views."""
        self._theta = theta
        self._params = NamedViews(theta, self._shapes)
        layers = affine_layers(**self._params, activation=self._activation, dropout=self._dropout)
        self._layers = NamedLayers(layers, self._params)
        for name, layer in self._replaced.items():
            self._layers[name] = relink(layer, name, self._params)
        self._has_loss = False
        self._set_penalty()

    def _set_penalty(self) -> None:
        n_weights = self._params["W1"].size + self._params["W2"].size
        self._penalty = Penalty(self._theta, n_weights, self._alpha)

    def __getstate__(self) -> dict[str, Any]:
        # Views and layers are not saved, but made again by __setstate__, because a view becomes an
        # independent array when it is pickled, and layers keep the last batch. So copy.copy(net)
        # has the same theta, and layers of its own. A Workspace binds such layers.
        made_again = {"_params", "_layers", "_penalty"}
        state = {name: value for name, value in vars(self).items() if name not in made_again}
        layers = self._layers
        return {
            **state,
            "_replaced": {name: copy_layer(layers[name]) for name in sorted(layers.replaced)},
            "_last_layer": self._last_layer.without_batch(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._connect(self._theta)

    def __repr__(self) -> str:
        theta, W1, W2 = self._theta, self._shapes["W1"], self._shapes["W2"]
        sizes = f"{W1[0]} -> {W1[1]} -> {W2[1]}"
        lines = [f"{type(self).__name__}: {sizes}, {theta.size} parameters, {theta.dtype}"]
        for name, kind, inputs, outputs, parameters in self._table():
            shapes = f"(batch, {inputs}) -> " + (f"(batch, {outputs})" if outputs else "number")
            lines.append(f"  {name:<12} {kind:<16} {shapes:<30} {parameters}".rstrip())
        return "\n".join(lines)

    def _table(self) -> list[tuple[str, str, int, int, str]]:
        """Return a row per layer: name, class, columns of input and of output, parameters."""
        hidden, outputs = self._shapes["b1"][0], self._shapes["b2"][0]
        rows = []
        for name, layer in self._layers.items():
            n_inputs = n_outputs = hidden
            parameters = ""
            if name in ("Affine1", "Affine2"):
                W, b = f"W{name[-1]}", f"b{name[-1]}"
                n_inputs, n_outputs = self._shapes[W]
                size = self._params[W].size + self._params[b].size
                parameters = f"{W} {self._shapes[W]}, {b} {self._shapes[b]}: {size} parameters"
            rows.append((name, type(layer).__name__, n_inputs, n_outputs, parameters))
        return [*rows, ("loss", type(self._last_layer).__name__, outputs, 0, "")]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the network as a computational graph, with the shapes of all arrays.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.

        Returns
        -------
        matplotlib Axes
            The axes with the graph.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        from sk_twolayer.display import _draw_layers

        return _draw_layers(self._table(), ax)

    @property
    def params(self) -> NamedViews:
        """The parameters by name: views of `theta`."""
        return self._params

    @property
    def layers(self) -> NamedLayers:
        """The layers up to the scores, by name and in order."""
        return self._layers

    @property
    def last_layer(self) -> LossLayer:
        """The loss layer."""
        return self._last_layer

    @last_layer.setter
    def last_layer(self, loss: LossLayer) -> None:
        _make_loss(loss)  # raises an error if it is not one
        self._last_layer, self._has_loss = loss, False

    @property
    def alpha(self) -> float:
        """The strength of the penalty on the weights."""
        return self._alpha

    @alpha.setter
    def alpha(self, alpha: float) -> None:
        self._alpha = _check_not_negative("alpha", alpha)
        self._set_penalty()

    @property
    def theta(self) -> Array:
        """All parameters in one vector, the weights first; it can be changed in place."""
        return self._theta

    @property
    def penalty(self) -> float:
        """The penalty, which is added to the mean loss: ``alpha/2 * sum of squared weights``."""
        return self._penalty.value

    def predict(self, x: Any) -> Array:
        """Return the scores.

        Parameters
        ----------
        x : array-like or sparse container of shape (batch, inputs)
            Input rows.

        Returns
        -------
        ndarray of shape (batch, outputs)
            Scores; the largest one is the most likely class.
        """
        # with new layers, so that `backward` can still follow `loss`
        layers: dict[str, SupportsBackward] = {}
        for name, layer in self._layers.items():
            if type(layer) is Affine:
                layers[name] = Affine(layer.W, layer.b)
            elif not isinstance(layer, Dropout):
                layers[name] = copy_layer(layer)
        return forward(layers, x)

    def forward(self, x: Any) -> Array:
        """Return the scores, as in training without the units that dropout leaves out.

        Parameters
        ----------
        x : array-like or sparse container of shape (batch, inputs)
            Input rows.

        Returns
        -------
        ndarray of shape (batch, outputs)
            Scores.
        """
        self._has_loss = False  # the layers keep other rows from now on
        return forward(self._layers, x)

    def draw_dropout(self, random_state: np.random.RandomState) -> None:
        """Draw the hidden units that dropout leaves out until the next draw.

        Without dropout, nothing is drawn.

        Parameters
        ----------
        random_state : RandomState
            Source of the mask.
        """
        dropout = self._layers.get("Dropout")
        if isinstance(dropout, Dropout):
            dropout.draw(random_state, self._params["b1"].size, self._theta.dtype)

    def loss(self, x: Any, t: Any, sample_weight: Array | None = None) -> float:
        """Return the objective: the mean loss of a batch plus the penalty on the weights.

        Parameters
        ----------
        x : array-like or sparse container of shape (batch, inputs)
            Input rows.
        t : array-like
            Targets, as the loss layer describes them.
        sample_weight : ndarray of shape (batch,), default=None
            Factor of the loss of each row, with mean 1.

        Returns
        -------
        float
            The objective.
        """
        loss = self._last_layer.forward(self.forward(x), t, sample_weight)
        self._has_loss = True
        return loss + self.penalty

    def accuracy(self, x: Any, t: Any) -> float:
        """Return the fraction of rows whose most likely outcome is the target.

        Parameters
        ----------
        x : array-like or sparse container of shape (batch, inputs)
            Input rows.
        t : array-like
            Targets, as the loss layer describes them.

        Returns
        -------
        float
            A number in [0, 1].
        """
        return self.last_layer.accuracy(self.predict(x), t)

    def backward(self) -> None:
        """Propagate the gradient of the last `loss` back to the first layer.

        Afterwards, both affine layers have the gradients of their parameters. The gradient with
        respect to the input of the first layer, which would be a third of the work of that layer,
        is not computed, because nothing uses it.

        Raises
        ------
        RuntimeError
            If `loss` was not called before, or `forward` or `numerical_gradient` was called since.
        """
        if not self._has_loss:
            raise RuntimeError(
                "backward() must follow loss(): call loss(x, t) first, and neither forward() nor "
                "numerical_gradient() in between"
            )
        backward(self._layers, self._last_layer.backward())

    def add_gradient(self, into: Array, *, scale: float = 1.0, keep: float = 1.0) -> None:
        """Add the gradient of the objective in place: ``into <- keep*into + scale*gradient``.

        `backward` must have been called.

        Parameters
        ----------
        into : ndarray of shape (n_parameters,)
            Changed in place: `theta` itself, or another array.
        scale, keep : float, default=1.0
            Factors of the gradient and of the previous contents of `into`.
        """
        self.bind_gradient(into)(scale, keep)

    def bind_gradient(self, into: Array, *, n_rows: int = 1) -> AddInPlace:
        """Bind `add_gradient` to an array (advanced).

        Parameters
        ----------
        into : ndarray of shape (n_parameters,)
            Changed in place: `theta` itself, or another array.
        n_rows : int, default=1
            Divisor of the gradient of the loss, but not of that of the penalty. It is the number of
            rows if `backward` was called for the sum of their losses.

        Returns
        -------
        callable
            ``add(scale, keep)``: ``into <- keep*into + scale*gradient``.
        """
        views = self._params if into is self._theta else NamedViews(into, self._shapes)
        first, second = self._layers["Affine1"], self._layers["Affine2"]
        add_dW1, add_db1, add_dW2, add_db2 = (
            bind_parameter_gradient(layer, name[0], views[name])
            for layer, name in ((first, "W1"), (first, "b1"), (second, "W2"), (second, "b2"))
        )
        add_penalty = self._penalty.bind_gradient(into)

        def add(scale: float, keep: float) -> None:
            # the penalty must come first: see Penalty.bind_gradient, also for what it returns
            keep_weights = add_penalty(scale, keep)
            scale /= n_rows
            add_dW1(scale, keep_weights)
            add_db1(scale, keep)
            add_dW2(scale, keep_weights)
            add_db2(scale, keep)

        return add

    def gradient(self, x: Any, t: Any, sample_weight: Array | None = None) -> dict[str, Array]:
        """Return the gradient of the objective by backpropagation.

        Parameters
        ----------
        x, t, sample_weight : array-like
            As in `loss`.

        Returns
        -------
        dict of str to ndarray
            The gradient with respect to "W1", "W2", "b1" and "b2".
        """
        self.loss(x, t, sample_weight)
        self.backward()
        into = np.empty_like(self.theta)
        self.add_gradient(into, keep=0)
        return dict(NamedViews(into, self._shapes))

    def numerical_gradient(
        self, x: Any, t: Any, sample_weight: Array | None = None
    ) -> dict[str, Array]:
        """Return the gradient of the objective by central differences, which is slow.

        Parameters
        ----------
        x, t, sample_weight : array-like
            As in `loss`.

        Returns
        -------
        dict of str to ndarray
            The gradient with respect to "W1", "W2", "b1" and "b2".

        Raises
        ------
        ValueError
            If the network is not float64.
        """
        gradient = numerical_gradient(lambda _: self.loss(x, t, sample_weight), self.theta)
        self._has_loss = False  # the layers keep the values for other parameters
        return dict(NamedViews(gradient, self._shapes))


def _make_loss(loss: Any) -> LossLayer:
    """Return a new loss layer for a name or a class, and a copy for an object."""
    if isinstance(loss, str) and loss in LOSSES:
        return LOSSES[loss]()
    if isinstance(loss, type) and issubclass(loss, LossLayer):
        return loss()
    if isinstance(loss, LossLayer):
        return loss.without_batch()
    raise ValueError(f"loss must be one of {sorted(LOSSES)} or a LossLayer, got {loss!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _check_not_negative(name: str, value: Any) -> float:
    """Return a number as a Python float, if it is finite and not negative."""
    number = float(as_python(value)) if _is_number(value) else math.nan
    if not 0 <= number < math.inf:
        raise ValueError(f"{name} must be a finite number that is not negative, got {value!r}")
    return number
