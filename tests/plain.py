"""Plain gradient descent with fixed settings, for tests that count steps.

The defaults are chosen by their results on data; the tests of single steps do not depend on them.
"""

import re

from sk_twolayer._data.dataset import Dataset
from sk_twolayer._training.attributes import FittedModel
from sk_twolayer._training.objective import NetworkObjective
from sk_twolayer._training.settings import Settings
from sk_twolayer._training.state import RandomSources
from sk_twolayer.schedules import LearningRate

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
    sources = RandomSources.create(clf.random_state, model.saved)
    state, _ = model.resume(settings, sources, n_iter=0)
    return state.learning_rate.current


def epochs(net, optimizer, X, t, sample_weight=None, *, learning_rate, **options):
    """Return a generator that trains a network by one epoch per item."""
    objective = NetworkObjective(net, Dataset(X, t, sample_weight), **options)
    if not isinstance(learning_rate, LearningRate):
        learning_rate = LearningRate(learning_rate)
    return optimizer.epochs(objective, learning_rate)


def without_address(value):
    """Return the text of a value as the name of a test, which is the same in every process."""
    return re.sub(r" at 0x\w+", "", str(value))
