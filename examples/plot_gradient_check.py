"""
The gradient check
==================

The definition of a gradient needs no chain rule: change one parameter by a little, `h`, either way,
and see what the loss does. Held against that, backpropagation is right for each of the 3,760
parameters of this net. How little is little? The definition has an error of its own, which falls
with the square of `h` until the rounding of the loss, divided by `h`, takes over.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sk_twolayer import TwoLayerNet

X, t = load_digits(return_X_y=True)
x, t = X[:10] / 16, t[:10]
net = TwoLayerNet(64, 50, 10, activation="tanh", weight_init_std=0.3, random_state=0)
by_layers = net.gradient(x, t)
by_definition = net.numerical_gradient(x, t)
largest = max(np.abs(by_layers[name] - by_definition[name]).max() for name in by_layers)
print(f"largest difference: {largest:.0e}")

# %%
# Now one weight alone, and many sizes of `h`:
weight, exact = net.params["W2"], by_layers["W2"][3, 4]
steps = np.logspace(-12, 0, 49)
errors = []
for h in steps:
    start, losses = weight[3, 4], []
    for moved in (start + h, start - h):
        weight[3, 4] = moved
        losses.append(net.loss(x, t))
    weight[3, 4] = start
    errors.append(abs((losses[0] - losses[1]) / (2 * h) - exact))

# %%
# Left, all parameters; right, the one:
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
for name, colour in zip(by_layers, ["#3d5a80", "#d1495b", "#edae49", "#5b8e7d"], strict=True):
    label = f"{name} ({by_layers[name].size})"
    points = by_layers[name].ravel(), by_definition[name].ravel()
    left.scatter(*points, s=14, color=colour, label=label, linewidth=0, alpha=0.7)
left.axline((0, 0), slope=1, color="#999999", linewidth=0.8, zorder=0)
left.set(xlabel="gradient by backpropagation", ylabel="gradient by its definition")
left.set_title("A point for each parameter")
left.legend(frameon=False, title="parameters", markerscale=1.5)
right.loglog(steps, errors, "o-", color="#d1495b", markersize=4)
right.text(1e-9, 1e-4, "too small:\nrounding, divided by h", color="#444444")
right.text(6e-3, 3e-12, "too large:\na curve is not\nits tangent", color="#444444")
right.set(xlabel="h", ylabel="what the definition is off by", title="How little is little")
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
plt.show()
