"""The loss curves as drawn: what is in the picture, not how it looks."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgba
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.display import LossCurveDisplay


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def clf():
    return TwoLayerClassifier(
        15, solver="adam", learning_rate=0.03, batch_size=64, max_iter=8, tol=None, random_state=0
    )


def drawn(line):
    """Return the data of a line, in the order drawn."""
    return list(line.get_xdata()), list(line.get_ydata())


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_training_losses(clf, digits):
    display = LossCurveDisplay.from_estimator(clf.fit(*digits))
    assert drawn(display.line_) == ([1, 2, 3, 4, 5, 6, 7, 8], clf.loss_curve_)
    assert display.ax_.get_lines() == [display.line_]
    assert display.figure_ is display.ax_.figure
    assert display.validation_line_ is None
    assert display.best_line_ is None
    assert legend(display) == ["TwoLayerClassifier: training"]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("Epoch", "Mean loss")
    assert all(tick == int(tick) for tick in display.ax_.get_xticks())


def test_the_best_epoch_is_that_of_the_model(clf, cancer):
    """The loss of the model itself is at the mark: here before the last epoch."""
    X, y = cancer
    X_val, y_val = X[::3], y[::3]
    clf.set_params(learning_rate_schedule="constant", max_iter=40, early_stopping=True)
    clf.fit(X[1::3], y[1::3], X_val=X_val, y_val=y_val)
    display = LossCurveDisplay.from_estimator(clf, name="net")
    assert drawn(display.validation_line_)[1] == clf.validation_loss_curve_
    [epoch], [loss] = drawn(display.best_line_)
    assert loss == pytest.approx(log_loss(y_val, clf.predict_proba(X_val)))
    assert 1 < epoch < 40
    again = TwoLayerClassifier(**{**clf.get_params(), "early_stopping": False, "max_iter": epoch})
    again.fit(X[1::3], y[1::3])
    assert_array_equal(again.coefs_[0], clf.coefs_[0])
    assert legend(display) == ["net: training", "net: validation", f"net: best epoch ({epoch})"]


def test_of_equal_scores_the_least_loss_is_the_best(clf, digits):
    X, y = digits
    clf.set_params(early_stopping=True, scoring=lambda clf, X, y: 1.0).fit(X, y)
    best = 1 + int(np.argmin(clf.validation_loss_curve_))
    assert LossCurveDisplay.from_estimator(clf).best_epoch == best


def test_several_estimators_on_one_axis(clf, digits):
    X, y = digits
    first = LossCurveDisplay.from_estimator(clf.set_params(early_stopping=True).fit(X, y), name="a")
    second = LossCurveDisplay.from_estimator(
        TwoLayerClassifier(5, max_iter=3, tol=None).fit(X, y), ax=first.ax_, name="b"
    )
    assert second.ax_ is first.ax_
    assert len(plt.get_fignums()) == 1
    assert len(first.ax_.get_lines()) == 4
    assert [label[0] for label in legend(second)] == ["a", "a", "a", "b"]
    assert first.line_.get_color() == first.validation_line_.get_color()
    assert first.line_.get_color() != second.line_.get_color()
    assert first.validation_line_.get_linestyle() != first.line_.get_linestyle()


def test_a_warm_start_is_drawn_as_one_training(clf, digits):
    X, y = digits
    clf.set_params(warm_start=True, max_iter=3).fit(X[:900], y[:900])
    clf.fit(X[:900], y[:900], X_val=X[900:], y_val=y[900:])
    display = LossCurveDisplay.from_estimator(clf)
    assert drawn(display.line_)[0] == [1, 2, 3, 4, 5, 6]
    assert drawn(display.validation_line_)[0] == [4, 5, 6]


def test_a_pipeline(clf, digits):
    X, y = digits
    pipeline = make_pipeline(StandardScaler(), clf)
    with pytest.raises(NotFittedError, match="TwoLayerClassifier instance is not fitted yet"):
        LossCurveDisplay.from_estimator(pipeline)
    display = LossCurveDisplay.from_estimator(pipeline.fit(X, y))
    assert drawn(display.line_)[1] == pipeline[-1].loss_curve_


def test_the_rival(digits):
    X, y = digits
    mlp = MLPClassifier((5,), early_stopping=True, n_iter_no_change=2, random_state=0).fit(X, y)
    display = LossCurveDisplay.from_estimator(mlp)
    assert drawn(display.line_)[1] == mlp.loss_curve_
    assert display.best_epoch == 1 + int(np.argmax(mlp.validation_scores_))


def test_the_style_is_the_callers(clf, digits):
    clf.set_params(early_stopping=True).fit(*digits)
    _, ax = plt.subplots()
    ax.set_yscale("log")
    display = LossCurveDisplay.from_estimator(clf, ax=ax, c="black", alpha=0.5)
    lines = display.line_, display.validation_line_
    assert [to_rgba(line.get_color()) for line in lines] == [to_rgba("black")] * 2
    assert [line.get_alpha() for line in lines] == [0.5, 0.5]
    assert ax.get_yscale() == "log"


def test_plot_can_be_called_again():
    display = LossCurveDisplay(training_losses=[2.0, 1.0], estimator_name="net")
    assert display.plot() is display
    first = display.ax_
    assert display.plot(name="other").ax_ is not first
    assert legend(display) == ["other: training"]
    assert legend(LossCurveDisplay(training_losses=[2.0]).plot()) == ["training"]


def test_what_cannot_be_drawn(clf):
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(clf)
    fitted = LogisticRegression().fit([[0], [1]], [0, 1])
    with pytest.raises(ValueError, match="LogisticRegression has no losses to draw: give an"):
        LossCurveDisplay.from_estimator(fitted)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["from_estimator", "plot"])
def test_without_matplotlib(method):
    """In a process that cannot import it."""
    code = f"""
import sys
sys.modules["matplotlib"] = None
from sk_twolayer.display import LossCurveDisplay
display = LossCurveDisplay(training_losses=[1.0])
display.{method}(None)
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    [error] = [line for line in process.stderr.splitlines() if line.startswith("ImportError")]
    assert f"LossCurveDisplay.{method} requires matplotlib" in error
    assert "pip install matplotlib" in error
