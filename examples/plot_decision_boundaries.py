"""
Decision boundaries with 1 to 128 hidden units
==============================================

The output of a `relu` unit is 0 on one side of a straight line, and increases linearly on the other
side. So the decision boundary of a network of such units consists of straight pieces. More hidden
units allow a more complex boundary.
"""

import matplotlib.pyplot as plt
import numpy as np

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import LBFGS

# %%
# The rows of the two classes are on two spirals.
rng = np.random.default_rng(0)
angle = np.sqrt(rng.uniform(0.03, 1, 400)) * 3 * np.pi
arm = np.repeat([0, 1], 200)
radius = angle / (3 * np.pi) * (1 - 2 * arm)
X = np.c_[radius * np.cos(angle), radius * np.sin(angle)] + rng.normal(scale=0.02, size=(400, 2))

# %%
# One network per hidden size. L-BFGS is suitable for a few hundred rows.
side = np.linspace(-1.15, 1.15, 250)
grid = np.stack(np.meshgrid(side, side), axis=-1)

figure, panels = plt.subplots(2, 3, figsize=(10, 7))
for axes, hidden_size in zip(panels.flat, [1, 3, 8, 16, 32, 128], strict=True):
    clf = TwoLayerClassifier(
        hidden_size,
        solver=LBFGS(max_fun=100_000),
        alpha=1e-4,
        max_iter=1000,
        tol=None,
        random_state=3,
    ).fit(X, arm)
    probability = clf.predict_proba(grid.reshape(-1, 2))[:, 1].reshape(250, 250)
    # Limits beyond 0 and 1 keep the colours light enough to see the points.
    colours = {"cmap": "RdBu_r", "vmin": -0.6, "vmax": 1.6}
    axes.imshow(probability, extent=(-1.15, 1.15) * 2, origin="lower", **colours)
    axes.contour(side, side, probability, levels=[0.5], colors="black", linewidths=1.2)
    axes.scatter(*X.T, c=arm, cmap="RdBu_r", s=18, edgecolor="white", linewidth=0.3)
    units = "hidden unit" if hidden_size == 1 else "hidden units"
    axes.set_title(f"{hidden_size} {units}: {clf.score(X, arm):.0%} correct")
    axes.set(xticks=[], yticks=[])
plt.show()

# %%
# The colours are predicted probabilities. On the black line both classes have probability 0.5. With
# one unit the boundary is a straight line. With 16 units a boundary of a few straight pieces
# separates the spirals. With 128 units the boundary is smoother.
