"""What a fitted classifier answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from sk_twolayer._data.inputs import validated
from sk_twolayer._data.targets import as_numpy
from sk_twolayer._inference import hidden_units, scores_in_blocks
from sk_twolayer._typing import Array
from sk_twolayer.losses import LossLayer, SigmoidWithLoss, SoftmaxWithLoss


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

    def predict(self, X: Any) -> Array:
        """Return the most likely class of each row, or all its likely labels.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.

        Returns
        -------
        ndarray of shape (n_samples,), or of shape (n_samples, n_labels), dtype int
            Class labels; fitted to an indicator matrix, one with 1 for each label of
            probability above one half.
        """
        scores = self._scores(X)
        if self._multilabel:
            return (scores > 0).astype(np.intp)
        decided = scores[:, 0] > 0 if self.n_outputs_ == 1 else scores.argmax(axis=1)
        labels: Array = self.classes_[decided.astype(np.intp)]
        return labels

    def decision_function(self, X: Any) -> Array:
        """Return the scores: the log-odds of the second class, or one score a class or label.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.

        Returns
        -------
        ndarray of shape (n_samples,) for two classes, else (n_samples, n_classes)
            Scores in the dtype of the model; where there may be several labels, their log-odds.
        """
        scores = self._scores(X)
        return scores[:, 0] if self.n_outputs_ == 1 else scores

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
            sum to 1, unless it may have several labels.
        """
        link, scores = self._label_scores(X)
        return link.probabilities(scores)

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of each probability, finite for confident rows too.

        Parameters
        ----------
        X : array-like, dataframe or sparse container of shape (n_samples, n_features)
            Input rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probabilities in the order of `classes_`, in the dtype of the model.
        """
        link, scores = self._label_scores(X)
        return link.log_probabilities(scores)

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
        return float(super().score(X, as_numpy(y), sample_weight))

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
        X = self._input(X)
        hidden = hidden_units(self.coefs_, self.intercepts_, self.activation_, X)
        return self._without_overflow(hidden, X)

    @property
    def _n_features_out(self) -> int:
        """Number of columns of what `transform` returns, for `get_feature_names_out`."""
        return len(self.intercepts_[0])

    @property
    def _multilabel(self) -> bool:
        return self.out_activation_ == "logistic" and self.n_outputs_ > 1

    def _input(self, X: Any, *, is_finite: bool = True) -> Any:
        """Return X as the net takes it."""
        if not hasattr(self, "coefs_"):  # or else this would take as long as the net does
            check_is_fitted(self, "coefs_")
        dtypes = [self.coefs_[0].dtype]
        return validated(self, X, dtypes=dtypes, reset=False, ensure_all_finite=is_finite)

    def _scores(self, X: Any) -> Array:
        X = self._input(X, is_finite=False)  # which is checked block by block
        check = self._check_finite
        scores = scores_in_blocks(self.coefs_, self.intercepts_, self.activation_, X, check)
        return self._without_overflow(scores, X)

    def _check_finite(self, x: Any) -> None:
        """Refuse rows that hold nan or infinity, as scikit-learn does."""
        with np.errstate(over="ignore", invalid="ignore"):
            if not math.isfinite(x.sum()):  # or the sum is too large
                check_array(x, accept_sparse="csr", input_name="X", estimator=self)

    def _without_overflow(self, results: Array, X: Any) -> Array:
        """Return results if all are finite."""
        # vdot: of all ways to ask the fastest, and one that does not warn itself
        if math.isfinite(np.vdot(results, results)) or np.isfinite(results).all():
            return results
        row = int(np.flatnonzero(~np.isfinite(results).all(axis=1))[0])
        raise ValueError(
            f"the answer for row {row} of X is too large for {results.dtype}: X goes from "
            f"{X.min():g} to {X.max():g}; scale its columns like those of the X that the "
            f"{type(self).__name__} was fitted to"
        )

    def _label_scores(self, X: Any) -> tuple[type[LossLayer], Array]:
        """Return a score for each label, and the loss layer that makes probabilities of them."""
        scores = self._scores(X)
        if self.out_activation_ == "softmax":
            return SoftmaxWithLoss, scores
        return SigmoidWithLoss, scores if self._multilabel else np.hstack([-scores, scores])
