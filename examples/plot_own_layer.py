"""
A custom activation: the sine
=============================

A custom activation is a class with two methods: `forward` computes the output, and `backward`
multiplies the incoming gradient by the derivative. It needs no base class. `check_gradients` tests
it, and `TwoLayerClassifier` trains with it.
"""

import matplotlib.pyplot as plt
import numpy as np

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.gradient_check import check_gradients

# %%
# The layer keeps its input, because the derivative depends on it.


class Sine:
    """A sine: y = sin(x)."""

    def forward(self, x):
        """Compute the output."""
        self.x = x
        return np.sin(x)

    def backward(self, dout):
        """Multiply by the derivative of the output."""
        return dout * np.cos(self.x)


# %%
# The gradient check compares `backward` with central differences, and raises an error if the
# derivative is wrong.
print(f"largest difference: {check_gradients(Sine())['x']:.0e}")


class Wrong(Sine):
    """A sine with the wrong sign in the derivative."""

    def backward(self, dout):
        """Multiply by minus the derivative."""
        return -dout * np.cos(self.x)


try:
    check_gradients(Wrong())
except AssertionError as error:
    print(str(error).split(":")[0])

# %%
# The classes form a checkerboard of four by four squares. One network is trained with relu, and one
# with the sine. The sine needs larger initial weights, so that it oscillates within the range of
# the data.
rng = np.random.default_rng(0)
X = rng.uniform(-2, 2, size=(2000, 2))
y = np.floor(X).sum(axis=1) % 2
side = np.linspace(-2, 2, 200)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)

figure, panels = plt.subplots(1, 2, figsize=(9, 4.4))
networks = {
    "relu": TwoLayerClassifier(32, activation="relu", random_state=0),
    "sine": TwoLayerClassifier(32, activation=Sine(), weight_init_std=1.5, random_state=0),
}
for axes, (name, clf) in zip(panels, networks.items(), strict=True):
    clf.fit(X, y)
    probability = clf.predict_proba(grid)[:, 1].reshape(200, 200)
    colours = {"cmap": "RdBu_r", "vmin": -0.2, "vmax": 1.2}
    axes.imshow(probability, extent=(-2, 2, -2, 2), origin="lower", **colours)
    axes.set(xticks=[], yticks=[], title=f"{name}: {clf.score(X, y):.0%} of the rows correct")
plt.show()

# %%
# The colours are predicted probabilities. With 32 units, the network with relu approximates the
# periodic pattern by straight pieces. The network with the sine can represent the pattern with few
# units. Which activation is suitable depends on the data.
