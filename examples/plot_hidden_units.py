"""
The weights of the hidden units
===============================

A hidden unit computes a weighted sum of the pixels. Each picture shows the weights of one unit: ink
on blue pixels increases its activation, ink on red pixels decreases it. The title is the digit
whose score the unit increases most. The strokes and gaps in these pictures were learned from random
initial weights.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sk_twolayer import TwoLayerClassifier

X, y = load_digits(return_X_y=True)
clf = TwoLayerClassifier(
    40,
    activation="sigmoid",
    solver="adam",
    learning_rate=0.01,
    alpha=3e-3,
    batch_size=32,
    random_state=0,
).fit(X / 16, y)

W1, W2 = clf.coefs_
contributions = W2 - W2.mean(axis=1, keepdims=True)
digit_of_unit = contributions.argmax(axis=1)
order = np.lexsort([-contributions.max(axis=1), digit_of_unit])
limit = np.quantile(np.abs(W1), 0.995)
colours = {"cmap": "RdBu", "vmin": -limit, "vmax": limit, "interpolation": "bicubic"}

figure, panels = plt.subplots(4, 10, figsize=(10, 4.9), layout="constrained")
for axes, unit in zip(panels.flat, order, strict=True):
    axes.imshow(W1[:, unit].reshape(8, 8), **colours)
    axes.set_title(f"for {digit_of_unit[unit]}", fontsize=9, pad=3)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color("#bbbbbb")
figure.suptitle(f"The {clf.hidden_size} hidden units; training accuracy {clf.score(X / 16, y):.1%}")
plt.show()
