"""Tell handwritten digits apart: search, test, save, load, and draw.

Grid search over the hidden size and the learning rate of a pipeline on scikit-learn's digits,
test accuracy on rows it has not seen, a model saved with joblib and loaded back, and a picture
of the loss curve and of a few predictions.
"""

from pathlib import Path

import joblib
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sk_twolayer import TwoLayerClassifier

OUTPUT = Path("output")


def search(X, y):
    """Return a grid search fitted to X and y."""
    clf = TwoLayerClassifier(random_state=0)
    grid = {
        "twolayerclassifier__hidden_size": [50, 100, 200],
        "twolayerclassifier__learning_rate": [0.002, 0.004, 0.008],
    }
    return GridSearchCV(make_pipeline(MinMaxScaler(), clf), grid, cv=5, n_jobs=2).fit(X, y)


def draw(model, X, y):
    """Return a figure of the loss curve, and of rows of X from the least to the most certain."""
    figure = plt.figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.25])
    axes = left.subplots()
    losses = model[-1].loss_curve_
    axes.plot(range(1, len(losses) + 1), losses, color="tab:blue", linewidth=2)
    axes.set(yscale="log", xlabel="epoch", ylabel="training loss", title="Loss curve")
    axes.grid(alpha=0.3)

    predicted, certainty = model.predict(X), model.predict_proba(X).max(axis=1)
    order = certainty.argsort()
    shown = [*order[:5], *order[len(order) // 2 :][:5]]
    right.suptitle("Predicted digit and its probability: the five least certain, five typical")
    for axes, row in zip(right.subplots(2, 5).flat, shown, strict=True):
        axes.imshow(X[row].reshape(8, 8), cmap="gray_r")
        wrong = "" if predicted[row] == y[row] else f", is {y[row]}"
        axes.set_title(
            f"{predicted[row]}{wrong}\n{certainty[row]:.2f}",
            color="tab:red" if wrong else "black",
        )
        axes.set_axis_off()
    return figure


if __name__ == "__main__":
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

    found = search(X_train, y_train)
    best = {name.split("__")[1]: value for name, value in found.best_params_.items()}
    print(f"best of {len(found.cv_results_['params'])} candidates: {best}")
    print(f"cross-validated accuracy: {found.best_score_:.3f}")

    OUTPUT.mkdir(exist_ok=True)
    joblib.dump(found.best_estimator_, OUTPUT / "digits.joblib")
    model = joblib.load(OUTPUT / "digits.joblib")
    print(f"test accuracy of the model loaded back: {model.score(X_test, y_test):.3f}")

    draw(model, X_test, y_test).savefig(OUTPUT / "digits.png", dpi=120)
    print(f"wrote {OUTPUT / 'digits.joblib'} and {OUTPUT / 'digits.png'}")
