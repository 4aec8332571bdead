"""What sphinx-gallery asks for: the order of the examples, and the house's way with warnings."""

import warnings
from pathlib import Path
from typing import Any

ORDER = [
    "plot_computational_graph.py",
    "plot_network.py",
    "plot_gradient_check.py",
    "plot_decision_boundaries.py",
    "plot_hidden_units.py",
    "plot_solvers.py",
    "plot_learning_rate.py",
    "plot_early_stopping.py",
    "plot_imbalanced_classes.py",
    "plot_sparse_text.py",
    "plot_stream.py",
    "plot_calibration.py",
]

_filters: list[Any] = []


def place(file_name: str) -> int:
    """Return where in the gallery an example stands; all that are there must be in `ORDER`."""
    return ORDER.index(Path(file_name).name)


def warnings_are_errors(gallery_conf: Any, file_name: Any, when: str) -> None:
    """Let a warning in an example fail the build, and leave Sphinx's own warnings alone."""
    if when == "before":
        _filters[:] = [list(warnings.filters)]
        warnings.simplefilter("error")
        # plt.show() is for those who run the script at their desk.
        warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive", UserWarning)
    elif _filters:
        warnings.filters[:] = _filters.pop()
