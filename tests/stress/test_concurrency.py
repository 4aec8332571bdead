"""Side by side gives the bits of one after the other; and BLAS gets its threads back."""

import importlib.util
import multiprocessing
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info, threadpool_limits

from sk_twolayer import TwoLayerClassifier, _inference
from sk_twolayer._training.workspace import Workspace
from sk_twolayer.optimizers import LBFGS, SGD
from tests.helpers import PLAIN, pairwise

N_THREADS = 16
METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform"]
SIZES = [1, 7, 300, 1024, 1500, 5000]  # from what BLAS does on one thread to several blocks

rng = np.random.RandomState(0)


def make(**options):
    return TwoLayerClassifier(
        **{**PLAIN, "hidden_size": 20, "max_iter": 3, "tol": None, "random_state": 0, **options}
    )


def bits(clf):
    return b"".join(array.tobytes() for array in clf.coefs_ + clf.intercepts_)


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_blas_threads():
    """Give a limit that is left at one a number it differs from, also on a single core."""
    with threadpool_limits(2, user_api="blas"):
        yield
        assert blas_threads() == {2}


def at_once(calls):
    """Call each function in a thread of its own, all released together; return the results."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


class TestPrediction:
    @pytest.mark.parametrize(
        ("shape", "kind", "container", "dtype"),
        pairwise(
            [(500, 8), (64, 256), (784, 60)],
            ["two", "three", "labels"],
            [np.asarray, sp.csr_array],
            [np.float32, np.float64],
        ),
        ids=str,
    )
    def test_threads_share_a_model(self, shape, kind, container, dtype):
        """What one of them does about BLAS makes no difference to another's bits.

        Five methods and six sizes are all 30 pairs in two rounds of 16 calls.
        """
        n_features, hidden_size = shape
        k = np.arange(100)
        y = {"two": k % 2, "three": k % 3, "labels": np.c_[k % 2, k % 3 > 0]}
        X = rng.standard_normal((max(SIZES), n_features)).astype(dtype)
        clf = make(hidden_size=hidden_size).fit(X[:100], y[kind])
        inputs = [container(X[:size]) for size in SIZES]
        calls = [
            partial(getattr(clf, METHODS[k % len(METHODS)]), inputs[k % len(SIZES)])
            for k in range(2 * N_THREADS)
        ]
        alone, before = [call() for call in calls], joblib.hash(vars(clf))
        answers = at_once(calls[:N_THREADS]) + at_once(calls[N_THREADS:])
        for answer, expected in zip(answers, alone, strict=True):
            assert_array_equal(answer, expected)
        assert joblib.hash(vars(clf)) == before

    def test_beside_a_fit(self):
        X = rng.standard_normal((2000, 500))
        clf = make(hidden_size=8).fit(X[:100], np.arange(100) % 3)
        expected = clf.predict_proba(X)
        fit = partial(fit_bits, X[:400], np.arange(400) % 2, {})
        fitted_alone = fit()
        answers = at_once([*[fit] * 4, *[partial(clf.predict_proba, X)] * 8])
        assert answers[:4] == [fitted_alone] * 4
        for answer in answers[4:]:
            assert_array_equal(answer, expected)

    def test_of_the_default_net_while_small_nets_are_fitted(self, digits):
        X, y = digits
        clf = TwoLayerClassifier(max_iter=1, tol=None, random_state=0).fit(X, y)
        expected, done = clf.predict_proba(X), threading.Event()

        def fit():
            while not done.is_set():
                make(max_iter=1).fit(X[:100], y[:100])

        thread = threading.Thread(target=fit)
        thread.start()
        try:
            for _ in range(50):
                assert_array_equal(clf.predict_proba(X), expected)
        finally:
            done.set()
            thread.join()

    def test_large_ones_work_on_blocks_in_as_many_threads_as_blas_has(self, monkeypatch):
        clf = make(max_iter=1).fit(rng.standard_normal((100, 50)), np.arange(100) % 3)
        X, seen = rng.standard_normal((4000, 50)), set()
        check = _inference._check_finite

        def spy(*arguments):
            seen.add(threading.get_ident())
            check(*arguments)
            barrier.wait(60)  # which two threads at once can pass

        barrier = threading.Barrier(2)
        expected = clf.predict_proba(X)
        monkeypatch.setattr(_inference, "PARALLEL_MULTIPLICATIONS", 0)
        monkeypatch.setattr(_inference, "MAX_BLOCK_ROWS", 500)
        monkeypatch.setattr(_inference, "_check_finite", spy)
        answer = clf.predict_proba(X)
        assert len(seen) == 2
        assert_allclose(answer, expected, rtol=1e-12)

    @pytest.mark.parametrize("row", [0, 2000, 3999])
    def test_large_ones_refuse_a_row_in_any_block(self, row, monkeypatch):
        clf = make(max_iter=1).fit(rng.standard_normal((100, 50)), np.arange(100) % 3)
        monkeypatch.setattr(_inference, "PARALLEL_MULTIPLICATIONS", 0)
        X = rng.standard_normal((4000, 50))
        X[row, 3] = np.nan
        with pytest.raises(ValueError, match="Input X contains NaN"):
            clf.predict(X)
        X[row, 3] = 1e308
        clf.coefs_[0] *= 10
        with pytest.raises(ValueError, match=f"the results of row {row} of X overflow"):
            clf.decision_function(X)


FITS = {
    "sgd": {},
    "momentum, dropout": {"solver": SGD(momentum=0.9), "dropout": 0.2},
    "adam, best epoch": {"solver": "adam", "early_stopping": True, "scoring": "accuracy"},
    "lbfgs": {"solver": LBFGS(), "class_weight": "balanced"},
}


def fit_bits(X, y, options):
    return bits(make(**options).fit(X, y))


def stream_bits(X, y, options):
    clf = make(**options)
    for start in range(0, len(y), 100):
        rows = slice(start, start + 100)
        clf.partial_fit(X[rows], y[rows], np.unique(y))
    return bits(clf)


def has_mapped_data(X, y, options):
    return all(isinstance(array, np.memmap) for array in (X.data, X.indices, X.indptr))


@pytest.fixture(scope="module")
def data():
    return rng.standard_normal((400, 300)), np.array(["a", "b", "c"])[np.arange(400) % 3]


@pytest.mark.slow
class TestFits:
    @pytest.mark.parametrize(
        "pool",
        [
            partial(Parallel, n_jobs=4, backend="threading"),
            partial(Parallel, n_jobs=2, backend="loky"),
            partial(Parallel, n_jobs=2, backend="loky", max_nbytes=1),  # X comes memory-mapped
        ],
        ids=["threads", "processes", "memory-mapped"],
    )
    @pytest.mark.parametrize("mapped", [False, True])
    def test_in_parallel(self, pool, mapped, data, tmp_path):
        X, y = data
        jobs = [(fit_bits, options) for options in FITS.values()]
        jobs += [(stream_bits, {}), (stream_bits, {"solver": "adam"})]
        expected = [job(X, y, options) for job, options in jobs]
        if mapped:
            joblib.dump(X, tmp_path / "X")
            X = joblib.load(tmp_path / "X", mmap_mode="r")
        for _ in range(2):
            answers = pool()(delayed(job)(X, y, options) for job, options in jobs)
            assert answers == expected

    @pytest.mark.parametrize("duplicates", [False, True])
    def test_on_read_only_sparse_rows(self, duplicates):
        """Those of a memory map: not even to sort them, or to add up duplicates."""
        columns = rng.randint(30, size=2000)
        X = sp.csr_array((rng.standard_normal(2000), columns, np.arange(0, 2001, 5)), (400, 30))
        if not duplicates:
            X.sum_duplicates()
        assert X.has_canonical_format is not duplicates
        y = np.arange(400) % 3
        jobs = [(fit_bits, options) for options in FITS.values()]
        jobs.append((stream_bits, {"solver": "adam"}))
        expected = [job(X.copy(), y, options) for job, options in jobs]
        pool = Parallel(n_jobs=2, backend="loky", max_nbytes=1)
        *answers, mapped = pool(
            delayed(job)(X, y, options) for job, options in [*jobs, (has_mapped_data, {})]
        )
        assert answers == expected
        assert mapped

    @pytest.mark.parametrize("backend", ["threading", "loky"])
    def test_a_search(self, data, backend):
        X, y = data
        grid = {"hidden_size": [5, 20], "solver": ["sgd", "adam"]}
        alone, parallel = (
            GridSearchCV(make(), grid, cv=2, n_jobs=n_jobs, error_score="raise")
            for n_jobs in (1, 2)
        )
        alone.fit(X, y)
        with joblib.parallel_backend(backend):
            parallel.fit(X, y)
        assert bits(parallel.best_estimator_) == bits(alone.best_estimator_)
        for split in ("split0_test_score", "split1_test_score"):
            assert_array_equal(parallel.cv_results_[split], alone.cv_results_[split])

    def test_a_fit_within_a_fit(self, data):
        """A scorer may train a net of its own, here in four fits at once."""
        X, y = data

        def score(clf, X, y):
            make().fit(X, y)
            assert blas_threads() == {1}
            return clf.score(X, y)

        options = {"early_stopping": True, "scoring": score}
        expected = fit_bits(X, y, options)
        assert at_once([partial(fit_bits, X, y, options)] * 4) == [expected] * 4


class FailingCallback:
    """What scikit-learn asks of a callback, and a database that is away."""

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        raise OSError("the database is away")


def fit_in_a_child(X, y, pipe):
    signal.alarm(60)  # should it wait for a lock that only its parent can open
    pipe.send((fit_bits(X, y, {}), blas_threads()))


class TestLimits:
    """Each ends with the number of threads that BLAS had: see the fixture above."""

    X, y = rng.standard_normal((100, 20)), np.arange(100) % 2

    def test_in_the_middle_of_a_fit(self, monkeypatch):
        seen = set()
        run = Workspace.forward_backward

        def spy(*arguments):
            seen.update(blas_threads())
            return run(*arguments)

        monkeypatch.setattr(Workspace, "forward_backward", spy)
        make().fit(self.X, self.y)
        assert seen == {1}

    @pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
    @pytest.mark.parametrize("epoch", [1, 3])
    @pytest.mark.filterwarnings("ignore:fit was interrupted")
    def test_after_a_fault(self, fault, epoch, monkeypatch):
        run, seen = Workspace.forward_backward, []

        def strike(*arguments):
            seen.append(arguments)
            if len(seen) == epoch:
                raise fault
            return run(*arguments)

        monkeypatch.setattr(Workspace, "forward_backward", strike)
        with suppress(fault):
            make(batch_size="full").fit(self.X, self.y)
        assert len(seen) == epoch
        assert blas_threads() == {2}

    @pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
    def test_after_a_callback_that_fails(self, solver):
        if importlib.util.find_spec("sklearn.callback") is None:
            pytest.skip("scikit-learn has callbacks since 1.9")
        with pytest.raises(OSError, match="away"):
            make(solver=solver).set_callbacks(FailingCallback()).fit(self.X, self.y)
        assert blas_threads() == {2}

    @pytest.mark.filterwarnings("ignore:column .* of X is not scaled")
    @pytest.mark.parametrize("method", ["fit", "partial_fit"])
    @pytest.mark.parametrize("scale", [1e200, np.nan], ids=["diverges", "nan"])
    def test_after_bad_data(self, method, scale):
        options = {"classes": [0, 1]} if method == "partial_fit" else {}
        clf = make(learning_rate=1e3, activation="identity")
        with pytest.raises(ValueError, match=r"diverged|too large|NaN"):
            getattr(clf, method)(self.X * scale, self.y, **options)
        assert blas_threads() == {2}

    @pytest.mark.parametrize("fault", [OSError, KeyboardInterrupt, SystemExit])
    @pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
    def test_after_a_fit_within_a_fit_that_fails(self, fault, solver):
        """The inner fit ends first, and must not restore what the outer one needs."""
        seen = []

        def raises(clf, X, y):
            raise fault

        def score(clf, X, y):
            try:
                make(early_stopping=True, scoring=raises, solver=solver).fit(X, y)
            finally:
                seen.append(blas_threads())

        with pytest.raises(fault):
            make(early_stopping=True, scoring=score, solver=solver).fit(self.X, self.y)
        assert seen == [{1}]
        assert blas_threads() == {2}

    @pytest.mark.parametrize("first_to_end", [0, 1])
    def test_fits_that_overlap(self, first_to_end):
        """The limit holds until the last of them has ended, whoever began."""
        may_end, seen = [threading.Event(), threading.Event()], []
        barrier = threading.Barrier(3)

        def score(number, *_):
            barrier.wait()
            may_end[number].wait()
            return 0.0

        def fit(number):
            options = {"early_stopping": True, "scoring": partial(score, number), "max_iter": 1}
            make(**options).fit(self.X, self.y)

        threads = [threading.Thread(target=fit, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        barrier.wait()
        for number in (first_to_end, 1 - first_to_end):
            seen.append(blas_threads())
            may_end[number].set()
            threads[number].join()
        assert seen == [{1}, {1}]

    def test_under_a_limit_of_the_users(self):
        with threadpool_limits(1, user_api="blas"):
            make().fit(self.X, self.y)
            assert blas_threads() == {1}

    @pytest.mark.skipif(
        "fork" not in multiprocessing.get_all_start_methods(),
        reason="this system starts processes afresh",
    )
    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # the very point
    @pytest.mark.parametrize("forked_by", ["the thread of the fit", "another thread"])
    def test_a_child_forked_during_a_fit(self, forked_by):
        """It fits as if alone, and neither waits for its parent's fit nor keeps its limit."""
        context = multiprocessing.get_context("fork")
        here, there = context.Pipe(duplex=False)
        child = context.Process(target=fit_in_a_child, args=(self.X, self.y, there))
        is_in, may_leave = threading.Event(), threading.Event()

        def score(*_):
            if forked_by == "the thread of the fit":
                child.start()
            is_in.set()
            may_leave.wait()
            return 0.0

        options = {"early_stopping": True, "scoring": score, "max_iter": 1}
        fit = make(**options).fit
        thread = threading.Thread(target=fit, args=(self.X, self.y), daemon=True)
        expected = fit_bits(self.X, self.y, {})
        thread.start()
        assert is_in.wait(60)
        if forked_by == "another thread":
            child.start()
        child.join()
        during = blas_threads()
        may_leave.set()
        thread.join()
        assert child.exitcode == 0
        assert here.recv() == (expected, {2})
        assert during == {1}
