"""More data than memory, more calls than anybody counts: nothing grows."""

import gc
import pickle
import subprocess
import sys
import tracemalloc
from textwrap import dedent

import numpy as np
import pytest
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import SGD
from tests.helpers import LONG

pytestmark = pytest.mark.slow  # many rows, many calls


def make(**options):
    return TwoLayerClassifier(**{"hidden_size": 8, "random_state": 0, **options})


def test_more_rows_than_memory(tmp_path):
    """Fits a file of 400 MB, and predicts all of its rows at once, in 150 MB more than it began."""
    pytest.importorskip("resource", reason="only POSIX can limit the memory of a process")
    script = """
        import resource, sys
        import numpy as np
        from sk_twolayer import TwoLayerClassifier

        n, d, chunk = 1_000_000, 100, 20_000
        X = np.lib.format.open_memmap(sys.argv[1], "w+", np.float32, (n, d))
        rng = np.random.RandomState(0)
        for start in range(0, n, chunk):
            X[start : start + chunk] = rng.standard_normal((chunk, d))
        X.flush()
        X = np.load(sys.argv[1], mmap_mode="r")
        y = (X[:, 0] > X[:, 1]).astype(np.int8)

        clf = TwoLayerClassifier(8, batch_size=1000, random_state=0)
        clf.partial_fit(X[:100], y[:100], classes=[0, 1])  # what is made once, is made
        with open("/proc/self/status") as status:
            kilobytes = next(int(line.split()[1]) for line in status if line.startswith("VmData"))
        limit = 1024 * kilobytes + 150 * 2**20  # of memory that belongs to no file
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        try:
            np.array(X)
        except MemoryError:
            print("the limit holds")
        for start in range(0, n, chunk):
            clf.partial_fit(X[start : start + chunk], y[start : start + chunk])
        print((clf.predict(X) == y).mean())
    """
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells memory that belongs to files from memory that does not")
    command = [sys.executable, "-c", dedent(script), str(tmp_path / "X.npy")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.stderr == ""
    message, accuracy = answer.stdout.splitlines()
    assert message == "the limit holds"
    assert float(accuracy) > 0.95


@pytest.mark.parametrize("solver", ["adam", "sgd", SGD(momentum=0.9)], ids=str)
def test_thousands_of_chunks(solver):
    """Neither the objects in memory nor the bytes of a file grow, but for digits of counters."""
    thousands = 10 if LONG else 2
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((20, 5)), np.arange(20) % 3
    clf = make(solver=solver, max_iter=50)
    clf.partial_fit(X, y, classes=[0, 1, 2])
    sizes, blocks = [], []
    for _ in range(2 * thousands):
        for _ in range(500):
            clf.partial_fit(X, y)
            clf.predict(X)
        gc.collect()
        sizes.append(len(pickle.dumps(clf)))
        blocks.append(sys.getallocatedblocks())
    assert clf.n_iter_ == 1000 * thousands + 1
    assert len(clf.loss_curve_) == 50
    assert max(sizes) - sizes[0] < 20
    assert blocks[-1] - blocks[1] < 800  # an object a call would be 1,000 at least


@pytest.fixture(scope="module")
def million():
    """A million rows of 20 columns: dense, all of them one row in memory, and sparse."""
    dense = np.random.RandomState(0).standard_normal((10**6, 20)).astype(np.float32)
    return {
        "dense": dense,
        "repeated": np.broadcast_to(dense[0], dense.shape),
        "sparse": sp.csr_array(dense * (dense > 2)),
    }


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "score"])
@pytest.mark.parametrize("kind", ["dense", "repeated", "sparse"])
def test_a_million_rows(kind, method, million):
    """Takes a block of rows at a time: besides X and the answer, only scores grow with the rows."""
    X = million[kind]
    y = np.arange(10**6, dtype=np.int8) % 3
    clf = make(hidden_size=100, max_iter=1, tol=None).fit(X[:1000], y[:1000])
    arguments = (X, y) if method == "score" else (X,)
    clf.predict(X[:5000])  # what is made once, is made
    tracemalloc.start()
    try:
        with threadpool_limits(2, user_api="blas"):  # each thread has a block of its own
            answer = getattr(clf, method)(*arguments)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    scores = 3 * 4 * 10**6
    assert np.ndim(answer) == 0 or len(answer) == 10**6
    numbers = {"predict": 16, "predict_proba": 20, "decision_function": 0, "score": 60}
    assert peak < scores + numbers[method] * 10**6 + 3 * 2**20
