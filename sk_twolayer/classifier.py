"""TwoLayerClassifier: its parameters, and what it promises."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if

from sk_twolayer._mlp import from_mlp, to_mlp
from sk_twolayer._onnx import OnnxConvertible
from sk_twolayer._predictor import Predictor
from sk_twolayer._serialization import Persistent
from sk_twolayer._sklearn_compat import RANDOM_STATE, Number, StrOptions
from sk_twolayer._training.callbacks import CallbackSupportMixin
from sk_twolayer._training.checks import fits_in_parts
from sk_twolayer._training.fitting import Fitting
from sk_twolayer._training.warnings import warn_of_the_end
from sk_twolayer.network._chain import ACTIVATIONS
from sk_twolayer.optimizers import LBFGS, SOLVERS, Optimizer
from sk_twolayer.schedules import SCHEDULES

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier

__all__ = ["TwoLayerClassifier"]


class TwoLayerClassifier(
    Fitting, Predictor, Persistent, OnnxConvertible, CallbackSupportMixin, BaseEstimator
):
    """A neural network with one hidden layer, trained by minibatch gradient descent.

    ``scores = activation(X @ W1 + b1) @ W2 + b2``, turned into probabilities by softmax, or by
    the logistic sigmoid: of a single score for two classes, of one score a label where a row may
    have several. Training minimises the mean negative log-likelihood, weighted where there are
    weights, plus ``alpha/2 * (sum of W1**2 + sum of W2**2)``.

    Scale the columns of X first, for example with `StandardScaler`: a net learns slowly, or not
    at all, from columns of very different sizes, and `fit` warns of those that are too large.

    Parameters
    ----------
    hidden_size : int, default=256
        Number of hidden units.
    activation : {"relu", "sigmoid", "tanh", "identity"}, default="relu"
        What a hidden unit does with its weighted sum. "identity" makes a linear model.
    weight_init_std : float or "auto", default="auto"
        Standard deviation of the weights at the start; "auto" is He's rule for relu and
        Glorot's otherwise, see `TwoLayerNet`. Biases start at 0.
    solver : str, Optimizer or LBFGS, default="adam"
        "sgd", "adam", "adagrad", "rmsprop" or "lbfgs"; or an object from
        `sk_twolayer.optimizers` for control: ``SGD(momentum=0.9, nesterov=True)``,
        ``Adam(beta_2=0.99)``, ``LBFGS(max_fun=100)``. A grid search reaches into the object as
        ``solver__momentum``. "lbfgs" steps over all rows at once, and has no use for
        `learning_rate`, its schedule, `batch_size` and `shuffle`.
    learning_rate : float or "auto", default="auto"
        Length of the steps at the start; "auto" is what suits the solver: 0.1 for plain SGD,
        ``0.1 * (1 - momentum)`` with momentum, 0.01 for AdaGrad, 0.004 for Adam, 0.001 for RMSProp.
    learning_rate_schedule : str, default="auto"
        How it changes: "constant"; "cosine", down to 0 over `max_iter` epochs; "invscaling", by
        ``1 / sqrt(1 + epochs)``; or "adaptive", to a fifth whenever training would stop for want of
        change, four times. "auto" is cosine where the end is known, and constant where it is not:
        in `partial_fit`, and with `warm_start`. See `LearningRate`.
    alpha : float or "auto", default="auto"
        Strength of the penalty on the squared weights. "auto" is ``3e-4 * min(m, n_features) /
        sqrt(n)``, where ``m`` is the mean of ``x @ x`` over the rows, `n_features` if columns are
        standardised, and ``n`` the number of different rows, 10,000 in `partial_fit`.
    dropout : float in [0, 1), default=0.0
        Probability that a hidden unit is left out of a training step. Predictions use all units.
    batch_size : int, "auto" or "full", default="auto"
        Rows in a minibatch, at most the rows of X; "auto" is ``n_samples // 32``, but from 32
        to 128, and all rows up to 64; "full" takes all rows at once.
    max_iter : int or "auto", default="auto"
        Largest number of epochs. "auto" is as many as take 4500 minibatches, but from 10 to 40;
        with L-BFGS, 200.
    shuffle : bool, default=True
        Whether each epoch draws a fresh permutation of the rows.
    tol : float or None, default=1e-4
        An epoch whose objective (or with `early_stopping`, validation score) is not better than
        the best one by more than this counts as no change; None trains for `max_iter` epochs.
    n_iter_no_change : int, default=10
        Training stops after this many epochs in a row without change.
    early_stopping : bool, default=False
        Whether to hold out rows, to watch the score on them instead of the training objective,
        and to keep the parameters of the epoch with the best one.
    validation_fraction : float in (0, 1), default=0.1
        Share of the different rows to hold out, stratified by class, where `fit` is given no
        `X_val`. Copies of a row are never on both sides.
    scoring : "loss", str, callable or None, default="loss"
        The validation score: minus the mean loss, or any scorer of scikit-learn's; None is
        accuracy.
    class_weight : dict, "balanced" or None, default=None
        Factors of the classes' sample weights, 1 for a class a dict does not name;
        "balanced" gives every class the same total weight.
    warm_start : bool, default=False
        Whether `fit` goes on where the last call ended, as if it had never paused; only
        "cosine" starts again every `max_iter` epochs.
    random_state : int, RandomState instance or None, default=None
        Source of the first weights, the permutations, the units to drop and the rows to hold
        out. The same int gives the same bytes on one machine, however many threads or
        processes are about; for nets so wide that BLAS keeps its threads (see Notes), with the
        same number of those.
    verbose : bool or int, default=False
        Whether to print a line an epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted; for an indicator matrix y, the numbers of its columns.
    coefs_ : list of two ndarrays, of shapes (n_features, hidden_size), (hidden_size, n_outputs)
        The weights W1 and W2, in the dtype of the X given to `fit`.
    intercepts_ : list of two ndarrays, of shapes (hidden_size,) and (n_outputs,)
        The biases b1 and b2.
    activation_ : str
        The activation the model was fitted with.
    alpha_ : float
        The strength of the penalty it was fitted with.
    out_activation_ : {"softmax", "logistic"}
        What turns scores into probabilities; "logistic" for two classes and for labels.
    n_outputs_ : int
        Number of scores: 1 for two classes, otherwise one a class or label.
    n_layers_ : int
        Number of layers of units, input and output included: 3.
    n_iter_ : int
        Number of epochs trained by the last call of `fit` and any `partial_fit` since.
    t_ : int
        Number of rows ever trained on, each counted once an epoch.
    loss_curve_ : list of float
        Mean training loss of each epoch, without the penalty; `warm_start` adds to it, and
        `partial_fit` keeps the last `max_iter`.
    loss_, best_loss_ : float
        The last and the least of `loss_curve_`.
    validation_loss_curve_, validation_scores_ : list of float or None
        Mean loss and score on the validation rows after each epoch, if there were any.
    best_validation_score_ : float or None
        The best of `validation_scores_`; with `early_stopping`, that of the model.
    n_features_in_ : int
        Number of features seen by `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X had string column names.

    See Also
    --------
    TwoLayerNet : The network inside, for learners.
    sklearn.neural_network.MLPClassifier : The one in scikit-learn, with any number of layers.

    Notes
    -----
    A row of weight zero is left out. The other weights are divided by their mean, so only their
    ratios matter; for full batches a weight of k equals k copies of the row.
    While a fit runs it holds BLAS to one thread, for the whole process, unless the largest
    product of a step takes 2**24 multiplications or more. A fit that fails leaves
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
    >>> clf = TwoLayerClassifier(random_state=0).fit(X_train, y_train)
    >>> clf.score(X_test, y_test) > 0.97
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_size": [Number(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "weight_init_std": [Number(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "solver": [StrOptions(set(SOLVERS)), Optimizer, LBFGS],
        "learning_rate": [Number(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "learning_rate_schedule": [StrOptions({"auto", *SCHEDULES})],
        "alpha": [Number(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "dropout": [Number(Real, 0, 1, closed="left")],
        "batch_size": [Number(Integral, 1, None, closed="left"), StrOptions({"auto", "full"})],
        "max_iter": [Number(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "shuffle": ["boolean"],
        "tol": [Number(Real, 0, None, closed="left"), None],
        "n_iter_no_change": [Number(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Number(Real, 0, 1, closed="neither")],
        "scoring": [str, callable, None],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "warm_start": ["boolean"],
        "random_state": RANDOM_STATE,
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        hidden_size: int = 256,
        *,
        activation: str = "relu",
        weight_init_std: float | str = "auto",
        solver: str | Optimizer | LBFGS = "adam",
        learning_rate: float | str = "auto",
        learning_rate_schedule: str = "auto",
        alpha: float | str = "auto",
        dropout: float = 0.0,
        batch_size: int | str = "auto",
        max_iter: int | str = "auto",
        shuffle: bool = True,
        tol: float | None = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: Any = "loss",
        class_weight: dict[Any, float] | str | None = None,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: bool | int = False,
    ) -> None:
        self.hidden_size = hidden_size
        self.activation = activation
        self.weight_init_std = weight_init_std
        self.solver = solver
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.alpha = alpha
        self.dropout = dropout
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = self.class_weight is None
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train on X and y: a new net, or with `warm_start` the one there is.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows; float32 and float64 are trained in as they are, all else in float64.
        y : array-like of shape (n_samples,), or of shape (n_samples, n_labels), also sparse
            Class labels: numbers, strings or booleans, of two classes at least; or an indicator
            matrix of zeros and ones, where a row may have several labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, none negative.
        X_val, y_val : as X and y, default=None
            Rows to measure on after each epoch; with `early_stopping` they take the place of
            rows held out.
        sample_weight_val : array-like of shape (n_validation_samples,), default=None
            Weights of those rows.

        Returns
        -------
        TwoLayerClassifier
            The fitted classifier itself.

        Raises
        ------
        ValueError
            If a parameter, X, y or the weights cannot be used, or the loss stops being finite.

        Warns
        -----
        ConvergenceWarning
            If training would have gone on after `max_iter` epochs, and neither a cosine nor
            ``tol=None`` had planned for so many.
        UserWarning
            If a column of X is ten times as large as unit scale or more; or if training was
            interrupted (KeyboardInterrupt) after at least one epoch, whose results are kept.
        """
        with self._unchanged_by_failure():
            ended = self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))
        warn_of_the_end(self, ended)
        return self

    @available_if(fits_in_parts)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one epoch on some rows, from where the last call, or `fit`, ended.

        Each call draws a fresh permutation. A call whose weights are all zero changes nothing.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows; a model keeps the dtype of its first ones.
        y : array-like of shape (n_samples,), or of shape (n_samples, n_labels), also sparse
            Class labels or indicator matrix, as for `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that any call will bring, or the numbers of the columns of y; needed in
            the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, none negative.

        Returns
        -------
        TwoLayerClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If a parameter, X, y or the weights cannot be used, or the loss stops being finite;
            the model is then as it was before.
        """
        with self._unchanged_by_failure():
            self._partial_fit(X, y, classes, sample_weight)
        return self

    @classmethod
    def from_mlp(cls, mlp: MLPClassifier) -> Self:
        """Return a classifier with the parameters of an `MLPClassifier`, and the same predictions.

        A fitted `mlp` gives a fitted classifier with copies of its weights. The page
        :doc:`/migration` has a table of the parameters.

        Parameters
        ----------
        mlp : MLPClassifier
            A classifier with one hidden layer, fitted or not.

        Returns
        -------
        TwoLayerClassifier
            A new classifier, fitted if `mlp` is.

        Raises
        ------
        TypeError
            If `mlp` is not an `MLPClassifier`.
        ValueError
            If it has more than one hidden layer, or was fitted to a single class.

        Warns
        -----
        UserWarning
            If `mlp` is not fitted, and a parameter that differs from its default has no equivalent.

        Examples
        --------
        >>> from sklearn.neural_network import MLPClassifier
        >>> from sk_twolayer import TwoLayerClassifier
        >>> mlp = MLPClassifier((50,), activation="logistic", batch_size=32, alpha=0.32)
        >>> clf = TwoLayerClassifier.from_mlp(mlp)
        >>> clf.hidden_size, clf.activation, clf.alpha
        (50, 'sigmoid', 0.01)
        """
        clf: Self = from_mlp(cls, mlp)
        return clf

    def to_mlp(self) -> MLPClassifier:
        """Return an `MLPClassifier` with the parameters of this classifier, and its predictions.

        The `MLPClassifier` of a fitted classifier is fitted too, with copies of the weights: for
        tools that accept only that class. The page :doc:`/migration` has a table of the parameters.

        Returns
        -------
        MLPClassifier
            A new classifier, fitted if this one is.

        Raises
        ------
        ValueError
            If `MLPClassifier` does not have the activation, or the model has a single class.

        Warns
        -----
        UserWarning
            If this classifier is not fitted, and a parameter that differs from its default has no
            equivalent.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sk_twolayer import TwoLayerClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = TwoLayerClassifier(8, random_state=0).fit(X, y)
        >>> mlp = clf.to_mlp()
        >>> mlp.hidden_layer_sizes
        (8,)
        >>> abs(mlp.predict_proba(X) - clf.predict_proba(X)).max() < 1e-12
        np.True_
        """
        return to_mlp(self)
