"""The number of threads that BLAS may use.

In training and in prediction, BLAS uses one thread. Small products are not faster with more. And a
product that is split among threads is rounded differently, so that results would depend on the
number of threads, which differs between machines and inside parallel searches.

More cores are used in two cases:

- Predictions of many rows are split into blocks of rows. Several threads of Python compute these,
  each with one BLAS thread (`_inference.py`). The blocks depend on shapes only, so the result
  does not depend on the number of threads.
- If the largest product of a training step takes `MULTITHREAD_MULTIPLICATIONS` or more, BLAS keeps
  all its threads. Only in this case do the last bits of the result depend on their number.

``threadpoolctl.threadpool_limits`` sets a limit when a block of code begins, and when it ends
restores the limit from before. That is not enough here, for the following reasons. A block below is
the body of ``with one_blas_thread()``.

- *Overlapping blocks.* The wheels of NumPy and SciPy each contain an OpenBLAS that uses pthreads,
  which has one limit for the process. If thread B begins a block while thread A has set the limit
  to one, B finds a limit of one, and restores it after A has restored four: the process is left
  with one thread. Therefore running blocks are counted. The first one stores the numbers to
  restore, and the last one restores them.
- *One limit for each thread.* An OpenBLAS that uses OpenMP (conda-forge) has one limit for each
  thread. Therefore every block sets the limit when it begins, and restores that of its own thread
  when it ends.
- *Controlling thread.* From version 3.8, threadpoolctl lets only the first thread that set a limit
  set another one, until that thread has released the control. Therefore it is cleared.
- *Fork.* A process that is forked during a fit inherits a lock that may be held, and users that do
  not run in it. Therefore it starts with a new lock and no users. Its first block restores the
  number of threads of the parent.
- *Interrupts.* KeyboardInterrupt may be raised between any two lines. Therefore the stored numbers
  are only cleared after they were restored. If an interrupt prevents that, the next block restores
  them.
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
    """What this package uses of threadpoolctl's controllers, which have no type stubs."""

    user_api: str
    internal_api: str
    threading_layer: str
    num_threads: int

    def set_num_threads(self, num_threads: int) -> None: ...


class _SingleThreadedBlas:
    """Limits BLAS to one thread while at least one block runs, and then restores the number.

    A user is an object that stands for a running block. See the docstring of the module.
    """

    def __init__(self) -> None:
        self._before: list[tuple[_BlasLibrary, int]] = []  # each library, its number of threads
        self.reset()

    def reset(self) -> None:
        """Start with no users and an open lock, as is necessary in a forked process."""
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
        """Restore the number of threads, unless other blocks are running."""
        with self._lock:
            self._users.discard(user)
            if self._users:  # overlapping blocks: restore only limits of this thread
                _set_threads([b for b in self._before if _limits_each_thread(b[0])])
            else:
                _set_threads(self._before)
                self._before = []  # only after they were restored: see "interrupts" above


@cache
def _blas_libraries() -> list[_BlasLibrary]:
    """Return the BLAS libraries of this process; cached, because the search is slow."""
    libraries: list[_BlasLibrary] = ThreadpoolController().lib_controllers
    return [library for library in libraries if library.user_api == "blas"]


def _limits_each_thread(library: _BlasLibrary) -> bool:
    """Tell whether a library has one limit for each thread, not one for the process."""
    return library.internal_api == "openblas" and library.threading_layer == "openmp"


def _set_threads(numbers: list[tuple[_BlasLibrary, int]]) -> None:
    """Set the number of threads of each library, even if another thread set it last."""
    if numbers:
        _clear_controlling_thread()
        for library, number in numbers:
            library.set_num_threads(number)
        _clear_controlling_thread()


def _clear_controlling_thread() -> None:
    """Allow this thread to set limits: see "controlling thread" above."""
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
        Number of multiplications in the largest product.

    Returns
    -------
    context manager
        `one_blas_thread`, or a context that changes nothing.

    Examples
    --------
    >>> from sk_twolayer._numerics.threads import suitable_blas_threads
    >>> with suitable_blas_threads(100 * 64 * 50):
    ...     pass
    """
    return one_blas_thread() if multiplications < MULTITHREAD_MULTIPLICATIONS else nullcontext()


@contextmanager
def one_blas_thread() -> Iterator[int]:
    """Run a block with one BLAS thread, and restore the number of threads, also after an error.

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
        except BaseException:  # interrupted before it was done; it can safely be called again
            _SINGLE_THREADED_BLAS.leave(user)
            raise
