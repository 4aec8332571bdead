"""The number of threads that BLAS may use.

In training and in prediction, BLAS works on one thread. Small products gain nothing from more, and
a product that is split among threads is rounded differently, so that results would depend on the
number of threads that the machine, or a parallel search, leaves to the process.

More cores are used in two cases:

- Predictions of many rows are split into blocks of rows. Several threads of Python work on these,
  each with one BLAS thread (`_inference.py`). The blocks depend on shapes only, so the result
  does not depend on the number of threads.
- Training whose largest product takes `MULTITHREAD_MULTIPLICATIONS` or more keeps the threads that
  BLAS has. There, and only there, the last bits depend on their number.

Why the limiter below is more than ``threadpoolctl.threadpool_limits``, which changes the limit when
a block begins, and at its end sets the number it found:

- *Overlapping blocks.* The limit of OpenBLAS on pthreads, which the wheels of NumPy and SciPy
  contain (one library each), is that of the process. If thread B begins while thread A has the
  limit at one, B restores one after A has restored four, and the process is left with one thread.
  So blocks are counted: the first one notes what to restore, and the last one restores it.
- *One limit for each thread.* OpenBLAS on OpenMP (conda-forge) keeps the limit for each thread. So
  every block sets it when it begins, and restores its own thread's when it ends.
- *Controlling thread.* From version 3.8, threadpoolctl ignores limits that are set by any other
  thread than the first one that set a limit, until that one lets go.
- *Fork.* A child forked during a fit inherits the lock, perhaps held, and users that do not exist
  there. It starts with no users, and its first block restores the number of the parent.
- *Interrupts.* KeyboardInterrupt may be raised between any two lines. The numbers to restore are
  cleared only after they were restored; if an interrupt prevents that, the next block restores.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Protocol

from threadpoolctl import OpenBLASController, ThreadpoolController

MULTITHREAD_MULTIPLICATIONS = 2**26


class _BlasLibrary(Protocol):
    """What is used of a controller of threadpoolctl, which has no type stubs."""

    user_api: str
    internal_api: str
    threading_layer: str
    num_threads: int

    def set_num_threads(self, num_threads: int) -> None: ...


class _SingleThreadedBlas:
    """Limits BLAS to one thread while any block needs that, and then restores the number.

    A user is the identity of a running block. See the module for the reasons.
    """

    def __init__(self) -> None:
        self._before: list[tuple[_BlasLibrary, int]] = []  # each library, its number of threads
        self.reset()

    def reset(self) -> None:
        """Start with no users and an open lock, as a forked process must."""
        self._lock = threading.Lock()
        self._users: set[object] = set()

    def enter(self, user: object) -> int:
        """Limit BLAS to one thread, and return its number of threads without the limit."""
        with self._lock:
            self._users.add(user)
            if not self._before:  # overlapping blocks: only the first one finds no limit
                self._before = [(library, library.num_threads) for library in _blas_libraries()]
            _set_threads([(library, 1) for library, _ in self._before])
            return max([number for _, number in self._before], default=1)

    def leave(self, user: object) -> None:
        """Restore the number of threads, if no other block wants one BLAS thread."""
        with self._lock:
            self._users.discard(user)
            if self._users:  # overlapping blocks: restored now only where each thread has a limit
                _set_threads([b for b in self._before if _limits_each_thread(b[0])])
            else:
                _set_threads(self._before)
                self._before = []  # interrupts: after, not before


@cache
def _blas_libraries() -> list[_BlasLibrary]:
    """Return the BLAS libraries of this process; the search takes far longer than a limit."""
    libraries: list[_BlasLibrary] = ThreadpoolController().lib_controllers
    return [library for library in libraries if library.user_api == "blas"]


def _limits_each_thread(library: _BlasLibrary) -> bool:
    """Tell whether a library has a limit for each thread, not one for the process."""
    return library.internal_api == "openblas" and library.threading_layer == "openmp"


def _set_threads(numbers: list[tuple[_BlasLibrary, int]]) -> None:
    """Set the number of threads of each library, also if another thread set it last."""
    if numbers:
        _clear_controlling_thread()
        for library, number in numbers:
            library.set_num_threads(number)
        _clear_controlling_thread()


def _clear_controlling_thread() -> None:
    """Let threadpoolctl set limits from any thread: see "controlling thread" above."""
    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


_SINGLE_THREADED_BLAS = _SingleThreadedBlas()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_SINGLE_THREADED_BLAS.reset)


def suitable_blas_threads(multiplications: int) -> AbstractContextManager[object]:
    """Return a context in which BLAS has one thread, or all its threads for very large products.

    Parameters
    ----------
    multiplications : int
        Number of multiplications in the largest product of the block.

    Returns
    -------
    context manager
        `one_blas_thread`, or one that changes nothing.

    Examples
    --------
    >>> from sk_twolayer._numerics.threads import suitable_blas_threads
    >>> with suitable_blas_threads(100 * 64 * 50):
    ...     pass
    """
    return one_blas_thread() if multiplications < MULTITHREAD_MULTIPLICATIONS else nullcontext()


@contextmanager
def one_blas_thread() -> Iterator[int]:
    """Run a block with one BLAS thread, and restore the limit afterwards whatever happens.

    Yields
    ------
    int
        Number of threads that BLAS has outside of such blocks.

    Examples
    --------
    >>> from sk_twolayer._numerics.threads import one_blas_thread
    >>> with one_blas_thread() as n_threads:
    ...     n_threads >= 1
    True
    """
    user = object()
    try:
        yield _SINGLE_THREADED_BLAS.enter(user)
    finally:
        try:
            _SINGLE_THREADED_BLAS.leave(user)
        except BaseException:  # interrupted: leave() may be called again, and must be
            _SINGLE_THREADED_BLAS.leave(user)
            raise
