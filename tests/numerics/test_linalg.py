"""Matrix products in all layouts against NumPy in float64; rows of matrices; BLAS threads."""

import os
import signal
import threading
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_info, threadpool_limits

from sk_twolayer._numerics import threads as _threads
from sk_twolayer._numerics.gemm import add_scaled, bind_add_scaled, bind_product
from sk_twolayer._numerics.matrices import bytes_per_row, take_rows
from sk_twolayer._numerics.threads import one_blas_thread
from tests.helpers import pairwise

N, K, M = 5, 7, 3
LAYOUTS = ["-".join(orders) for orders in product(["C", "F", "strided"], repeat=3)]
FACTORS = [(1.0, 1.0), (-0.1, 1.0), (2.5, 0.0), (1.0, 0.9), (0.0, 0.5)]


def layouts(a):
    """The same matrix by rows, by columns, and strided both ways."""
    strided = np.empty((2 * a.shape[0], 2 * a.shape[1]), a.dtype)[::2, ::2]
    strided[...] = a
    return {"C": np.ascontiguousarray(a), "F": np.asfortranarray(a), "strided": strided}


# The orders of the three matrices decide how gemm is called: see _gemm_arguments.
@pytest.mark.parametrize(
    ("layout", "transpose_a", "dtype", "factors"),
    pairwise(LAYOUTS, [False, True], [np.float32, np.float64], FACTORS),
)
def test_bind_product(layout, transpose_a, dtype, factors, rng):
    scale, keep = factors
    into, a, b = (rng.standard_normal(shape) for shape in [(N, M), (N, K), (K, M)])
    into, a, b = into.astype(dtype), a.astype(dtype), b.astype(dtype)
    expected = keep * into.astype(float) + scale * a.astype(float) @ b.astype(float)
    orders = layout.split("-")
    target = layouts(into)[orders[0]]
    left = layouts(a.T if transpose_a else a)[orders[1]]
    right = layouts(b)[orders[2]]
    left_before, right_before = left.copy(), right.copy()
    bind_product(target, left, right, scale=scale, keep=keep, transpose_a=transpose_a)()
    assert target.dtype == dtype
    assert_allclose(target, expected, atol=1e-5 if dtype == np.float32 else 1e-13)
    assert_array_equal(left, left_before)
    assert_array_equal(right, right_before)


@pytest.mark.parametrize("into_order", ["C", "F"])
@pytest.mark.parametrize("rows", [0, 1, 4])
@pytest.mark.parametrize("depth", [0, 1, 4])
def test_bind_product_of_thin_and_empty_matrices(into_order, rows, depth, rng):
    for columns in (0, 1, 4):
        into = np.ones((rows, columns), order=into_order)
        a, b = rng.standard_normal((rows, depth)), rng.standard_normal((depth, columns))
        bind_product(into, a, b, scale=2.0, keep=3.0)()
        assert_allclose(into, 3 + 2 * a @ b)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_keep_zero_overwrites_whatever_was_there(order, kind):
    into = np.full((N, M), np.nan, order=order)
    a = np.ones((N, K))
    bind_product(into, a if kind == "dense" else sp.csr_array(a), np.ones((K, M)), keep=0)()
    assert_array_equal(into, np.full((N, M), K))
    vector = np.full(3, np.inf)
    add_scaled(vector, np.ones(3), scale=2.0, keep=0)
    assert_array_equal(vector, [2, 2, 2])


@pytest.mark.parametrize("container", [sp.csr_array, sp.csr_matrix, sp.csc_array, sp.coo_array])
@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bind_product_of_a_sparse_matrix(container, transpose_a, dtype, rng):
    a = rng.standard_normal((N, K)).astype(dtype) * (rng.uniform(size=(N, K)) < 0.3)
    b = rng.standard_normal((K, M)).astype(dtype)
    sparse, dense = (rng.standard_normal((N, M)).astype(dtype) for _ in range(2))
    dense[...] = sparse
    left = container(a.T if transpose_a else a)
    bind_product(sparse, left, b, scale=-0.5, keep=0.9, transpose_a=transpose_a)()
    bind_product(dense, a, b, scale=-0.5, keep=0.9)()
    assert sparse.dtype == dtype
    assert_allclose(sparse, dense, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-6)


@pytest.mark.parametrize("container", [sp.csr_array, sp.csr_matrix])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("scale", "keep"), FACTORS)
def test_bind_product_of_a_sparse_matrix_with_few_columns(container, dtype, scale, keep, rng):
    a = np.zeros((K, 100), dtype)
    a[[0, 0, 3, 5], [17, 3, 99, 17]] = 1, 2, 3, 4
    b = rng.standard_normal((K, M)).astype(dtype)
    sparse = np.full((100, M), np.nan if keep == 0 else 2, dtype)
    dense = sparse.copy()
    bind_product(sparse, container(a), b, scale=scale, keep=keep, transpose_a=True)()
    bind_product(dense, a, b, scale=scale, keep=keep, transpose_a=True)()
    assert sparse.dtype == dtype
    assert_allclose(sparse, dense, rtol=1e-6)


def test_mixed_and_integer_types():
    into = np.zeros((2, 2))
    bind_product(into, np.eye(2, dtype=np.float32), np.array([[1, 2], [3, 4]]), scale=0.5)()
    assert_array_equal(into, [[0.5, 1], [1.5, 2]])
    whole = np.ones((2, 2), dtype=int)
    bind_product(whole, np.eye(2, dtype=int), np.array([[1, 2], [3, 4]]))()
    assert_array_equal(whole, [[2, 3], [4, 5]])


def test_a_read_only_target_is_refused():
    into = np.zeros((2, 2))
    into.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        bind_product(into, np.eye(2), np.eye(2))()
    assert not into.any()


def test_an_unaligned_target_is_filled():
    """BLAS would work on an aligned copy of it, and the result would be lost."""
    memory = np.zeros(8 * 4 + 1, np.uint8)[1:]
    into = memory.view(np.float64)
    assert not into.flags.aligned
    add_scaled(into, np.ones(4), scale=2.0)
    assert_array_equal(into, [2, 2, 2, 2])
    bind_product(into.reshape(2, 2), np.eye(2), np.ones((2, 2)))()
    assert_array_equal(into, [3, 3, 3, 3])


def test_add_scaled_of_another_length():
    with pytest.raises(ValueError, match=r"shape \(2,\) cannot be added into one of \(3,\)"):
        add_scaled(np.zeros(3), np.ones(2))


@pytest.mark.parametrize(
    "shapes", [((2, 3), (2, 4), (5, 3)), ((2, 2), (2, 4), (4, 3)), ((3, 3), (2, 4), (4, 3))]
)
def test_shapes_that_do_not_fit(shapes):
    into, a, b = (np.zeros(shape) for shape in shapes)
    with pytest.raises(ValueError, match="shapes do not fit"):
        bind_product(into, a, b)()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("scale", "keep"), FACTORS)
def test_add_scaled(dtype, stride, scale, keep, rng):
    x, into = rng.standard_normal((2, 12)).astype(dtype)[:, ::stride]
    expected = keep * into.astype(float) + scale * x.astype(float)
    add_scaled(into, x, scale=scale, keep=keep)
    assert_allclose(into, expected, atol=1e-6 if dtype == np.float32 else 1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("n", [0, 1, 12, 1001])
@pytest.mark.parametrize(("stride", "x_stride"), [(1, 1), (2, 1), (1, 2)])
def test_a_bound_operation_on_vectors(dtype, n, stride, x_stride, rng):
    """It works on the contents of the arrays at the time of the call."""
    into, x = (rng.standard_normal(n * step).astype(dtype)[::step] for step in (stride, x_stride))
    add = bind_add_scaled(into, x)
    for scale, keep in [(-0.5, 1.0), (2.0, 0.25), (1.0, 0.0), (0.1, 0.9), (3.0, 0.0)]:
        x[:] = rng.standard_normal(n)
        expected = keep * into.astype(float) + scale * x.astype(float)
        add(scale, keep)
        assert_allclose(into.astype(float), expected, atol=1e-5)


def test_a_bound_operation_on_vectors_of_other_lengths():
    with pytest.raises(ValueError, match=r"shape \(2,\) cannot be added into one of \(3,\)"):
        bind_add_scaled(np.zeros(3), np.ones(2))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array, sp.csr_matrix])
def test_take_rows(order, container, rng):
    X = np.asarray(rng.standard_normal((6, 4)), order=order)
    rows = np.array([5, 0, 0, 3])
    taken = take_rows(container(X), rows)
    assert_array_equal(taken if container is np.asarray else taken.toarray(), X[rows])
    if container is np.asarray:
        assert taken.flags.c_contiguous


def test_bytes_per_row():
    assert bytes_per_row(np.zeros((4, 3), np.float32)) == 12
    assert bytes_per_row(sp.csr_array(np.eye(4))) == 12
    assert bytes_per_row(sp.csr_array((4, 3))) == 0


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


class TestOneBlasThread:
    @pytest.fixture(autouse=True)
    def _two_threads_outside(self):
        with threadpool_limits(2, user_api="blas"):
            assert blas_threads() == {2}
            yield
            assert blas_threads() == {2}

    def test_limits_and_restores(self):
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {2}

    def test_restores_after_an_exception(self):
        with pytest.raises(KeyboardInterrupt), one_blas_thread():
            raise KeyboardInterrupt
        assert blas_threads() == {2}

    @pytest.mark.parametrize("call", [1, 2])
    @pytest.mark.parametrize("done", [False, True])
    def test_threads_are_restored_after_an_interrupt(self, call, done, monkeypatch):
        calls = []

        def interrupted(numbers):
            calls.append(numbers)
            if done or len(calls) != call:
                set_threads(numbers)
            if len(calls) == call:
                raise KeyboardInterrupt

        set_threads = _threads._set_threads
        monkeypatch.setattr(_threads, "_set_threads", interrupted)
        with pytest.raises(KeyboardInterrupt), one_blas_thread():
            pass
        assert blas_threads() == {2}
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {2}

    def test_the_next_fit_restores_after_interrupts(self, monkeypatch):
        def interrupted(numbers):
            if any(number == 2 for _, number in numbers):
                raise KeyboardInterrupt
            set_threads(numbers)

        set_threads = _threads._set_threads
        with monkeypatch.context() as patch:
            patch.setattr(_threads, "_set_threads", interrupted)
            with pytest.raises(KeyboardInterrupt), one_blas_thread():
                pass
        assert blas_threads() == {1}
        with one_blas_thread():
            pass
        assert blas_threads() == {2}

    def test_a_limit_set_between_two_fits_is_the_one_restored(self):
        with one_blas_thread():
            pass
        with threadpool_limits(1, user_api="blas"):
            with one_blas_thread():
                pass
            assert blas_threads() == {1}

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system starts processes afresh")
    @pytest.mark.filterwarnings(
        "ignore:.*multi-threaded.*:DeprecationWarning"
    )  # which is tested here
    def test_a_real_fork_during_a_fit(self):
        is_in, may_leave = threading.Event(), threading.Event()

        def fit():
            with one_blas_thread():
                is_in.set()
                may_leave.wait()

        thread = threading.Thread(target=fit)
        thread.start()
        is_in.wait()
        child = os.fork()
        if child == 0:
            signal.alarm(20)  # if it waits for the lock of the parent
            with one_blas_thread():
                inside = blas_threads()
            os._exit(0 if (inside, blas_threads()) == ({1}, {2}) else 1)
        _, status = os.waitpid(child, 0)
        may_leave.set()
        thread.join()
        assert status == 0

    def test_a_process_forked_during_a_fit_has_no_users_and_an_open_lock(self):
        state = _threads._SingleThreadedBlas()
        fit_of_the_parent, fit_of_the_child = object(), object()
        state.enter(fit_of_the_parent)
        state._lock.acquire()
        state.reset()  # as in the child of a fork
        state.enter(fit_of_the_child)
        assert blas_threads() == {1}
        state.leave(fit_of_the_child)
        assert blas_threads() == {2}

    def test_a_thread_that_did_not_set_the_outer_limit(self):
        seen = []

        def fit():
            with one_blas_thread():
                seen.append(blas_threads())

        thread = threading.Thread(target=fit)
        thread.start()
        thread.join()
        assert seen == [{1}]

    def test_the_last_of_overlapping_fits_restores(self):
        first_is_in, second_is_in, first_is_out = (threading.Event() for _ in range(3))
        seen = []

        def first():
            with one_blas_thread():
                first_is_in.set()
                second_is_in.wait()
            first_is_out.set()

        def second():
            first_is_in.wait()
            with one_blas_thread():
                second_is_in.set()
                first_is_out.wait()
                seen.append(blas_threads())

        threads = [threading.Thread(target=target) for target in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [{1}]
        assert blas_threads() == {2}
