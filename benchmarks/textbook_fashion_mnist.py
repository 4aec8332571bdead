"""The textbook's settings on Fashion-MNIST: the classifier, and a net trained by hand.

Both start from the same weights and see the same minibatches. The classifier takes each step
inside the matrix product (W <- W - rate * x.T @ dout is one BLAS call); by hand, the gradient is
computed first and subtracted then. The script prints the test accuracy of both, and how far
apart any two weights are after one epoch and at the end.

In float64 the two agree to rounding all the way. In float32 they agree to rounding at first;
later a rounding error now and then puts a hidden unit on the other side of relu's kink, and the
two go different, equally good ways.

DIRECTORY holds fashion_mnist.npz with X_train, y_train, X_test, y_test (uint8 images as rows of
784); the settings are those of K. Saitoh, "Deep Learning from Scratch", 2016, chapter 5.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from sklearn.utils import gen_batches

from sk_twolayer import TwoLayerClassifier, TwoLayerNet
from sk_twolayer.layers import Affine, Relu
from sk_twolayer.losses import SoftmaxWithLoss

HIDDEN, BATCH, RATE, STD = 50, 100, 0.1, 0.01


def classifier(X, t, epochs, seed):
    """Return the coefficients of a TwoLayerClassifier and its accuracy function."""
    clf = TwoLayerClassifier(
        HIDDEN,
        weight_init_std=STD,
        solver="sgd",
        learning_rate=RATE,
        learning_rate_schedule="constant",
        alpha=0.0,
        batch_size=BATCH,
        max_iter=epochs,
        tol=None,
        random_state=seed,
    ).fit(X, t)
    return [*clf.coefs_, *clf.intercepts_], clf.score


def by_hand(X, t, epochs, seed):
    """Return the coefficients of a net trained layer by layer and its accuracy function."""
    rng = np.random.RandomState(seed)
    start = TwoLayerNet(X.shape[1], HIDDEN, 10, STD, dtype=X.dtype, random_state=rng).params
    affine1, relu = Affine(start["W1"], start["b1"]), Relu()
    affine2, loss = Affine(start["W2"], start["b2"]), SoftmaxWithLoss()

    def predict(x):
        return affine2.forward(relu.forward(affine1.forward(x)))

    for _ in range(epochs):
        order = rng.permutation(len(X))
        for batch in gen_batches(len(X), BATCH):
            rows = order[batch]
            loss.forward(predict(X[rows]), t[rows])
            affine1.backward(relu.backward(affine2.backward(loss.backward())))
            for affine in (affine1, affine2):
                affine.W -= RATE * affine.dW
                affine.b -= RATE * affine.db
    coefficients = [affine1.W, affine2.W, affine1.b, affine2.b]
    return coefficients, lambda X, t: np.mean(predict(X).argmax(axis=1) == t)


def compare(X, t, epochs, seed):
    """Train both; return their accuracy functions, seconds, and largest difference of a weight."""
    coefficients, scores, seconds = [], [], []
    for train in (classifier, by_hand):
        start = time.perf_counter()
        trained, score = train(X, t, epochs, seed)
        seconds.append(time.perf_counter() - start)
        coefficients.append(trained)
        scores.append(score)
    pairs = zip(*coefficients, strict=True)
    return scores, seconds, max(np.abs(one - other).max() for one, other in pairs)


def verdict(difference, dtype):
    """Say in words how equal the weights are."""
    if difference == 0:
        return "equal to the last bit"
    rounding = 1e4 * np.finfo(dtype).eps
    return "equal to rounding" if difference < rounding else "apart, by a kink of relu"


def main():
    """Print a line for each type and seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True, metavar="DIRECTORY")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=16)
    arguments = parser.parse_args()
    with np.load(arguments.data_dir / "fashion_mnist.npz") as data:
        train, t_train, test, t_test = (data[f"{a}_{b}"] for b in ("train", "test") for a in "Xy")
    print(f"{arguments.epochs} epochs    test accuracy         largest difference of a weight")
    print(
        "dtype    seed  classifier  by hand   after 1 epoch   at the end   hand/clf time  weights"
    )
    for dtype in (np.float64, np.float32):
        X_train, X_test = (X.astype(dtype) / dtype(255) for X in (train, test))
        for seed in range(arguments.seeds):
            *_, early = compare(X_train, t_train, 1, seed)
            scores, seconds, late = compare(X_train, t_train, arguments.epochs, seed)
            ours, hand = (score(X_test, t_test) for score in scores)
            print(
                f"{np.dtype(dtype).name:8s} {seed:4d}  {ours:10.4f}  {hand:7.4f}  "
                f"{early:14.1e}  {late:11.1e}  {seconds[1] / seconds[0]:14.2f}  "
                f"{verdict(late, dtype)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
