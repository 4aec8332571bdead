"""What a fitted classifier answers."""

from __future__ import annotations

from typing import Any

from sklearn.base import ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from sk_twolayer._data.targets import as_target_array
from sk_twolayer._inference import (
    decision_scores,
    hidden_units,
    is_multilabel,
    log_probabilities,
    predict_labels,
    probabilities,
)
from sk_twolayer._typing import Array


class Predictor(ClassNamePrefixFeaturesOutMixin, ClassifierMixin, TransformerMixin):
    """Predictions, probabilities and hidden units of a fitted classifier.

    Nothing here writes to the estimator, so that threads may share one.
    """

    classes_: Array
    coefs_: list[Array]
    intercepts_: list[Array]
    activation_: Any
    n_outputs_: int
    out_activation_: str

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

    @property
    def _n_features_out(self) -> int:
        """Number of columns of what `transform` returns, for `get_feature_names_out`."""
        return len(self.intercepts_[0])

    @property
    def _multilabel(self) -> bool:
        return is_multilabel(self)
