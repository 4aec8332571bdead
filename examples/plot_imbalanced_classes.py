"""
Precision and recall with class weights
=======================================

If one class is rare, a classifier seldom predicts it, because errors on few rows have little
influence on the loss. `class_weight="balanced"` gives both classes the same total weight.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_classification
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    precision_score,
    recall_score,
)
from sklearn.model_selection import train_test_split

from sk_twolayer import TwoLayerClassifier

# %%
# One row in twenty-five is of the rare class.
X, y = make_classification(
    12_000, 20, n_informative=5, weights=[0.96], flip_y=0.01, class_sep=1.0, random_state=1
)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# The curves show precision and recall for all thresholds of the scores. The dots show precision and
# recall of `predict`.
figure, axes = plt.subplots(figsize=(7.5, 5.6))
for class_weight, color, offset in ((None, "C0", (-76, -58)), ("balanced", "C1", (12, 8))):
    clf = TwoLayerClassifier(
        30,
        learning_rate=0.003,
        learning_rate_schedule="constant",
        alpha=1e-2,
        batch_size=100,
        max_iter=30,
        tol=None,
        class_weight=class_weight,
        random_state=0,
    ).fit(X_train, y_train)
    scores = clf.decision_function(X_test)
    precision, recall, _ = precision_recall_curve(y_test, scores)
    average = average_precision_score(y_test, scores)
    label = f"class_weight={class_weight!r}, average precision {average:.2f}"
    axes.plot(recall, precision, color=color, label=label)
    predicted = clf.predict(X_test)
    point = recall_score(y_test, predicted), precision_score(y_test, predicted)
    axes.scatter(*point, s=110, color=color, edgecolor="white", linewidth=1.5, zorder=3)
    text = f"recall {point[0]:.0%},\nprecision {point[1]:.0%}"
    axes.annotate(text, point, offset, textcoords="offset points", color=color)
axes.axhline(y_test.mean(), color="gray", linestyle=":")
axes.text(0.01, y_test.mean() + 0.01, "random predictions")
axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.04))
axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16))
plt.show()

# %%
# With class weights, `predict` finds more rows of the rare class, so its recall is higher. More of
# these predictions are wrong, so its precision is lower. On these data, the curve with class
# weights is also higher, which means a higher precision at the same recall. This depends on the
# data.
