"""How the defaults do on real data, against the defaults of others.

TwoLayerClassifier(), MLPClassifier() and LogisticRegression() behind a StandardScaler,
HistGradientBoostingClassifier() as it is, and TwoLayerClassifier() without a scaler: accuracy,
log-loss, expected calibration error, and the time to fit, on one thread. Three quarters of the rows
are for training, stratified, and each seed has its own split, the same one for all; Fashion-MNIST
comes with rows of its own to test on.

DIRECTORY holds the sets that scikit-learn does not bring: NAME.npz with X and y, and
fashion_mnist.npz with X_train, y_train, X_test and y_test. Fashion-MNIST takes an hour on one core,
all else a quarter of one. Results go to benchmarks/defaults.json after each fit, and a second call
goes on from there; the page and the picture go to docs. With --render, only the latter are made
again.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from tools import study_page

from sk_twolayer import TwoLayerClassifier

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "defaults.json"
LOADERS = {"digits": load_digits, "breast_cancer": load_breast_cancer, "wine": load_wine}
FILES = ["letter", "mnist_5k", "satellite", "shuttle", "spam", "ticdata", "fashion_mnist"]
N_BINS = 15


def contenders(seed):
    """Return the classifiers, all as they come."""
    net, mlp = TwoLayerClassifier(random_state=seed), MLPClassifier(random_state=seed)
    return {
        "TwoLayerClassifier": make_pipeline(StandardScaler(), net),
        "MLPClassifier": make_pipeline(StandardScaler(), mlp),
        "unscaled": TwoLayerClassifier(random_state=seed),
        "LogisticRegression": make_pipeline(StandardScaler(), LogisticRegression()),
        "HistGradientBoosting": HistGradientBoostingClassifier(random_state=seed),
    }


def split(name, directory, seed):
    """Return rows to train and to test on, and their labels."""
    if name in LOADERS:
        X, y = LOADERS[name](return_X_y=True)
    else:
        with np.load(directory / f"{name}.npz") as file:
            if "X_train" in file:
                return [file[key] for key in ("X_train", "X_test", "y_train", "y_test")]
            X, y = file["X"], file["y"]
    return train_test_split(X, y, random_state=seed, stratify=y)


def calibration_error(probabilities, right):
    """Return how far confidence is from accuracy, on average over bins of confidence."""
    confidence = probabilities.max(axis=1)
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gaps = np.bincount(bins, confidence - right, N_BINS)
    return float(abs(gaps).sum() / len(right))


def measure(clf, X_train, X_test, y_train, y_test):
    """Fit, and return what came of it."""
    start = time.perf_counter()
    clf.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    probabilities = clf.predict_proba(X_test)
    right = clf.classes_[probabilities.argmax(axis=1)] == y_test
    return {
        "accuracy": float(right.mean()),
        "log-loss": float(log_loss(y_test, probabilities, labels=clf.classes_)),
        "calibration error": calibration_error(probabilities, right),
        "seconds": seconds,
    }


def main():
    """Measure what has not been measured, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIRECTORY")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", nargs="+", metavar="NAME", default=[*LOADERS, *FILES])
    parser.add_argument("--contenders", nargs="+", metavar="NAME", default=list(contenders(0)))
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", metavar="DIRECTORY")
    parser.add_argument("--render", action="store_true", help="make the page only")
    arguments = parser.parse_args()
    results = json.loads(arguments.results.read_text()) if arguments.results.exists() else {}
    warnings.simplefilter("ignore", ConvergenceWarning)  # of defaults that stop before they should
    warnings.filterwarnings("ignore", "column .* of X has a root mean square")
    for seed in () if arguments.render else range(arguments.seeds):
        for name in arguments.sets:
            found = results.setdefault(name, {}).setdefault(str(seed), {})
            missing = [who for who in arguments.contenders if who not in found]
            data = split(name, arguments.data_dir, seed) if missing else None
            for who in missing:
                with threadpool_limits(1):
                    found[who] = measure(contenders(seed)[who], *data)
                print(name, seed, who, found[who], flush=True)
                arguments.results.write_text(json.dumps(results, indent=1) + "\n")
    study_page.write(results, arguments.docs)


if __name__ == "__main__":
    main()
