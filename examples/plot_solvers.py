"""
Learning curves of the solvers
==============================

The training loss of the same network on the digits, from the same initial weights, with each
solver. The first five take a step per minibatch of 32 rows, with a cosine schedule over 60 epochs.
L-BFGS takes one step per epoch, with the gradient of all rows. A lower training loss does not imply
a better model.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import SGD

X, y = load_digits(return_X_y=True)
X = X / 16

solvers = {
    "SGD": (SGD(), 0.1),
    "SGD, momentum 0.9": (SGD(momentum=0.9), 0.02),
    "Adam": ("adam", 0.003),
    "AdaGrad": ("adagrad", 0.03),
    "RMSProp": ("rmsprop", 0.001),
    "L-BFGS": ("lbfgs", "auto"),
}
colours = ["#3d5a80", "#6ba3c4", "#d1495b", "#edae49", "#5b8e7d", "#666666"]

figure, axes = plt.subplots(figsize=(9, 5.2), layout="constrained")
for (name, (solver, learning_rate)), colour in zip(solvers.items(), colours, strict=True):
    clf = TwoLayerClassifier(
        50,
        solver=solver,
        learning_rate=learning_rate,
        learning_rate_schedule="cosine",
        alpha=1e-5,
        batch_size=32,
        max_iter=60,
        tol=None,
        random_state=0,
    ).fit(X, y)
    epochs = range(1, clf.n_iter_ + 1)
    dashes = "--" if name == "L-BFGS" else "-"
    axes.plot(epochs, clf.loss_curve_, dashes, color=colour, linewidth=2, label=name)
axes.set(yscale="log", xlabel="epoch (L-BFGS: step)", ylabel="mean training loss", xlim=(0, 61))
axes.set_title("Training loss by solver", loc="left")
axes.grid(alpha=0.25)
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False, ncols=2)
plt.show()
