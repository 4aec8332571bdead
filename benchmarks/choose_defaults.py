"""How the rules behind "auto" were chosen: candidates for them, on data, against MLPClassifier.

A candidate is a set of rules for the penalty, Adam's rate, the size of a minibatch and the number
of epochs. Each is given to TwoLayerClassifier as explicit parameters, so the table does not depend
on the defaults of the installed version. All classifiers stand behind a StandardScaler.

Without --few-rows, the sets are those of scikit-learn and the files NAME.npz of DIRECTORY, with
arrays X and y (or X_train and y_train). A quarter of the rows is for testing, stratified;
MLPClassifier has its default of 100 units. Every second set, in alphabetical order, is for
choosing, and the others are for confirming what was chosen. For each candidate the table has the
difference in accuracy from MLPClassifier, in percentage points, the geometric mean of the ratio of
log-losses, .005 added to both, the largest ratio, and the ratio of the times to fit.

With --few-rows, both classifiers have 5, 20 or 256 hidden units, and 20, 60, 200 or 600 rows to
train on; .01 is added to the log-losses. The sets are those that scikit-learn brings or makes, XOR
and two spirals; a second table has a line for each number of rows and units of the chosen rules.

    python benchmarks/choose_defaults.py --data-dir DIRECTORY --half choose
    python benchmarks/choose_defaults.py --few-rows --seeds 10 --candidates chosen
"""

import argparse
import math
import time
import warnings
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sk_twolayer import TwoLayerClassifier

LOADERS = {
    "breast_cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
}
FEW_ROWS, FEW_UNITS, TEST_ROWS = (20, 60, 200, 600), (5, 20, 256), 1500
UNITS = 256  # the default


@dataclass(frozen=True)
class Rules:
    """Rules for "auto", as functions of the data and the hidden units.

    For n rows of d standardised columns, c classes and h hidden units::

        alpha       penalty * d / (c - 1)**free / sqrt(n + wide * d) * (1 + few * c / n)
        rate        min(top_rate, scale / sqrt(max(d, columns) * h)), or flat_rate;
                    h is 256 without by_units
        batch_size  n // 32, but from least_batch to 128, and all up to 2 * least_batch
        epochs      4500 steps, clipped to [10, 40], and at least
                    steps * max(1, 256 / h)**steps_power steps
    """

    penalty: float = 4.5e-3
    binary: float = 1.0
    free: float = 1.0
    few: float = 50.0
    wide: float = 6.0
    scale: float = 1.0
    columns: int = 16
    top_rate: float = 0.05
    by_units: bool = True
    flat_rate: float | None = None
    least_batch: int = 16
    steps: int = 300
    steps_power: float = 0.5

    def parameters(self, X, y, hidden_size):
        """Return the parameters of a classifier."""
        n, d = X.shape
        n_classes = len(np.unique(y))
        batch_size = n if n <= 2 * self.least_batch else min(max(self.least_batch, n // 32), 128)
        n_batches = math.ceil(n / batch_size)
        epochs = min(max(10, round(4500 / n_batches)), 40)
        inputs = np.sqrt((X.astype(np.float64) ** 2).mean(axis=0)).clip(max=1).sum()
        alpha = self.penalty * inputs / (n_classes - 1) ** self.free
        alpha *= (1 + self.few * n_classes / n) / math.sqrt(n + self.wide * inputs)
        alpha *= self.binary if n_classes == 2 else 1
        steps = self.steps * max(1, UNITS / hidden_size) ** self.steps_power
        units = hidden_size if self.by_units else UNITS
        rate = min(self.top_rate, self.scale / math.sqrt(max(d, self.columns) * units))
        return {
            "hidden_size": hidden_size,
            "alpha": alpha,
            "learning_rate": rate if self.flat_rate is None else self.flat_rate,
            "learning_rate_schedule": "cosine",
            "batch_size": batch_size,
            "max_iter": max(epochs, math.ceil(steps / n_batches)),
            "tol": None,
        }


OLD = {"penalty": 3e-4, "free": 0.0, "few": 0.0, "wide": 0.0}
OLD |= {"least_batch": 32, "steps": 0, "by_units": False}
CANDIDATES = {
    "before": Rules(**OLD, flat_rate=0.004),
    "before, two classes x10": Rules(**OLD, binary=10.0, flat_rate=0.004),
    "x10, .008 sqrt(64 / d)": Rules(**OLD, binary=10.0, scale=1.024, columns=64, top_rate=0.008),
    "chosen": Rules(),
    "penalty / 2": Rules(penalty=2.25e-3),
    "penalty x 2": Rules(penalty=9e-3),
    "3e-3, 1 + 100 c / n, sqrt(n)": Rules(penalty=3e-3, few=100.0, wide=0.0),
    "sqrt(n)": Rules(wide=0.0),
    "sqrt(n + 12 d)": Rules(wide=12.0),
    "classes do not count": Rules(free=0.0),
    "sqrt(c - 1)": Rules(free=0.5),
    "1 + 0 c / n": Rules(few=0.0),
    "1 + 20 c / n": Rules(few=20.0),
    "1 + 100 c / n": Rules(few=100.0),
    "rate / 2": Rules(scale=0.5),
    "rate .004": Rules(flat_rate=0.004),
    "rate x 2": Rules(scale=2.0),
    "rate of 256 units": Rules(by_units=False),
    "at least 100 steps": Rules(steps=100, steps_power=0.0),
    "at least 300 steps": Rules(steps_power=0.0),
    "at least 1000 steps": Rules(steps=1000, steps_power=0.0),
    "500 sqrt(256 / h) steps": Rules(steps=500),
    "300 (256 / h)^.75 steps": Rules(steps_power=0.75),
    "minibatches of 32": Rules(least_batch=32),
}


def made(name, n, random_state):
    """Return rows and labels of a set that is made, or None for other names."""
    rng = np.random.RandomState(random_state)
    signs = rng.randint(0, 2, n)
    angle = np.sqrt(rng.rand(n)) * 2.5 * np.pi
    spiral = (2 * signs - 1)[:, None] * angle[:, None] * np.c_[np.cos(angle), np.sin(angle)]
    square = rng.uniform(-1, 1, (n, 2))
    blobs, noisy = {"centers": 4, "cluster_std": 3.0}, {"n_informative": 5, "flip_y": 0.2}
    makers = {
        "circles": lambda: datasets.make_circles(n, noise=0.1, factor=0.5, random_state=rng),
        "moons": lambda: datasets.make_moons(n, noise=0.2, random_state=rng),
        "blobs": lambda: datasets.make_blobs(n, random_state=rng, **blobs),
        "noisy": lambda: datasets.make_classification(n, random_state=rng, **noisy),
        "xor": lambda: (square, (square[:, 0] * square[:, 1] > 0).astype(int)),
        "spirals": lambda: (spiral + 0.4 * rng.standard_normal((n, 2)), signs),
    }
    return makers[name]() if name in makers else None


MADE = ["circles", "moons", "blobs", "noisy", "xor", "spirals"]


@cache
def load(name, directory):
    """Return all rows and labels of a set, without classes of fewer than four rows."""
    if name in LOADERS:
        return LOADERS[name](return_X_y=True)
    with np.load(directory / f"{name}.npz") as file:
        suffix = "_train" if "X_train" in file else ""
        X, y = file["X" + suffix].astype(np.float32), file["y" + suffix]
    often = np.bincount(y)[y] > 3
    return X[often], y[often]


def split(name, directory, seed, n_rows, few):
    """Return standardised rows to train and to test on, and their labels; None if too few."""
    X, y = made(name, n_rows + TEST_ROWS, seed) or load(name, directory)
    if few and n_rows > 0.8 * len(y):
        return None
    train_size = n_rows if few else min(n_rows, len(y) * 3 // 4)
    sizes = {"train_size": train_size, "test_size": None if few else 0.25}
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, random_state=seed, stratify=y, **sizes
    )
    scaler = StandardScaler().fit(X_train)
    return scaler.transform(X_train), scaler.transform(X_test), y_train, y_test


def measure(clf, X_train, X_test, y_train, y_test):
    """Fit, and return the accuracy, the log-loss and the seconds."""
    start = time.perf_counter()
    with threadpool_limits(1):
        clf.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    probabilities = clf.predict_proba(X_test)
    right = clf.classes_[probabilities.argmax(axis=1)] == y_test
    of_label = probabilities[np.arange(len(y_test)), np.searchsorted(clf.classes_, y_test)]
    return np.array([right.mean(), -np.log(of_label.clip(1e-15)).mean(), seconds])


def compare(cells, arguments, offset):
    """Return by candidate and cell the points, the log of the ratio, and both times, over seeds."""
    figures = defaultdict(dict)
    for cell in cells:
        name, n_rows, units = cell
        sums = defaultdict(list)
        for seed in range(arguments.seeds):
            data = split(name, arguments.data_dir, seed, n_rows, arguments.few_rows)
            if data is None:
                continue
            mlp = MLPClassifier((units if arguments.few_rows else 100,), random_state=seed)
            accuracy, loss, seconds = measure(mlp, *data)
            for who in arguments.candidates:
                parameters = CANDIDATES[who].parameters(data[0], data[2], units)
                clf = TwoLayerClassifier(**parameters, random_state=seed)
                found = measure(clf, *data)
                sums[who].append([100 * (found[0] - accuracy), found[1], loss, found[2], seconds])
        for who, rows in sums.items():
            points, ours, theirs, *times = np.mean(rows, axis=0)
            figures[who][cell] = [points, math.log((ours + offset) / (theirs + offset)), *times]
            if arguments.verbose:
                print(*cell, who, f"{points:+.2f} x{math.exp(figures[who][cell][1]):.3f}", sep="\t")
    return figures


def line(label, figures):
    """Return a line of a Markdown table."""
    points, ratios, ours, theirs = np.array(list(figures.values())).T
    cells = list(figures)
    worst_points = " ".join(map(str, cells[points.argmin()]))
    worst_ratio = " ".join(map(str, cells[ratios.argmax()]))
    return (
        f"| {label} | {points.mean():+.2f} | {math.exp(ratios.mean()):.3f} | {points.min():+.1f} "
        f"({worst_points}) | {math.exp(ratios.max()):.2f} ({worst_ratio}) | "
        f"{ours.sum() / theirs.sum():.2f} |"
    )


def main():
    """Measure the candidates, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIRECTORY", default=None)
    parser.add_argument("--few-rows", action="store_true", help="few rows and few units")
    parser.add_argument("--half", choices=["choose", "confirm", "both"], default="both")
    parser.add_argument("--sets", nargs="+", metavar="NAME")
    parser.add_argument("--candidates", nargs="+", choices=list(CANDIDATES), metavar="NAME")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rows", type=int, default=9000, help="to train on, at most")
    parser.add_argument("--verbose", action="store_true", help="print a line for each set")
    arguments = parser.parse_args()
    arguments.candidates = arguments.candidates or list(CANDIDATES)
    files = sorted(arguments.data_dir.glob("*.npz")) if arguments.data_dir else []
    names = sorted([*LOADERS, *(MADE if arguments.few_rows else [path.stem for path in files])])
    halves = {"choose": names[::2], "confirm": names[1::2], "both": names}
    names = arguments.sets or halves[arguments.half]
    few = [(name, n, h) for h in FEW_UNITS for n in FEW_ROWS for name in names]
    cells = few if arguments.few_rows else [(name, arguments.rows, UNITS) for name in names]
    warnings.simplefilter("ignore", ConvergenceWarning)  # of MLPClassifier
    figures = compare(cells, arguments, 0.01 if arguments.few_rows else 0.005)
    header = "| points | log-loss ratio | fewest points | largest ratio | time ratio |"
    print(f"| rules {header}\n|---|---|---|---|---|---|")
    for who, found in figures.items():
        print(line(who, found))
    if arguments.few_rows:
        print(f"\n| units, rows {header}\n|---|---|---|---|---|---|")
        who = "chosen" if "chosen" in figures else arguments.candidates[0]
        for h in FEW_UNITS:
            for n in FEW_ROWS:
                found = {cell: v for cell, v in figures[who].items() if cell[1:] == (n, h)}
                print(line(f"{h}, {n}", found) if found else f"| {h}, {n} | | | | | |")


if __name__ == "__main__":
    main()
