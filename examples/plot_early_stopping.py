"""
Early stopping
==============

A fifth of the labels of these rows are random. A large network first learns the pattern and then
the errors: its training loss keeps falling, while the loss on the validation rows rises again.
`early_stopping=True` monitors the validation loss, stops, and keeps the parameters of the best
epoch.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

from sk_twolayer import TwoLayerClassifier

X, y = make_classification(
    1500, 20, n_informative=6, flip_y=0.2, class_sep=1.2, random_state=0, shuffle=True
)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=500, random_state=0)
settings = {
    "hidden_size": 200,
    "solver": "adam",
    "learning_rate": 0.002,
    "learning_rate_schedule": "constant",
    "alpha": 0,
    "batch_size": 50,
    "max_iter": 80,
    "random_state": 0,
}

to_the_end = TwoLayerClassifier(tol=None, **settings)
to_the_end.fit(X_train, y_train, X_val=X_val, y_val=y_val)
stopped = TwoLayerClassifier(early_stopping=True, n_iter_no_change=10, **settings)
stopped.fit(X_train, y_train, X_val=X_val, y_val=y_val)
best = stopped.validation_loss_curve_.index(min(stopped.validation_loss_curve_)) + 1

figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
epochs = range(1, to_the_end.n_iter_ + 1)
axes.plot(epochs, to_the_end.loss_curve_, color="#3d5a80", linewidth=2, label="training rows")
axes.plot(
    epochs, to_the_end.validation_loss_curve_, color="#d1495b", linewidth=2, label="validation rows"
)
axes.axvline(best, color="#666666", linestyle=":", zorder=0)
axes.axvspan(stopped.n_iter_, 80, color="#eeeeee", zorder=0)
axes.scatter(best, stopped.validation_loss_curve_[best - 1], s=70, color="#d1495b", zorder=3)
top = axes.get_ylim()[1]
axes.text(best + 0.7, top, f"epoch {best}\nis kept", va="top")
text = f"training stops\nafter epoch {stopped.n_iter_}"
axes.text(stopped.n_iter_ + 0.7, top, text, va="top")
axes.set(xlabel="epoch", ylabel="mean loss", xlim=(0, 80))
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False, loc="center right", fontsize=11)
plt.show()

for name, clf in (("to the end", to_the_end), ("stopped early", stopped)):
    print(f"{name:14s} accuracy on the validation rows {clf.score(X_val, y_val):.3f}")
