"""Plots of a training run, and of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from sklearn.pipeline import Pipeline
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = ["LossCurveDisplay"]


class LossCurveDisplay:
    """Plot of the mean loss per epoch, on the training rows and on the validation rows.

    It is created by `from_estimator`. With ``ax=display.ax_``, several estimators share the axes.

    Parameters
    ----------
    training_losses : sequence of float
        Mean training loss of each epoch.
    validation_losses : sequence of float or None, default=None
        Mean validation loss of each epoch. If there are fewer than training losses, they are those
        of the last epochs.
    best_epoch : int or None, default=None
        The epoch to mark, counted from 1.
    estimator_name : str or None, default=None
        Name of the estimator in the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes with the curves.
    figure_ : matplotlib Figure
        The figure with the axes.
    line_ : matplotlib Line2D
        The training losses.
    validation_line_ : matplotlib Line2D or None
        The validation losses, if there are any.
    best_line_ : matplotlib Line2D or None
        The mark of the best epoch, on the curve of the validation losses if there is one.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores over the number of rows.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_twolayer import TwoLayerClassifier
    >>> from sk_twolayer.display import LossCurveDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = TwoLayerClassifier(20, max_iter=5, tol=None, early_stopping=True, random_state=0)
    >>> display = LossCurveDisplay.from_estimator(clf.fit(X / 16, y))
    >>> display.line_.get_xdata()
    array([1, 2, 3, 4, 5])
    >>> list(display.line_.get_ydata()) == clf.loss_curve_
    True
    """

    def __init__(
        self,
        *,
        training_losses: Sequence[float],
        validation_losses: Sequence[float] | None = None,
        best_epoch: int | None = None,
        estimator_name: str | None = None,
    ) -> None:
        self.training_losses = training_losses
        self.validation_losses = validation_losses
        self.best_epoch = best_epoch
        self.estimator_name = estimator_name

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: Axes | None = None, name: str | None = None, **kwargs: Any
    ) -> Self:
        """Plot the losses that a fitted estimator has recorded.

        Parameters
        ----------
        estimator : estimator instance
            A fitted `TwoLayerClassifier`, a `Pipeline` that ends in one, or any estimator with a
            `loss_curve_`. The epoch with the best of `validation_scores_` is marked. With
            `early_stopping`, the model has the parameters of this epoch.
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a new figure.
        name : str, default=None
            Name of the estimator in the legend; None is the name of its class.
        **kwargs : dict
            Keyword arguments for matplotlib's `plot`, for both curves; for example
            ``color="black"``.

        Returns
        -------
        LossCurveDisplay
            The plot.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If the estimator does not record losses.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        model = estimator[-1] if isinstance(estimator, Pipeline) else estimator
        check_is_fitted(model)
        if not hasattr(model, "loss_curve_"):
            raise ValueError(
                f"this {type(model).__name__} has no losses to draw: give an estimator that "
                "records them in loss_curve_, as TwoLayerClassifier does"
            )
        display = cls(
            training_losses=model.loss_curve_,
            validation_losses=getattr(model, "validation_loss_curve_", None),
            best_epoch=_best_epoch(model),
            estimator_name=type(model).__name__ if name is None else name,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | None = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a new figure.
        name : str, default=None
            Name of the estimator in the legend; None is `estimator_name`.
        **kwargs : dict
            Keyword arguments for matplotlib's `plot`, for both curves.

        Returns
        -------
        LossCurveDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.lines import Line2D

        kwargs = normalize_kwargs(kwargs, Line2D)  # aliases such as "c" become "color"
        self.ax_ = _new_axes() if ax is None else ax
        self.figure_ = self.ax_.figure
        name = self.estimator_name if name is None else name
        prefix = "" if name is None else f"{name}: "
        n = len(self.training_losses)
        self.line_ = self._curve(self.training_losses, n, f"{prefix}training", **kwargs)
        style = {"linestyle": "--", **kwargs, "color": self.line_.get_color()}
        self.validation_line_: Line2D | None = None
        if self.validation_losses is not None:
            label = f"{prefix}validation"
            self.validation_line_ = self._curve(self.validation_losses, n, label, **style)
        self.best_line_: Line2D | None = None
        if self.best_epoch is not None:
            self.best_line_ = self._mark(self.best_epoch, prefix)
        self.ax_.set(xlabel="Epoch", ylabel="Mean loss")
        self.ax_.legend()
        return self

    def _curve(self, losses: Sequence[float], last: int, label: str, **kwargs: Any) -> Line2D:
        """Draw a curve of losses, of which the last one is that of the epoch `last`."""
        epochs = range(last - len(losses) + 1, last + 1)
        [line] = self.ax_.plot(epochs, losses, label=label, **kwargs)
        return line

    def _mark(self, epoch: int, prefix: str) -> Line2D:
        """Mark an epoch on the curve of validation losses, or without them of training losses."""
        validation = self.validation_losses
        losses = self.training_losses if validation is None else validation
        # an index from the end, because the validation curve may start later
        loss = losses[epoch - 1 - len(self.training_losses)]
        label, color = f"{prefix}best epoch ({epoch})", self.line_.get_color()
        [point] = self.ax_.plot([epoch], [loss], "o", color=color, label=label)
        return point


def _new_axes() -> Axes:
    """Return the axes of a new figure, with ticks at whole epochs."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    _, ax = plt.subplots()
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ax


def _best_epoch(model: Any) -> int | None:
    """Return the epoch with the best validation score; in a tie, the one with the lowest loss."""
    scores = getattr(model, "validation_scores_", None) or ()
    best = getattr(model, "best_validation_score_", None)
    matches = [i for i, score in enumerate(scores) if score == best]
    if not matches:  # no validation, or the best score is that of a fit before a warm start
        return None
    losses = getattr(model, "validation_loss_curve_", None)
    i = matches[0] if losses is None else min(matches, key=losses.__getitem__)
    return len(model.loss_curve_) - len(scores) + 1 + i


RED = "#d9534f"  # for gradients; values have matplotlib's text color, also on dark backgrounds


def _draw_layers(layers: Sequence[tuple[str, str, int, int, str]], ax: Axes | None) -> Axes:
    """Draw layers in a row, with the shapes of values above and of gradients below the edges.

    A layer is a tuple: name, class, columns of input and output, parameters.
    """
    check_matplotlib_support("TwoLayerNet.plot")
    from matplotlib import rcParams

    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(2.6 * len(layers) + 1, 2.8), layout="constrained")
    ink = rcParams["text.color"]
    box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": ink, "linewidth": 1.5}
    line: dict[str, Any] = {"color": ink, "linewidth": 1.3, "zorder": 1}
    text: dict[str, Any] = {"ha": "center", "fontsize": 10}
    ax.plot([-0.7, len(layers) - 0.45], [0, 0], **line)
    for i, (name, kind, n_inputs, _, parameters) in enumerate(layers):
        ax.text(i - 0.5, 0.08, f"(batch, {n_inputs}) →", va="bottom", color=ink, **text)
        if i:  # the gradient of the input is not computed
            ax.text(i - 0.5, -0.08, f"← (batch, {n_inputs})", va="top", color=RED, **text)
        label = name if kind == "Affine" else kind
        ax.text(i, 0, label, va="center", color="black", bbox=box, zorder=3, **text)
        if parameters:
            values, (W, b) = parameters.split(":")[0], (f"W{name[-1]}", f"b{name[-1]}")
            ax.plot([i, i], [-0.5, 0], **line)
            values = values.replace(f", {b}", f"\n{b}") + " ↑"
            ax.text(i, -0.54, values, va="top", color=ink, **text)
            ax.text(i, -0.92, f"↓ d{W}, d{b}", va="top", color=RED, **text)
        elif name == "loss":
            ax.plot([i, i], [-0.5, 0], **line)
            ax.text(i, -0.54, "t ↑", va="top", color=ink, **text)
    ax.text(-0.75, 0, "x", va="center", color=ink, **{**text, "ha": "right"})
    ax.text(len(layers) - 0.4, 0, "loss", va="center", color=ink, **{**text, "ha": "left"})
    ax.set(xlim=(-0.9, len(layers) - 0.1), ylim=(-1.15, 0.4))
    ax.set_axis_off()
    return ax
