"""Time to fit and size saved, as ratios to MLPClassifier's, on data of several shapes.

Both run the same number of epochs of plain SGD, or of Adam, over the same rows in one process, in
turn, so that a machine that slows down slows both; printed is the median of the ratios and their
range.
Each has the BLAS threads it takes by itself: one for ours, all there are for MLPClassifier.
The data are random: the time of an epoch does not depend on what is in them.
"""

import argparse
import pickle
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from sk_twolayer import TwoLayerClassifier

# rows, columns, hidden units, minibatch, classes, epochs
WORKLOADS = [
    (1797, 64, 50, 32, 10, 20),
    (1797, 64, 100, 200, 10, 50),
    (20000, 20, 100, 200, 2, 5),
    (2000, 5000, 100, 64, 20, 2),
    (60000, 784, 50, 100, 10, 1),
]


def seconds(estimator, X, y):
    """Return how long a fit takes."""
    start = time.perf_counter()
    estimator.fit(X, y)
    return time.perf_counter() - start


def main():
    """Print a line for each workload and type."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--solver", choices=["sgd", "adam"], default="sgd")
    arguments = parser.parse_args()
    repeats, solver = arguments.repeats, arguments.solver
    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are fixed
    print("MLPClassifier / ours")
    print("rows x columns, hidden, minibatch (classes)   dtype    time (range)     pickle")
    for n, d, hidden, batch, classes, epochs in WORKLOADS:
        rng = np.random.default_rng(0)
        X64, y = rng.standard_normal((n, d)), rng.integers(classes, size=n)
        options = {"alpha": 0.0, "batch_size": batch, "max_iter": epochs, "random_state": 0}
        for dtype in (np.float32, np.float64):
            X = X64.astype(dtype)
            mlp = MLPClassifier((hidden,), solver=solver, momentum=0, tol=0, **options)
            ours = TwoLayerClassifier(
                hidden, solver=solver, learning_rate=0.001, tol=None, **options
            )
            ratios = sorted(seconds(mlp, X, y) / seconds(ours, X, y) for _ in range(repeats))
            name = f"{n} x {d}, {hidden}, {batch} ({classes})"
            print(
                f"{name:45s} {np.dtype(dtype).name}  {np.median(ratios):4.1f} "
                f"({ratios[0]:.1f}-{ratios[-1]:.1f})  "
                f"{len(pickle.dumps(mlp)) / len(pickle.dumps(ours)):6.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
