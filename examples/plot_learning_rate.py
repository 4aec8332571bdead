"""
Accuracy by learning rate and batch size
========================================

The learning rate is the parameter that matters most, and its best value depends on the batch size.
A grid search over both shows which combinations work.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from sk_twolayer import TwoLayerClassifier

# %%
# The digits with SGD, 20 epochs per fit:
X, y = load_digits(return_X_y=True)
grid = {
    "batch_size": [16, 64, 256],
    "learning_rate": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
}
clf = TwoLayerClassifier(50, solver="sgd", max_iter=20, tol=None, random_state=0)
search = GridSearchCV(clf, grid, cv=3).fit(X / 16, y)
scores = search.cv_results_["mean_test_score"].reshape(3, 8)

# %%
# Each cell shows the mean accuracy over three splits.
figure, axes = plt.subplots(figsize=(9, 3.8))
image = axes.imshow(scores, cmap="viridis", vmin=0.1, vmax=1, aspect="auto")
for row, line in enumerate(scores):
    for column, score in enumerate(line):
        color = "black" if score > 0.7 else "white"
        weight = "bold" if score == line.max() else "normal"
        position = {"ha": "center", "va": "center"}
        axes.text(column, row, f"{score:.3f}", color=color, fontweight=weight, **position)
axes.set_xticks(range(8), grid["learning_rate"])
axes.set_yticks(range(3), grid["batch_size"])
axes.set(xlabel="learning rate", ylabel="batch size")
axes.set_title("Cross-validated accuracy, the best of each row in bold")
figure.colorbar(image, ax=axes, label="accuracy")
plt.show()

# %%
# On the left the learning rate is too small: training has not converged after 20 epochs. Larger
# minibatches take fewer steps per epoch, so they need a larger learning rate. On the right the
# learning rate is too large, and training is unstable, first for small minibatches.
