"""
What hidden units see
=====================

A hidden unit adds up the pixels, each times a weight of its own: blue ink speaks for what it looks
for, red ink against. Above each unit is the digit it speaks for most, by its weights to the
outputs. Nobody told them to look for strokes and gaps; that is what the gradient made of random
numbers.
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
    max_iter=60,
    tol=None,
    random_state=0,
).fit(X / 16, y)

W1, W2 = clf.coefs_
votes = W2 - W2.mean(axis=1, keepdims=True)
speaks_for = votes.argmax(axis=1)
order = np.lexsort([-votes.max(axis=1), speaks_for])
limit = np.quantile(np.abs(W1), 0.995)
colours = {"cmap": "RdBu", "vmin": -limit, "vmax": limit, "interpolation": "bicubic"}

figure, panels = plt.subplots(4, 10, figsize=(10, 4.9), layout="constrained")
for axes, unit in zip(panels.flat, order, strict=True):
    axes.imshow(W1[:, unit].reshape(8, 8), **colours)
    axes.set_title(f"for {speaks_for[unit]}", fontsize=9, pad=3)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color("#bbbbbb")
figure.suptitle(f"The {clf.hidden_size} hidden units; {clf.score(X / 16, y):.1%} of digits right")
plt.show()
