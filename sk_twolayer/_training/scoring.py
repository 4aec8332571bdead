"""Rows held out of training, and what a net makes of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from sk_twolayer._data.dataset import Dataset
from sk_twolayer._data.targets import Labels
from sk_twolayer._numerics.matrices import BLOCK_ROWS, as_dense
from sk_twolayer._numerics.threads import one_blas_thread
from sk_twolayer._sklearn_compat import shallow_copy
from sk_twolayer.network import TwoLayerNet


class Measured(NamedTuple):
    """What a net came to on the rows held out: mean loss, and a score of which more is better."""

    loss: float
    score: float


class Validation:
    """Rows held out of training.

    Parameters
    ----------
    dataset : Dataset
        The rows, their encoded targets, and their weights.
    score : callable or None, default=None
        ``score(net)`` returns a number of which more is better; None takes minus the loss.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_twolayer import TwoLayerNet
    >>> from sk_twolayer._data.dataset import Dataset
    from sk_twolayer._data.targets import Labels
    >>> from sk_twolayer._training.scoring import Validation
    >>> held_out = Dataset(np.zeros((2, 1)), np.array([0, 1]), None)
    >>> measured = Validation(held_out).measure(TwoLayerNet(1, 1, 2))
    >>> round(measured.loss, 4), round(measured.score, 4)  # log(2)
    (0.6931, -0.6931)
    """

    def __init__(
        self, dataset: Dataset, score: Callable[[TwoLayerNet], float] | None = None
    ) -> None:
        self.dataset = dataset
        self._score = score

    def measure(self, net: TwoLayerNet) -> Measured:
        """Return the mean loss of a net, without dropout and penalty, and its score.

        Parameters
        ----------
        net : TwoLayerNet
            The net.

        Returns
        -------
        Measured
            Loss and score.

        Raises
        ------
        ValueError
            If the score is not a number.
        """
        n = self.dataset.X.shape[0]
        # one thread, so that a net measured again comes to the same to the last bit
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            blocks = (slice(start, start + BLOCK_ROWS) for start in range(0, n, BLOCK_ROWS))
            loss = sum(self._loss(net, rows) for rows in blocks) / n
            score = -loss if self._score is None else float(self._score(net))
        if math.isnan(score):
            raise ValueError("the score of the validation rows is nan: choose another scoring")
        return Measured(loss, score)

    def _loss(self, net: TwoLayerNet, rows: slice) -> float:
        """Return the sum of some rows' losses."""
        X, t, weights = self.dataset
        scores = net.predict(X[rows])
        encoded = net.last_layer.encode(as_dense(t[rows]), np.empty_like(scores))
        weights = None if weights is None else weights[rows]
        net.last_layer.compare(scores, encoded, weights)
        return net.last_layer.total()


def check_scoring(estimator: BaseEstimator) -> None:
    """Refuse a `scoring` that is no scorer."""
    if estimator.scoring != "loss":
        from sklearn import metrics  # late: it takes as long to import as this package does

        metrics.check_scoring(estimator, estimator.scoring)


def make_score(
    estimator: BaseEstimator,
    validation: Dataset,
    labels: Labels,
    attributes: Callable[[TwoLayerNet], dict[str, Any]],
) -> Callable[[TwoLayerNet], float] | None:
    """Return a function that scores a network on validation rows; None for minus the loss.

    Parameters
    ----------
    estimator : BaseEstimator
        Gives `scoring`; is copied for each call of the scorer.
    validation : Dataset
        The validation rows.
    labels : Labels
        Decodes their targets.
    attributes : callable
        Returns the fitted attributes of a network.
    """
    if estimator.scoring == "loss":
        return None
    from sklearn import metrics  # late, as above

    scorer = metrics.check_scoring(estimator, estimator.scoring or "accuracy")
    y = as_dense(labels.decode(validation.t))
    options = {} if validation.weights is None else {"sample_weight": validation.weights}
    arguments = signature(scorer).parameters.values()
    takes_weights = any(a.name == "sample_weight" or a.kind == a.VAR_KEYWORD for a in arguments)
    if options and not takes_weights:
        raise ValueError(
            f"scoring={estimator.scoring!r} takes no sample_weight, but the validation rows have "
            "weights: give the function such an argument, or use make_scorer"
        )

    def score(net: TwoLayerNet) -> float:
        fitted = shallow_copy(estimator)
        vars(fitted).update(attributes(net))
        vars(fitted).pop("feature_names_in_", None)  # X is an array by now
        return float(scorer(fitted, validation.X, y, **options))

    return score
