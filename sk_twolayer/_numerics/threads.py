"""How many threads BLAS may use."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any

from threadpoolctl import OpenBLASController, ThreadpoolController

LARGE_PRODUCT = 2**24  # multiplications: from here on more threads pay


@cache
def _controller() -> ThreadpoolController:
    """Find this process's BLAS libraries, once: the search costs far more than a limit."""
    return ThreadpoolController()


class _SingleThreadedBlas:
    """Knows who wants one BLAS thread: the first sets the limit, the last restores it.

    For most libraries the limit belongs to the process, not to the thread that sets it, so fits
    that overlap in several threads must share one: each restoring what it found would leave the
    limit at one. OpenBLAS on OpenMP has a limit for each thread, set and restored by each.

    An interrupt may come between any two lines here. What was before the first limit is
    therefore forgotten only once it is restored, if not by this fit then by the next one.
    """

    def __init__(self) -> None:
        self._before: dict[str, int] = {}
        self.forget_users()

    def forget_users(self) -> None:
        """Start with no users and an open lock, as a forked process must.

        If it was forked during a fit, its own first fit restores the limit from before that.
        """
        self._lock = threading.Lock()
        self._users: set[object] = set()

    def enter(self, user: object) -> None:
        with self._lock:
            self._users.add(user)
            libraries = _blas_libraries()
            if not self._before:
                self._before = {library.filepath: library.num_threads for library in libraries}
            _set_threads(libraries, dict.fromkeys(self._before, 1))

    def leave(self, user: object) -> None:
        with self._lock:
            self._users.discard(user)
            libraries = _blas_libraries()
            if self._users:
                libraries = [library for library in libraries if _limits_each_thread(library)]
            _set_threads(libraries, self._before)
            if not self._users:
                self._before = {}


def _blas_libraries() -> list[Any]:
    return [library for library in _controller().lib_controllers if library.user_api == "blas"]


def _limits_each_thread(library: Any) -> bool:
    return bool(library.internal_api == "openblas" and library.threading_layer == "openmp")


def _set_threads(libraries: list[Any], threads: dict[str, int]) -> None:
    """Set the limits from this thread, though another may have set them last.

    Since threadpoolctl 3.8 the first thread to set a limit of the process is the only one that
    can, until it is made to let go.
    """
    let_go = getattr(OpenBLASController, "clear_controlling_thread", None)
    if let_go:
        let_go(force=True)
    for library in libraries:
        if library.filepath in threads:
            library.set_num_threads(threads[library.filepath])
    if let_go:
        let_go(force=True)


_SINGLE_THREADED_BLAS = _SingleThreadedBlas()
if hasattr(os, "register_at_fork"):
    # The threads of the parent, which may hold the lock, do not exist in the child.
    os.register_at_fork(after_in_child=_SINGLE_THREADED_BLAS.forget_users)


def suitable_blas_threads(multiplications: int) -> AbstractContextManager[None]:
    """Return a context with one BLAS thread, unless products are so large that more of them pay.

    Examples
    --------
    >>> from sk_twolayer._numerics.threads import suitable_blas_threads
    >>> with suitable_blas_threads(100 * 64 * 50):
    ...     pass
    """
    return one_blas_thread() if multiplications < LARGE_PRODUCT else nullcontext()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Run a block with one BLAS thread, and restore the limit afterwards whatever happens.

    There are two reasons: threads that wait for each other make small products
    slower, and a threaded product sums in another order, so that a model's last bits would
    depend on how many threads the machine, or a parallel search, happened to leave it.

    Examples
    --------
    >>> from sk_twolayer._numerics.threads import one_blas_thread
    >>> with one_blas_thread():
    ...     pass
    """
    user = object()
    try:
        _SINGLE_THREADED_BLAS.enter(user)
        yield
    finally:
        try:
            _SINGLE_THREADED_BLAS.leave(user)
        except BaseException:  # interrupted: leave() may be called again, and must be
            _SINGLE_THREADED_BLAS.leave(user)
            raise
