"""Those who are compared: each trains the same net, on the same rows, for the same epochs."""

import time
from functools import partial
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

    n: int
    d: int
    hidden: int
    batch: int
    classes: int
    epochs: int

    def __str__(self):
        """Say it as the tables do."""
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
    Workload(1797, 64, 50, 32, 10, 150),
    Workload(1797, 64, 100, 200, 10, 150),
    Workload(20000, 20, 100, 200, 2, 15),
    Workload(2000, 5000, 100, 64, 20, 5),
    Workload(60000, 784, 50, 100, 10, 2),
    Workload(60000, 784, 800, 128, 10, 1),
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
    """Train the net with PyTorch, eagerly, as its tutorials do."""
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


def products_alone(workload, X):
    """Return the seconds that the five products of every step take, and nothing else.

    They are calls of BLAS on memory made before, over the rows as they lie; what is left over at
    the end of an epoch is reckoned in.
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


def trainings(workload, solver, dtype):
    """Return, by name, what trains and returns the seconds it took: ours first."""
    X, y = workload.data(dtype)
    contenders = {
        "ours": partial(seconds_of, ours(workload, solver).fit, X, y),
        "MLPClassifier": partial(seconds_of, theirs(workload, solver).fit, X, y),
        "products": partial(products_alone, workload, X),
    }
    if torch is not None:
        contenders["PyTorch"] = partial(seconds_of, in_torch, workload, solver, X, y)
    return contenders
