"""
Reliability of the probabilities
================================

The probabilities of a model are reliable (calibrated) if, for example, 80 % of the rows with a
predicted probability of 0.8 belong to the class. A network that overfits its training rows is
overconfident on new rows.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sk_twolayer import TwoLayerClassifier

# %%
# A tenth of the labels are random. There are 2,000 rows to train on and 10,000 to test with.
X, y = make_classification(
    12_000, 20, n_informative=6, n_redundant=4, flip_y=0.1, class_sep=0.7, random_state=0
)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=2000, random_state=0)

# %%
# One network is trained for 100 epochs without a penalty, so it overfits. The second stops early.
# The third is the first network, calibrated by `CalibratedClassifierCV`.
settings = {
    "hidden_size": 100,
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

# %%
# The upper axes show the fraction of rows that belong to the class, among rows with similar
# predicted probabilities. The lower axes show how often each probability is predicted.
figure, (upper, lower) = plt.subplots(2, 1, figsize=(7, 7.2), height_ratios=[3, 1], sharex=True)
for number, (name, model) in enumerate(models.items()):
    probability = model.fit(X_train, y_train).predict_proba(X_test)[:, 1]
    fraction, predicted = calibration_curve(y_test, probability, n_bins=10)
    label = f"{name}: log-loss {log_loss(y_test, probability):.2f}"
    upper.plot(predicted, fraction, "o-", label=label)
    bins = np.linspace(0, 1, 21)
    lower.hist(probability, bins, histtype="step", color=f"C{number}", linewidth=2)
upper.axline((0, 0), slope=1, color="gray", linestyle=":", label="perfectly calibrated")
upper.set(ylabel="fraction of the class", ylim=(0, 1), xlim=(0, 1))
upper.set_title("Reliability diagram of 10,000 test rows")
upper.legend(loc="upper left")
lower.set(xlabel="predicted probability", ylabel="rows")
plt.show()

# %%
# The overfitted network predicts probabilities near 0 and 1 most of the time, and its curve is
# flatter than the diagonal: it is overconfident. The other two curves are close to the diagonal,
# and their log-loss is lower.
