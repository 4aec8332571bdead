"""
Calibration
===========

Of all rows to which a model gives 80 %, 80 % should be of the class. A net that is trained until it
knows its training rows by heart is far too sure of others. Stopping early mends much of that, and
so does `CalibratedClassifierCV` around the same net.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sk_twolayer import TwoLayerClassifier

X, y = make_classification(
    12_000, 20, n_informative=6, n_redundant=4, flip_y=0.1, class_sep=0.7, random_state=0
)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=2000, random_state=0)
settings = {
    "hidden_size": 100,
    "solver": "adam",
    "learning_rate": 0.003,
    "learning_rate_schedule": "constant",
    "alpha": 0,
    "batch_size": 50,
    "max_iter": 100,
    "random_state": 0,
}
by_heart = TwoLayerClassifier(tol=None, **settings)
models = {
    "100 epochs": by_heart,
    "stopped early": TwoLayerClassifier(early_stopping=True, **settings),
    "100 epochs, then calibrated": CalibratedClassifierCV(by_heart, method="isotonic", cv=5),
}

figure, (upper, lower) = plt.subplots(
    2, 1, figsize=(7, 7.2), height_ratios=[3, 1], sharex=True, layout="constrained"
)
for (name, model), colour in zip(models.items(), ["#3d5a80", "#d1495b", "#edae49"], strict=True):
    probability = model.fit(X_train, y_train).predict_proba(X_test)[:, 1]
    right, said = calibration_curve(y_test, probability, n_bins=10)
    label = f"{name}: log-loss {log_loss(y_test, probability):.3f}"
    upper.plot(said, right, "o-", color=colour, linewidth=2, label=label)
    lower.hist(probability, np.linspace(0, 1, 21), histtype="step", color=colour, linewidth=2)
upper.axline((0, 0), slope=1, color="#999999", linestyle=":", label="as sure as right")
upper.set(ylabel="share that is of the class", ylim=(0, 1), xlim=(0, 1))
upper.set_title("Reliability on 10,000 rows not seen in training", loc="left")
upper.legend(frameon=False, loc="upper left")
lower.set(xlabel="probability the model gives", ylabel="rows")
for axes in (upper, lower):
    axes.spines[["top", "right"]].set_visible(False)
plt.show()
