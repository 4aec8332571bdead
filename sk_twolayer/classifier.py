"""TwoLayerClassifier: its parameters, and what it promises."""

from __future__ import annotations

from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if

from sk_twolayer._data.prepare import (
    INPUT_ATTRIBUTES,
    PreparedData,
    prepare_fit,
    prepare_partial_fit,
)
from sk_twolayer._data.targets import as_target_array
from sk_twolayer._inference import (
    decision_scores,
    hidden_units,
    is_multilabel,
    log_probabilities,
    predict_labels,
    probabilities,
)
from sk_twolayer._mlp import from_mlp, to_mlp
from sk_twolayer._onnx import OnnxConvertible
from sk_twolayer._parameter_hints import ParameterHints, name_counterparts
from sk_twolayer._serialization import add_marks, checked_state
from sk_twolayer._sklearn_compat import (
    RANDOM_STATE,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    HasMethods,
    Number,
    StrOptions,
    TransformerMixin,
)
from sk_twolayer._training.attributes import FittedModel, fitted_attributes, saved_state
from sk_twolayer._training.callbacks import CallbackSupportMixin, EpochTasks, with_callbacks
from sk_twolayer._training.loop import FitResult, make_network, train
from sk_twolayer._training.scoring import Validation, check_scoring, make_score
from sk_twolayer._training.settings import Settings, check_parameters, partial_fit_problem
from sk_twolayer._training.state import RandomSources, TrainingState, data_summary
from sk_twolayer._training.warnings import (
    warn_if_not_converged,
    warn_if_one_hot,
    warn_if_scaled_differently,
    warn_if_unscaled,
)
from sk_twolayer._typing import Array
from sk_twolayer.layers._registry import ACTIVATIONS, Activation, make_activation
from sk_twolayer.network import TwoLayerNet
from sk_twolayer.optimizers import Optimizer
from sk_twolayer.optimizers._base import StopReason
from sk_twolayer.optimizers._registry import SOLVERS
from sk_twolayer.schedules import SCHEDULES

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier

__all__ = ["TwoLayerClassifier"]


def _has_partial_fit(estimator: TwoLayerClassifier) -> bool:
    """Return True if there is `partial_fit`; else raise an error that says why not."""
    problem = partial_fit_problem(vars(estimator))
    if problem is not None:
        raise AttributeError(problem)
    return True


class TwoLayerClassifier(
    ClassNamePrefixFeaturesOutMixin,
    ClassifierMixin,
    TransformerMixin,
    OnnxConvertible,
    CallbackSupportMixin,
    ParameterHints,
):
    """A neural network with one hidden layer, trained by minibatch gradient descent.

    ``scores = activation(X @ W1 + b1) @ W2 + b2``. Probabilities are the softmax of the scores;
    for two classes, the logistic sigmoid of a single score; for multilabel targets, the sigmoid of
    one score per label. Training minimises the (weighted) mean negative log-likelihood plus
    ``alpha/2 * (sum of W1**2 + sum of W2**2)``.

    Scale the columns of X first, for example with `StandardScaler`. Neural networks learn slowly,
    or not at all, from columns of very different scales; `fit` warns of columns that are too large.

    Parameters
    ----------
    hidden_size : int, default=256
        Number of hidden units.
    activation : str or layer, default="relu"
        Activation function of the hidden units: "relu", "leaky_relu", "elu", "softplus", "silu",
        "gelu", "mish", "sigmoid", "tanh", or "identity" for a linear model. Or a layer of your own
        with ``forward(x)`` and ``backward(dout)``, an object or its class, without parameters to
        learn; each fit and each prediction uses a copy. A grid search reaches the parameters of
        its `get_params` as ``activation__slope``.
    weight_init_std : float or "auto", default="auto"
        Standard deviation of the initial weights. "auto" is He initialization for relu and similar
        functions, and Glorot initialization otherwise, see `TwoLayerNet`. Initial biases are 0.
    solver : str or Optimizer, default="adam"
        "sgd", "adam", "adagrad", "rmsprop" or "lbfgs"; or an object from
        `sk_twolayer.optimizers` with parameters of its own: ``SGD(momentum=0.9, nesterov=True)``,
        ``Adam(beta_2=0.99)``, ``LBFGS(max_fun=100)``. A grid search reaches them as
        ``solver__momentum``. "lbfgs" takes full-batch steps and ignores `learning_rate`,
        `learning_rate_schedule`, `batch_size` and `shuffle`.
    learning_rate : float or "auto", default="auto"
        Initial learning rate. "auto" is the `default_learning_rate` of the solver. The value used
        is the attribute `learning_rate_`.
    learning_rate_schedule : str, default="auto"
        Change of the learning rate over the epochs:

        - "constant": no change.
        - "cosine": falls to 0 over `max_iter` epochs. Training lasts as many epochs.
        - "invscaling": is divided by ``sqrt(1 + epochs)``.
        - "adaptive": is divided by 5 whenever training would otherwise stop for lack of
          improvement, at most four times.
        - "auto": in `fit`, a cosine over the automatic number of epochs, or over `max_iter` if
          that is less. In `partial_fit` and with `warm_start`, where the number of epochs is not
          known in advance, "constant".
    alpha : float or "auto", default="auto"
        Strength of the penalty on the squared weights. "auto" depends on the columns, the rows and
        the classes, see :doc:`/choosing`. The value used is the attribute `alpha_`.
    dropout : float in [0, 1), default=0.0
        Probability with which a hidden unit is left out of a training step. Predictions use all
        units.
    batch_size : int, "auto" or "full", default="auto"
        Rows per minibatch, clipped to the number of training rows. "auto" is ``n_samples // 32``,
        clipped to [16, 128], and all rows if there are at most 32; "full" is all rows. The number
        used is the attribute `batch_size_`.
    max_iter : int or "auto", default="auto"
        Largest number of epochs. "auto" is as many as take 4500 steps, clipped to [10, 40], but
        at least 300 steps, and ``300 * sqrt(256 / hidden_size)`` steps for fewer than 256 hidden
        units; with L-BFGS, 200. A larger number does not lengthen the automatic schedule; for
        longer training set ``learning_rate_schedule="cosine"`` as well. The number used is the
        attribute `max_iter_`.
    shuffle : bool, default=True
        Whether each epoch draws a new permutation of the rows.
    tol : float or None, default=1e-4
        Training stops when the training objective (with `early_stopping`, the validation score)
        has not improved by more than `tol` for `n_iter_no_change` epochs. A "cosine" schedule
        stops early only with `early_stopping`, because its loss falls the most at its end. With
        None, training lasts `max_iter` epochs.
    n_iter_no_change : int or "auto", default="auto"
        Number of epochs in a row without improvement after which training stops. "auto" is as
        many as take 100 steps, and at least 10; 10 for L-BFGS.
    early_stopping : bool, default=False
        Whether to set aside a validation set, stop when the validation score stops improving, and
        keep the parameters of the best epoch.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows to hold out where `fit` is given no `X_val`, rounded up to whole rows.
        Each class keeps one row for training, then one row of each class is held out as far as
        this number allows; the rest is stratified by class. Copies of a row count as one and
        are kept together, unless their labels differ, or most rows occur five times or more:
        then they are drawn one by one. A row of whole-number weight k is split as k copies are.
    scoring : "loss", str, callable or None, default="loss"
        The validation score: minus the mean loss, or any scorer of scikit-learn's; None is
        accuracy. A scorer that fails where the validation rows lack a class is refused for such
        rows.
    class_weight : dict, "balanced" or None, default=None
        Factors of the classes' sample weights, 1 for a class that a dict does not name;
        "balanced" gives every class the same total weight. A dict may name classes that y does
        not hold, as long as it names one that y holds.
    warm_start : bool, default=False
        Whether `fit` resumes training where the last call ended. The result is the same as that of
        one longer call, except that "cosine" starts again every `max_iter` epochs.
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the permutations, the dropout masks and the split. Pass an
        int for bitwise reproducible results on a given machine, whatever else is running. For
        networks wide enough to use multithreaded BLAS (see Notes), the number of BLAS threads must
        be the same too.
    verbose : bool or int, default=False
        Whether to print one line per epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels that y holds, sorted, also of rows of weight zero; for an indicator
        matrix y, the numbers of its columns.
    coefs_ : list of two ndarrays, of shapes (n_features, hidden_size), (hidden_size, n_outputs)
        The weights W1 and W2, in the dtype of the X given to `fit`.
    intercepts_ : list of two ndarrays, of shapes (hidden_size,) and (n_outputs,)
        The biases b1 and b2.
    activation_ : str or layer
        The activation the model was fitted with: its name, or a copy of the layer.
    alpha_ : float
        Strength of the penalty in the last call of `fit` or `partial_fit`.
    learning_rate_ : float
        Initial learning rate.
    learning_rate_schedule_ : str
        Schedule of the learning rate; what "auto" stands for.
    max_iter_ : int
        Largest number of epochs.
    batch_size_ : int
        Rows per minibatch in the last call; with L-BFGS, all training rows.
    out_activation_ : {"softmax", "logistic"}
        What turns scores into probabilities; "logistic" for two classes and for labels.
    n_outputs_ : int
        Number of scores: 1 for two classes, otherwise one per class or label.
    sparse_output_ : bool
        Whether `predict` returns a sparse matrix, because the indicator matrix y of `fit`, or of
        the first call of `partial_fit`, was sparse.
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
    A row of weight zero is left out of training, but its label is in `classes_`: a class whose
    rows all have weight zero keeps its column in `predict_proba`. The other weights are divided
    by their mean, so only their ratios matter; for full batches a weight of k equals k copies of
    the row.
    While a fit runs it holds BLAS to one thread, for the whole process, unless the largest
    product of a step takes 2**26 multiplications or more. A fit that fails leaves
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
        # the view of the names, so that an activation that is added is known
        "activation": [StrOptions(ACTIVATIONS.keys()), HasMethods(["forward", "backward"])],
        "weight_init_std": [Number(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "solver": [StrOptions(set(SOLVERS)), Optimizer],
        "learning_rate": [Number(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "learning_rate_schedule": [StrOptions({"auto", *SCHEDULES})],
        "alpha": [Number(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "dropout": [Number(Real, 0, 1, closed="left")],
        "batch_size": [Number(Integral, 1, None, closed="left"), StrOptions({"auto", "full"})],
        "max_iter": [Number(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "shuffle": ["boolean"],
        "tol": [Number(Real, 0, None, closed="left"), None],
        "n_iter_no_change": [Number(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "early_stopping": ["boolean"],
        "validation_fraction": [Number(Real, 0, 1, closed="neither")],
        "scoring": [str, callable, None],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "warm_start": ["boolean"],
        "random_state": RANDOM_STATE,
        "verbose": ["verbose"],
    }

    classes_: Array
    coefs_: list[Array]
    intercepts_: list[Array]
    activation_: Any
    n_outputs_: int
    out_activation_: str
    n_iter_: int

    @name_counterparts
    def __init__(
        self,
        hidden_size: int = 256,
        *,
        activation: Activation = "relu",
        weight_init_std: float | str = "auto",
        solver: str | Optimizer = "adam",
        learning_rate: float | str = "auto",
        learning_rate_schedule: str = "auto",
        alpha: float | str = "auto",
        dropout: float = 0.0,
        batch_size: int | str = "auto",
        max_iter: int | str = "auto",
        shuffle: bool = True,
        tol: float | None = 1e-4,
        n_iter_no_change: int | str = "auto",
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
            Class labels: numbers, strings or booleans; or an indicator matrix of zeros and ones,
            where a row may have several labels. If y holds a single class, the model predicts
            that class with probability 1 for every row.
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
            If a column of X is ten times as large as unit scale or more; if X_val is not scaled
            as X is; if an indicator matrix of three or more columns has exactly one 1 in every
            row, as one-hot rows have; or if training was interrupted (KeyboardInterrupt) after at
            least one epoch, whose results are kept.
        """
        result, attributes = self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))
        self._publish(attributes, saved_state(result) if self.warm_start else None)
        warn_if_not_converged(result)
        return self

    @available_if(_has_partial_fit)
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
        params = self._checked_parameters()
        previous = FittedModel.of(self)
        sources = RandomSources.create(self.random_state, previous.saved if previous else None)
        data = prepare_partial_fit(
            self,
            X,
            y,
            sample_weight,
            classes,
            dtype=previous.dtype if previous else None,
            known=previous.labels if previous else None,
        )
        if previous:
            previous.check_labels(data.labels)
            if not data.training.X.shape[0]:
                return self  # no row has a weight
        settings = Settings.resolve(params, data.training, data.labels, streaming=True)
        if previous:
            state, net = previous.resume(settings, sources, n_iter=self.n_iter_)
        else:
            names = data.input_attributes.get("feature_names_in_")
            warn_if_unscaled(data.training.X, names, type(self).__name__)
            warn_if_one_hot(data.training.t)
            state, net = TrainingState.new(settings, sources), make_network(settings, sources)
        state.restart_validation()
        result = train(net, data.training, None, settings, state, verbose=bool(self.verbose))
        if result.stop_reason is StopReason.INTERRUPT:
            raise KeyboardInterrupt  # the caller of partial_fit decides what is fed next
        del state.records[: -settings.max_iter]
        self._publish(self._attributes(data, result), saved_state(result))
        return self

    def predict(self, X: Any) -> Any:
        """Return the most likely class of each row, or all its likely labels.

        The class is that of the largest probability, the first of equal ones, as ``argmax`` of
        `predict_proba` finds it.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.

        Returns
        -------
        ndarray of shape (n_samples,), or matrix of shape (n_samples, n_labels), dtype int
            Class labels; fitted to an indicator matrix, one with 1 for each label of
            probability above one half. It is a `csr_matrix` if the one in `fit` was sparse.
        """
        return predict_labels(self, X)

    def decision_function(self, X: Any) -> Array:
        """Return the scores: the log-odds of the second class, or one score per class or label.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.

        Returns
        -------
        ndarray of shape (n_samples,) for one or two classes, else (n_samples, n_classes)
            Scores in the dtype of the model; where there may be several labels, their log-odds.
            0 for the only class of a model fitted to one class.
        """
        return decision_scores(self, X)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class or label.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`, in the dtype of the model. Those of a row
            sum to 1, unless it may have several labels. None is 0 or 1, so that a log-loss is
            finite: what would round to them is the smallest normal number of the dtype, or the
            largest number below 1.
        """
        return probabilities(self, X)

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of each probability, finite for confident rows too.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probabilities in the order of `classes_`, in the dtype of the model. They come
            from the scores, and may be lower than the logarithm of the least probability that
            `predict_proba` returns.
        """
        return log_probabilities(self, X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy: the share of rows whose class, or all of whose labels, are right.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.
        y : array-like of shape (n_samples,), or of shape (n_samples, n_labels), also sparse
            True labels, or true indicator matrix.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        float
            The share, weighted where there are weights.
        """
        return float(super().score(X, as_target_array(y), sample_weight))

    def transform(self, X: Any) -> Array:
        """Return the hidden units' activations: the features the net has made for itself.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.

        Returns
        -------
        ndarray of shape (n_samples, hidden_size)
            Activations, in the dtype of the model.
        """
        return hidden_units(self, X)

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
        >>> bool(abs(mlp.predict_proba(X) - clf.predict_proba(X)).max() < 1e-12)
        True
        """
        return to_mlp(self)

    @with_callbacks
    def _fit(
        self, X: Any, y: Any, sample_weight: Any, validation: tuple[Any, Any, Any]
    ) -> tuple[FitResult, dict[str, Any]]:
        """Return the result of training, and the fitted attributes; change no attribute."""
        params = self._checked_parameters()
        previous = FittedModel.of(self) if self.warm_start else None
        saved = previous.saved if previous else None
        sources = RandomSources.create(self.random_state, saved)
        data = prepare_fit(
            self,
            X,
            y,
            sample_weight,
            validation,
            dtype=previous.dtype if previous else None,
            split_seed=sources.draw_split_seed,
        )
        if previous:
            previous.check_labels(data.labels)
        settings = Settings.resolve(params, data.training, data.labels)
        attributes = partial(self._attributes, data)
        tasks = EpochTasks(self, settings.n_epochs, X, y, sample_weight, attributes)
        if previous:
            state, net = previous.resume(settings, sources, n_iter=0)
        else:
            names = data.input_attributes.get("feature_names_in_")
            warn_if_unscaled(data.training.X, names, type(self).__name__)
            warn_if_one_hot(data.training.t)
            state, net = TrainingState.new(settings, sources), make_network(settings, sources)
        if validation[0] is not None and data.validation is not None:
            names = data.input_attributes.get("feature_names_in_")
            warn_if_scaled_differently(data.training.X, data.validation.X, names)
        evaluator = self._validation(data, settings, state)
        self._compare_with_earlier_epochs(data, state)
        if previous and evaluator and settings.early_stopping:
            previous.keep_if_best(state, net, evaluator)
        result = train(
            net, data.training, evaluator, settings, state, tasks, verbose=bool(self.verbose)
        )
        tasks.end_fit(attributes(result))
        return result, attributes(result)

    def _checked_parameters(self) -> dict[str, Any]:
        """Return the parameters, after checking each and their combinations."""
        params = self._valid_params()
        check_parameters(params)
        check_scoring(self)
        return params

    def _validation(
        self, data: PreparedData, settings: Settings, state: TrainingState
    ) -> Validation | None:
        """Return what evaluates networks on the validation rows, if there are some."""
        if data.validation is None:
            return None

        def attributes(net: TwoLayerNet) -> dict[str, Any]:
            return self._attributes(data, FitResult(net, state, settings))

        score = make_score(self, data.labels, data.validation, attributes)
        return Validation(data.validation, score)

    def _compare_with_earlier_epochs(self, data: PreparedData, state: TrainingState) -> None:
        """Restart what compares epochs where they are not comparable with the earlier ones."""
        if not self.warm_start:
            return
        names = ("early_stopping", "scoring", "alpha", "class_weight", "dropout")
        conditions = {name: getattr(self, name) for name in names}
        # a layer is not equal to the copy that comes back from a file
        conditions["activation"] = repr(make_activation(self.activation))
        conditions["data"] = data_summary(data.training)
        validation = data.validation and (self.scoring, data_summary(data.validation))
        state.set_conditions(conditions, validation)

    def _attributes(self, data: PreparedData, result: FitResult) -> dict[str, Any]:
        """Return the fitted attributes."""
        return {**data.input_attributes, **fitted_attributes(result, data.labels)}

    def _publish(self, attributes: dict[str, Any], state: dict[str, Any] | None) -> None:
        """Set all fitted attributes in one assignment, which no fault can leave half done."""
        kept = {name: value for name, value in vars(self).items() if name not in INPUT_ATTRIBUTES}
        self.__dict__ = {**kept, **attributes, "_training_state": state}

    @property
    def _n_features_out(self) -> int:
        """Number of columns of what `transform` returns, for `get_feature_names_out`."""
        return len(self.intercepts_[0])

    @property
    def _multilabel(self) -> bool:
        return is_multilabel(self)

    def __getstate__(self) -> dict[str, Any]:
        return add_marks(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(checked_state(state, type(self).__name__))
