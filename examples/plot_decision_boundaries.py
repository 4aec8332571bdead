"""
Decision boundaries and the hidden size
=======================================

Two spirals, and networks with more and more hidden units. Each `relu` unit folds the plane along
one straight line, and the boundary is made of straight pieces between these folds. The colours are
probabilities; on the black line both classes have probability 0.5.
"""

import matplotlib.pyplot as plt
import numpy as np

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import LBFGS

rng = np.random.default_rng(0)
angle = np.sqrt(rng.uniform(0.03, 1, 400)) * 3 * np.pi
arm = np.repeat([0, 1], 200)
radius = angle / (3 * np.pi) * (1 - 2 * arm)
X = np.c_[radius * np.cos(angle), radius * np.sin(angle)] + rng.normal(scale=0.02, size=(400, 2))

side = np.linspace(-1.15, 1.15, 250)
grid = np.stack(np.meshgrid(side, side), axis=-1)

figure, panels = plt.subplots(2, 3, figsize=(10, 7), layout="constrained")
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
    # Beyond 0 and 1, the colours are too dark to see points on.
    colours = {"cmap": "RdBu_r", "vmin": -0.6, "vmax": 1.6}
    axes.imshow(probability, extent=(-1.15, 1.15) * 2, origin="lower", **colours)
    axes.contour(side, side, probability, levels=[0.5], colors="black", linewidths=1.2)
    axes.scatter(*X.T, c=arm, cmap="RdBu_r", s=18, edgecolor="white", linewidth=0.3)
    units = "hidden unit" if hidden_size == 1 else "hidden units"
    axes.set_title(f"{hidden_size} {units}: {clf.score(X, arm):.0%} correct")
    axes.set(xticks=[], yticks=[])
plt.show()
