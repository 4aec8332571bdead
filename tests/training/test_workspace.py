"""What training runs, bound once, against the net that is walked layer by layer."""

from functools import partial

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sk_twolayer import TwoLayerNet
from sk_twolayer._training.batches import Minibatches
from sk_twolayer._training.workspace import Workspace
from sk_twolayer.layers._registry import ACTIVATIONS
from tests.helpers import pairwise

N_ROWS, N_SLOTS, INPUTS, HIDDEN, OUTPUTS = 4, 3, 5, 6, 3


@pytest.fixture
def data(rng):
    n = N_ROWS * N_SLOTS
    weights = rng.uniform(0, 2, size=n)
    return rng.standard_normal((n, INPUTS)), rng.randint(OUTPUTS, size=n), weights


def make_net(**options):
    options = {"weight_init_std": 0.5, "random_state": 0, **options}
    return TwoLayerNet(INPUTS, HIDDEN, OUTPUTS, **options)


def flat(gradient):
    return np.concatenate([gradient[name].ravel() for name in ("W1", "W2", "b1", "b2")])


@pytest.mark.parametrize(
    ("activation", "loss", "alpha", "weighted", "dropout", "container"),
    pairwise(
        ACTIVATIONS,
        ["softmax", "sigmoid"],
        [0.0, 0.3],
        [False, True],
        [0.0, 0.5],
        [np.asarray, sp.csr_array],
    ),
)
def test_losses_and_gradients(activation, loss, alpha, weighted, dropout, container, data):
    X, t, weights = data
    if loss == "sigmoid":
        t = np.eye(OUTPUTS)[t]
    weights = weights if weighted else None
    net = make_net(activation=activation, loss=loss, alpha=alpha, dropout=dropout)
    workspace = Workspace(net, N_ROWS, N_SLOTS, weighted=weighted)
    workspace.set_targets(t, weights)
    total, x, into = 0.0, np.empty((N_ROWS, INPUTS)), np.empty_like(net.theta)
    for slot in (2, 0, 1, 0, 1, 2):  # each twice, in any order: dense rows are bound once
        rows = slice(slot * N_ROWS, (slot + 1) * N_ROWS)
        x[:] = X[rows]
        part = None if weights is None else weights[rows]
        for one in (net, workspace.net):
            one.draw_dropout(np.random.RandomState(slot))
        workspace.forward_backward(slot, container(x))
        into[:] = np.nan
        workspace.add_gradient(into, scale=2.0, keep=0.0)
        assert_allclose(into, 2 * flat(net.gradient(X[rows], t[rows], part)), atol=1e-14)
        total += N_ROWS * (net.loss(X[rows], t[rows], part) - net.penalty)
    assert_allclose(workspace.total_loss(), total / 2)


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_where_a_gradient_lands(alpha, data):
    """In any array, the last one or another, and in the parameters themselves."""
    X, t, _ = data
    net = make_net(alpha=alpha)
    workspace = Workspace(net, N_ROWS, 1)
    workspace.set_targets(t[:N_ROWS])
    workspace.forward_backward(0, X[:N_ROWS])
    gradient = flat(net.gradient(X[:N_ROWS], t[:N_ROWS]))
    for into in (np.ones_like(net.theta), np.ones_like(net.theta), net.theta):
        expected = 0.5 * into - 0.1 * gradient
        workspace.add_gradient(into, scale=-0.1, keep=0.5)
        assert_allclose(into, expected, atol=1e-14)


def test_it_follows_the_parameters_and_the_rows(data):
    """What is bound to memory takes what is there when it runs."""
    X, t, _ = data
    net, x = make_net(), X[:N_ROWS].copy()
    workspace = Workspace(net, N_ROWS, 1)
    workspace.set_targets(t[:N_ROWS])
    workspace.forward_backward(0, x)
    net.theta[:] += 1
    x[:] = X[-N_ROWS:]
    workspace.forward_backward(0, x)
    assert_allclose(workspace.total_loss() / N_ROWS, net.loss(X[-N_ROWS:], t[:N_ROWS]))


@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sp.csr_array])
@pytest.mark.parametrize("batch_size", [1, 5, 12])
@pytest.mark.parametrize("reordered", [False, True])
@pytest.mark.parametrize("copied_bytes", [0, 2**20])
def test_minibatches_are_all_rows_once(
    container, batch_size, reordered, copied_bytes, data, monkeypatch
):
    monkeypatch.setattr("sk_twolayer._training.batches.MAX_SLOTS", 2)
    monkeypatch.setattr("sk_twolayer._training.batches.MAX_COPY_BYTES", copied_bytes)
    X, t, weights = data
    batches = Minibatches(make_net(), container(X), t, weights, batch_size=batch_size)
    order = np.arange(len(X))[::-1] if reordered else None
    for _ in range(2):
        rows_seen, t_seen, weights_seen = [], [], []
        for workspace, rows in batches.groups(order):
            for slot, x in enumerate(rows):
                assert x.shape == (workspace.n_rows, INPUTS)
                rows_seen.append(x.toarray() if sp.issparse(x) else x.copy())
                t_seen.append(workspace.loss.t[slot].argmax(axis=1))
                weights_seen.append(workspace.loss.sample_weight[slot].copy())
        for seen, expected in zip((rows_seen, t_seen, weights_seen), data, strict=True):
            assert_array_equal(np.concatenate(seen), expected[order] if reordered else expected)


def test_a_large_minibatch_in_order_is_not_copied(data, monkeypatch):
    monkeypatch.setattr("sk_twolayer._training.batches.MAX_COPY_BYTES", 0)
    X, t, _ = data
    batches = Minibatches(make_net(), X, t, batch_size=N_ROWS)
    taken = [x for _, rows in batches.groups() for x in rows]
    assert len(taken) == N_SLOTS
    assert all(np.shares_memory(x, X) for x in taken)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_minibatch_runs_no_python(activation, dropout, data):
    """Of this package: each operation is a function of NumPy, SciPy or BLAS with its arguments."""
    X, t, _ = data
    workspace = Workspace(make_net(activation=activation, dropout=dropout), N_ROWS, 1)
    workspace.set_targets(t[:N_ROWS])
    workspace.forward_backward(0, X[:N_ROWS].copy())
    [operations] = workspace._operations
    assert len(operations) > 10
    assert all(isinstance(operation, partial) for operation in operations)
    modules = [getattr(operation.func, "__module__", None) or "" for operation in operations]
    assert not any(module.startswith("sk_twolayer") for module in modules)
