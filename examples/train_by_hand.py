"""Train a network on the digits layer by layer, without `TwoLayerNet` and `TwoLayerClassifier`.

`TwoLayerClassifier` uses the same layers and the same steps.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sk_twolayer.layers import Affine, Relu
from sk_twolayer.losses import SoftmaxWithLoss

X, y = load_digits(return_X_y=True)
X_train, X_test, t_train, t_test = train_test_split(X / 16, y, random_state=0)

rng = np.random.default_rng(0)
batch_size, learning_rate, epochs = 100, 0.5, 50

affine1 = Affine(W=rng.normal(scale=0.1, size=(64, 50)), b=np.zeros(50))
relu = Relu()
affine2 = Affine(W=rng.normal(scale=0.1, size=(50, 10)), b=np.zeros(10))
loss_layer = SoftmaxWithLoss()


def predict(x):
    """Return the scores of each row; the highest score is the predicted digit."""
    return affine2.forward(relu.forward(affine1.forward(x)))


def accuracy(x, t):
    """Return the fraction of rows that are classified correctly."""
    return np.mean(predict(x).argmax(axis=1) == t)


steps = epochs * len(X_train) // batch_size
for step in range(1, steps + 1):
    # 1. Draw a minibatch.
    batch = rng.choice(len(X_train), batch_size)
    # 2. Compute the gradient of its loss: forward through the layers, then backward.
    loss = loss_layer.forward(predict(X_train[batch]), t_train[batch])
    affine1.backward(relu.backward(affine2.backward(loss_layer.backward())))
    # 3. Step against the gradient.
    for affine in (affine1, affine2):
        affine.W -= learning_rate * affine.dW
        affine.b -= learning_rate * affine.db
    # 4. Repeat.
    if step % (steps // 10) == 0:
        print(
            f"step {step:4d}   loss {loss:.3f}   train accuracy "
            f"{accuracy(X_train, t_train):.3f}   test accuracy {accuracy(X_test, t_test):.3f}"
        )
