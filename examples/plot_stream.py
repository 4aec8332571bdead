"""
Accuracy on a stream that changes
=================================

With `partial_fit`, a model is trained on one chunk of rows after the other, so it can adapt to data
that change over time. A model that is fitted only once cannot.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sk_twolayer import TwoLayerClassifier

# %%
# The digits arrive in 59 chunks of 30 images. In the second half, all images are upside down.
images, y = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(1770)
images, y = images[order].reshape(-1, 8, 8) / 16, y[order]
images[885:] = images[885:, ::-1, ::-1]
X = images.reshape(-1, 64)
chunks = [slice(start, start + 30) for start in range(0, 1770, 30)]

# %%
# Each chunk is first used to test both models, and then to train the incremental one. The other
# model is fitted once, to the first 15 chunks.
settings = {"learning_rate": 0.01, "batch_size": 10, "random_state": 0}
incremental = TwoLayerClassifier(50, **settings)
fitted_once = TwoLayerClassifier(50, max_iter=30, tol=None, **settings).fit(X[:450], y[:450])

scores = {"fitted once": [], "partial_fit": []}
for number, rows in enumerate(chunks):
    if number > 0:
        scores["partial_fit"].append(incremental.score(X[rows], y[rows]))
    if number >= 15:
        scores["fitted once"].append(fitted_once.score(X[rows], y[rows]))
    incremental.partial_fit(X[rows], y[rows], classes=range(10))

# %%
# Dots are chunks, and lines are the mean of the last five chunks.
figure, axes = plt.subplots(figsize=(9, 4.8))
for color, (name, accuracy) in zip(("C0", "C1"), scores.items(), strict=True):
    numbers = np.arange(len(chunks) - len(accuracy), len(chunks)) + 1
    axes.scatter(numbers, accuracy, s=12, color=color, alpha=0.6, linewidth=0)
    smooth = [np.mean(accuracy[max(0, i - 4) : i + 1]) for i in range(len(accuracy))]
    axes.plot(numbers, smooth, color=color)
    axes.text(59.5, smooth[-1], name, color=color, va="center")
axes.axvline(30, color="gray", linestyle=":")
axes.text(30.5, 1.06, "images are upside down", va="center")
axes.set(
    xlabel="chunk", ylabel="accuracy before training on the chunk", ylim=(0, 1.1), xlim=(0, 69)
)
four = images[np.flatnonzero(y == 4)[0]]
for x, image in ((0.30, four), (0.43, four[::-1, ::-1])):
    small = axes.inset_axes((x, 0.06, 0.1, 0.19))
    small.imshow(image, cmap="gray_r")
    small.set_axis_off()
plt.show()

# %%
# After the change, the accuracy of both models falls. The accuracy of the incremental model
# recovers within about fifteen chunks. That of the other model does not.
