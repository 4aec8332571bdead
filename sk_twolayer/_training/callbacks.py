"""Support for the callbacks of scikit-learn 1.9 and later."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Protocol, Self

from sk_twolayer._training.loop import FitResult

# sklearn.callback imports rich, if that is installed, which takes longer than the import of this
# package. Therefore sklearn.callback is only imported when it is needed.


class CallbackSupportMixin:
    """Base class with the methods of scikit-learn's `CallbackSupportMixin`, if that exists."""

    if find_spec("sklearn.callback") is not None:

        def set_callbacks(self, *callbacks: Any) -> Self:
            """Set callbacks, which are called at the start and end of a fit and of each epoch.

            Parameters
            ----------
            *callbacks : callback instances
                Callbacks of `sklearn.callback`, or of your own. Without any, callbacks that were
                set before are removed.

            Returns
            -------
            TwoLayerClassifier
                The classifier itself.
            """
            from sklearn.callback import CallbackSupportMixin

            CallbackSupportMixin.set_callbacks(self, *callbacks)
            return self

        def _init_callback_context(self, **options: Any) -> Any:
            from sklearn.callback import CallbackSupportMixin

            return CallbackSupportMixin._init_callback_context(self, **options)


def with_callbacks(method: Any) -> Any:
    """Decorate a method that fits, so that callbacks are notified of its end, also after an error.

    It is scikit-learn's decorator of the same name, imported late. Versions of scikit-learn without
    it have no callbacks, and the method is returned unchanged.
    """
    if find_spec("sklearn.callback") is None:
        return method

    @functools.wraps(method)
    def managed(*args: Any, **options: Any) -> Any:
        from sklearn.callback import with_callbacks

        return with_callbacks(method)(*args, **options)

    return managed


class Context(Protocol):
    """What this package uses of scikit-learn's `CallbackContext`."""

    def call_on_fit_task_begin(self, **data: Any) -> None: ...

    def call_on_fit_task_end(self, **data: Any) -> bool: ...

    def subcontext(self, *, task_name: str) -> Context: ...


class EpochTasks:
    """Notifies callbacks of the start and end of a fit and of each epoch.

    Parameters
    ----------
    estimator : BaseEstimator
        The estimator whose callbacks are notified.
    n_epochs : int
        Largest number of epochs.
    X, y, sample_weight : array-like
        The arguments of `fit`, which are passed to the callbacks.
    attributes : callable
        ``attributes(result)`` returns the fitted attributes of a `FitResult`. It is called only
        if a callback wants them.
    """

    def __init__(
        self,
        estimator: Any,
        n_epochs: int,
        X: Any,
        y: Any,
        sample_weight: Any,
        attributes: Callable[[FitResult], dict[str, Any]],
    ) -> None:
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
        self._data = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._attributes = attributes
        self._fit: Context | None = None
        self._epoch: Context | None = None
        if hasattr(estimator, "_init_callback_context"):
            # also if the estimator has no callbacks, because a search may have some
            fit: Context = estimator._init_callback_context(max_subtasks=n_epochs)
            fit.call_on_fit_task_begin(**self._data)
            self._fit = fit
        self._has_callbacks = hasattr(estimator, "_skl_callbacks")

    def begin_epoch(self) -> None:
        """Notify that an epoch begins."""
        if self._fit is not None and self._has_callbacks:
            self._epoch = self._fit.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(**self._data)

    def end_epoch(self, result: Callable[[], FitResult]) -> bool:
        """Notify that an epoch has ended, and return whether a callback asks to stop."""
        if self._epoch is None:
            return False

        def attributes() -> dict[str, Any]:
            return copy.deepcopy(self._attributes(result()))  # training goes on in these arrays

        stop = self._epoch.call_on_fit_task_end(**self._data, reconstruction_attributes=attributes)
        return bool(stop)

    def end_fit(self, attributes: dict[str, Any]) -> None:
        """Notify of the end of the fit, before its attributes are set on the estimator."""
        if self._fit is not None:
            self._fit.call_on_fit_task_end(**self._data, reconstruction_attributes=attributes)
