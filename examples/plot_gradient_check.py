"""
Gradients by backpropagation and by central differences
=======================================================

The derivative with respect to one parameter can be approximated without the chain rule: change the
parameter by `h` in both directions, and divide the change of the loss by `2 * h`. This central
difference needs two forward passes per parameter, so it is too slow for training, but it is a
reliable check of backpropagation.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sk_twolayer import TwoLayerNet

# %%
# The gradient of all 3,760 parameters, computed in both ways:
X, t = load_digits(return_X_y=True)
x, t = X[:10] / 16, t[:10]
net = TwoLayerNet(64, 50, 10, activation="tanh", weight_init_std=0.3, random_state=0)
by_layers = net.gradient(x, t)
by_definition = net.numerical_gradient(x, t)
largest = max(np.abs(by_layers[name] - by_definition[name]).max() for name in by_layers)
print(f"largest difference: {largest:.0e}")

# %%
# For one weight, the error of the central difference as a function of `h`:
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
# Left: all parameters. Right: the one weight.
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6))
for name in by_layers:
    points = by_layers[name].ravel(), by_definition[name].ravel()
    left.scatter(*points, s=14, label=f"{name} ({by_layers[name].size})", linewidth=0, alpha=0.7)
left.axline((0, 0), slope=1, color="gray", linewidth=0.8, zorder=0)
left.set(xlabel="gradient by backpropagation", ylabel="gradient by central differences")
left.set_title("One point per parameter")
left.legend(title="parameters", markerscale=1.5)
right.loglog(steps, errors, "o-", color="C1", markersize=4)
right.text(1e-9, 1e-4, "h too small:\nrounding error")
right.text(6e-3, 3e-12, "h too large:\ncurvature of\nthe loss")
right.set(xlabel="h", ylabel="error of the central difference", title="Choice of h")
plt.show()

# %%
# On the left, every point is on the diagonal: the two gradients agree. On the right, the error is
# proportional to the square of `h` between 1 and about 1e-5. For smaller `h`, the rounding error of
# the loss, divided by `h`, dominates. `check_gradients` uses a suitable `h`.
