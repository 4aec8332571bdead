"""The operations that training calls, against `forward` and `backward` of each layer."""

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
    if container is np.asarray:
        workspace.bind_rows(x)  # once; sparse rows for each minibatch
    for slot in (2, 0, 1, 0, 1, 2):
        rows = slice(slot * N_ROWS, (slot + 1) * N_ROWS)
        x[:] = X[rows]
        part = None if weights is None else weights[rows]
        for each in (net, workspace.net):
            each.draw_dropout(np.random.RandomState(slot))
        if container is not np.asarray:
            workspace.bind_rows(container(x))
        workspace.forward_backward(slot)
        into[:] = np.nan
        workspace.add_gradient(into, scale=2.0, keep=0.0)
        assert_allclose(into, 2 * flat(net.gradient(X[rows], t[rows], part)), atol=1e-14)
        total += N_ROWS * (net.loss(X[rows], t[rows], part) - net.penalty)
    assert_allclose(workspace.total_loss(), total / 2)


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_gradients_are_added_to_any_array(alpha, data):
    """Also where the array is another one than before, and to the parameters themselves."""
    X, t, _ = data
    net = make_net(alpha=alpha)
    workspace = Workspace(net, N_ROWS, 1)
    workspace.set_targets(t[:N_ROWS])
    workspace.bind_rows(X[:N_ROWS])
    workspace.forward_backward(0)
    gradient = flat(net.gradient(X[:N_ROWS], t[:N_ROWS]))
    for into in (np.ones_like(net.theta), np.ones_like(net.theta), net.theta):
        expected = 0.5 * into - 0.1 * gradient
        workspace.add_gradient(into, scale=-0.1, keep=0.5)
        assert_allclose(into, expected, atol=1e-14)


def test_bound_operations_use_the_current_parameters_and_rows(data):
    X, t, _ = data
    net, x = make_net(), X[:N_ROWS].copy()
    workspace = Workspace(net, N_ROWS, 1)
    workspace.set_targets(t[:N_ROWS])
    workspace.bind_rows(x)
    workspace.forward_backward(0)
    net.theta[:] += 1
    x[:] = X[-N_ROWS:]
    workspace.forward_backward(0)
    assert_allclose(workspace.total_loss() / N_ROWS, net.loss(X[-N_ROWS:], t[:N_ROWS]))


@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sp.csr_array])
@pytest.mark.parametrize("batch_size", [1, 5, 12])
@pytest.mark.parametrize("reordered", [False, True])
@pytest.mark.parametrize("copied_bytes", [0, 2**20])
def test_minibatches_contain_each_row_once(
    container, batch_size, reordered, copied_bytes, data, monkeypatch
):
    monkeypatch.setattr("sk_twolayer._training.batches.MAX_SLOTS", 2)
    monkeypatch.setattr("sk_twolayer._training.batches.MAX_COPY_BYTES", copied_bytes)
    X, t, weights = data
    batches = Minibatches(make_net(), container(X), t, weights, batch_size=batch_size)
    order = np.arange(len(X))[::-1] if reordered else None
    for _ in range(2):
        rows_seen, t_seen, weights_seen = [], [], []
        for workspace, slots in batches.groups(order):
            for slot in slots:
                x = workspace.net.layers["Affine1"].x
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
    rows = [w.net.layers["Affine1"].x for w, slots in batches.groups() for _ in slots]
    assert_array_equal(np.concatenate(rows), X)
    assert all(np.shares_memory(x, X) for x in rows)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_operations_are_functions_of_numpy_scipy_or_blas(activation, dropout, data):
    """A minibatch calls no Python function of this package."""
    X, t, _ = data
    workspace = Workspace(make_net(activation=activation, dropout=dropout), N_ROWS, 1)
    workspace.set_targets(t[:N_ROWS])
    workspace.bind_rows(X[:N_ROWS])
    operations = [*workspace._to_hidden, *workspace._operations[0]]
    assert len(operations) > 10
    assert all(isinstance(operation, partial) for operation in operations)
    modules = [getattr(operation.func, "__module__", None) or "" for operation in operations]
    assert not any(module.startswith("sk_twolayer") for module in modules)
