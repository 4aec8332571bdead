"""What a classifier refuses to do, besides parameters that are out of range."""

from __future__ import annotations

from typing import Any

import numpy as np

from sk_twolayer._data.targets import Labels, as_target_array, distinct_labels
from sk_twolayer._training.memory import memory_limit
from sk_twolayer.optimizers import LBFGS


def fits_in_parts(clf: Any) -> bool:
    """Tell whether a classifier has `partial_fit`."""
    if is_lbfgs(clf.solver):
        raise AttributeError(
            "partial_fit needs a solver that takes steps by minibatches, which L-BFGS does not: "
            'set solver to "sgd" or "adam", for example'
        )
    if clf.early_stopping:
        raise AttributeError(
            "partial_fit does not support early_stopping=True: it trains one epoch a call, and "
            "whoever calls it decides when to stop; set early_stopping=False"
        )
    if clf.class_weight == "balanced":
        raise AttributeError(
            "class_weight='balanced' needs all rows at once, which partial_fit does not have: "
            "give a dict, for example from sklearn.utils.compute_class_weight"
        )
    return True


def check_combinations(clf: Any) -> None:
    """Refuse dropout where all rows take each step together, and what is no scorer."""
    if clf.scoring != "loss":
        from sklearn.metrics import check_scoring  # late: it takes as long as this package does

        check_scoring(clf, clf.scoring)
    if clf.dropout and is_lbfgs(clf.solver):
        raise ValueError(
            f"dropout={clf.dropout} leaves out other units in each step by a minibatch, and "
            "L-BFGS takes no such steps: set dropout=0, or another solver"
        )


def check_memory(
    n_features: int, hidden_size: int, n_outputs: int, batch_size: int, dtype: Any
) -> None:
    """Refuse a net that cannot be trained in the memory there is."""
    parameters = hidden_size * (n_features + n_outputs)
    needed = np.dtype(dtype).itemsize * (
        parameters + batch_size * (2 * hidden_size + 3 * n_outputs)
    )
    limit = memory_limit()
    if limit is not None and needed > limit:
        raise ValueError(
            f"a net of {n_features} inputs, hidden_size={hidden_size} and {n_outputs} outputs "
            f"takes at least {needed / 1e9:.1f} GB to train in minibatches of {batch_size} rows, "
            f"but this process can have {limit / 1e9:.1f} GB: are the labels of y classes, and not "
            "quantities or identifiers, and all columns of X needed? Otherwise choose a smaller "
            "hidden_size or batch_size"
        )


def is_lbfgs(solver: Any) -> bool:
    """Tell whether a solver takes all rows at once."""
    return solver == "lbfgs" or isinstance(solver, LBFGS)


def known_labels(clf: Any, classes: Any, y: Any) -> Labels:
    """Return the labels of the model, or those that are announced in a first call."""
    if not hasattr(clf, "coefs_"):
        if classes is None:
            raise ValueError(
                "classes must be passed on the first call to partial_fit: all labels that "
                "any call will bring"
            )
        return Labels.announced(classes, y)
    labels = Labels(clf.classes_, clf._multilabel)
    announced = classes if classes is None else as_target_array(classes, "classes")
    if announced is not None and (
        distinct_labels(announced, "classes").tolist() != labels.classes.tolist()
    ):
        raise ValueError(
            f"classes={classes!r} is not the same as on last call to partial_fit or fit, "
            f"which was {labels.classes!r}"
        )
    return labels


def check_same_model(clf: Any, labels: Labels) -> None:
    """Refuse to go on with a model of other labels or of another size."""
    known = Labels(clf.classes_, clf._multilabel)
    same = known.multilabel == labels.multilabel
    if not same or known.classes.tolist() != labels.classes.tolist():
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the previous "
            f"call to fit. Previously got {known.classes}, `y` has {labels.classes}; "
            "use partial_fit for rows that have some of the classes only"
        )
    hidden_size = clf.coefs_[0].shape[1]
    if clf.hidden_size != hidden_size:
        raise ValueError(
            f"hidden_size is {clf.hidden_size}, but the model to go on with has "
            f"{hidden_size} hidden units: set hidden_size={hidden_size}, or fit anew with "
            "warm_start=False"
        )
