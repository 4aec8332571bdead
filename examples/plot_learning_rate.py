"""
Learning rate and batch size
============================

A grid search over the learning rate and the batch size on the digits with SGD, 20 epochs each. The
colours are cross-validated accuracies. On the left the learning rate is too small: training has not
converged after 20 epochs. Larger minibatches take fewer steps, so they need a larger learning rate.
On the right the learning rate is too large, and training is unstable, first for small minibatches.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from sk_twolayer import TwoLayerClassifier

X, y = load_digits(return_X_y=True)
grid = {
    "batch_size": [8, 32, 128, 512],
    "learning_rate": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
}
clf = TwoLayerClassifier(50, solver="sgd", max_iter=20, tol=None, random_state=0)
search = GridSearchCV(clf, grid, cv=3).fit(X / 16, y)
scores = search.cv_results_["mean_test_score"].reshape(4, 8)

figure, axes = plt.subplots(figsize=(9, 4.4), layout="constrained")
image = axes.imshow(scores, cmap="viridis", vmin=0.1, vmax=1, aspect="auto")
for row, line in enumerate(scores):
    for column, score in enumerate(line):
        best = score == line.max()
        axes.text(
            column,
            row,
            f"{score:.3f}",
            ha="center",
            va="center",
            color="black" if score > 0.7 else "white",
            fontweight="bold" if best else "normal",
            fontsize=11,
        )
axes.set_xticks(range(8), grid["learning_rate"])
axes.set_yticks(range(4), grid["batch_size"])
axes.set(xlabel="learning rate", ylabel="batch size")
axes.set_title("Cross-validated accuracy, the best of each row in bold", loc="left")
figure.colorbar(image, ax=axes, label="accuracy")
plt.show()
