"""The classifier: its parameters and public methods."""

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
from sk_twolayer._migration.mlp import from_mlp, to_mlp
from sk_twolayer._migration.parameter_hints import ParameterHints, name_counterparts
from sk_twolayer._onnx import OnnxConvertible
from sk_twolayer._serialization import add_metadata, without_metadata
from sk_twolayer._sklearn_compat import (
    RANDOM_STATE,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    HasMethods,
    RealInterval,
    StrOptions,
    TransformerMixin,
)
from sk_twolayer._training.attributes import FittedModel, fitted_attributes, saved_state
from sk_twolayer._training.callbacks import CallbackSupportMixin, EpochTasks, with_callbacks
from sk_twolayer._training.loop import FitResult, make_network, train
from sk_twolayer._training.report import Report
from sk_twolayer._training.scoring import Validation, check_scoring, make_score
from sk_twolayer._training.settings import Settings, check_parameters, partial_fit_problem
from sk_twolayer._training.state import (
    RandomSources,
    TrainingState,
    activation_summary,
    data_summary,
)
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
from sk_twolayer.schedules import _SCHEDULES

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier

__all__ = ["TwoLayerClassifier"]


def _has_partial_fit(estimator: TwoLayerClassifier) -> bool:
    """Return True if the parameters allow `partial_fit`; otherwise raise an error that says why.

    `available_if` calls it, and raises its own error from this one.
    """
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
    """A neural-network classifier with one hidden layer, trained by minibatch gradient descent.

    The scores are ``activation(X @ W1 + b1) @ W2 + b2``. The probabilities of the classes are the
    softmax of the scores. For two classes there is one score, and the probability of the second
    class is its logistic sigmoid. For multilabel targets there is one score per label, and the
    probability of a label is the sigmoid of its score. Training minimises the (weighted) mean
    negative log-likelihood plus the penalty ``alpha/2 * (sum of W1**2 + sum of W2**2)``.

    Scale the columns of X first, for example with `StandardScaler`. Neural networks learn slowly,
    or not at all, if the scales of the columns differ a lot. `fit` warns about columns that are too
    large.

    Parameters
    ----------
    hidden_size : int, default=256
        Number of hidden units.
    activation : str or layer, default="relu"
        Activation function of the hidden units: "relu", "leaky_relu", "elu", "softplus", "silu",
        "gelu", "mish", "sigmoid", "tanh", or "identity" for a linear model. Instead of a name, it
        can be a layer of your own, as an object or a class with the methods ``forward(x)`` and
        ``backward(dout)``. The layer must not have trainable parameters. The classifier uses copies
        of it. If it has `get_params`, a grid search can vary its parameters: ``activation__slope``.
    weight_init_std : float or "auto", default="auto"
        Standard deviation of the initial weights. "auto" is He initialization for relu and similar
        functions, and Glorot initialization otherwise, see `TwoLayerNet`. The initial biases are 0.
    solver : str or Optimizer, default="adam"
        "sgd", "adam", "adagrad", "rmsprop" or "lbfgs"; or an object from
        `sk_twolayer.optimizers`, for other parameters than the defaults:
        ``SGD(momentum=0.9, nesterov=True)``, ``Adam(beta_2=0.99)``, ``LBFGS(max_fun=100)``. A grid
        search can vary the parameters of an object: ``solver__momentum``. L-BFGS takes full-batch
        steps and ignores `learning_rate`, `learning_rate_schedule`, `batch_size` and `shuffle`.
    learning_rate : float or "auto", default="auto"
        Initial learning rate. "auto" is the `default_learning_rate` of the solver. The value used
        is the attribute `learning_rate_`.
    learning_rate_schedule : str, default="auto"
        How the learning rate changes over the epochs:

        - "constant": it does not change.
        - "cosine": it falls to 0 over `max_iter` epochs, and training lasts for all of them.
        - "invscaling": it is divided by ``sqrt(1 + epochs)``.
        - "adaptive": it is divided by 5 whenever training would otherwise stop for lack of
          improvement, at most four times.
        - "auto": in `fit`, "cosine" over the automatic number of epochs, or over `max_iter` if
          that is less. In `partial_fit` and with `warm_start`, where the number of epochs is not
          known in advance, "constant".
    alpha : float or "auto", default="auto"
        Strength of the penalty on the squared weights. "auto" depends on the columns, the rows and
        the classes, see :doc:`/choosing`. The value used is the attribute `alpha_`.
    dropout : float in [0, 1), default=0.0
        Probability that a hidden unit is left out of a training step. Predictions use all units.
    batch_size : int, "auto" or "full", default="auto"
        Number of rows per minibatch. "auto" is ``n_samples // 32``, clipped to [16, 128], or all
        rows if there are at most 32; "full" is all rows. The number used, which is never larger
        than the number of training rows, is the attribute `batch_size_`.
    max_iter : int or "auto", default="auto"
        Largest number of epochs. "auto" is the number of epochs that take about 4500 steps, clipped
        to [10, 40], but at least as many as take 300 steps, or with fewer than 256 hidden units
        ``300 * sqrt(256 / hidden_size)`` steps. With L-BFGS it is 200. With the schedule "auto",
        `fit` never trains for longer than that: for longer training, set both a number and
        ``learning_rate_schedule="cosine"``. The number used is the attribute `max_iter_`.
    shuffle : bool, default=True
        Whether to draw a new permutation of the rows for each epoch.
    tol : float or None, default=1e-4
        Training stops if the training objective, or with `early_stopping` the validation score,
        has not improved by more than `tol` for `n_iter_no_change` epochs. With the schedule
        "cosine", training stops before the last epoch only with `early_stopping` or `warm_start`,
        because most of the improvement comes at the end. With None, training lasts for `max_iter`
        epochs.
    n_iter_no_change : int or "auto", default="auto"
        Number of successive epochs without improvement after which training stops. "auto" is the
        number of epochs that take 100 steps, but at least 10. With L-BFGS it is 10.
    early_stopping : bool, default=False
        Whether to set aside a validation set, stop when the validation score stops improving, and
        keep the parameters of the best epoch.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows in the validation set, if `fit` is given no `X_val`. The split is
        stratified by class; each class has at least one training row, and one validation row if
        possible. Equal rows are kept together. :doc:`/early_stopping` has the details.
    scoring : "loss", str, callable or None, default="loss"
        The validation score. "loss" is minus the mean validation loss, other strings are names of
        scikit-learn's scorers, and None is accuracy. It is an error if a scorer needs a row of each
        class and the validation rows lack one.
    class_weight : dict, "balanced" or None, default=None
        Factors of the sample weights by class. "balanced" gives all classes the same total
        weight. A dict has one factor per class; classes that it does not name have the factor 1.
        It may name classes that are not in y, but must name at least one that is.
    warm_start : bool, default=False
        Whether `fit` resumes training where the last call ended. The result is the same as that of
        one longer call, except that "cosine" starts again every `max_iter` epochs.
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the permutations, the dropout masks and the split. Pass an
        int for bitwise reproducible results on a given machine, whatever else is running. For
        networks wide enough to use multithreaded BLAS (see Notes), the number of BLAS threads must
        be the same too.
    verbose : bool or int, default=False
        Whether to print one line per epoch, and why training ended. Any integer above 0 means
        True.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The sorted class labels in y, including those of rows with weight zero. If y is an indicator
        matrix, the numbers of its columns.
    coefs_ : list of two ndarrays, of shapes (n_features, hidden_size), (hidden_size, n_outputs)
        The weights W1 and W2, in the dtype of the X given to `fit`.
    intercepts_ : list of two ndarrays, of shapes (hidden_size,) and (n_outputs,)
        The biases b1 and b2.
    activation_ : str or layer
        The activation of the fitted model: its name, or a copy of the layer.
    alpha_ : float
        Strength of the penalty in the last call of `fit` or `partial_fit`.
    learning_rate_ : float
        Initial learning rate.
    learning_rate_schedule_ : str
        Schedule of the learning rate. It is never "auto".
    max_iter_ : int
        Largest number of epochs.
    batch_size_ : int
        Number of rows per minibatch in the last call; with L-BFGS, all training rows.
    out_activation_ : {"softmax", "logistic"}
        The function from scores to probabilities: "logistic" for two classes and for multilabel
        targets.
    n_outputs_ : int
        Number of scores: 1 for two classes, otherwise one per class or label.
    sparse_output_ : bool
        Whether `predict` returns a sparse matrix. It does if the indicator matrix y in `fit`, or in
        the first call of `partial_fit`, was sparse.
    n_layers_ : int
        Number of layers of units, including inputs and outputs: 3.
    n_iter_ : int
        Number of epochs of the last call of `fit` and all calls of `partial_fit` since then.
    t_ : int
        Number of training rows seen, summed over all epochs.
    loss_curve_ : list of float
        Mean training loss of each epoch, without the penalty. With `warm_start`, it includes the
        epochs of earlier calls. `partial_fit` keeps only the last `max_iter_` epochs.
    loss_, best_loss_ : float
        The last and the smallest value of `loss_curve_`.
    validation_loss_curve_, validation_scores_ : list of float or None
        Mean loss and score of the validation rows after each epoch, if there are validation rows.
    best_validation_score_ : float or None
        The highest of `validation_scores_`; with `early_stopping`, the score of the model.
    n_features_in_ : int
        Number of features seen by `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all columns of X had string names.

    See Also
    --------
    TwoLayerNet : The network without the classifier, to be trained by hand.
    sklearn.neural_network.MLPClassifier : A network with any number of hidden layers.

    Notes
    -----
    Rows of weight zero are left out of training, but their labels are in `classes_`: a class whose
    rows all have weight zero keeps its column in `predict_proba`. The other weights are divided
    by their mean, so only their ratios matter. For full-batch steps, a weight of k is the same as k
    copies of the row.

    During `fit`, BLAS uses one thread in the whole process, unless the largest matrix product of a
    training step takes 2**26 multiplications or more. A fit that fails does not change the
    attributes of the estimator.

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
    >>> X_train, X_test, y_train, y_test = train_test_split(
    ...     X / 16, y, test_size=0.5, random_state=0)
    >>> clf = TwoLayerClassifier(random_state=0).fit(X_train, y_train)
    >>> print(f"{clf.score(X_test, y_test):.2f}")
    0.97

    *Early stopping* holds out 10 % of the rows, and keeps the parameters of the best epoch:

    >>> clf = TwoLayerClassifier(early_stopping=True, scoring="accuracy", random_state=0)
    >>> clf = clf.fit(X_train, y_train)
    >>> len(clf.validation_scores_) == clf.n_iter_
    True
    >>> print(f"{clf.best_validation_score_:.1f}")
    1.0

    *Imbalanced classes*: one row in twenty is in class 1, and "balanced" finds more of them:

    >>> from sklearn.datasets import make_classification
    >>> from sklearn.metrics import recall_score
    >>> X_rare, y_rare = make_classification(
    ...     8000, 10, weights=[0.95], class_sep=0.3, random_state=0)
    >>> for class_weight in (None, "balanced"):
    ...     clf = TwoLayerClassifier(class_weight=class_weight, random_state=0)
    ...     clf = clf.fit(X_rare[:4000], y_rare[:4000])
    ...     print(f"{recall_score(y_rare[4000:], clf.predict(X_rare[4000:])):.1f}")
    0.2
    0.6

    *Multilabel targets*: is the digit even, and is it less than 5?

    >>> import numpy as np
    >>> labels = np.column_stack([y_train % 2 == 0, y_train < 5]).astype(int)
    >>> clf = TwoLayerClassifier(random_state=0).fit(X_train, labels)
    >>> y_test[:2], clf.predict(X_test[:2])
    (array([2, 8]), array([[1, 1],
           [1, 0]]))

    *Incremental training*: see the example of `partial_fit`.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_size": [RealInterval(Integral, 1, None, closed="left")],
        # not a copy of the keys, because activations may be added to the registry later
        "activation": [StrOptions(ACTIVATIONS.keys()), HasMethods(["forward", "backward"])],
        "weight_init_std": [RealInterval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "solver": [StrOptions(set(SOLVERS)), Optimizer],
        "learning_rate": [RealInterval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "learning_rate_schedule": [StrOptions({"auto", *_SCHEDULES})],
        "alpha": [RealInterval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "dropout": [RealInterval(Real, 0, 1, closed="left")],
        "batch_size": [
            RealInterval(Integral, 1, None, closed="left"),
            StrOptions({"auto", "full"}),
        ],
        "max_iter": [RealInterval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "shuffle": ["boolean"],
        "tol": [RealInterval(Real, 0, None, closed="left"), None],
        "n_iter_no_change": [RealInterval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "early_stopping": ["boolean"],
        "validation_fraction": [RealInterval(Real, 0, 1, closed="neither")],
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
    n_features_in_: int
    n_outputs_: int
    out_activation_: str
    n_iter_: int
    loss_curve_: list[float]
    best_loss_: float
    validation_scores_: list[float] | None
    best_validation_score_: float | None

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
        """Train a new model, or with `warm_start` continue to train the fitted one.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows. If X is float32, the model is trained in float32, otherwise in float64.
        y : array-like of shape (n_samples,), or of shape (n_samples, n_labels), also sparse
            Class labels: numbers, strings or booleans. For rows with several labels, an indicator
            matrix of zeros and ones. If y has only one class, the model predicts that class
            with probability 1.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, not negative.
        X_val, y_val : as X and y, default=None
            Validation rows, evaluated after each epoch. With `early_stopping` they are used
            instead of a part of X.
        sample_weight_val : array-like of shape (n_validation_samples,), default=None
            Weights of the validation rows.

        Returns
        -------
        TwoLayerClassifier
            The fitted classifier itself.

        Raises
        ------
        ValueError
            If a parameter, X, y or the weights are invalid, or the loss is no longer finite.

        Warns
        -----
        ConvergenceWarning
            If training reached `max_iter` epochs before it converged. With ``tol=None`` there is
            no warning, and with the schedule "cosine" only if the loss was still falling fast.
        UserWarning
            If the root mean square of a column of X is above 10; if X_val is not scaled like X;
            if an indicator matrix of three or more columns has exactly one 1 in each row, and may
            be one-hot; or if training was interrupted (KeyboardInterrupt) after at least one epoch:
            then the model is kept.
        """
        result, attributes = self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))
        self._publish(attributes, saved_state(result) if self.warm_start else None)
        warn_if_not_converged(result)
        return self

    @available_if(_has_partial_fit)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train the model for one epoch on the given rows; the first call creates the model.

        Each call draws a new permutation of the rows. If the weights are all zero, the current
        model is not changed.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows. The model keeps the dtype of the first call.
        y : array-like of shape (n_samples,), or of shape (n_samples, n_labels), also sparse
            Class labels or indicator matrix, as for `fit`.
        classes : array-like of shape (n_classes,), default=None
            All class labels that will occur in any call; for an indicator matrix y, the numbers of
            its columns. Required in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, not negative.

        Returns
        -------
        TwoLayerClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If a parameter, X, y or the weights are invalid, or the loss is no longer finite. The
            model is not changed.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sk_twolayer import TwoLayerClassifier
        >>> X, y = load_digits(return_X_y=True)
        >>> clf = TwoLayerClassifier(random_state=0)
        >>> for start in range(0, 1000, 100):
        ...     rows = slice(start, start + 100)
        ...     clf = clf.partial_fit(X[rows] / 16, y[rows], classes=range(10))
        >>> print(f"{clf.score(X[1000:] / 16, y[1000:]):.1f}")
        0.9
        """
        params = self._checked_parameters()
        previous = FittedModel.of(self)
        sources = RandomSources(self.random_state, previous.saved if previous else None)
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
        n_iter = self.n_iter_ if previous else 0
        state, net = self._start(data, settings, sources, previous, n_iter=n_iter)
        state.restart_validation()
        report = Report(None) if self.verbose else None
        result = train(net, data.training, None, settings, state, report=report)
        if result.stop_reason is StopReason.INTERRUPT:
            raise KeyboardInterrupt  # the caller of partial_fit decides how to continue
        del state.records[: -settings.max_iter]
        self._publish(self._attributes(data, result), saved_state(result))
        return self

    def predict(self, X: Any) -> Any:
        """Return the most likely class, or all likely labels, of each row.

        The class is the one with the largest probability, and the first of those in a tie, like
        ``argmax`` of `predict_proba`.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.

        Returns
        -------
        ndarray of shape (n_samples,), or matrix of shape (n_samples, n_labels), dtype int
            Class labels. For multilabel models, an indicator matrix with 1 for each label of
            probability above one half; a `csr_matrix` if the y in `fit` was sparse.
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
            Scores in the dtype of the model. For two classes and for multilabel models they are
            log-odds. For a model of one class they are 0.
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
            Probabilities in the order of `classes_`, in the dtype of the model. The probabilities
            of a row sum to 1, except for multilabel models. Unless there is only one class, no
            probability is exactly 0 or 1, so that a log-loss is finite: they are clipped to the
            smallest normal number of the dtype and the largest number below 1.
        """
        return probabilities(self, X)

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of the probability of each class or label.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probabilities in the order of `classes_`, in the dtype of the model. They are
            computed from the scores, without the clipping of `predict_proba`, and are finite.
        """
        return log_probabilities(self, X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy: the fraction of rows whose class, or whose labels, are all correct.

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
            The accuracy, weighted by `sample_weight`.
        """
        return float(super().score(X, as_target_array(y), sample_weight))

    def transform(self, X: Any) -> Array:
        """Return the activations of the hidden units, as features for another model.

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
        """Return a classifier with the parameters, and any fitted weights, of an `MLPClassifier`.

        If `mlp` is fitted, the classifier is fitted too, with copies of the weights, and has the
        same predictions. The page :doc:`/migration` has a table of the parameters.

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
        """Return an `MLPClassifier` with the parameters, and any fitted weights, of this object.

        It is for tools that accept only an `MLPClassifier`. If this classifier is fitted, the
        result is fitted too, with copies of the weights, and has the same predictions. The page
        :doc:`/migration` has a table of the parameters.

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
        """Return the result of training, and the fitted attributes; change no attribute.

        The order of the steps matters. The seed of the split is drawn before the initial weights.
        Callbacks are notified of the start of the fit before the network is made, so that they are
        notified of the end also if that fails. At a successful end, they are given the final
        attributes.
        """
        params = self._checked_parameters()
        previous = FittedModel.of(self) if self.warm_start else None
        saved = previous.saved if previous else None
        sources = RandomSources(self.random_state, saved)
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
        state, net = self._start(data, settings, sources, previous, n_iter=0)
        if validation[0] is not None and data.validation is not None:
            warn_if_scaled_differently(data.training.X, data.validation.X, data.feature_names)
        evaluator = self._validation(data, settings, state)
        self._compare_with_earlier_epochs(data, state)
        if previous and evaluator and settings.early_stopping:
            previous.keep_if_best(state, net, evaluator)
        report = Report(settings.n_epochs) if self.verbose else None
        result = train(net, data.training, evaluator, settings, state, tasks, report)
        tasks.end_fit(attributes(result))
        return result, attributes(result)

    def _start(
        self,
        data: PreparedData,
        settings: Settings,
        sources: RandomSources,
        previous: FittedModel | None,
        *,
        n_iter: int,
    ) -> tuple[TrainingState, TwoLayerNet]:
        """Return the state and the network to train: those of the previous model, or new ones.

        For a new model, warn about unscaled columns and one-hot targets. With a previous model, the
        epochs are counted from `n_iter` on.
        """
        if previous:
            return previous.resume(settings, sources, n_iter=n_iter)
        warn_if_unscaled(data.training.X, data.feature_names, type(self).__name__)
        warn_if_one_hot(data.training.t)
        return TrainingState.new(settings, sources), make_network(settings, sources)

    def _checked_parameters(self) -> dict[str, Any]:
        """Check the parameters, each of them and their combinations, and return them."""
        params = self._valid_params()
        check_parameters(params)
        check_scoring(self)
        return params

    def _validation(
        self, data: PreparedData, settings: Settings, state: TrainingState
    ) -> Validation | None:
        """Return the validation rows with the function that scores a network on them, or None."""
        if data.validation is None:
            return None

        def attributes(net: TwoLayerNet) -> dict[str, Any]:
            return self._attributes(data, FitResult(net, state, settings))

        score = make_score(self, data.labels, data.validation, attributes)
        return Validation(data.validation, score)

    def _compare_with_earlier_epochs(self, data: PreparedData, state: TrainingState) -> None:
        """With `warm_start`, reset comparisons of epochs if the data or the objective changed."""
        if not self.warm_start:
            return
        names = ("early_stopping", "scoring", "alpha", "class_weight", "dropout")
        conditions = {name: getattr(self, name) for name in names}
        conditions["activation"] = activation_summary(make_activation(self.activation))
        conditions["data"] = data_summary(data.training)
        validation = data.validation and (self.scoring, data_summary(data.validation))
        state.set_conditions(conditions, validation)

    def _attributes(self, data: PreparedData, result: FitResult) -> dict[str, Any]:
        """Return the fitted attributes."""
        return {**data.input_attributes, **fitted_attributes(result, data.labels)}

    def _publish(self, attributes: dict[str, Any], state: dict[str, Any] | None) -> None:
        """Set all fitted attributes in one assignment, so that an interrupt sets all or none."""
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
        return add_metadata(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(without_metadata(state, type(self).__name__))
