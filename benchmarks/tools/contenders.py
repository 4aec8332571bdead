"""The implementations that are compared: each trains the same net on the same rows."""

import importlib.util
import json
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.linalg import blas
from sklearn.neural_network import MLPClassifier

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import SGD

try:
    import torch
except ModuleNotFoundError:
    torch = None

LEARNING_RATE = 0.001
MOMENTUM = {"sgd": 0.0, "momentum": 0.9, "adam": 0.0}


class Workload(NamedTuple):
    """Sizes of a problem; the data are random, as the time of an epoch does not depend on them."""

    name: str
    n: int
    d: int
    hidden: int
    batch: int
    classes: int
    epochs: int

    @property
    def sizes(self):
        """Rows and columns, hidden units, rows per minibatch and classes, as the tables show it."""
        return f"{self.n} x {self.d}, {self.hidden}, {self.batch} ({self.classes})"

    @property
    def outputs(self):
        """Columns of scores."""
        return 1 if self.classes == 2 else self.classes

    def data(self, dtype):
        """Return rows and labels."""
        rng = np.random.default_rng(0)
        X = rng.standard_normal((self.n, self.d), np.float32).astype(dtype, copy=False)
        return X, rng.integers(self.classes, size=self.n)


WORKLOADS = [
    Workload("digits, 50 units", 1797, 64, 50, 32, 10, 150),
    Workload("small table, 256 units", 5000, 30, 256, 128, 2, 20),
    Workload("large table, 256 units", 20000, 100, 256, 128, 5, 5),
    Workload("wide table, 100 units", 2000, 5000, 100, 64, 20, 5),
    Workload("images, 50 units", 60000, 784, 50, 100, 10, 2),
    Workload("images, 800 units", 60000, 784, 800, 128, 10, 1),
]


def ours(workload, solver, epochs=None):
    """Return a TwoLayerClassifier."""
    return TwoLayerClassifier(
        workload.hidden,
        solver="adam" if solver == "adam" else SGD(MOMENTUM[solver]),
        learning_rate=LEARNING_RATE,
        learning_rate_schedule="constant",
        alpha=0.0,
        batch_size=workload.batch,
        max_iter=epochs or workload.epochs,
        tol=None,
        random_state=0,
    )


def theirs(workload, solver, epochs=None):
    """Return an MLPClassifier with the same settings."""
    return MLPClassifier(
        (workload.hidden,),
        solver="adam" if solver == "adam" else "sgd",
        momentum=MOMENTUM[solver],
        nesterovs_momentum=False,
        learning_rate_init=LEARNING_RATE,
        alpha=0.0,
        batch_size=workload.batch,
        max_iter=epochs or workload.epochs,
        tol=0.0,
        n_iter_no_change=10**6,
        random_state=0,
    )


def in_torch(workload, solver, X, y):
    """Train the net with PyTorch in eager mode, as its tutorials do."""
    torch.manual_seed(0)
    rows = torch.from_numpy(X)
    binary = workload.outputs == 1
    targets = torch.from_numpy(y.astype(X.dtype)[:, np.newaxis] if binary else y)
    loss = torch.nn.BCEWithLogitsLoss() if binary else torch.nn.CrossEntropyLoss()
    net = torch.nn.Sequential(
        torch.nn.Linear(workload.d, workload.hidden),
        torch.nn.ReLU(),
        torch.nn.Linear(workload.hidden, workload.outputs),
    ).to(rows.dtype)
    if solver == "adam":
        optimizer = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
    else:
        optimizer = torch.optim.SGD(net.parameters(), LEARNING_RATE, momentum=MOMENTUM[solver])
    for _ in range(workload.epochs):
        for part in torch.randperm(workload.n).split(workload.batch):
            optimizer.zero_grad()
            loss(net(rows[part]), targets[part]).backward()
            optimizer.step()


class InJAX:
    """Training with JAX, compiled, in a process of its own that is pinned to one core.

    Without that, its products would take both cores of a machine with two. The constructor waits
    until all is compiled; each call trains once more.

    Parameters
    ----------
    workload : Workload
        The sizes.
    solver : str
        The solver.
    dtype : str
        Type of X and of the parameters.
    """

    def __init__(self, workload, solver, dtype):
        arguments = [json.dumps(workload), solver, dtype]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.jax_training", *arguments],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the training with JAX did not start")

    def __call__(self):
        """Train, and return the seconds."""
        print("train", file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def __del__(self):
        """End the process."""
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def products_alone(workload, X):
    """Return the seconds that the five products of every step take, and nothing else.

    They are calls of BLAS on preallocated arrays, over the rows in their order; the time is scaled
    up by the rows of the last, smaller minibatch.
    """
    (n, _), batch, dtype = X.shape, workload.batch, X.dtype
    gemm = {"float32": blas.sgemm, "float64": blas.dgemm}[dtype.name]
    rng = np.random.default_rng(1)

    def matrix(*shape):
        return np.asfortranarray(0.1 * rng.standard_normal(shape), dtype)

    W1, W2 = matrix(workload.hidden, workload.d), matrix(workload.outputs, workload.hidden)
    hidden, dhidden = (matrix(workload.hidden, batch) for _ in range(2))
    scores = matrix(batch, workload.outputs)
    start = time.perf_counter()
    for _ in range(workload.epochs):
        for row in range(0, n - batch + 1, batch):
            x = X[row : row + batch].T
            gemm(1.0, W1, x, 0.0, hidden, 0, 0, 1)
            gemm(1.0, hidden, W2, 0.0, scores, 1, 1, 1)
            gemm(1.0, W2, scores, 0.0, dhidden, 1, 1, 1)
            gemm(-1e-9, scores, hidden, 1.0, W2, 1, 1, 1)
            gemm(-1e-9, dhidden, x, 1.0, W1, 0, 1, 1)
    return (time.perf_counter() - start) * n / (n // batch * batch)


def seconds_of(function, *arguments):
    """Return how long a call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def trainings(workload, solver, dtype, frameworks=("PyTorch", "JAX")):
    """Return a function per name that trains and returns the seconds it took, ours first."""
    X, y = workload.data(dtype)
    contenders = {
        "ours": partial(seconds_of, ours(workload, solver).fit, X, y),
        "MLPClassifier": partial(seconds_of, theirs(workload, solver).fit, X, y),
        "products": partial(products_alone, workload, X),
    }
    if torch is not None and "PyTorch" in frameworks:
        contenders["PyTorch"] = partial(seconds_of, in_torch, workload, solver, X, y)
    if importlib.util.find_spec("jax") and "JAX" in frameworks:
        contenders["JAX"] = InJAX(workload, solver, dtype)
    return contenders
