"""Floor 2: the two-layer net: layers in order over one vector of parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.utils import check_random_state

from sk_twolayer._linalg import add_scaled
from sk_twolayer._typing import Array
from sk_twolayer._views import NamedViews
from sk_twolayer.chain import ACTIVATIONS, affine_layers, forward
from sk_twolayer.gradient_check import numerical_gradient
from sk_twolayer.losses import LossLayer, SigmoidWithLoss, SoftmaxWithLoss

__all__ = ["TwoLayerNet"]

DRAWN_AT_ONCE = 2**13

LOSSES: dict[str, type[LossLayer]] = {"softmax": SoftmaxWithLoss, "sigmoid": SigmoidWithLoss}


class TwoLayerNet:
    """A net of two affine layers with an activation between and a loss at the end.

    ``scores = activation(x @ W1 + b1) @ W2 + b2``, and the objective is
    ``loss(scores, t) + alpha/2 * (sum of W1**2 + sum of W2**2)``. With `dropout` the loss and
    its gradient are those of the net without the units that :meth:`draw_dropout` leaves out;
    predictions always take all units.

    Parameters
    ----------
    input_size, hidden_size, output_size : int
        Number of features, of hidden units, and of scores.
    weight_init_std : float or "auto", default=0.01
        Standard deviation of the normal distribution the weights are drawn from, 0 for weights
        that are filled in later; "auto" takes
        He's ``sqrt(2 / inputs)`` for relu [2]_ and Glorot's ``sqrt(2 / (inputs + outputs))``
        otherwise [3]_. Biases start at 0.
    activation : {"relu", "sigmoid", "tanh", "identity"}, default="relu"
        What the hidden units do with their sums.
    loss : {"softmax", "sigmoid"}, default="softmax"
        The last layer: `SoftmaxWithLoss` or `SigmoidWithLoss`.
    alpha : float, default=0.0
        Strength of the penalty on the weights (biases are free).
    dropout : float in [0, 1), default=0.0
        Probability that a hidden unit is left out of a training step.
    dtype : dtype, default=float64
        Type of the parameters: float32 or float64.
    random_state : int, RandomState instance or None, default=None
        Source of the weights.

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,)
        All parameters in one vector: the weights, then the biases.
    params : mapping of str to ndarray
        "W1", "W2", "b1" and "b2": views of `theta`.
    layers : dict of str to layer
        The layers up to the scores, in order.
    last_layer : LossLayer
        The loss.

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
        activation: str = "relu",
        loss: str = "softmax",
        alpha: float = 0.0,
        dropout: float = 0.0,
        dtype: DTypeLike = np.float64,
        random_state: Any = None,
    ) -> None:
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "output_size": output_size}
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}")
        _check_choice("activation", activation, ACTIVATIONS)
        _check_choice("loss", loss, LOSSES)
        _check_choice("dtype", np.dtype(dtype).name, {"float32": None, "float64": None})
        self._shapes: dict[str, tuple[int, ...]] = {
            "W1": (input_size, hidden_size),
            "W2": (hidden_size, output_size),
            "b1": (hidden_size,),
            "b2": (output_size,),
        }
        self._activation, self._loss, self._dropout = activation, loss, dropout
        self.alpha = float(alpha)  # a NumPy scalar would turn float32 into float64
        self._n_weights = input_size * hidden_size + hidden_size * output_size
        self._connect(np.zeros(self._n_weights + hidden_size + output_size, dtype))
        random_state = check_random_state(random_state)
        for name in ("W1", "W2"):
            std = _initial_std(weight_init_std, activation, self._shapes[name])
            _fill_with_normal(self.params[name], std, random_state)

    def _connect(self, theta: Array) -> None:
        """Lay views and layers over a vector of parameters."""
        self._theta = theta
        self.params = NamedViews(theta, self._shapes)
        self.layers = affine_layers(
            **self.params, activation=self._activation, dropout=self._dropout
        )
        self.last_layer = LOSSES[self._loss]()

    def __getstate__(self) -> dict[str, Any]:
        # A copied view would be an array of its own, and a layer remembers the last batch.
        made_again = {"params", "layers", "last_layer"}
        return {name: value for name, value in vars(self).items() if name not in made_again}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._connect(self._theta)

    @property
    def theta(self) -> Array:
        """All parameters in one vector, weights first: change it in place."""
        return self._theta

    @property
    def penalty(self) -> float:
        """What the objective adds to the mean loss: ``alpha/2 * sum of squared weights``."""
        W = self._theta[: self._n_weights]
        return 0.5 * self.alpha * float(W @ W) if self.alpha else 0.0

    def predict(self, x: Any) -> Array:
        """Return the scores: all that a decision needs.

        Parameters
        ----------
        x : ndarray or sparse container of shape (batch, inputs)
            Input rows.

        Returns
        -------
        ndarray of shape (batch, outputs)
            Scores; the largest one is the most likely class.
        """
        return forward({name: self.layers[name] for name in self.layers if name != "Dropout"}, x)

    def forward(self, x: Any, out: Sequence[Array | None] | None = None) -> Array:
        """Return the scores as training sees them: without the units that are left out just now.

        Parameters
        ----------
        x : ndarray or sparse container of shape (batch, inputs)
            Input rows.
        out : sequence of ndarrays, one for each of `layers`, default=None
            Where each layer puts its result; the first two may be the same array.

        Returns
        -------
        ndarray of shape (batch, outputs)
            Scores.
        """
        return forward(self.layers, x, out)

    def draw_dropout(self, random_state: np.random.RandomState) -> None:
        """Draw the hidden units that are left out until the next draw; without dropout, none.

        Parameters
        ----------
        random_state : RandomState
            Source of the mask.
        """
        if "Dropout" in self.layers:
            self.layers["Dropout"].draw(random_state, self.params["b1"].size, self.theta.dtype)

    def loss(self, x: Any, t: Any, sample_weight: Array | None = None) -> float:
        """Return the objective: the mean loss of a batch plus the penalty on the weights.

        Parameters
        ----------
        x : ndarray or sparse container of shape (batch, inputs)
            Input rows.
        t : array-like
            Targets, as the loss layer describes them.
        sample_weight : ndarray of shape (batch,), default=None
            Factor of each row's loss, 1 on average.

        Returns
        -------
        float
            The objective.
        """
        return self.last_layer.forward(self.forward(x), t, sample_weight) + self.penalty

    def accuracy(self, x: Any, t: Any) -> float:
        """Return the share of rows whose highest score is on the target.

        Parameters
        ----------
        x : ndarray or sparse container of shape (batch, inputs)
            Input rows.
        t : array-like
            Targets, as the loss layer describes them.

        Returns
        -------
        float
            A number in [0, 1].
        """
        return self.last_layer.accuracy(self.predict(x), t)

    def backward(self, out: Sequence[Array | None] = (None, None)) -> None:
        """Walk the gradient of the loss back to the first layer, and stop there.

        Every layer then holds what its parameters' gradient needs. Nothing lies upstream of
        the first affine layer, so its own input gradient, a third of its work, is left out.

        Parameters
        ----------
        out : sequence of two ndarrays, default=(None, None)
            Where to put the gradients with respect to the scores and to the hidden units;
            the first may be the probabilities.
        """
        first, *between, second = self.layers.values()
        dout = self.last_layer.backward(out=out[0])
        dout = second.backward(dout, out=out[1])
        for layer in reversed(between):
            dout = layer.backward(dout, out=dout)
        first.receive(dout)

    def add_gradient(self, into: Array, *, scale: float = 1.0, keep: float = 1.0) -> None:
        """Add the gradient of the objective in place: ``into <- keep*into + scale*gradient``.

        Follows `backward`.

        Parameters
        ----------
        into : ndarray of shape (n_parameters,)
            Changed in place: `theta` itself, or memory of its own.
        scale, keep : float, default=1.0
            Factors of the gradient and of what `into` held before.
        """
        keep_weights = keep
        if self.alpha and into is self.theta:
            keep_weights += scale * self.alpha  # the penalty's gradient is alpha * W itself
        elif self.alpha:
            weights = slice(self._n_weights)
            add_scaled(into[weights], self.theta[weights], scale=scale * self.alpha, keep=keep)
            keep_weights = 1.0
        views = self.params if into is self.theta else NamedViews(into, self._shapes)
        for number in ("1", "2"):
            layer = self.layers["Affine" + number]
            layer.add_dW(views["W" + number], scale=scale, keep=keep_weights)
            layer.add_db(views["b" + number], scale=scale, keep=keep)

    def gradient(self, x: Any, t: Any, sample_weight: Array | None = None) -> dict[str, Array]:
        """Return the gradient of the objective by backpropagation.

        Parameters
        ----------
        x : ndarray or sparse container of shape (batch, inputs)
            Input rows.
        t : array-like
            Targets, as the loss layer describes them.
        sample_weight : ndarray of shape (batch,), default=None
            Factor of each row's loss, 1 on average.

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
        """Return the gradient of the objective by central differences: slow, and hard to get wrong.

        Parameters
        ----------
        x : ndarray or sparse container of shape (batch, inputs)
            Input rows.
        t : array-like
            Targets, as the loss layer describes them.
        sample_weight : ndarray of shape (batch,), default=None
            Factor of each row's loss, 1 on average.

        Returns
        -------
        dict of str to ndarray
            The gradient with respect to "W1", "W2", "b1" and "b2".

        Raises
        ------
        ValueError
            If the net is not float64.
        """
        gradient = numerical_gradient(lambda _: self.loss(x, t, sample_weight), self.theta)
        return dict(NamedViews(gradient, self._shapes))


def _check_choice(name: str, value: str, choices: dict[str, Any]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {sorted(choices)}, got {value!r}")


def _initial_std(weight_init_std: float | str, activation: str, shape: tuple[int, ...]) -> float:
    """Return the spread that keeps signals as strong behind a layer as before it."""
    if not isinstance(weight_init_std, str):
        return weight_init_std
    _check_choice("weight_init_std", weight_init_std, {"auto": None})
    return math.sqrt(2 / (shape[0] if activation == "relu" else sum(shape)))


def _fill_with_normal(W: Array, std: float, random_state: np.random.RandomState) -> None:
    """Draw weights piece by piece: a RandomState knows float64 only."""
    flat = W.reshape(-1)
    for start in range(0, flat.size if std else 0, DRAWN_AT_ONCE):
        piece = flat[start : start + DRAWN_AT_ONCE]
        piece[:] = std * random_state.standard_normal(piece.size)
