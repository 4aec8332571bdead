"""Scikit-learn's callbacks, which came with 1.9; below it nothing here does anything."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Self

# sklearn.callback imports rich, where there is rich, which takes longer than all of this package:
# so it is not imported before something is fitted.


class CallbackSupportMixin:
    """Offers callbacks by scikit-learn's class of that name, if there is one."""

    if find_spec("sklearn.callback") is not None:

        def set_callbacks(self, *callbacks: Any) -> Self:
            """Set what is to be called when a fit begins, after each epoch, and when it ends."""
            from sklearn.callback import CallbackSupportMixin

            CallbackSupportMixin.set_callbacks(self, *callbacks)
            return self

        def _init_callback_context(self, **options: Any) -> Any:
            from sklearn.callback import CallbackSupportMixin

            return CallbackSupportMixin._init_callback_context(self, **options)


def with_callbacks(method: Any) -> Any:
    """Have a method that fits see to it that its callbacks are told of the end, however it ends."""
    if find_spec("sklearn.callback") is None:
        return method

    @functools.wraps(method)
    def managed(*args: Any, **options: Any) -> Any:
        from sklearn.callback import with_callbacks

        return with_callbacks(method)(*args, **options)

    return managed


class EpochTasks:
    """Tells an estimator's callbacks that its fit has begun, each epoch, and its end."""

    def __init__(self, estimator: Any, max_iter: int, **data: Any) -> None:
        self._data = {"estimator": estimator, **data}
        self._fit: Any = None
        self._epoch: Any = None
        if hasattr(estimator, "_init_callback_context"):
            # also without callbacks: those of a search want to know of this fit
            self._fit = estimator._init_callback_context(max_subtasks=max_iter)
            self._fit.call_on_fit_task_begin(**self._data)
        self._told = hasattr(estimator, "_skl_callbacks")

    def begin(self) -> None:
        """Tell that an epoch begins."""
        if self._fit is not None and self._told:
            self._epoch = self._fit.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(**self._data)

    def end(self, attributes: Callable[[], dict[str, Any]]) -> bool:
        """Tell that an epoch has ended, and return whether a callback wants it to be the last."""
        if self._epoch is None:
            return False
        # copies, because the arrays go on changing
        stop = self._epoch.call_on_fit_task_end(
            **self._data, reconstruction_attributes=lambda: copy.deepcopy(attributes())
        )
        return bool(stop)

    def close(self) -> None:
        """Tell that the estimator is fitted."""
        if self._fit is not None:
            self._fit.call_on_fit_task_end(**self._data, reconstruction_attributes={})
