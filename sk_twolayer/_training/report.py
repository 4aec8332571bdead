"""What ``verbose=True`` prints."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sk_twolayer._training.state import EpochRecord
from sk_twolayer.optimizers._base import StopReason

if TYPE_CHECKING:
    from sk_twolayer._training.loop import FitResult


class Report:
    """Prints one line per epoch, and one that says why training ended.

    Parameters
    ----------
    n_epochs : int or None
        Largest number of epochs; None in `partial_fit`, where it is not known. With None, there is
        no line about the end of training.
    """

    def __init__(self, n_epochs: int | None) -> None:
        self._n_epochs = n_epochs
        self._start_time = time.perf_counter()

    def epoch(self, record: EpochRecord) -> None:
        """Print the results of an epoch."""
        number = f"{record.n_iter:5d}"
        if self._n_epochs is not None:
            total = str(self._n_epochs)
            number = f"{record.n_iter:{len(total)}d}/{total}"
        line = f"epoch {number}   loss {record.loss:10.6f}"
        if record.validation_loss is not None and record.validation_score is not None:
            line += f"   validation loss {record.validation_loss:10.6f}"
            if record.validation_score != -record.validation_loss:  # of a scorer
                line += f"   score {record.validation_score:10.6f}"
        seconds = time.perf_counter() - self._start_time
        print(f"{line}   learning rate {record.learning_rate:9.3e}   {seconds:8.2f} s")

    def end(self, result: FitResult) -> None:
        """Print why training ended."""
        settings, reason = result.settings, result.stop_reason
        if self._n_epochs is None or reason is None:
            return
        why = reason.value
        if reason is StopReason.NO_IMPROVEMENT:
            measure = "validation score" if settings.early_stopping else "training objective"
            why = (
                f"the {measure} did not improve by more than tol={settings.tol:g} for "
                f"{settings.n_iter_no_change} epochs"
            )
        print(f"training ended after epoch {result.state.n_iter}: {why}")
