"""From the arguments of `fit` and `partial_fit` to data sets, labels and feature names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from sk_twolayer._data.dataset import Dataset, prepare_data, prepare_training_data
from sk_twolayer._data.inputs import naming_validation_rows, validated
from sk_twolayer._data.split import train_validation_split
from sk_twolayer._data.targets import Labels, as_target_array, check_targets, distinct_labels
from sk_twolayer._data.weights import class_factors
from sk_twolayer._sklearn_compat import shallow_copy
from sk_twolayer._typing import Array, Classifier

INPUT_ATTRIBUTES = ("n_features_in_", "feature_names_in_")

Validation = tuple[Any, Any, Any]  # X_val, y_val, sample_weight_val


class PreparedData(NamedTuple):
    """Data sets, labels, and the attributes that scikit-learn's validation of X sets.

    `validation` is None without validation rows. `input_attributes` contains the number of
    features, and their names if X has names.
    """

    training: Dataset
    validation: Dataset | None
    labels: Labels
    input_attributes: dict[str, Any]

    @property
    def feature_names(self) -> Array | None:
        """Names of the features, if X has names."""
        return self.input_attributes.get("feature_names_in_")


def prepare_fit(
    estimator: Classifier,
    X: Any,
    y: Any,
    sample_weight: Any,
    validation: Validation,
    *,
    dtype: np.dtype[Any] | None,
    split_seed: Callable[[], int],
) -> PreparedData:
    """Validate the arguments of `fit`, and with `early_stopping` split off validation rows.

    Parameters
    ----------
    estimator : TwoLayerClassifier
        The estimator with its parameters; it is not changed.
    X, y, sample_weight : array-like
        Rows, labels and weights of the rows, as users give them.
    validation : tuple of three array-like or None
        The same for validation rows; None for what the user does not give.
    dtype : dtype or None
        The dtype of the model if training is resumed; otherwise None, for that of X.
    split_seed : callable
        Returns the seed of the split. It is called only if there is a split.

    Returns
    -------
    PreparedData
        Training rows, validation rows, labels and names of features.
    """
    checked = shallow_copy(estimator)  # because scikit-learn's validation sets attributes
    X, y = check_X_y(checked, X, y, dtype, complete=True)
    training, labels, factors = prepare_training_data(X, y, sample_weight, estimator.class_weight)
    validation_rows = None
    if any(array is not None for array in validation):
        X_val, y_val, sample_weight_val = validation
        if X_val is None or y_val is None:
            raise ValueError(
                "X_val and y_val must be given together, and sample_weight_val only with both"
            )
        X_val, y_val = check_X_y(checked, X_val, y_val, X.dtype, suffix="_val")
        with naming_validation_rows("sample_weight_val"):
            validation_rows = prepare_data(
                X_val, y_val, sample_weight_val, labels, factors, suffix="_val"
            )
    elif estimator.early_stopping:
        fraction = float(estimator.validation_fraction)
        training, validation_rows = train_validation_split(training, fraction, split_seed())
    return PreparedData(training, validation_rows, labels, _input_attributes(checked))


def prepare_partial_fit(
    estimator: Classifier,
    X: Any,
    y: Any,
    sample_weight: Any,
    classes: Any,
    *,
    dtype: np.dtype[Any] | None,
    known: Labels | None,
) -> PreparedData:
    """Validate the arguments of `partial_fit`.

    Parameters
    ----------
    estimator : TwoLayerClassifier
        The estimator with its parameters; it is not changed.
    X, y, sample_weight, classes : array-like
        Rows, labels, weights of the rows, and all labels that will occur, as users give them.
    dtype, known : dtype and Labels, or None
        The dtype and the labels of the model; None in the first call.

    Returns
    -------
    PreparedData
        Training rows, labels and names of features.
    """
    checked = shallow_copy(estimator)
    X, y = check_X_y(checked, X, y, dtype)
    labels = _labels_of_classes(classes, y, known)
    factors = class_factors(estimator.class_weight, labels)
    training = prepare_data(X, y, sample_weight, labels, factors, at_least_one=False)
    return PreparedData(training, None, labels, _input_attributes(checked))


def check_X_y(
    estimator: Classifier,
    X: Any,
    y: Any,
    dtype: np.dtype[Any] | None,
    *,
    suffix: str = "",
    complete: bool = False,
) -> Any:
    """Return X and y as arrays of consistent length.

    Parameters
    ----------
    estimator : TwoLayerClassifier
        Its number and names of features are set if `dtype` is None; otherwise X must match them.
    X, y : array-like
        Rows and labels.
    dtype : dtype or None
        The dtype of X; None keeps float32 and float64.
    suffix : str
        Appended to the names of X and y in messages: "_val" for validation rows.
    complete : bool
        Whether these are all rows of a `fit`, see `check_targets`.
    """
    dtypes = [np.float64, np.float32] if dtype is None else [dtype]
    of_X, of_y = "X" + suffix, "y" + suffix
    y = as_target_array(y, of_y)
    with naming_validation_rows(f"{of_X} and {of_y}"):
        X, y = validated(
            estimator, X, y, dtypes=dtypes, multi_output=True, reset=dtype is None, name=of_X
        )
    with naming_validation_rows(of_y):
        return X, check_targets(y, of_y, complete=complete)


def _labels_of_classes(classes: Any, y: Any, known: Labels | None) -> Labels:
    """Return the labels of the model; in the first call, those of the argument `classes`."""
    if known is None:
        if classes is None:
            raise ValueError(
                "classes must be passed on the first call to partial_fit: give all labels that "
                "will occur in any call"
            )
        return Labels.from_classes(classes, y)
    if classes is not None:
        announced = distinct_labels(as_target_array(classes, "classes"), "classes")
        if announced.tolist() != known.classes.tolist():
            raise ValueError(
                f"classes={classes!r} is not the same as on last call to partial_fit or fit, "
                f"which was {known.classes!r}"
            )
    return known


def _input_attributes(checked: Classifier) -> dict[str, Any]:
    return {name: vars(checked)[name] for name in INPUT_ATTRIBUTES if name in vars(checked)}
