"""
Loss curves of six solvers
==========================

A solver determines how the gradient changes the parameters. Here the same network is trained on the
digits with each solver, from the same initial weights.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import SGD

X, y = load_digits(return_X_y=True)
X = X / 16

# %%
# The first five solvers take one step per minibatch of 32 rows, with a cosine schedule over 60
# epochs. L-BFGS takes one step per epoch, with the gradient of all rows.
solvers = {
    "SGD": (SGD(), 0.1),
    "SGD, momentum 0.9": (SGD(momentum=0.9), 0.02),
    "Adam": ("adam", 0.003),
    "AdaGrad": ("adagrad", 0.03),
    "RMSProp": ("rmsprop", 0.001),
    "L-BFGS": ("lbfgs", "auto"),
}

figure, axes = plt.subplots(figsize=(9, 5.2))
for name, (solver, learning_rate) in solvers.items():
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
    style = {"color": "gray", "linestyle": "--"} if name == "L-BFGS" else {}
    axes.plot(epochs, clf.loss_curve_, label=name, **style)
axes.set(yscale="log", xlabel="epoch (L-BFGS: step)", ylabel="mean training loss", xlim=(0, 61))
axes.set_title("Training loss of the digits by solver")
axes.grid()
axes.legend(ncols=2)
plt.show()

# %%
# The curves flatten at the end, where the cosine schedule lowers the learning rate to 0. L-BFGS
# takes a single step per epoch, so its loss falls slowly at first; later it falls fastest. The
# order of the curves depends on the learning rates. A lower training loss does not imply a better
# model: compare solvers by cross-validation.
