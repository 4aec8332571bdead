"""The two-layer net: layers in order over one vector of parameters."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.utils import check_random_state

from sk_twolayer._typing import Action, Array
from sk_twolayer.gradient_check import numerical_gradient
from sk_twolayer.losses import LossLayer, SigmoidWithLoss, SoftmaxWithLoss
from sk_twolayer.network._chain import ACTIVATIONS, affine_layers, forward
from sk_twolayer.network._initialization import draw_weights
from sk_twolayer.network._penalty import Penalty
from sk_twolayer.network._views import NamedViews

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
    alpha : float
        The strength of the penalty.

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
        self.alpha = alpha
        self._connect(np.zeros(sum(map(math.prod, self._shapes.values())), dtype))
        random_state = check_random_state(random_state)
        for name in ("W1", "W2"):
            draw_weights(self.params[name], weight_init_std, activation, random_state)

    def _connect(self, theta: Array) -> None:
        """Lay views and layers over a vector of parameters."""
        self._theta = theta
        self.params = NamedViews(theta, self._shapes)
        self.layers = affine_layers(
            **self.params, activation=self._activation, dropout=self._dropout
        )
        self.last_layer = LOSSES[self._loss]()
        n_weights = self.params["W1"].size + self.params["W2"].size
        self._penalty = Penalty(theta, n_weights, self.alpha)

    def twin(self) -> TwoLayerNet:
        """Return a net over the same parameters, with layers of its own to lay over arrays.

        Returns
        -------
        TwoLayerNet
            One that changes as this one does.
        """
        return copy.copy(self)

    def __getstate__(self) -> dict[str, Any]:
        # A copied view would be an array of its own, and a layer remembers the last batch.
        made_again = {"params", "layers", "last_layer", "_penalty"}
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
        return self._penalty.value

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

    def forward(self, x: Any) -> Array:
        """Return the scores as training sees them: without the units that are left out just now.

        Parameters
        ----------
        x : ndarray or sparse container of shape (batch, inputs)
            Input rows.

        Returns
        -------
        ndarray of shape (batch, outputs)
            Scores.
        """
        return forward(self.layers, x)

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

    def backward(self) -> None:
        """Walk the gradient of the loss back to the first layer, and stop there.

        Every layer then holds what its parameters' gradient needs. Nothing lies upstream of
        the first affine layer, so its own input gradient, a third of its work, is left out.
        """
        first, *between, second = self.layers.values()
        dout = second.backward(self.last_layer.backward())
        for layer in reversed(between):
            dout = layer.backward(dout)
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
        self.bind_gradient(into)(scale, keep)

    def bind_gradient(self, into: Array, *, n_rows: int = 1) -> Action:
        """Lay the gradient of the objective over an array, as an action.

        Parameters
        ----------
        into : ndarray of shape (n_parameters,)
            What the action changes: `theta` itself, or memory of its own.
        n_rows : int, default=1
            What to divide the loss's part of the gradient by, where that is of a sum over rows.

        Returns
        -------
        callable
            ``add(scale, keep)`` is `add_gradient`.
        """
        views = self.params if into is self.theta else NamedViews(into, self._shapes)
        first, second = self.layers["Affine1"], self.layers["Affine2"]
        add_dW1, add_db1 = first.bind_dW(views["W1"]), first.bind_db(views["b1"])
        add_dW2, add_db2 = second.bind_dW(views["W2"]), second.bind_db(views["b2"])
        add_penalty = self._penalty.bind_gradient(into)

        def add(scale: float, keep: float) -> None:
            # the penalty is not of a sum over rows
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
        """Return the gradient of the objective by central differences: slow, and hard to get wrong.

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
            If the net is not float64.
        """
        gradient = numerical_gradient(lambda _: self.loss(x, t, sample_weight), self.theta)
        return dict(NamedViews(gradient, self._shapes))


def _check_choice(name: str, value: str, choices: dict[str, Any]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {sorted(choices)}, got {value!r}")
