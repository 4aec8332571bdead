"""Floor 4: TwoLayerClassifier, the only file that knows what a scikit-learn classifier is."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_twolayer._targets import encode_and_weigh
from sk_twolayer._typing import Array
from sk_twolayer.chain import ACTIVATIONS
from sk_twolayer.losses import LossLayer, SigmoidWithLoss, SoftmaxWithLoss
from sk_twolayer.network import TwoLayerNet
from sk_twolayer.optimizers import SOLVERS, Optimizer, make_optimizer
from sk_twolayer.prediction import scores_in_blocks
from sk_twolayer.training import StoppingRule, epochs, rows_per_batch, train

__all__ = ["TwoLayerClassifier"]


class TwoLayerClassifier(ClassifierMixin, BaseEstimator):
    """A neural network with one hidden layer, trained by minibatch gradient descent.

    ``scores = activation(X @ W1 + b1) @ W2 + b2``, turned into probabilities by softmax, or
    for two classes by the logistic sigmoid of a single score. Training minimises the mean
    negative log-likelihood, weighted where there are weights, plus
    ``alpha/2 * (sum of W1**2 + sum of W2**2)``.

    Scale the columns of X first, for example with `StandardScaler`: a net learns slowly, or not
    at all, from columns of very different sizes.

    Parameters
    ----------
    hidden_size : int, default=100
        Number of hidden units.
    activation : {"relu", "sigmoid", "tanh", "identity"}, default="relu"
        What a hidden unit does with its weighted sum. "identity" makes a linear model.
    weight_init_std : float or "auto", default="auto"
        Standard deviation of the weights at the start; "auto" is He's rule for relu and
        Glorot's otherwise, see `TwoLayerNet`. Biases start at 0.
    solver : {"sgd", "adam"} or Optimizer instance, default="sgd"
        "sgd" is plain gradient descent; ``SGD(momentum=0.9, nesterov=True)`` adds momentum, and
        ``Adam(beta_2=0.99)`` changes what "adam" forgets. A grid search reaches into the object
        as ``solver__momentum``.
    learning_rate : float or "auto", default="auto"
        Length of the steps; "auto" is what suits the solver: 0.001 for Adam, 0.1 for plain SGD,
        and ``0.1 * (1 - momentum)`` with momentum.
    alpha : float, default=1e-4
        Strength of the penalty on the squared weights.
    batch_size : int, "auto" or "full", default="auto"
        Rows in a minibatch, at most the rows of X; "auto" is ``min(200, n_samples)``, and
        "full" takes all rows at once.
    max_iter : int, default=200
        Largest number of epochs.
    shuffle : bool, default=True
        Whether each epoch draws a fresh permutation of the rows.
    tol : float or None, default=1e-4
        An epoch whose objective is not below the best one by more than this counts as no
        change; None trains for `max_iter` epochs, whatever happens.
    n_iter_no_change : int, default=10
        Training stops after this many epochs in a row without change.
    class_weight : dict, "balanced" or None, default=None
        Factors of the classes' sample weights, 1 for a class a dict does not name;
        "balanced" gives every class the same total weight.
    random_state : int, RandomState instance or None, default=None
        Source of the first weights and of the permutations. The same int gives the same
        bytes on one machine, however many threads or processes are about.
    verbose : bool or int, default=False
        Whether to print a line an epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted.
    coefs_ : list of two ndarrays, of shapes (n_features, hidden_size), (hidden_size, n_outputs)
        The weights W1 and W2, in the dtype of the X given to `fit`.
    intercepts_ : list of two ndarrays, of shapes (hidden_size,) and (n_outputs,)
        The biases b1 and b2.
    activation_ : str
        The activation the model was fitted with.
    out_activation_ : {"softmax", "logistic"}
        What turns scores into probabilities; "logistic" for two classes.
    n_outputs_ : int
        Number of scores: 1 for two classes, otherwise one a class.
    n_layers_ : int
        Number of layers of units, input and output included: 3.
    n_iter_ : int
        Number of epochs trained.
    t_ : int
        Number of rows trained on, each counted once an epoch.
    loss_curve_ : list of float
        Mean training loss of each epoch, without the penalty.
    loss_, best_loss_ : float
        The last and the least of `loss_curve_`.
    n_features_in_ : int
        Number of features seen by `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X had string column names.

    See Also
    --------
    TwoLayerNet : The network inside, for learners.
    sklearn.neural_network.MLPClassifier : The one in scikit-learn, with any number of layers.

    Notes
    -----
    A row of weight zero is left out. The other weights are divided by their mean, so only their
    ratios matter; for full batches a weight of k equals k copies of the row.
    While a fit runs it holds BLAS to one thread, for the whole process. A fit that fails leaves
    the estimator's attributes as they were.

    References
    ----------
    .. [1] D. Rumelhart, G. Hinton, R. Williams, "Learning representations by
       back-propagating errors", Nature 323, 1986.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from sk_twolayer import TwoLayerClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    >>> clf = TwoLayerClassifier(batch_size=32, max_iter=100, tol=None, random_state=0)
    >>> clf.fit(X_train, y_train).score(X_test, y_test) > 0.96
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "weight_init_std": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "solver": [StrOptions(set(SOLVERS)), Optimizer],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto", "full"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        hidden_size: int = 100,
        *,
        activation: str = "relu",
        weight_init_std: float | str = "auto",
        solver: str | Optimizer = "sgd",
        learning_rate: float | str = "auto",
        alpha: float = 1e-4,
        batch_size: int | str = "auto",
        max_iter: int = 200,
        shuffle: bool = True,
        tol: float | None = 1e-4,
        n_iter_no_change: int = 10,
        class_weight: dict[Any, float] | str | None = None,
        random_state: Any = None,
        verbose: bool | int = False,
    ) -> None:
        self.hidden_size = hidden_size
        self.activation = activation
        self.weight_init_std = weight_init_std
        self.solver = solver
        self.learning_rate = learning_rate
        self.alpha = alpha
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new net on X and y.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows; float32 and float64 are trained in as they are, all else in float64.
        y : array-like of shape (n_samples,)
            Class labels: numbers, strings or booleans, of two classes at least.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, none negative.

        Returns
        -------
        TwoLayerClassifier
            The fitted classifier itself.

        Raises
        ------
        ValueError
            If a parameter, X, y or the weights cannot be used, or the loss stops being finite.
        """
        before = dict(vars(self))
        try:
            return self._fit(X, y, sample_weight)
        except BaseException:  # an interrupt too
            self.__dict__ = before
            raise

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        self._validate_params()
        optimizer = make_optimizer(self.solver)
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=[np.float64, np.float32])
        batch_size = rows_per_batch(self.batch_size, len(y))
        X, t, classes, weights = encode_and_weigh(X, y, sample_weight, self.class_weight)
        random_state = check_random_state(self.random_state)
        net = self._make_net(X, len(classes), random_state)
        results = epochs(
            net,
            optimizer,
            X,
            t,
            weights,
            learning_rate=optimizer.resolve_learning_rate(self.learning_rate),
            batch_size=batch_size,
            shuffle=self.shuffle,
            random_state=random_state,
        )
        rule = StoppingRule(self.tol, self.n_iter_no_change)
        loss_curve = train(results, max_iter=self.max_iter, rule=rule, verbose=bool(self.verbose))
        return self._publish(net, classes, loss_curve, n_rows=len(t))

    def predict(self, X: Any) -> Array:
        """Return the most likely class of each row.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels.
        """
        scores = self._scores(X)
        decided = scores[:, 0] > 0 if self.n_outputs_ == 1 else scores.argmax(axis=1)
        return self.classes_[decided.astype(np.intp)]

    def decision_function(self, X: Any) -> Array:
        """Return the scores: the log-odds of the second class, or one score a class.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.

        Returns
        -------
        ndarray of shape (n_samples,) for two classes, else (n_samples, n_classes)
            Scores, in the dtype of the model.
        """
        scores = self._scores(X)
        return scores[:, 0] if self.n_outputs_ == 1 else scores

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`, in the dtype of the model.
        """
        link, scores = self._class_scores(X)
        return link.probabilities(scores)

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of the probability of each class, finite for confident rows too.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probabilities in the order of `classes_`, in the dtype of the model.
        """
        link, scores = self._class_scores(X)
        return link.log_probabilities(scores)

    def _make_net(self, X: Any, n_classes: int, random_state: np.random.RandomState) -> TwoLayerNet:
        """Return an untrained net: a single score is enough to tell two classes apart."""
        n_outputs = 1 if n_classes == 2 else n_classes
        return TwoLayerNet(
            X.shape[1],
            self.hidden_size,
            n_outputs,
            self.weight_init_std,
            activation=self.activation,
            loss="sigmoid" if n_outputs == 1 else "softmax",
            alpha=self.alpha,
            dtype=X.dtype,
            random_state=random_state,
        )

    def _publish(
        self, net: TwoLayerNet, classes: Array, loss_curve: list[float], n_rows: int
    ) -> Self:
        """Set the fitted attributes: parameters and short histories, nothing else."""
        self.classes_ = classes
        self.coefs_ = [net.params["W1"], net.params["W2"]]
        self.intercepts_ = [net.params["b1"], net.params["b2"]]
        self.activation_ = self.activation
        self.n_outputs_ = len(self.intercepts_[1])
        self.out_activation_ = "logistic" if self.n_outputs_ == 1 else "softmax"
        self.n_layers_ = 3
        self.loss_curve_ = loss_curve
        self.loss_ = loss_curve[-1]
        self.best_loss_ = min(loss_curve)
        self.n_iter_ = len(loss_curve)
        self.t_ = self.n_iter_ * n_rows
        return self

    def _scores(self, X: Any) -> Array:
        """Return the scores of each row; nothing is written, so that threads may share a model."""
        check_is_fitted(self, "coefs_")
        X = validate_data(self, X, accept_sparse="csr", dtype=self.coefs_[0].dtype, reset=False)
        return scores_in_blocks(self.coefs_, self.intercepts_, self.activation_, X)

    def _class_scores(self, X: Any) -> tuple[type[LossLayer], Array]:
        """Return a score for each class, and the loss layer that turns them into probabilities."""
        scores = self._scores(X)
        if self.n_outputs_ == 1:
            return SigmoidWithLoss, np.hstack([-scores, scores])
        return SoftmaxWithLoss, scores
