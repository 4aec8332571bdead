"""What several test files share: settings, steps of training, and layers as students write them."""

from __future__ import annotations

import os
import re
from itertools import combinations, product

import numpy as np
from sklearn.base import BaseEstimator

from sk_twolayer._data.dataset import Dataset
from sk_twolayer._training.attributes import FittedModel
from sk_twolayer._training.objective import NetworkObjective
from sk_twolayer._training.settings import Settings
from sk_twolayer._training.state import RandomSources
from sk_twolayer.layers import Layer, Relu
from sk_twolayer.optimizers import SGD
from sk_twolayer.optimizers._registry import SOLVERS
from sk_twolayer.schedules import LearningRate

# With SK_TWOLAYER_TESTS=long the tests try many more cases.
LONG = os.environ.get("SK_TWOLAYER_TESTS") == "long"


def pairwise(*factors):
    """Return combinations of one value of each factor: every two values occur together in one.

    In the long profile these are all combinations.
    """
    every = list(product(*factors))
    if LONG:
        return every

    def pairs(levels):
        return set(combinations(enumerate(levels), 2))

    indices = list(product(*(range(len(factor)) for factor in factors)))
    missing = set().union(*map(pairs, indices))
    chosen = []
    while missing:
        best = max(range(len(every)), key=lambda k: len(pairs(indices[k]) & missing))
        missing -= pairs(indices[best])
        chosen.append(every[best])
    return chosen


# Every optimizer that has a name, and momentum; and of these, the ones that step by minibatches.
OPTIMIZERS = [*(kind() for kind in SOLVERS.values()), SGD(momentum=0.9, nesterov=True)]
STEPPING = [optimizer for optimizer in OPTIMIZERS if optimizer.uses_minibatches]

# Plain gradient descent with fixed settings, for tests that count steps: the defaults are chosen by
# their results on data, and the tests of single steps do not depend on them.
PLAIN = {
    "solver": "sgd",
    "learning_rate": 0.1,
    "learning_rate_schedule": "constant",
    "alpha": 1e-4,
}


def current_learning_rate(clf, X):
    """Return the learning rate with which a fitted classifier would resume training on X."""
    model = FittedModel.of(clf)
    data = Dataset(X.astype(model.dtype), None, None)
    settings = Settings.resolve(clf.get_params(deep=False), data, model.labels)
    sources = RandomSources(clf.random_state, model.saved)
    state, _ = model.resume(settings, sources, n_iter=0)
    return state.learning_rate.current


def epochs(net, optimizer, X, t, sample_weight=None, *, learning_rate, random_state, **options):
    """Return a generator that trains a network by one epoch per item."""
    sources = RandomSources(random_state)
    objective = NetworkObjective(net, Dataset(X, t, sample_weight), sources=sources, **options)
    if not isinstance(learning_rate, LearningRate):
        learning_rate = LearningRate(learning_rate)
    return optimizer.epochs(objective, learning_rate)


def without_address(value):
    """Return the text of a value as the name of a test, which is the same in every process."""
    return re.sub(r" at 0x\w+", "", str(value))


# Layers with `forward` and `backward`, and nothing else.


class MyAffine:
    """An affine layer as in the book."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class MyRelu:
    """As in the book: keeps a mask, writes into `dout` and returns it."""

    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        return dout


class MySigmoid:
    """Keeps its output, and returns the array that it keeps."""

    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out) * self.out


class MySoftplus:
    """Keeps its input, by reference."""

    def forward(self, x):
        self.x = x
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    def backward(self, dout):
        return dout / (1 + np.exp(-self.x))


class MyIdentity:
    """Returns its argument itself."""

    def forward(self, x):
        return x

    def backward(self, dout):
        return dout


class InPlaceRelu:
    """Writes into its input."""

    def forward(self, x):
        self.positive = x > 0
        x *= self.positive
        return x

    def backward(self, dout):
        dout *= self.positive
        return dout


class MyLayer(Layer):
    """Derives from the base class of the package, and returns lists."""

    def forward(self, x):
        self.x = np.asarray(x)
        return np.tanh(self.x).tolist()

    def backward(self, dout):
        return (dout * np.float64(1) * (1 - np.tanh(self.x) ** 2)).tolist()


class OwnFormula(Relu):
    """Overrides the formula of a layer that is bound by itself."""

    def forward(self, x, out=None):
        self.x = x
        return np.where(x > 0, x, 0.5 * x)

    def backward(self, dout, out=None):
        return np.where(self.x > 0, dout, 0.5 * dout)


class MyLeakyRelu(BaseEstimator):
    """Has a parameter, after scikit-learn's convention."""

    def __init__(self, slope=0.1):
        self.slope = slope

    def forward(self, x):
        self.slopes = np.where(x > 0, 1, self.slope)
        return x * self.slopes

    def backward(self, dout):
        return dout * self.slopes


STUDENTS = [
    MyRelu,
    MySigmoid,
    MySoftplus,
    MyIdentity,
    InPlaceRelu,
    MyLayer,
    OwnFormula,
    MyLeakyRelu,
]
