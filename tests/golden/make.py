"""Make the files that later releases must be able to load: once for each release, by that release.

`python tests/golden/make.py`, on the oldest supported dependencies (NumPy 1 cannot read the arrays
that NumPy 2 pickles), fills the folder named after the version that is installed: models saved in
several ways, and what each of them says.
"""

import json
import pickle
from pathlib import Path

import joblib
import numpy as np
import skops.io

from sk_twolayer import TwoLayerClassifier, __version__
from sk_twolayer.optimizers import LBFGS, SGD

# Data by a formula without rounding: streams of random numbers, and the last bits of a sine, differ
# between versions of NumPy.
X = ((np.arange(240) * 7919) % 101 - 50).reshape(60, 4) / 32
WHICH = np.digitize(X @ [1, -1, 0.5, 0], [-0.5, 0.5])
TARGETS = {
    "names": np.array(["low", "middle", "high"])[WHICH],
    "two": WHICH > 0,
    "numbers": WHICH,
    "labels": np.c_[WHICH == 0, WHICH == 2, X[:, 3] > 0].astype(int),
}
QUICK = {"hidden_size": 3, "max_iter": 4, "tol": None, "batch_size": 16, "random_state": 0}
QUICK |= {"alpha": 0.001, "learning_rate": 0.01}  # later releases may have other defaults
ON = {"warm_start": True}
# By file: the targets, the type of X, and what of the parameters is not as above.
MODELS = {
    "plain.pickle": ("names", "float64", {}),
    "binary.joblib": ("two", "float32", {"solver": "adam", "activation": "tanh"}),
    "labels.skops": ("labels", "float64", {"solver": SGD(momentum=0.9, nesterov=True)}),
    "best.pickle": ("numbers", "float64", {**ON, "early_stopping": True, "dropout": 0.2}),
    "curvature.joblib": ("names", "float64", {**ON, "solver": LBFGS(history_size=3)}),
    "rates.skops": ("two", "float64", {**ON, "solver": "rmsprop", "class_weight": {True: 2.0}}),
}
STREAMS = {
    "stream.pickle": ("names", "float64", {"solver": "adam"}),
    "stream.skops": ("labels", "float32", {"solver": SGD(momentum=0.5)}),
}


def data_of(name):
    """Return the rows and targets that a file's model was trained on."""
    target, dtype, _ = {**MODELS, **STREAMS}[name]
    return X.astype(dtype), TARGETS[target]


def train(clf, name):
    """Train, or go on."""
    X, y = data_of(name)
    if name in MODELS:
        return clf.fit(X, y)
    return clf.partial_fit(X, y, np.unique(y) if y.ndim == 1 else range(y.shape[1]))


def make(name):
    """Return the model of a file."""
    _, _, options = {**MODELS, **STREAMS}[name]
    return train(TwoLayerClassifier(**QUICK, **options), name)


def parameters_of(clf):
    """Return all parameters, as they print: the defaults of a later release may be others."""
    return {name: repr(value) for name, value in clf.get_params(deep=False).items()}


def says(clf, name):
    """Return what a model says of some rows."""
    rows = data_of(name)[0][:5]
    return {
        "classes": clf.classes_.tolist(),
        "predict": clf.predict(rows).tolist(),
        "predict_proba": clf.predict_proba(rows).tolist(),
        "loss_curve": list(clf.loss_curve_),
    }


def main():
    folder = Path(__file__).parent / __version__
    folder.mkdir()
    figures = {}
    for name in [*MODELS, *STREAMS]:
        clf = make(name)
        with (folder / name).open("wb") as file:
            {"pickle": pickle.dump, "joblib": joblib.dump, "skops": skops.io.dump}[
                name.split(".")[1]
            ](clf, file)
        figures[name] = {"saved": says(clf, name), "parameters": parameters_of(clf)}
        if name in STREAMS or clf.warm_start:
            figures[name]["gone on"] = says(train(clf, name), name)
    (folder / "figures.json").write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
