"""Everything that is claimed about speed and memory, measured, and written to docs/benchmarks.md.

It measures training (six workloads, three solvers, two types), prediction, memory, saved sizes, a
grid search, sparse rows, and how the cost grows, against MLPClassifier, the matrix products alone
and, where it is installed, PyTorch. Contenders take turns; times are ratios, but for growth. The
whole takes about twenty minutes on two cores; results go to benchmarks/results.json, tables and
pictures to docs. With --render, only the latter are made again.
"""

import argparse
import json
import os
import pickle
import platform
import time
from functools import partial
from pathlib import Path

import numpy as np
import scipy
import scipy.sparse
import sklearn
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info
from tools import pages
from tools.contenders import WORKLOADS, Workload, ours, seconds_of, theirs, torch, trainings
from tools.measuring import blas_threads, interleaved, peaks, ratio

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results.json"
SOLVERS = ["sgd", "momentum", "adam"]
SPARSE = Workload(20000, 7000, 100, 200, 10, 2)
START = Workload(8000, 100, 100, 100, 10, 1)
GROWTH = {
    "n": [2000, 8000, 32000, 128000],
    "d": [10, 30, 100, 300, 1000, 3000],
    "hidden": [10, 30, 100, 300, 1000],
    "batch": [10, 30, 100, 300, 1000, 8000],
}


def training(repeats):
    """Compare fits: the whole grid on one BLAS thread, and float32 on those each takes itself."""
    results = []
    for threads, dtypes in (("1", ["float32", "float64"]), ("default", ["float32"])):
        for solver in SOLVERS:
            for dtype in dtypes:
                for workload in WORKLOADS:
                    with blas_threads(threads):
                        seconds = interleaved(trainings(workload, solver, dtype), repeats)
                    figures = {name: ratio(seconds, name) for name in seconds if name != "ours"}
                    figures["of products"] = ratio(seconds, "ours", "products")
                    told = {"threads": threads, "solver": solver, "dtype": dtype}
                    results.append({**told, "workload": str(workload), **figures})
                    print(results[-1], flush=True)
    return results


def seconds_once_awake(times, function, *arguments):
    """Return how long some calls take, after one that wakes the BLAS threads they use."""
    function(*arguments)
    start = time.perf_counter()
    for _ in range(times):
        function(*arguments)
    return time.perf_counter() - start


def prediction(repeats):
    """Compare predictions for all rows, and for one."""
    results = []
    for workload in WORKLOADS:
        X, y = workload.data("float32")
        pair = {"ours": ours(workload, "sgd", 1), "MLPClassifier": theirs(workload, "sgd", 1)}
        interleaved({n: partial(seconds_of, c.fit, X[:400], y[:400]) for n, c in pair.items()}, 1)
        for threads in ("1", "default"):
            for method in ("predict", "predict_proba"):
                for rows, times in ((X, 1 + 10**6 // X.size), (X[:1], 500)):
                    calls = {name: getattr(clf, method) for name, clf in pair.items()}
                    timed = {
                        name: partial(seconds_once_awake, times, call, rows)
                        for name, call in calls.items()
                    }
                    with blas_threads(threads):
                        figure = ratio(interleaved(timed, repeats), "MLPClassifier")
                    told = {"threads": threads, "method": method, "rows": len(rows)}
                    results.append({**told, "workload": str(workload), "ratio": figure})
    return results


def memory():
    """Compare peaks of memory and sizes of pickles, in bytes."""
    results = []
    for workload in WORKLOADS:
        for solver in SOLVERS:
            found = {"workload": str(workload), "solver": solver}
            for who, make in (("ours", ours), ("MLPClassifier", theirs)):
                found[who] = peaks(workload, solver, "float32", who)
                X, y = workload.data("float32")
                clf = make(workload, solver, 1)
                interleaved({"fit": partial(seconds_of, clf.fit, X[:400], y[:400])}, 1)
                found[f"pickle of {who}"] = len(pickle.dumps(clf))
            found["parameters"] = sum(a.nbytes for a in clf.coefs_ + clf.intercepts_)
            results.append(found)
            print(found, flush=True)
    return results


def grid_search(repeats):
    """Compare a search over 12 candidates in 5 folds with 2 jobs."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype("float32")
    rates = [0.001, 0.01, 0.03, 0.1]
    searches = {}
    for name, make, size, rate in (
        ("ours", ours, "hidden_size", "learning_rate"),
        ("MLPClassifier", theirs, "hidden_layer_sizes", "learning_rate_init"),
    ):
        clf = make(Workload(*X.shape, 50, 32, 10, 30), "sgd")
        grid = {size: [25, 50, 100], rate: rates}
        searches[name] = GridSearchCV(clf, grid, cv=5, n_jobs=2, error_score="raise")
    timed = {n: partial(seconds_of, search.fit, X, y) for n, search in searches.items()}
    os.environ["PYTHONWARNINGS"] = "ignore"  # in the jobs: the epochs are fixed
    interleaved(timed, 1)
    seconds = interleaved(timed, repeats)
    scores = {name: search.best_score_ for name, search in searches.items()}
    return {"ratio": ratio(seconds, "MLPClassifier"), "best scores": scores}


def sparse(repeats):
    """Compare fits on sparse rows."""
    X = scipy.sparse.random(
        SPARSE.n, SPARSE.d, 0.002, "csr", np.float32, random_state=np.random.RandomState(0)
    )
    y = np.random.default_rng(0).integers(SPARSE.classes, size=SPARSE.n)
    results = {}
    for solver in SOLVERS:
        pair = {"ours": ours(SPARSE, solver), "MLPClassifier": theirs(SPARSE, solver)}
        timed = {name: partial(seconds_of, clf.fit, X, y) for name, clf in pair.items()}
        with blas_threads("1"):
            results[solver] = ratio(interleaved(timed, repeats), "MLPClassifier")
    return results


def growth(repeats):
    """Measure an epoch while one size grows: seconds of each contender."""
    results = {}
    for name, sizes in GROWTH.items():
        results[name] = []
        for size in sizes:
            workload = START._replace(**{name: size})
            # enough epochs that what comes before the first one does not count
            multiplications = workload.n * workload.d * workload.hidden
            workload = workload._replace(epochs=max(1, 10**9 // multiplications))
            contenders = trainings(workload, "sgd", "float32")
            contenders.pop("PyTorch", None)
            with blas_threads("1"):
                seconds = interleaved(contenders, repeats)
            medians = {w: float(np.median(s)) / workload.epochs for w, s in seconds.items()}
            results[name].append({"size": size, **medians})
    return results


def machine():
    """Tell on what the figures were got."""
    blas = {(pool["internal_api"], pool.get("architecture")) for pool in threadpool_info()}
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "SciPy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "PyTorch": torch and torch.__version__,
        "BLAS": sorted(f"{api} ({kind})" for api, kind in blas if kind),
    }


def main():
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--render", action="store_true", help="make tables and pictures only")
    parser.add_argument("--only", nargs="+", metavar="PART", help="measure these parts anew")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", metavar="DIRECTORY")
    arguments = parser.parse_args()
    parts = {
        "machine": machine,
        "training": partial(training, arguments.repeats),
        "prediction": partial(prediction, arguments.repeats),
        "memory": memory,
        "grid search": partial(grid_search, arguments.repeats),
        "sparse": partial(sparse, arguments.repeats),
        "growth": partial(growth, arguments.repeats),
    }
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in () if arguments.render else arguments.only or parts:
        results[name] = parts[name]()
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    pages.write(results, arguments.docs, START._asdict())


if __name__ == "__main__":
    main()
