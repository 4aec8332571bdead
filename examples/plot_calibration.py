"""
Calibration of the probabilities
================================

A model is calibrated if 80 % of the rows with a predicted probability of 0.8 belong to the class. A
network that overfits its training rows is overconfident on new rows. Early stopping reduces this,
and so does `CalibratedClassifierCV` around the same network.
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
overfitted = TwoLayerClassifier(tol=None, **settings)
models = {
    "100 epochs": overfitted,
    "stopped early": TwoLayerClassifier(early_stopping=True, **settings),
    "100 epochs, then calibrated": CalibratedClassifierCV(overfitted, method="isotonic", cv=5),
}

figure, (upper, lower) = plt.subplots(
    2, 1, figsize=(7, 7.2), height_ratios=[3, 1], sharex=True, layout="constrained"
)
for (name, model), colour in zip(models.items(), ["#3d5a80", "#d1495b", "#edae49"], strict=True):
    probability = model.fit(X_train, y_train).predict_proba(X_test)[:, 1]
    fraction, predicted = calibration_curve(y_test, probability, n_bins=10)
    label = f"{name}: log-loss {log_loss(y_test, probability):.3f}"
    upper.plot(predicted, fraction, "o-", color=colour, linewidth=2, label=label)
    lower.hist(probability, np.linspace(0, 1, 21), histtype="step", color=colour, linewidth=2)
upper.axline((0, 0), slope=1, color="#999999", linestyle=":", label="perfectly calibrated")
upper.set(ylabel="fraction of the class", ylim=(0, 1), xlim=(0, 1))
upper.set_title("Reliability diagram of 10,000 test rows", loc="left")
upper.legend(frameon=False, loc="upper left")
lower.set(xlabel="predicted probability", ylabel="rows")
for axes in (upper, lower):
    axes.spines[["top", "right"]].set_visible(False)
plt.show()
