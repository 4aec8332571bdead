"""A Dask cluster of two worker processes on this machine: searches, and blocks of an array."""

import os
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import dask.array as da
import joblib
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster
from dask_ml.wrappers import Incremental
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sk_twolayer import TwoLayerClassifier

pytestmark = pytest.mark.slow  # a cluster is started

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def client():
    options = {"processes": True, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster,
        Client(cluster, timeout=30) as client,
    ):
        client.wait_for_workers(2, timeout=30)
        yield client


@pytest.fixture
def workers(client):
    """The numbers of the worker processes, by address."""
    pids = client.run(os.getpid)
    assert len({os.getpid(), *pids.values()}) == 3
    return pids


@pytest.fixture
def clf():
    return TwoLayerClassifier(
        12, solver="adam", learning_rate=0.01, batch_size=50, max_iter=5, tol=None, random_state=0
    )


@pytest.fixture
def blocks(digits):
    """X and y as Dask arrays of four blocks of rows."""
    X, y = digits
    return da.from_array(X, chunks=(450, -1)), da.from_array(y, chunks=450)


def accuracy(clf, X, y):
    return clf.score(X, y)


def process(clf, X, y):
    return os.getpid()


def parameters(clf):
    return np.concatenate([array.ravel() for array in clf.coefs_ + clf.intercepts_])


def test_grid_search_on_two_processes(clf, workers, digits):
    """Both processes score candidates, and find what one process alone finds."""
    scoring = {"accuracy": accuracy, "process": process}
    grid = {"hidden_size": [2, 4, 8, 16], "learning_rate": [0.001, 0.01]}
    search = GridSearchCV(clf, grid, cv=3, scoring=scoring, refit="accuracy")
    with joblib.parallel_config(backend="dask", scatter=list(digits)):
        search.fit(*digits)
    numbers = [search.cv_results_[f"split{k}_test_process"] for k in range(3)]
    assert set(np.concatenate(numbers)) == set(workers.values())
    alone = clone(search).fit(*digits)
    for k in range(3):
        name = f"split{k}_test_accuracy"
        assert_array_equal(search.cv_results_[name], alone.cv_results_[name])
    assert_array_equal(parameters(search.best_estimator_), parameters(alone.best_estimator_))


def train(clf, X, y, classes):
    """As the page on scaling out has it, and with the number of the process."""
    clf = deepcopy(clf).partial_fit(X, y, classes=classes)
    clf.processes = [*getattr(clf, "processes", []), os.getpid()]
    return clf


def test_partial_fit_goes_from_block_to_block(clf, client, workers, digits):
    """Blocks stay on the processes that have them; the model goes round, in their order."""
    X, y = digits
    classes = np.unique(y)
    addresses = list(workers)
    trained = client.scatter(clf)
    for number, start in enumerate(range(0, len(y), 450)):
        rows, home = slice(start, start + 450), addresses[number % 2]
        block = client.scatter([X[rows], y[rows]], workers=[home])
        trained = client.submit(train, trained, *block, classes)
    trained = trained.result(timeout=60)
    assert trained.processes == [workers[addresses[number % 2]] for number in range(4)]
    for start in range(0, len(y), 450):
        clf.partial_fit(X[start : start + 450], y[start : start + 450], classes=classes)
    assert_array_equal(parameters(trained), parameters(clf))


def test_incremental_of_dask_ml(clf, client, digits, blocks):
    """The model is the one that a loop over the blocks gives, and predicts block by block."""
    X, y = digits
    classes = np.unique(y)
    incremental = Incremental(clf, shuffle_blocks=False).fit(*blocks, classes=classes)
    alone = clone(clf)
    for start in range(0, len(y), 450):
        alone.partial_fit(X[start : start + 450], y[start : start + 450], classes=classes)
    assert_array_equal(parameters(incremental.estimator_), parameters(alone))
    predicted = incremental.predict(blocks[0])
    assert predicted.numblocks == (4,)
    assert_array_equal(predicted.compute(), alone.predict(X))


def test_the_example(tmp_path):
    script = ROOT / "examples" / "grid_search_on_dask.py"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    environment.pop("SCIPY_ARRAY_API", None)
    process = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    tasks = re.findall(r"^tasks of worker \d: (\d+)$", process.stdout, re.M)
    assert len(tasks) == 2
    assert all(int(number) > 1 for number in tasks)
    assert float(re.search(r"test accuracy ([\d.]+)", process.stdout)[1]) > 0.95
