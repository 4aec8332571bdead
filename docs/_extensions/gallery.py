"""Order, style and images of the gallery, and how it treats warnings."""

import warnings
from pathlib import Path
from typing import Any

# Text and axes: contrast above 4 with the background of the theme, light (#ffffff) or dark
# (#14181e), since a picture has no background of its own.
INK = "#737b86"
COLOURS = ("#3d84c6", "#d9534f", "#b98a1b", "#4a9070", "#8d6cc4")

STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.1,
    "figure.constrained_layout.w_pad": 0.1,
    "figure.figsize": (8, 4.6),
    "font.size": 11,
    "grid.color": INK,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "savefig.transparent": True,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}

ORDER = [
    "plot_computational_graph.py",
    "plot_network.py",
    "plot_gradient_check.py",
    "plot_own_layer.py",
    "plot_decision_boundaries.py",
    "plot_hidden_units.py",
    "plot_mlp_comparison.py",
    "plot_solvers.py",
    "plot_learning_rate.py",
    "plot_search.py",
    "plot_early_stopping.py",
    "plot_imbalanced_classes.py",
    "plot_calibration.py",
    "plot_sparse_text.py",
    "plot_stream.py",
    "plot_onnx_service.py",
]

_filters: list[Any] = []


def position(file_name: str) -> int:
    """Return the position of an example in the gallery; each must be in `ORDER`."""
    return ORDER.index(Path(file_name).name)


def warnings_are_errors(gallery_conf: Any, file_name: Any, when: str) -> None:
    """Let a warning in an example fail the build, and leave Sphinx's own warnings alone."""
    if when == "before":
        _filters[:] = [list(warnings.filters)]
        warnings.simplefilter("error")
        # plt.show() is for those who run the script themselves.
        warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive", UserWarning)
    elif _filters:
        warnings.filters[:] = _filters.pop()


def style(gallery_conf: Any, file_name: Any, when: str) -> None:
    """Set the style of all pictures, so that the scripts contain none and run without this file."""
    import matplotlib as mpl

    mpl.rcParams.update(STYLE, **{"axes.prop_cycle": mpl.cycler(color=COLOURS)})


def save_images(block: Any, block_vars: Any, gallery_conf: Any) -> str:
    """Save the figures of a block, and tell the theme that they need no background."""
    from sphinx_gallery.scrapers import matplotlib_scraper

    rst = matplotlib_scraper(block, block_vars, gallery_conf)
    return rst.replace(":class: sphx-glr-", ":class: dark-light sphx-glr-")
