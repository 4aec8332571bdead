"""The lines that ``verbose=True`` prints."""

import re

import numpy as np
import pytest

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import LBFGS
from tests.helpers import PLAIN


@pytest.fixture
def data(rng):
    X = rng.standard_normal((60, 3))
    return X, (X[:, 0] > 0).astype(int)


def printed(capsys):
    """Return the lines that were printed, with an ellipsis instead of the seconds."""
    lines = capsys.readouterr().out.splitlines()
    return [re.sub(r" +\d+\.\d\d s$", " ... s", line) for line in lines]


def fitted(data, **params):
    params = {"hidden_size": 4, "verbose": True, "random_state": 0, **PLAIN, **params}
    return TwoLayerClassifier(**params).fit(*data)


@pytest.mark.filterwarnings("ignore:Maximum number of epochs")
@pytest.mark.parametrize("verbose", [True, 2])
def test_one_line_per_epoch_and_the_reason_why_training_ended(verbose, data, capsys):
    clf = fitted(data, max_iter=10, verbose=verbose)
    assert printed(capsys) == [
        f"epoch {number:2d}/10   loss {loss:10.6f}   learning rate 1.000e-01 ... s"
        for number, loss in enumerate(clf.loss_curve_, start=1)
    ] + ["training ended after epoch 10: the maximum number of epochs was reached"]


def test_validation_loss_and_score(data, capsys):
    clf = fitted(data, max_iter=2, tol=None, early_stopping=True, scoring="accuracy")
    curves = zip(clf.loss_curve_, clf.validation_loss_curve_, clf.validation_scores_, strict=True)
    assert printed(capsys)[:-1] == [
        f"epoch {number}/2   loss {loss:10.6f}   validation loss {validation_loss:10.6f}"
        f"   score {score:10.6f}   learning rate 1.000e-01 ... s"
        for number, (loss, validation_loss, score) in enumerate(curves, start=1)
    ]


def test_the_score_is_not_printed_if_it_is_minus_the_loss(data, capsys):
    fitted(data, max_iter=1, tol=None, early_stopping=True)
    assert "validation loss" in (line := printed(capsys)[0])
    assert "score" not in line


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        (
            {"tol": 10.0, "n_iter_no_change": 3},
            "after epoch 4: the training objective did not improve by more than tol=10 "
            "for 3 epochs",
        ),
        (
            {"tol": 10.0, "n_iter_no_change": 3, "early_stopping": True},
            "after epoch 4: the validation score did not improve by more than tol=10 for 3 epochs",
        ),
        (
            {"solver": LBFGS(max_fun=1), "tol": None},
            "after epoch 1: the maximum number of evaluations of the objective was reached",
        ),
        (
            {"solver": LBFGS(gtol=100.0)},
            "after epoch 1: the optimizer converged",
        ),
    ],
    ids=["objective", "validation", "evaluations", "optimum"],
)
def test_the_last_line_says_why_training_ended(params, reason, data, capsys):
    fitted(data, max_iter=50, **params)
    assert printed(capsys)[-1] == f"training ended {reason}"


def test_each_fit_with_warm_start_counts_its_own_epochs(data, capsys):
    clf = fitted(data, max_iter=2, tol=None, warm_start=True)
    clf.fit(*data)
    assert [line[:9] for line in printed(capsys)] == ["epoch 1/2", "epoch 2/2", "training "] * 2


def test_partial_fit_knows_no_total_and_no_end(data, capsys):
    clf = TwoLayerClassifier(4, verbose=True, random_state=0)
    for _ in range(2):
        clf.partial_fit(*data, classes=[0, 1])
    assert [line[:13] for line in printed(capsys)] == ["epoch     1  ", "epoch     2  "]


@pytest.mark.parametrize("verbose", [False, 0])
def test_nothing_is_printed_without_verbose(verbose, data, capsys):
    fitted(data, max_iter=1, tol=None, verbose=verbose)
    assert printed(capsys) == []


def test_an_interrupt_is_a_reason(data, capsys):
    interrupts = iter([False, True])

    def score(clf, X, y):
        if next(interrupts):
            raise KeyboardInterrupt
        return np.float64(0)

    with pytest.warns(UserWarning, match=r"fit was interrupted after 1 epoch\."):
        fitted(data, early_stopping=True, scoring=score)
    assert printed(capsys)[-1] == "training ended after epoch 1: it was interrupted"
