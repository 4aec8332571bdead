"""Floor 4: scikit-learn's callbacks, which came with 1.9; below it nothing here does anything."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand for a class that offers `set_callbacks`, and do not offer it."""

    def with_callbacks(method: Any) -> Any:
        """Return a method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "EpochTasks", "with_callbacks"]


class EpochTasks:
    """Tells an estimator's callbacks that its fit has begun, each epoch, and its end.

    Parameters
    ----------
    estimator : TwoLayerClassifier
        The estimator that is being fitted.
    max_iter : int
        Largest number of epochs.
    **data : X, y and metadata
        What the callbacks may ask for.
    """

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
        """Tell that an epoch has ended, and return whether a callback wants it to be the last.

        Parameters
        ----------
        attributes : callable
            Returns the attributes of an estimator whose fit had stopped here; called only if a
            callback asks for one.

        Returns
        -------
        bool
            Whether to stop.
        """
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
