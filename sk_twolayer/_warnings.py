"""Warnings, each located at the line of the user's code that led to it."""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import Any

# Packages and modules whose frames are between the user's code and a warning: those of this
# package, of scikit-learn, and of what runs fits in parallel or loads files.
SKIPPED = {
    "concurrent",
    "contextlib",
    "joblib",
    "multiprocessing",
    "pickle",
    "runpy",
    "sk_twolayer",
    "sklearn",
    "skops",
    "threading",
}
SHOWN_ONCE = ("default", "module", "once")  # the actions of filters that do not repeat a warning


def warn(message: str | Warning, category: type[Warning] = UserWarning) -> None:
    """Warn at the user's line, once per line and text unless a filter asks for repetitions.

    Python itself shows a warning once per line and text. But its record of what was shown is
    cleared when any filter changes, and scikit-learn changes the filters for each fit of a search:
    twenty fits would show the same text twenty times. So a second record is kept beside Python's
    own in the same module.

    Where a worker process of joblib runs the fit, no line of the user's is on the stack. The
    warning is then located in the public method of the estimator.

    Parameters
    ----------
    message : str or Warning
        The text, or a warning with it. Texts without varying numbers are shown once per search.
    category : type, default=UserWarning
        The class of the warning, if `message` is a text.
    """
    text, category = str(message), type(message) if isinstance(message, Warning) else category
    frame = _frame_to_name()
    module, line = frame.f_globals.get("__name__", ""), frame.f_lineno
    registry: dict[Any, Any] = frame.f_globals.setdefault("__warningregistry__", {})
    shown = registry.get("sk_twolayer", set())
    if _action(text, category, module, line) in SHOWN_ONCE:
        if (text, category, line) in shown:
            return
        shown.add((text, category, line))
    try:
        path = frame.f_code.co_filename
        warnings.warn_explicit(message, category, path, line, module, registry)
    finally:
        registry["sk_twolayer"] = shown


def _frame_to_name() -> FrameType:
    """Return the first frame of the user's code, or the outermost one of this package."""
    frame: FrameType | None = sys._getframe(1)
    outermost = sys._getframe(1)
    while frame is not None:
        package = _package(frame)
        if package not in SKIPPED:
            return frame
        if package == "sk_twolayer":
            outermost = frame
        frame = frame.f_back
    return outermost


def _package(frame: FrameType) -> str:
    """Return the name of the package, or of the module, to which the code of a frame belongs."""
    # A worker process of joblib is a module of joblib that runs as "__main__".
    spec = frame.f_globals.get("__spec__")
    name: str = frame.f_globals.get("__name__", "") if spec is None else spec.name
    return name.partition(".")[0]


def _action(text: str, category: type[Warning], module: str, line: int) -> str:
    """Return the action of the first filter that applies to a warning."""
    for action, pattern, of, module_pattern, of_line in warnings.filters:
        if (
            issubclass(category, of)
            and of_line in (0, line)
            and _matches(pattern, text)
            and _matches(module_pattern, module)
        ):
            return action
    return "default"


def _matches(pattern: Any, text: str) -> bool:
    """Return whether a filter applies to a text; its pattern may be None, or a string."""
    if pattern is None or isinstance(pattern, str):
        return pattern in (None, text)
    return bool(pattern.match(text))
