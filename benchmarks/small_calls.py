"""CPU time of predictions and of short calls of `partial_fit`, divided by MLPClassifier's.

Both models have the same shape and dtype, and one BLAS thread. Their calls alternate, so that other
load slows both; each figure is the median of the ratios, with their quartiles. Below 1,
TwoLayerClassifier takes less time. ``--threads`` prints another table: the gain of two BLAS threads
in predictions and in training, and its loss beside a process that keeps a core busy.

Run without the variables that choose an OpenBLAS kernel for the tests::

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/small_calls.py
"""

import argparse
import gc
import os
import subprocess
import sys
import time
import warnings
from functools import partial

import numpy as np
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from sk_twolayer import TwoLayerClassifier

COLUMNS = [5, 30, 200]
# rows, columns, hidden units, classes
WHOLE_SETS = [
    (150, 4, 32, 3),
    (1797, 64, 256, 10),
    (30000, 12, 32, 2),
    (30000, 12, 256, 2),
    (20000, 20, 100, 2),
    (100000, 8, 8, 3),
    (2000, 5000, 100, 20),
    (10000, 784, 50, 10),
    (10000, 784, 256, 10),
    (3000, 100, 64, 1000),
]
# rows, columns, hidden units, batch size, classes; the last column says what a step multiplies
THREADED = [
    (1797, 64, 50, 32, 10),
    (5000, 30, 256, 128, 2),
    (20000, 100, 256, 128, 5),
    (8000, 784, 100, 128, 10),
    (8000, 784, 256, 128, 10),
    (8000, 784, 800, 128, 10),
    (4000, 2000, 512, 256, 10),
    (4000, 4000, 1000, 500, 10),
]


def seconds_of_cpu(call, number):
    """Return the CPU time of one call, in seconds."""
    start = time.process_time()
    for _ in range(number):
        call()
    return (time.process_time() - start) / number


def seconds_of_wall(call, number):
    """Return the elapsed time of one call, in seconds."""
    start = time.perf_counter()
    for _ in range(number):
        call()
    return (time.perf_counter() - start) / number


def compare(ours, theirs, repeats, *, at_least=0.02, clock=seconds_of_cpu):
    """Return the median time of `ours`, and three quartiles of ours divided by theirs."""
    ours(), theirs()
    number = max(1, int(at_least / max(clock(theirs, 1), 1e-7)))
    gc.collect()
    pairs = np.array([(clock(ours, number), clock(theirs, number)) for _ in range(repeats)])
    return np.median(pairs[:, 0]), np.quantile(pairs[:, 0] / pairs[:, 1], [0.25, 0.5, 0.75])


def models(n_features, hidden, n_classes, dtype, columns=None):
    """Return two classifiers of one shape, fitted for an epoch, and rows to predict."""
    rng = np.random.RandomState(0)
    n = max(200, 2 * n_classes)
    X, y = rng.standard_normal((n, n_features)).astype(dtype), np.arange(n) % n_classes
    if columns is not None:
        import pandas as pd

        X = pd.DataFrame(X, columns=columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one = TwoLayerClassifier(hidden, max_iter=1, random_state=0).fit(X, y)
        other = MLPClassifier((hidden,), max_iter=1, random_state=0).fit(X, y)
    return one, other, X, y


def small_predictions(hidden, dtype):
    """Yield the name of each call of one row, and both calls."""
    for kind in ("array", "frame", "frame of int and float"):
        for n_features in COLUMNS:
            columns = None if kind == "array" else [f"column {j}" for j in range(n_features)]
            one, other, X, _ = models(n_features, hidden, 3, dtype, columns)
            x = X[:1]
            if kind == "frame of int and float":
                x = x.assign(**{columns[0]: 1})
            for method in ("predict", "predict_proba"):
                name = f"{method}, one row, {kind}, {n_features} columns"
                yield name, partial(getattr(one, method), x), partial(getattr(other, method), x)


def small_fits(hidden, dtype):
    """Yield the name of each call of partial_fit, and both calls."""
    for n_classes in (2, 3):
        for n in (1, 10, 100):
            one, other, X, y = models(20, hidden, n_classes, dtype)
            classes = np.arange(n_classes)
            calls = []
            for clf in (one, other):
                clf.partial_fit(X, y, classes) if clf is one else None
                calls.append(partial(clf.partial_fit, X[:n], y[:n]))
            yield f"partial_fit, {n} rows, {n_classes} classes", *calls


def whole_sets(dtype):
    """Yield the name of each prediction of many rows, and both calls."""
    for n, n_features, hidden, n_classes in WHOLE_SETS:
        one, other, _, _ = models(n_features, hidden, n_classes, dtype)
        X = np.random.RandomState(1).standard_normal((n, n_features)).astype(dtype)
        for method in ("predict", "predict_proba"):
            name = f"{method}, {n} x {n_features}, {hidden} units, {n_classes} classes"
            yield name, partial(getattr(one, method), X), partial(getattr(other, method), X)


def ratios(calls, repeats):
    """Yield the name of each pair of calls, our median time and the quartiles of the ratio."""
    for name, ours, theirs in calls:
        with threadpool_limits(1):
            seconds, quartiles = compare(ours, theirs, repeats)
        yield name, float(seconds), [float(quartile) for quartile in quartiles]


def all_calls(hidden, dtype):
    """Yield the name of each call, and both calls."""
    yield from small_predictions(hidden, dtype)
    yield from small_fits(hidden, dtype)
    yield from whole_sets(dtype)


def threads_gain(repeats):
    """Yield sizes, multiplications per product, and the gains of a second BLAS thread.

    The gains are of a fit, of a fit beside a process that keeps a core busy, and of predictions:
    the elapsed time with one BLAS thread, divided by that with two.
    """
    for n, d, hidden, batch, n_classes in THREADED:
        rng = np.random.RandomState(0)
        X, y = rng.standard_normal((n, d)).astype(np.float32), np.arange(n) % n_classes
        clf = TwoLayerClassifier(hidden, batch_size=batch, max_iter=1, tol=None, random_state=0)
        fitted = clf.fit(X, y)

        def with_threads(number, call):
            with threadpool_limits(number, user_api="blas"):
                call()

        gains = []
        fit, predict = partial(clf.fit, X, y), partial(fitted.predict_proba, X)
        for call, busy in ((fit, False), (fit, True), (predict, False)):
            command = [sys.executable, "-c", "while True: pass"]
            neighbour = subprocess.Popen(command) if busy else None
            try:
                one, two = (partial(with_threads, number, call) for number in (1, 2))
                gain = compare(one, two, repeats, at_least=0.3, clock=seconds_of_wall)[1][1]
            finally:
                if neighbour is not None:
                    neighbour.kill()
                    neighbour.wait()
            gains.append(float(gain))
        yield (
            f"{n} x {d}, {hidden}, {batch} ({n_classes})",
            batch * hidden * max(d, n_classes),
            gains,
        )


def print_threads(repeats):
    """Print a line for each shape."""
    print(f"{os.cpu_count()} cores; times with one BLAS thread, divided by those with two\n")
    print("rows x columns, units, batch (classes)    multiplications   fit   fit, busy   predict")
    for name, product, gains in threads_gain(repeats):
        told = "".join(f"{gain:9.2f}" for gain in gains)
        print(f"{name:44s} 2**{np.log2(product):4.1f}{told}", flush=True)


def main():
    """Print the table that was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--hidden", type=int, default=50, help="units of the small calls")
    parser.add_argument("--dtype", default="float64")
    parser.add_argument("--threads", action="store_true")
    parser.add_argument("--only", default="", help="calls whose name contains this")
    arguments = parser.parse_args()
    kernels = {pool.get("architecture") for pool in threadpool_info() if pool["user_api"] == "blas"}
    print(f"OpenBLAS kernel: {', '.join(map(str, kernels))}; {arguments.dtype}\n")
    if arguments.threads:
        print_threads(arguments.repeats)
        return
    calls = (
        call for call in all_calls(arguments.hidden, arguments.dtype) if arguments.only in call[0]
    )
    for name, seconds, (low, median, high) in ratios(calls, arguments.repeats):
        told = f"{median:5.2f} ({low:.2f} to {high:.2f})"
        print(f"{name:56s} {1e6 * seconds:10.0f} µs  {told}", flush=True)


if __name__ == "__main__":
    main()
