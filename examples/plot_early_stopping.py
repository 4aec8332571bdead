"""
Training and validation loss with early stopping
================================================

A large network first learns the pattern in the training rows, and then the errors in their labels.
From then on, the training loss still falls, but the loss on other rows rises. With
`early_stopping=True`, the loss on validation rows is monitored. Training stops when it no longer
improves, and the model keeps the parameters of the best epoch.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

from sk_twolayer import TwoLayerClassifier

# %%
# A fifth of the labels are random.
X, y = make_classification(
    1500, 20, n_informative=6, flip_y=0.2, class_sep=1.2, random_state=0, shuffle=True
)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=500, random_state=0)

# %%
# The same network is trained for 80 epochs, and with early stopping. The rows given as `X_val` and
# `y_val` are evaluated after each epoch in both cases.
settings = {
    "hidden_size": 200,
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

# %%
# The curves are the losses of the fit with 80 epochs. The dotted line marks the best epoch, and the
# grey area begins where early stopping ends training:
figure, axes = plt.subplots(figsize=(9, 5))
epochs = range(1, to_the_end.n_iter_ + 1)
axes.plot(epochs, to_the_end.loss_curve_, label="training rows")
axes.plot(epochs, to_the_end.validation_loss_curve_, label="validation rows")
axes.axvline(best, color="gray", linestyle=":", zorder=0)
axes.axvspan(stopped.n_iter_, 80, color="gray", alpha=0.15, zorder=0)
axes.scatter(best, stopped.validation_loss_curve_[best - 1], s=70, color="C1", zorder=3)
top = axes.get_ylim()[1]
axes.text(best + 0.7, top, f"epoch {best}\nis kept", va="top")
text = f"training stops\nafter epoch {stopped.n_iter_}"
axes.text(stopped.n_iter_ + 0.7, top, text, va="top")
axes.set(xlabel="epoch", ylabel="mean loss", xlim=(0, 80))
axes.legend(loc="center right")
plt.show()

# %%
# The validation loss is lowest after a few epochs. Ten epochs later, early stopping ends training.
# The epochs in the grey area exist only in the fit with 80 epochs. The mean loss of both models on
# the validation rows:
print(f"80 epochs:      {to_the_end.validation_loss_curve_[-1]:.2f}")
print(f"early stopping: {min(stopped.validation_loss_curve_):.2f}")
