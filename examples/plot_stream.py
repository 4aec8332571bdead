"""
Incremental learning from a stream
==================================

Digits come in chunks of thirty. Each chunk is first used to test the model and then to train it
with `partial_fit`. From the middle of the stream on, all digits are upside down. A model fitted
once, on the first fifteen chunks, does not recover; the model that is trained on every chunk does.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sk_twolayer import TwoLayerClassifier

images, y = load_digits(return_X_y=True)
order = np.random.default_rng(0).permutation(1770)
images, y = images[order].reshape(-1, 8, 8) / 16, y[order]
images[885:] = images[885:, ::-1, ::-1]
X = images.reshape(-1, 64)
chunks = [slice(start, start + 30) for start in range(0, 1770, 30)]

settings = {"solver": "adam", "learning_rate": 0.01, "batch_size": 10, "random_state": 0}
incremental = TwoLayerClassifier(50, **settings)
fitted_once = TwoLayerClassifier(50, max_iter=30, tol=None, **settings).fit(X[:450], y[:450])

scores = {"partial_fit": [], "fitted once": []}
for number, rows in enumerate(chunks):
    if number > 0:
        scores["partial_fit"].append(incremental.score(X[rows], y[rows]))
    if number >= 15:
        scores["fitted once"].append(fitted_once.score(X[rows], y[rows]))
    incremental.partial_fit(X[rows], y[rows], classes=range(10))

figure, axes = plt.subplots(figsize=(9, 4.8), layout="constrained")
for (name, accuracy), colour in zip(scores.items(), ["#d1495b", "#3d5a80"], strict=True):
    numbers = np.arange(len(chunks) - len(accuracy), len(chunks)) + 1
    axes.scatter(numbers, accuracy, s=12, color=colour, alpha=0.45, linewidth=0)
    smooth = [np.mean(accuracy[max(0, i - 4) : i + 1]) for i in range(len(accuracy))]
    axes.plot(numbers, smooth, color=colour, linewidth=2.2)
    axes.text(59.5, smooth[-1], name, color=colour, va="center", fontsize=11)
axes.axvline(30, color="#666666", linestyle=":")
axes.text(30.5, 1.06, "upside down from here on", va="center")
axes.set(
    xlabel="chunk", ylabel="accuracy before training on the chunk", ylim=(0, 1.1), xlim=(0, 69)
)
axes.set_title("Dots: chunks. Lines: mean of the last five chunks", loc="left", fontsize=10)
axes.spines[["top", "right"]].set_visible(False)
four = images[np.flatnonzero(y == 4)[0]]
for place, image in ((0.30, four), (0.43, four[::-1, ::-1])):
    small = axes.inset_axes((place, 0.06, 0.1, 0.19))
    small.imshow(image, cmap="gray_r")
    small.set(xticks=[], yticks=[])
plt.show()
