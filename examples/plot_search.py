"""
A parameter search with a progress bar
======================================

A random search draws the parameters of each candidate from distributions. It covers a wide range
with few fits. A callback of scikit-learn shows its progress.

The progress bar needs scikit-learn 1.9 or newer and the package `rich`. From a checkout, the extra
`progress` installs it: ``python -m pip install -e ".[progress]"``.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import loguniform
from sklearn.callback import ProgressBar
from sklearn.datasets import load_digits
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_twolayer import TwoLayerClassifier

# %%
# The learning rate is drawn on a logarithmic scale. Each candidate is trained for 20 epochs. Some
# will not converge; `tol=None` disables the warning. `max_propagation_depth=0` shows only the
# progress of the search. The default, 1, adds one bar per fit, which counts epochs.
X, y = load_digits(return_X_y=True)
clf = TwoLayerClassifier(max_iter=20, tol=None, random_state=0)
model = make_pipeline(StandardScaler(), clf)
parameters = {
    "twolayerclassifier__learning_rate": loguniform(1e-4, 0.3),
    "twolayerclassifier__hidden_size": [8, 32, 128],
}
search = RandomizedSearchCV(model, parameters, n_iter=10, cv=3, random_state=0)
search.set_callbacks(ProgressBar(max_propagation_depth=0))
results = search.fit(X, y).cv_results_

# %%
# The picture has one point per candidate:
rates = np.asarray(results["param_twolayerclassifier__learning_rate"], dtype=float)
sizes = np.asarray(results["param_twolayerclassifier__hidden_size"], dtype=int)
figure, axes = plt.subplots()
for size, marker in zip([8, 32, 128], "os^", strict=True):
    rows = sizes == size
    scores = results["mean_test_score"][rows], results["std_test_score"][rows]
    axes.errorbar(rates[rows], *scores, fmt=marker, capsize=3, label=f"{size} hidden units")
axes.axvline(rates[search.best_index_], color="gray", linestyle=":", label="best candidate")
axes.set(xscale="log", xlabel="learning rate", ylabel="accuracy in cross-validation")
axes.set_title("10 candidates of a random search on the digits")
axes.legend()
plt.show()

# %%
# The error bars are standard deviations over the three splits. The accuracy is highest for rates
# between 0.003 and 0.1. With smaller ones, training has not converged when the epochs run out, in
# particular with 8 hidden units. The best candidate:
best = search.best_index_
print(f"hidden size {sizes[best]}, learning rate {rates[best]:.4f}")
print(f"accuracy in cross-validation: {search.best_score_:.2f}")
