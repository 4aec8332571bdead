"""
The weights of 40 hidden units as images
========================================

A hidden unit computes a weighted sum of the pixels. It has one weight per pixel, so its weights can
be drawn as an image.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sk_twolayer import TwoLayerClassifier

# %%
# `coefs_[0]` has one column per hidden unit, and `coefs_[1]` one row per hidden unit.
X, y = load_digits(return_X_y=True)
clf = TwoLayerClassifier(
    40,
    activation="sigmoid",
    learning_rate=0.01,
    alpha=3e-3,
    batch_size=32,
    random_state=0,
).fit(X / 16, y)
W1, W2 = clf.coefs_

# %%
# The units are sorted by the digit whose score they increase most.
contributions = W2 - W2.mean(axis=1, keepdims=True)
digit_of_unit = contributions.argmax(axis=1)
order = np.lexsort([-contributions.max(axis=1), digit_of_unit])

limit = np.quantile(np.abs(W1), 0.995)
colours = {"cmap": "RdBu", "vmin": -limit, "vmax": limit, "interpolation": "bicubic"}
figure, panels = plt.subplots(4, 10, figsize=(10, 4.9))
for axes, unit in zip(panels.flat, order, strict=True):
    axes.imshow(W1[:, unit].reshape(8, 8), **colours)
    axes.set_title(f"for {digit_of_unit[unit]}", fontsize=10, pad=3)
    axes.set_axis_off()
figure.suptitle(f"The weights of {clf.hidden_size} hidden units, by digit")
plt.show()

# %%
# Ink on blue pixels increases the activation of the unit, and ink on red pixels decreases it. The
# title is the digit whose score the unit increases most. The units have learned strokes and gaps
# from random initial weights. The accuracy on the training rows:
print(f"{clf.score(X / 16, y):.2f}")
