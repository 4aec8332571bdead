"""Where scikit-learn's MLPClassifier goes wrong, TwoLayerClassifier does not.

The defects were found in scikit-learn 1.9.1; each docstring says what one is, and names the
thread about it where there is one.
"""

import pickle
import sys
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from sk_twolayer import TwoLayerClassifier, TwoLayerNet
from sk_twolayer._training.batches import MAX_SLOTS
from sk_twolayer.optimizers import LBFGS, SGD, Adam, Optimizer
from tests.helpers import PLAIN, current_learning_rate, epochs


def make(**options):
    return TwoLayerClassifier(
        **{**PLAIN, "hidden_size": 10, "max_iter": 10, "tol": None, "random_state": 0, **options}
    )


def parameters(clf):
    return clf.coefs_ + clf.intercepts_


def flat(clf):
    """A copy of all parameters."""
    return np.hstack([array.ravel() for array in parameters(clf)])


@pytest.mark.parametrize("seed", range(5))
def test_early_stopping_is_stratified_for_many_classes(seed, rng):
    """The rows held out are stratified for two classes only, though the documentation says more."""
    seen = []

    def note(clf, X, y):
        seen.append(np.bincount(y, minlength=3).tolist())
        return clf.score(X, y)

    y = np.repeat([0, 1, 2], [160, 20, 20])
    make(early_stopping=True, scoring=note, max_iter=1, random_state=seed).fit(rng.randn(200, 3), y)
    assert seen == [[16, 2, 2]]


@pytest.mark.parametrize("scoring", ["loss", None])
def test_warm_start_with_early_stopping_resumes_and_keeps_the_best(scoring, digits):
    """A second fit runs one epoch, and its "best" weights are overwritten by later ones.

    scikit-learn #13656, #18269.
    """
    X, y = digits
    options = {"early_stopping": True, "scoring": scoring, "warm_start": True}
    clf = make(learning_rate=1.0, tol=1e-4, n_iter_no_change=5, max_iter=500, **options)
    for _ in range(3):
        clf.fit(X[:300], y[:300], X_val=X[300:600], y_val=y[300:600])
        assert clf.n_iter_ > 5
        proba = clf.predict_proba(X[300:600])
        score = (
            clf.score(X[300:600], y[300:600]) if scoring is None else -log_loss(y[300:600], proba)
        )
        assert score == pytest.approx(clf.best_validation_score_, rel=1e-9)
    assert clf.validation_scores_[-1] < clf.best_validation_score_  # so the last is not the best


def test_a_minibatch_of_weight_zero_has_no_effect(digits):
    """A minibatch whose weights are all zero is a ZeroDivisionError.

    scikit-learn #30155, which brought the weights.
    """
    X, y = digits[0][:100], digits[1][:100]
    weight = np.arange(100) % 2
    weighted = make(batch_size=1).fit(X, y, sample_weight=weight)
    absent = make(batch_size=1).fit(X[1::2], y[1::2])
    before = flat(weighted)
    assert_array_equal(before, flat(absent))
    weighted.partial_fit(X, y, sample_weight=np.zeros(100))
    assert_array_equal(before, flat(weighted))


def test_rows_of_large_weight_have_the_same_effect_in_small_minibatches(digits, rng):
    """Gradients are divided by the weights of the minibatch, where a lone row's weight is lost.

    Where steps are short, an epoch of them comes to one long step over all rows.
    """
    X, y = digits[0][:40], digits[1][:40] % 2
    weight, rate = rng.uniform(0.1, 10, size=40), 1e-7
    start = make().partial_fit(X, y, classes=[0, 1], sample_weight=np.zeros(40))
    moved = []
    for batch_size, learning_rate in ((1, rate), (8, 8 * rate), ("full", 40 * rate)):
        clf = make(max_iter=1, batch_size=batch_size, learning_rate=learning_rate)
        moved.append(flat(clf.fit(X, y, sample_weight=weight)) - flat(start))
    for short_steps in moved[:2]:
        assert_allclose(short_steps, moved[2], atol=1e-3 * np.abs(moved[2]).max())


def test_only_the_ratios_of_weights_matter(digits, rng):
    """A thousand times the weights is another model, and negative weights are let in.

    scikit-learn #30155, which brought the weights.
    """
    X, y = digits
    weight = rng.uniform(0.1, 10, size=len(y))
    options = {"alpha": 0.1, "batch_size": 50}
    light = make(**options).fit(X, y, sample_weight=weight)
    heavy = make(**options).fit(X, y, sample_weight=1000 * weight)
    assert_allclose(flat(light), flat(heavy), atol=1e-10)
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        make().fit(X, y, sample_weight=-weight)


def test_partial_fit_draws_a_new_permutation_in_each_call():
    """An int random_state makes the second call and all after it use the same permutation.

    scikit-learn #12505.
    """
    order = []

    class Recorder(Optimizer):
        def default_learning_rate(self, inputs_per_row, hidden_size, *, decays):
            return 0.1

        def step(self, theta, add_gradient, learning_rate):
            gradient = np.empty_like(theta)
            add_gradient(gradient, scale=1, keep=0)
            W1 = gradient[:200].reshape(20, 10)  # only the row of the one input that is not 0
            order.append(np.flatnonzero(W1.any(axis=1)).tolist())

    clf = make(solver=Recorder(), activation="tanh", alpha=0.0, batch_size=1)
    for _ in range(4):
        clf.partial_fit(np.eye(20), np.arange(20) % 2, classes=[0, 1])
    calls = [tuple(row for (row,) in order[k : k + 20]) for k in range(0, 80, 20)]
    assert all(sorted(call) == list(range(20)) for call in calls)
    assert len(set(calls)) == 4


@pytest.mark.parametrize("solver", ["sgd", SGD(momentum=0.9), "adam", "rmsprop", LBFGS()], ids=str)
def test_float32_stays_float32(solver, digits):
    """L-BFGS makes float64 weights of float32 rows, and float64 rows get float64 answers."""
    X, y = digits
    clf = make(solver=solver, warm_start=True).fit(X.astype(np.float32), y)
    remembered = clf._training_state["optimizer"]
    memory = [value for value in remembered.values() if isinstance(value, np.ndarray)]
    memory += [array for pair in remembered.get("pairs_", ()) for array in pair]
    answers = [clf.predict_proba(X), clf.predict_log_proba(X), clf.decision_function(X)]
    assert {array.dtype for array in parameters(clf) + memory + answers} == {np.dtype(np.float32)}


def test_a_step_of_adam_computes_in_float32(rng):
    """The learning rate is a NumPy scalar, which makes float64 arrays of float32 ones.

    #17700 asked for float32.
    """
    theta, gradient = rng.randn(2, 100_000).astype(np.float32)

    def add_gradient(into, *, scale, keep):
        into[:] = gradient

    optimizer = Adam()
    optimizer.step(theta, add_gradient, np.float64(0.001))
    assert peak_of(optimizer.step, theta, add_gradient, np.float64(0.001)) < 1.5 * theta.nbytes


def peak_of(function, *args):
    """Most bytes allocated at once while a function runs."""
    tracemalloc.start()
    try:
        function(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_an_epoch_allocates_no_array_of_the_size_of_the_parameters(rng):
    """Every step makes new arrays: rows, activations, gradients and updates.

    scikit-learn #32110.
    """
    X, t = rng.randn(64, 200), rng.randint(10, size=64)
    net = TwoLayerNet(200, 1000, 10, random_state=0)
    training = epochs(net, SGD(), X, t, learning_rate=0.01, batch_size=16, random_state=rng)
    next(training)
    assert peak_of(next, training) < net.theta.nbytes / 4


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["adam", SGD(momentum=0.9), "lbfgs"], ids=str)
def test_a_pickle_is_the_size_of_the_parameters(solver, early_stopping, digits):
    """Adam's moments and a copy of the first weights are saved with the model."""
    clf = make(hidden_size=300, max_iter=3, solver=solver, early_stopping=early_stopping)
    clf.fit(*digits)
    assert len(pickle.dumps(clf)) < sum(array.nbytes for array in parameters(clf)) + 5000


@pytest.mark.parametrize("n_iter_no_change", [1, 3, 5])
def test_n_iter_no_change_is_the_number_of_epochs(n_iter_no_change, digits):
    """Training goes on for an epoch more than n_iter_no_change after the best one.

    scikit-learn #9457, which brought the parameter.
    """
    options = {"tol": 10.0, "n_iter_no_change": n_iter_no_change}
    assert make(max_iter=50, **options).fit(*digits).n_iter_ == 1 + n_iter_no_change


def test_schedules_apply_to_adam_too(digits, capsys):
    """Adam takes no notice of the learning rate's schedule."""
    for schedule, last in (("constant", 0.01), ("invscaling", 0.005), ("cosine", 0.0014645)):
        options = {"learning_rate": 0.01, "learning_rate_schedule": schedule}
        make(solver="adam", max_iter=4, verbose=True, **options).fit(*digits)
        lines = capsys.readouterr().out.splitlines()
        assert float(lines[-2].split("learning rate")[1].split()[0]) == pytest.approx(last, 1e-3)


def test_an_unusually_good_epoch_does_not_slow_down_later_ones(digits):
    """An adaptive rate is divided again and again after one loss too good to be beaten.

    scikit-learn #15596.
    """
    scores = iter([100, *range(30)])  # one stroke of luck, and then better all the time
    clf = make(
        early_stopping=True,
        scoring=lambda clf, X, y: next(scores),
        learning_rate_schedule="adaptive",
        learning_rate=0.1,
        tol=1e-4,
        n_iter_no_change=3,
        max_iter=20,
        warm_start=True,
    )
    with pytest.warns(ConvergenceWarning):
        clf.fit(*digits)
    assert clf.n_iter_ == 20
    assert current_learning_rate(clf, digits[0]) == pytest.approx(0.1 / 5)


@pytest.mark.parametrize("data", ["digits", "cancer"])
def test_log_probabilities_of_confident_rows_are_finite(data, request):
    """The logarithm is taken of probabilities that have become zero."""
    X, y = request.getfixturevalue(data)
    clf = make().fit(X, y)
    far = clf.predict_log_proba(1e5 * X)
    assert clf.predict_proba(1e5 * X).min() < 1e-300
    assert np.isfinite(far).all()
    assert far.min() < -1000
    assert_allclose(clf.predict_log_proba(X), np.log(clf.predict_proba(X)), atol=1e-9)


def test_the_meaning_of_alpha_does_not_depend_on_the_batch_size():
    """The penalty is divided by the rows of the minibatch.

    scikit-learn #6780 and #22151. Where X is zero, the penalty alone moves W1.
    """
    options = {"alpha": 0.5, "learning_rate": 0.1, "warm_start": True, "max_iter": 1}
    for n in (2, 20, 200):
        clf = make(batch_size="full", **options).fit(np.zeros((n, 3)), np.arange(n) % 2)
        before = clf.coefs_[0].copy()
        clf.fit(np.zeros((n, 3)), np.arange(n) % 2)
        assert_allclose(clf.coefs_[0], (1 - 0.1 * 0.5) * before)


def test_the_loss_is_without_the_penalty(digits):
    """loss_curve_ includes the penalty, so models of different alpha cannot be compared."""
    X, y = digits
    clf = make(alpha=1.0, batch_size="full", warm_start=True).fit(X, y)
    before = log_loss(y, clf.predict_proba(X))
    assert clf.fit(X, y).loss_curve_[10] == pytest.approx(before)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_diverging_training_stops_in_its_first_epoch(momentum, digits):
    """Training goes on to the end with parameters that overflowed, and fails only then.

    scikit-learn #17925 and #22150.
    """
    steps = []

    class Counted(SGD):
        def step(self, theta, add_gradient, learning_rate):
            steps.append(learning_rate)
            super().step(theta, add_gradient, learning_rate)

    clf = make(solver=Counted(momentum), learning_rate=1e30, batch_size=10, max_iter=1000)
    with pytest.raises(ValueError, match=r"diverged: .* in epoch 1,"):
        clf.fit(*digits)
    assert len(steps) == MAX_SLOTS < 180  # the losses read at once, and the steps of an epoch


def calls_of(function, *args):
    """Number of Python functions called while a function runs."""
    calls = []
    sys.setprofile(lambda frame, event, arg: calls.append(frame.f_code) if event == "call" else 0)
    try:
        function(*args)
    finally:
        sys.setprofile(None)
    return len(calls)


def test_predict_uses_the_scores(digits):
    """Turning numbers back into labels takes predict longer than the network does."""
    X, y = digits
    names = np.array(list("abcdefghij"))[y]
    ours = make().fit(X, names)
    theirs = MLPClassifier((10,)).partial_fit(X, names, classes=np.unique(names))
    assert_array_equal(ours.predict(X), ours.classes_[ours.decision_function(X).argmax(axis=1)])
    beyond_the_network = []
    for predict, scores in (
        (ours.predict, ours.decision_function),
        (theirs.predict, theirs.predict_proba),
    ):
        predict(X)
        scores(X)  # what is imported or cached the first time is not counted
        beyond_the_network.append(calls_of(predict, X[:1]) - calls_of(scores, X[:1]))
    assert 2 * beyond_the_network[0] < beyond_the_network[1]
