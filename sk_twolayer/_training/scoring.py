"""Loss and score of a network on validation rows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from inspect import signature
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from sk_twolayer._data.dataset import Dataset
from sk_twolayer._data.targets import Labels
from sk_twolayer._numerics.matrices import BLOCK_ROWS, as_dense, blocks
from sk_twolayer._numerics.threads import one_blas_thread
from sk_twolayer._sklearn_compat import (
    BaseEstimator,
    ClassifierMixin,
    is_made_scorer,
    scorer_with_labels,
    shallow_copy,
)
from sk_twolayer._typing import Array, Classifier
from sk_twolayer.network import TwoLayerNet


class ValidationResult(NamedTuple):
    """Mean loss and score on validation rows; a higher score is better."""

    loss: float
    score: float


class Validation:
    """Validation rows, and the evaluation of networks on them.

    Parameters
    ----------
    dataset : Dataset
        The rows, their encoded targets, and their weights.
    score : callable or None, default=None
        ``score(net)`` returns a number, of which a higher one is better; None is minus the loss.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer import TwoLayerNet
    >>> from sk_twolayer._data.dataset import Dataset
    >>> from sk_twolayer._training.scoring import Validation
    >>> held_out = Dataset(np.zeros((2, 1)), np.array([0, 1]), None)
    >>> result = Validation(held_out).evaluate(TwoLayerNet(1, 1, 2))
    >>> round(result.loss, 4), round(result.score, 4)  # log(2)
    (0.6931, -0.6931)
    """

    def __init__(
        self, dataset: Dataset, score: Callable[[TwoLayerNet], float] | None = None
    ) -> None:
        self.dataset = dataset
        self._score = score

    def evaluate(self, net: TwoLayerNet) -> ValidationResult:
        """Return the mean loss of a network, without dropout and penalty, and its score.

        Parameters
        ----------
        net : TwoLayerNet
            The network.

        Returns
        -------
        ValidationResult
            Loss and score.

        Raises
        ------
        ValueError
            If the score is not a number.
        """
        n = self.dataset.X.shape[0]
        # with one thread, the result for a network does not depend on the number of cores
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            loss = sum(self._loss(net, rows) for rows in blocks(n, BLOCK_ROWS)) / n
            score = -loss if self._score is None else float(self._score(net))
        if math.isnan(score):
            if self._score is None:
                raise ValueError(
                    "the loss of the validation rows is NaN: scale their columns like those of the "
                    "training rows"
                )
            raise ValueError("the score of the validation rows is NaN: choose another scoring")
        return ValidationResult(loss, score)

    def _loss(self, net: TwoLayerNet, rows: slice) -> float:
        """Return the sum of the losses of some rows."""
        X, t, weights, _ = self.dataset
        scores = net.predict(X[rows])
        encoded = net.last_layer.encode_targets(as_dense(t[rows]), np.empty_like(scores))
        weights = None if weights is None else weights[rows]
        net.last_layer.mean_loss(scores, encoded, weights)
        return net.last_layer.sum_losses()


def check_scoring(estimator: Classifier) -> None:
    """Raise an error if the parameter `scoring` is not a scorer."""
    scoring = estimator.scoring
    if scoring == "loss":
        return
    from sklearn import metrics  # imported late: that takes as long as the import of this package

    if isinstance(scoring, str) and scoring not in metrics.get_scorer_names():
        raise ValueError(
            'scoring must be "loss", a callable, None or a name from '
            'sklearn.metrics.get_scorer_names(), such as "accuracy" or "neg_log_loss"; '
            f"got {scoring!r}"
        )
    metrics.check_scoring(estimator, scoring)


def make_score(
    estimator: Classifier,
    labels: Labels,
    validation: Dataset,
    fitted_attributes: Callable[[TwoLayerNet], dict[str, Any]],
) -> Callable[[TwoLayerNet], float] | None:
    """Return a function that scores a network on the validation rows, by `estimator.scoring`.

    Scorers such as "neg_log_loss" assume that the columns of the probabilities are the labels in
    the rows that they score. Since the validation rows may lack a class, they are given the labels
    of all classes.

    Parameters
    ----------
    estimator : TwoLayerClassifier
        The classifier. The scorer is called with a shallow copy of it.
    labels : Labels
        The classes of the model.
    validation : Dataset
        The validation rows.
    fitted_attributes : callable
        ``fitted_attributes(net)`` returns the fitted attributes of that copy.

    Returns
    -------
    callable or None
        ``score(net)`` returns a float; None if `scoring` is "loss".

    Raises
    ------
    ValueError
        If there are weights and the scorer does not accept any, or if the scorer needs a row of
        each class and the validation rows lack one, or needs two classes and there is only one.
        Whether a function that was not made by `make_scorer` needs them is only known when it is
        called: then `score` raises the error.
    """
    if estimator.scoring == "loss":
        return None
    from sklearn import metrics  # imported late, as above

    scorer = metrics.check_scoring(estimator, estimator.scoring or "accuracy")
    y = as_dense(labels.decode(validation.t))
    options = {} if validation.weights is None else {"sample_weight": validation.weights}
    arguments = signature(scorer).parameters.values()
    takes_weights = any(a.name == "sample_weight" or a.kind == a.VAR_KEYWORD for a in arguments)
    if options and not takes_weights:
        raise ValueError(
            f"scoring={estimator.scoring!r} does not accept sample_weight, but the validation rows "
            "have weights: add the argument to the function, or use make_scorer"
        )
    problem = _problem_of_classes(estimator.scoring, labels, validation)
    made = is_made_scorer(scorer)
    if problem and made:
        scorer = _checked_scorer(scorer, labels.classes, as_dense(validation.t), problem)

    def score(net: TwoLayerNet) -> float:
        fitted = shallow_copy(estimator)
        vars(fitted).update(fitted_attributes(net))
        vars(fitted).pop("feature_names_in_", None)  # the validation rows have no names
        try:
            value = float(scorer(fitted, validation.X, y, **options))
        except ValueError as error:
            if problem and not made:
                raise ValueError(problem) from error
            raise
        if problem and math.isnan(value):
            raise ValueError(problem)
        return value

    return score


def _problem_of_classes(scoring: Any, labels: Labels, validation: Dataset) -> str | None:
    """Return the error message for scorers that fail because classes are absent.

    It is None if there are at least two classes, and validation rows of each.
    """
    if labels.multilabel:
        return None
    if len(labels.classes) == 1:
        return _with_one_class(scoring, labels.classes)
    absent = _absent_classes(labels, validation)
    return _without_class(scoring, absent) if absent else None


def _checked_scorer(scorer: Any, classes: Array, t: Array, problem: str) -> Any:
    """Return a made scorer for rows without some classes, or raise an error if it needs them."""
    if len(classes) == 1:
        needs_more = _needs_two_classes(scorer, classes)
    else:
        scorer = scorer_with_labels(scorer, classes)
        needs_more = _needs_all_classes(scorer, classes, t)
    if needs_more:
        raise ValueError(problem)
    return scorer


def _absent_classes(labels: Labels, validation: Dataset) -> list[Any]:
    """Return the classes without validation rows."""
    counts = np.bincount(as_dense(validation.t), minlength=len(labels.classes))
    absent: list[Any] = labels.classes[counts == 0].tolist()
    return absent


def _without_class(scoring: Any, absent: list[Any]) -> str:
    """Return the error message for a scorer that needs all classes while some are absent."""
    return (
        f"scoring={scoring!r} needs validation rows of each class, and there is no row of "
        f"{', '.join(map(repr, absent))}: give X_val and y_val with rows of each class, "
        'raise validation_fraction, or choose another scoring, such as "loss" or "accuracy"'
    )


def _with_one_class(scoring: Any, classes: Array) -> str:
    """Return the error message for a scorer that needs two classes while y has only one."""
    return (
        f"scoring={scoring!r} needs at least two classes, and y has only one, "
        f"{classes.tolist()[0]!r}: give rows of another class, or choose another scoring, such as "
        '"loss" or "accuracy"'
    )


def _needs_two_classes(scorer: Any, classes: Array) -> bool:
    """Tell whether a scorer fails only because there is a single class.

    It is called with perfect predictions: first for that class, then for two classes. A score with
    a warning is no failure for a single class, for which the score is constant.
    """
    label = classes.tolist()[0]
    if isinstance(label, bool):
        two = np.array([False, True])
    elif isinstance(label, str):
        two = np.array([label, label + "_"])
    elif isinstance(label, Real):
        two = np.array([label, label + 1])
    else:  # a time
        two = np.arange(2)
    fails = not _succeeds(scorer, classes, np.zeros(2, np.intp), allow_warnings=True)
    return fails and _succeeds(scorer, two, np.array([0, 1]))


def _needs_all_classes(scorer: Any, classes: Array, t: Array) -> bool:
    """Tell whether a scorer fails for class numbers t only because other classes are absent.

    It is called with perfect predictions: first for t alone, then for t and one row of each class.
    """
    complete = np.concatenate([t, np.arange(len(classes))])
    return not _succeeds(scorer, classes, t) and _succeeds(scorer, classes, complete)


def _succeeds(scorer: Any, classes: Array, t: Array, *, allow_warnings: bool = False) -> bool:
    """Tell whether a scorer returns a number for a perfect classifier.

    It must return it without a warning, unless `allow_warnings` is true.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            score = scorer(_PerfectClassifier(classes, t), np.zeros((len(t), 1)), classes[t])
        except Exception:  # metrics, which may be the user's own, can raise any exception
            return False
    return (allow_warnings or not caught) and not math.isnan(score)


class _PerfectClassifier(ClassifierMixin, BaseEstimator):
    """A fitted classifier that predicts the true class of each row with high probability."""

    def __init__(self, classes: Array, t: Array) -> None:
        self.classes_, self._t = classes, t

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: Any) -> Array:
        labels: Array = self.classes_[self._t]
        return labels

    def predict_proba(self, X: Any) -> Array:
        n_classes = len(self.classes_)
        proba: Array = (0.01 + np.eye(n_classes)[self._t]) / (1 + 0.01 * n_classes)
        return proba

    def predict_log_proba(self, X: Any) -> Array:
        logs: Array = np.log(self.predict_proba(X))
        return logs

    def decision_function(self, X: Any) -> Array:
        proba = self.predict_proba(X)
        scores: Array = proba if len(self.classes_) > 2 else proba[:, -1] - proba[:, 0]
        return scores
