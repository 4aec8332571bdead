"""Floor 0: the entries of scikit-learn's table of parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

__all__ = ["Number", "StrOptions"]


class Number(Interval):
    """An interval of numbers, of which True and False are none.

    Python takes them for 1 and 0: as a number of hidden units one of them is a slip.
    """

    def is_satisfied_by(self, val: Any) -> bool:
        """Tell whether a value is in the interval.

        Parameters
        ----------
        val : object
            What the user set.

        Returns
        -------
        bool
            Whether it is.
        """
        return not isinstance(val, bool | np.bool_) and super().is_satisfied_by(val)
