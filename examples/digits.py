"""Classify handwritten digits: compare, search, save, load, and plot.

The script prints the accuracy and the time to fit of MLPClassifier and TwoLayerClassifier. Then it
searches for the best hidden size and learning rate, saves the best model with joblib, loads it, and
prints its accuracy on the test rows. It also draws the loss curve and some predictions.
"""

import time
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from threadpoolctl import threadpool_limits

from sk_twolayer import TwoLayerClassifier

OUTPUT = Path("output")


def compare(X_train, X_test, y_train, y_test):
    """Print the accuracy of two classifiers, and the time to fit on one thread."""
    for clf in (MLPClassifier(max_iter=400, random_state=0), TwoLayerClassifier(random_state=0)):
        start = time.perf_counter()
        with threadpool_limits(1):  # more are slower for minibatches of this size
            model = make_pipeline(MinMaxScaler(), clf).fit(X_train, y_train)
        seconds = time.perf_counter() - start
        accuracy = model.score(X_test, y_test)
        print(f"{type(clf).__name__:18s} test accuracy {accuracy:.3f}, fitted in {seconds:.2f} s")


def search(X, y):
    """Return a grid search fitted to X and y."""
    clf = TwoLayerClassifier(random_state=0)
    grid = {
        "twolayerclassifier__hidden_size": [64, 256],
        "twolayerclassifier__learning_rate": [0.004, 0.016, 0.064],
    }
    return GridSearchCV(make_pipeline(MinMaxScaler(), clf), grid, cv=5, n_jobs=2).fit(X, y)


def draw(model, X, y):
    """Return a figure of the loss curve and of some predictions for rows of X."""
    figure = plt.figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.25])
    axes = left.subplots()
    losses = model[-1].loss_curve_
    axes.plot(range(1, len(losses) + 1), losses, color="tab:blue", linewidth=2)
    axes.set(yscale="log", xlabel="epoch", ylabel="training loss", title="Loss curve")
    axes.grid(alpha=0.3)

    predicted, confidence = model.predict(X), model.predict_proba(X).max(axis=1)
    order = confidence.argsort()
    shown = [*order[:5], *order[len(order) // 2 :][:5]]
    right.suptitle("Predicted digit and probability: the five lowest, and five typical ones")
    for axes, row in zip(right.subplots(2, 5).flat, shown, strict=True):
        axes.imshow(X[row].reshape(8, 8), cmap="gray_r")
        wrong = "" if predicted[row] == y[row] else f", is {y[row]}"
        axes.set_title(
            f"{predicted[row]}{wrong}\n{confidence[row]:.2f}",
            color="tab:red" if wrong else "black",
        )
        axes.set_axis_off()
    return figure


if __name__ == "__main__":
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

    compare(X_train, X_test, y_train, y_test)
    found = search(X_train, y_train)
    best = {name.split("__")[1]: value for name, value in found.best_params_.items()}
    print(f"best of {len(found.cv_results_['params'])} candidates: {best}")
    print(f"accuracy in cross-validation: {found.best_score_:.3f}")

    OUTPUT.mkdir(exist_ok=True)
    joblib.dump(found.best_estimator_, OUTPUT / "digits.joblib")
    model = joblib.load(OUTPUT / "digits.joblib")
    print(f"test accuracy of the loaded model: {model.score(X_test, y_test):.3f}")

    draw(model, X_test, y_test).savefig(OUTPUT / "digits.png", dpi=120)
    print(f"wrote {OUTPUT / 'digits.joblib'} and {OUTPUT / 'digits.png'}")
