"""
A DataFrame with numbers and a category: comparison with MLPClassifier
======================================================================

Tables often have numeric and categorical columns. A `ColumnTransformer` scales the numeric columns
and encodes the categorical ones. The pipelines for `TwoLayerClassifier` and `MLPClassifier` differ
in the last step only.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_validate
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sk_twolayer import TwoLayerClassifier

# %%
# The table has 442 patients with diabetes. The class of a patient is "faster" if the disease
# progressed more than that of the median patient within one year, and otherwise "slower".
data = load_diabetes(as_frame=True, scaled=False)
X = data.data.assign(sex=data.data["sex"].map({1: "first", 2: "second"}))
y = np.where(data.target > data.target.median(), "faster", "slower")
print(X.head(3).to_string())

# %%
# Both classifiers have the same preprocessing and the same five splits.
columns = make_column_transformer(
    (OneHotEncoder(drop="if_binary"), ["sex"]),
    remainder=StandardScaler(),
)


def evaluate(clf):
    """Return accuracy and log-loss, each the mean over five splits."""
    scoring = ["accuracy", "neg_log_loss"]
    with warnings.catch_warnings():  # not every candidate converges
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = cross_validate(make_pipeline(columns, clf), X, y, cv=5, scoring=scoring)
    return found["test_accuracy"].mean(), -found["test_neg_log_loss"].mean()


mlp = evaluate(MLPClassifier(random_state=0))
default = evaluate(TwoLayerClassifier(random_state=0))
print(f"MLPClassifier:      accuracy {mlp[0]:.2f}, log-loss {mlp[1]:.2f}")
print(f"TwoLayerClassifier: accuracy {default[0]:.2f}, log-loss {default[1]:.2f}")

# %%
# The class depends on more than these columns, so the data are noisy. On noisy data a stronger
# penalty can help. `alpha_` is the value that the default `alpha="auto"` has chosen.
model = make_pipeline(columns, TwoLayerClassifier(random_state=0)).fit(X, y)
automatic = model[-1].alpha_
alphas = automatic * np.array([0.3, 1, 3, 10, 30])
losses = [evaluate(TwoLayerClassifier(alpha=alpha, random_state=0))[1] for alpha in alphas]

figure, axes = plt.subplots()
axes.semilogx(alphas, losses, "o-", label="TwoLayerClassifier")
axes.axvline(automatic, color="C0", linestyle=":", label="alpha chosen by default")
axes.axhline(mlp[1], color="C1", label="MLPClassifier, default parameters")
axes.set(xlabel="alpha", ylabel="log-loss in cross-validation", title="Diabetes: a noisy table")
axes.legend()
plt.show()

# %%
# With default parameters, the log-loss of `MLPClassifier` is slightly lower on this table. Its
# training ends after 200 epochs, before it has converged, which limits overfitting on these few
# rows. With ``max_iter=1000`` its log-loss is above 0.7. A penalty ten times the automatic one
# gives the lowest log-loss. `GridSearchCV` finds such a value with this grid:
# ``{"twolayerclassifier__alpha": [0.002, 0.02, 0.2]}``.
