"""Faults at any moment: the estimator is as it was before, or complete, or says what it is.

A trace function raises an exception just before some line of the package is run. That is where
an interrupt or a failed allocation would strike, and each line gets its turn.
"""

import copy
import linecache
import pickle
import sys
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from threadpoolctl import threadpool_info, threadpool_limits

import sk_twolayer
from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import LBFGS, SGD
from tests.helpers import LONG

pytestmark = pytest.mark.slow  # many fits, each traced line by line

PACKAGE = str(Path(sk_twolayer.__file__).parent)
# One line in so many is struck, another one in each scenario; all of them in the long profile.
STRIDE = 1 if LONG else 73

rng = np.random.RandomState(0)
X = rng.standard_normal((60, 4))
y = np.array(["no", "perhaps", "yes"])[np.arange(60) % 3]


def _does_nothing(frame):
    """Tell whether a line is one at which no fault can strike, though Python reports it.

    It reports a `with` line again at the end of its block, before `__exit__` is called and out of
    its protection, and a `try`, where neither a call nor an allocation is.
    """
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return line.startswith("with ") or line == "try:"


class Lines:
    """Counts the lines of the package that are run, and raises a fault before one of them."""

    def __init__(self, fault=None, at=None):
        self.fault, self.at, self.seen = fault, at, 0

    def __call__(self, frame, event, _):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line" and not _does_nothing(frame):
            self.seen += 1
            if self.seen == self.at:
                raise self.fault("struck")
        return self

    @contextmanager
    def watched(self):
        before = sys.gettrace()
        sys.settrace(self)
        try:
            yield
        finally:
            sys.settrace(before)


def fit(clf):
    return partial(clf.fit, X, y)


def fit_on_half(clf):
    return partial(clf.fit, X[::2], y[::2])


def partial_fit(clf):
    return partial(clf.partial_fit, X, y, classes=["no", "perhaps", "yes"])


def nothing(clf):
    return lambda: None


QUICK = {"hidden_size": 3, "max_iter": 4, "tol": None, "batch_size": 16, "random_state": 0}
STOPPING = {"early_stopping": True, "validation_fraction": 0.3, "scoring": "accuracy"}
SCENARIOS = {
    "fit": ({}, nothing, fit),
    "fit again": ({"solver": "adam", "dropout": 0.3}, fit_on_half, fit),
    "lbfgs": ({"solver": LBFGS(), "warm_start": True}, fit_on_half, fit),
    "best epoch": ({**STOPPING, "class_weight": "balanced"}, nothing, fit),
    "warm best epoch": ({**STOPPING, "warm_start": True, "verbose": True}, fit_on_half, fit),
    "first chunk": ({"solver": SGD(momentum=0.9)}, nothing, partial_fit),
    "next chunk": ({"solver": "adam"}, partial_fit, partial_fit),
}


@pytest.fixture(params=SCENARIOS, ids=lambda name: name.replace(" ", "-"))
def scenario(request):
    """An estimator before the call, the call, and the lines at which to strike."""
    options, prepare, call = SCENARIOS[request.param]
    clf = TwoLayerClassifier(**{**QUICK, **options})
    prepare(clf)()
    call(copy.deepcopy(clf))()  # later calls find results in caches, and run fewer lines
    lines = Lines()
    call_once = call(copy.deepcopy(clf))
    with lines.watched():
        call_once()
    first = 1 + list(SCENARIOS).index(request.param) % STRIDE
    assert lines.seen > 300
    return clf, call, range(first, lines.seen + 1, STRIDE)


def content(clf):
    """Return all an estimator holds, to compare: a digest of it."""
    return joblib.hash(vars(clf))


@pytest.fixture(autouse=True)
def two_blas_threads():
    """Give a limit that is left at one a number it differs from, also on a single core."""
    with threadpool_limits(2, user_api="blas"):
        yield


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def struck(clf, call, fault, at):
    """Make a call that is struck, and return the exception it raised and the warnings it gave."""
    call_once = call(clf)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with Lines(fault, at).watched():
                call_once()
        except BaseException as error:
            return error, caught
    return None, caught


def check_interrupted(before, clf):
    """Check a model whose training ended before its time: whole epochs, and all of it agrees."""
    assert 1 <= clf.n_iter_ <= 40
    earlier = len(before.loss_curve_) if clf.warm_start else 0
    assert len(clf.loss_curve_) == earlier + clf.n_iter_
    assert all(np.isfinite(array).all() for array in clf.coefs_ + clf.intercepts_)
    if clf.early_stopping:
        assert len(clf.validation_scores_) == len(clf.validation_loss_curve_)
        assert clf.best_validation_score_ == max(clf.validation_scores_)
    assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), clf.predict_proba(X))


@pytest.mark.parametrize("fault", [MemoryError, KeyboardInterrupt])
def test_a_fault_at_any_line(scenario, fault, capsys):
    before, call, places = scenario
    undisturbed = copy.deepcopy(before)
    call(undisturbed)()
    allowed = {content(before), content(undisturbed)}
    data = X.copy(), y.copy()
    for at in places:
        clf = copy.deepcopy(before)
        error, caught = struck(clf, call, fault, at)
        if error is None:
            assert fault is KeyboardInterrupt, at
            assert "interrupted after" in str(caught[-1].message)
            check_interrupted(before, clf)
        else:
            assert type(error) is fault
            assert content(clf) in allowed, at
        assert blas_threads() == {2}, at
    assert_array_equal(X, data[0])
    assert_array_equal(y, data[1])
    clf = copy.deepcopy(before)
    call(clf)()
    assert content(clf) == content(undisturbed)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform"])
def test_a_fault_at_any_line_of_a_prediction(method):
    clf = TwoLayerClassifier(**QUICK).fit(X, y)
    before, many = content(clf), np.tile(X, (100, 1))
    lines = Lines()
    with lines.watched():
        expected = getattr(clf, method)(many)
    for at in range(1, lines.seen + 1):
        error, _ = struck(clf, lambda clf: partial(getattr(clf, method), many), MemoryError, at)
        assert type(error) is MemoryError
        assert content(clf) == before
        assert blas_threads() == {2}
    assert_array_equal(getattr(clf, method)(many), expected)


def raise_os_error(*_, **__):
    raise OSError("the database is away")


class Spoilsport(SGD):
    """Raises in the third epoch of four minibatches."""

    def step(self, theta, add_gradient, learning_rate):
        self.count = getattr(self, "count", 0) + 1
        if self.count == 10:
            raise OSError("the database is away")
        super().step(theta, add_gradient, learning_rate)


@pytest.mark.parametrize("prepare", [nothing, fit_on_half], ids=["first-fit", "second-fit"])
@pytest.mark.parametrize(
    "options",
    [{"early_stopping": True, "scoring": raise_os_error}, {"solver": Spoilsport()}],
    ids=["scorer", "optimizer"],
)
def test_code_of_the_users_that_raises(options, prepare):
    clf = TwoLayerClassifier(**{**QUICK, "warm_start": True})
    prepare(clf)()
    clf.set_params(**options)
    before = content(clf)
    with pytest.raises(OSError, match="the database is away"):
        clf.fit(X, y)
    assert content(clf) == before
    assert blas_threads() == {2}


class Runaway(SGD):
    """Diverges within an epoch, and is interrupted before anybody has read the losses."""

    def step(self, theta, add_gradient, learning_rate):
        self.count = getattr(self, "count", 0) + 1
        super().step(theta, add_gradient, learning_rate)
        if self.count == 10:
            theta[0] = np.nan
            raise KeyboardInterrupt


def test_an_interrupt_of_a_net_that_has_diverged_is_passed_on():
    clf = TwoLayerClassifier(**{**QUICK, "solver": Runaway()})
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert not hasattr(clf, "coefs_")
