"""
The gradient check
==================

The derivative by a parameter is approximated by a central difference: change the parameter by `h`
in both directions and divide the change of the loss by `2 * h`. Backpropagation agrees with it for
all 3,760 parameters of this network. The error of the central difference falls with the square of
`h`, until the rounding error of the loss, divided by `h`, dominates.
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
# The error for one weight, as a function of `h`:
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
# Left: all parameters. Right: the error for the one weight.
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
for name, colour in zip(by_layers, ["#3d5a80", "#d1495b", "#edae49", "#5b8e7d"], strict=True):
    label = f"{name} ({by_layers[name].size})"
    points = by_layers[name].ravel(), by_definition[name].ravel()
    left.scatter(*points, s=14, color=colour, label=label, linewidth=0, alpha=0.7)
left.axline((0, 0), slope=1, color="#999999", linewidth=0.8, zorder=0)
left.set(xlabel="gradient by backpropagation", ylabel="gradient by central differences")
left.set_title("One point per parameter")
left.legend(frameon=False, title="parameters", markerscale=1.5)
right.loglog(steps, errors, "o-", color="#d1495b", markersize=4)
right.text(1e-9, 1e-4, "too small:\nrounding error", color="#444444")
right.text(6e-3, 3e-12, "too large:\ncurvature of\nthe loss", color="#444444")
right.set(xlabel="h", ylabel="error of the central difference", title="Choice of h")
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
plt.show()
