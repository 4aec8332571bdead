"""
Imbalanced classes
==================

One row in twenty-five is of the rare class. `class_weight="balanced"` gives both classes the same
total weight in the loss. The classifier then predicts the rare class more often: recall rises, and
precision falls. The curves show precision and recall for all thresholds of the scores; the dots are
the predictions of `predict`. Whether weights also improve the curve depends on the data.
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

X, y = make_classification(
    12_000,
    20,
    n_informative=5,
    n_clusters_per_class=2,
    weights=[0.96],
    flip_y=0.01,
    class_sep=1.0,
    random_state=1,
)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

figure, axes = plt.subplots(figsize=(7.5, 5.6), layout="constrained")
drawn = ((None, "#3d5a80", (-74, -58)), ("balanced", "#d1495b", (12, 8)))
for class_weight, colour, offset in drawn:
    clf = TwoLayerClassifier(
        30,
        solver="adam",
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
    axes.plot(recall, precision, color=colour, linewidth=2, label=label)
    predicted = clf.predict(X_test)
    point = recall_score(y_test, predicted), precision_score(y_test, predicted)
    axes.scatter(*point, s=110, color=colour, edgecolor="white", linewidth=1.5, zorder=3)
    text = f"recall {point[0]:.0%},\nprecision {point[1]:.0%}"
    axes.annotate(text, point, offset, textcoords="offset points", color=colour)
axes.axhline(y_test.mean(), color="#999999", linestyle=":")
axes.text(0.01, y_test.mean() + 0.01, "random predictions", color="#666666")
axes.set(xlabel="recall", xlim=(0, 1.02), ylim=(0, 1.04))
axes.set_ylabel("precision")
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.16))
plt.show()
