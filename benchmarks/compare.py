"""Measure all that is claimed about speed and memory, and write it to docs/benchmarks.md.

Measured are training (six workloads, two solvers, two types), predictions, short calls, the fixed
cost of a fit, memory, sizes of saved models, grid searches, sparse rows, the growth of the cost
with each size, a second thread, and the gain of each idea, in comparison with MLPClassifier, the
matrix products alone and, if installed, PyTorch and JAX. Runs alternate; figures are ratios, except
for the time of an epoch. It takes about half an hour on two cores. Results go to
benchmarks/results.json, tables and pictures to docs. With --render, only the latter are made again.
The variables that choose a kernel of OpenBLAS have to be unset:

    python -m pip install -e ".[benchmarks]"
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/compare.py
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import pickle
import platform
import time
import warnings
from functools import partial
from pathlib import Path

import ideas
import numpy as np
import scipy
import scipy.sparse
import sklearn
import small_calls
import steps
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_info, threadpool_limits
from tools import pages
from tools.contenders import WORKLOADS, Workload, ours, seconds_of, theirs, torch, trainings
from tools.measuring import blas_threads, interleaved, peaks, ratio

from sk_twolayer import TwoLayerClassifier

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results.json"
SOLVERS = ["sgd", "adam"]
SPARSE = Workload("sparse rows", 20000, 7000, 100, 200, 10, 2)
START = Workload("start", 8000, 100, 100, 100, 10, 1)
GRID = {"size": [25, 50, 100, 200], "rate": [0.001, 0.003, 0.01, 0.03, 0.1]}
GRID["alpha"] = [1e-4, 1e-3, 1e-2]
GROWTH = {
    "n": [2000, 8000, 32000, 128000],
    "d": [10, 30, 100, 300, 1000, 3000],
    "hidden": [10, 30, 100, 300, 1000],
    "batch": [10, 30, 100, 300, 1000, 8000],
}


def training(repeats):
    """Compare fits: with one BLAS thread, and float32 also with the default number of threads."""
    results = []
    for threads, dtypes in (("1", ["float32", "float64"]), ("default", ["float32"])):
        for solver in SOLVERS:
            for dtype in dtypes:
                frameworks = ["PyTorch"] + ["JAX"] * (threads == "1")  # JAX is pinned to one core
                for workload in WORKLOADS:
                    contenders = trainings(workload, solver, dtype, frameworks)
                    with blas_threads(threads):
                        seconds = interleaved(contenders, repeats)
                    figures = {name: ratio(seconds, name) for name in seconds if name != "ours"}
                    figures["of products"] = ratio(seconds, "ours", "products")
                    figures["epoch"] = float(np.median(seconds["ours"])) / workload.epochs
                    told = {"threads": threads, "solver": solver, "dtype": dtype}
                    results.append({**told, "workload": workload.name, **figures})
                    print(results[-1], flush=True)
    return results


def seconds_once_awake(times, function, *arguments):
    """Return the seconds of some calls, after one that wakes the BLAS threads they use."""
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
                    results.append({**told, "workload": workload.name, "ratio": figure})
    return results


def memory():
    """Compare peaks of memory and sizes of pickles, in bytes."""
    results = []
    for workload in WORKLOADS:
        for solver in SOLVERS:
            found = {"workload": workload.name, "solver": solver}
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


def parts_of_a_step(repeats):
    """Measure the parts of a training step, beside a step of JAX, after a warm-up."""
    steps.measure(steps.WORKLOADS[0], "sgd", 1)
    found = []
    for number in steps.CHOSEN:
        workload = steps.WORKLOADS[number]
        for solver in SOLVERS:
            figures = steps.measure(workload, solver, repeats)
            found.append({"workload": workload.name, "solver": solver, **figures})
            print(found[-1], flush=True)
    return found


def short_calls(repeats):
    """Compare the CPU time of short calls and of predictions of whole sets."""
    found = []
    for name, seconds, quartiles in small_calls.ratios(
        small_calls.all_calls(50, "float64"), repeats
    ):
        found.append({"call": name, "seconds": seconds, "quartiles": quartiles})
        print(found[-1], flush=True)
    return found


def fixed_cost(repeats):
    """Measure the part of a default fit that does not depend on the number of epochs.

    Fits of E and of 3 E epochs differ by 2 E epochs, so the rest is (3 t(E) - t(3 E)) / 2.
    """
    rng = np.random.RandomState(0)
    sets = {
        "iris": load_iris(return_X_y=True),
        "breast_cancer": load_breast_cancer(return_X_y=True),
        "digits": load_digits(return_X_y=True),
        "5000 x 30": (rng.standard_normal((5000, 30)), rng.randint(2, size=5000)),
    }
    results = []
    for name, (X, y) in sets.items():
        X = scale(X).astype(np.float32)
        epochs = TwoLayerClassifier(random_state=0).fit(X, y).max_iter_
        options = {"learning_rate_schedule": "cosine", "tol": None, "random_state": 0}
        once, thrice = (
            TwoLayerClassifier(max_iter=factor * epochs, **options) for factor in (1, 3)
        )
        with threadpool_limits(1):
            times = np.array(
                [
                    [
                        small_calls.seconds_of_cpu(partial(clf.fit, X, y), 1)
                        for clf in (once, thrice)
                    ]
                    for _ in range(repeats)
                ]
            )
        shares = (3 * times[:, 0] - times[:, 1]) / 2 / times[:, 0]
        results.append(
            {"set": name, "rows": len(X), "epochs": epochs, "share": float(np.median(shares))}
        )
        print(results[-1], flush=True)
    return results


def grid_search(repeats):
    """Compare searches over 60 candidates in 3 folds with 2 jobs, else with default parameters."""
    os.environ["PYTHONWARNINGS"] = "ignore"  # in the jobs: some candidates do not converge
    results = []
    for name, load in (("digits", load_digits), ("breast_cancer", load_breast_cancer)):
        X, y = load(return_X_y=True)
        X = scale(X).astype(np.float32)
        searches = {}
        for who, clf, size, rate in (
            ("ours", TwoLayerClassifier(random_state=0), "hidden_size", "learning_rate"),
            (
                "MLPClassifier",
                MLPClassifier(random_state=0),
                "hidden_layer_sizes",
                "learning_rate_init",
            ),
        ):
            grid = {size: GRID["size"], rate: GRID["rate"], "alpha": GRID["alpha"]}
            searches[who] = GridSearchCV(clf, grid, cv=3, n_jobs=2, error_score="raise")
        timed = {who: partial(seconds_of, search.fit, X, y) for who, search in searches.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seconds = interleaved(timed, repeats)
        scores = {who: float(search.best_score_) for who, search in searches.items()}
        results.append(
            {
                "set": name,
                "ratio": ratio(seconds, "MLPClassifier"),
                "seconds": float(np.median(seconds["ours"])),
                "best scores": scores,
            }
        )
        print(results[-1], flush=True)
    return results


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
            contenders = trainings(workload, "sgd", "float32", frameworks=())
            with blas_threads("1"):
                seconds = interleaved(contenders, repeats)
            medians = {w: float(np.median(s)) / workload.epochs for w, s in seconds.items()}
            results[name].append({"size": size, **medians})
    return results


def threads(repeats):
    """Measure the gain of a second BLAS thread."""
    return [
        {"sizes": sizes, "multiplications": product, "gains": gains}
        for sizes, product, gains in small_calls.threads_gain(repeats)
    ]


def gains_of_ideas(repeats):
    """Measure the gain of each idea behind the speed."""
    return dict(ideas.measure(repeats))


def machine():
    """Return the machine and the versions on which the figures are measured."""
    blas = {(pool["internal_api"], pool.get("architecture")) for pool in threadpool_info()}
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "SciPy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "PyTorch": torch and torch.__version__,
        "JAX": importlib.metadata.version("jax") if importlib.util.find_spec("jax") else None,
        "BLAS": sorted(f"{api}, kernel {kind}" for api, kind in blas if kind),
        "date": time.strftime("%Y-%m-%d"),
    }


def main():
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--render", action="store_true", help="make tables and pictures only")
    parser.add_argument("--only", nargs="+", metavar="PART", help="measure only these parts")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", metavar="DIRECTORY")
    arguments = parser.parse_args()
    parts = {
        "machine": machine,
        "training": partial(training, arguments.repeats),
        "steps": partial(parts_of_a_step, 3 * arguments.repeats),
        "prediction": partial(prediction, arguments.repeats),
        "short calls": partial(short_calls, 3 * arguments.repeats),
        "fixed cost": partial(fixed_cost, 3 * arguments.repeats),
        "memory": memory,
        "grid search": partial(grid_search, min(2, arguments.repeats)),
        "sparse": partial(sparse, arguments.repeats),
        "growth": partial(growth, arguments.repeats),
        "threads": partial(threads, arguments.repeats),
        "ideas": partial(gains_of_ideas, 2 * arguments.repeats),
    }
    kernel = sorted({"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} & set(os.environ))
    if kernel and not arguments.render:
        raise SystemExit(f"unset {' and '.join(kernel)}: OpenBLAS has to choose its kernel itself")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in () if arguments.render else arguments.only or parts:
        results[name] = parts[name]()
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    pages.write(results, arguments.docs, START._asdict(), WORKLOADS)


if __name__ == "__main__":
    main()
