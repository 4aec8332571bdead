"""Training with jitted JAX on one core: `python -m tools.jax_training WORKLOAD SOLVER DTYPE`.

All steps of an epoch are one compiled loop. Once they are compiled, "ready" is printed; then, for
each line of standard input, the net is trained and the seconds are printed.
"""

import json
import os
import sys
import time
from functools import partial

if hasattr(os, "sched_setaffinity"):  # before JAX makes its threads
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
os.environ["JAX_ENABLE_X64"] = str(int(sys.argv[3] == "float64"))

import jax
import jax.numpy as jnp
import numpy as np

from tools.contenders import LEARNING_RATE, MOMENTUM, Workload

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


def loss(parameters, x, t):
    """Return the mean log-loss of a minibatch."""
    W1, b1, W2, b2 = parameters
    scores = jax.nn.relu(x @ W1 + b1) @ W2 + b2
    if scores.shape[1] == 1:
        return jnp.mean(jnp.logaddexp(0, scores[:, 0]) - t * scores[:, 0])
    of_label = jnp.take_along_axis(scores, t[:, jnp.newaxis], axis=1)[:, 0]
    return jnp.mean(jax.nn.logsumexp(scores, axis=1) - of_label)


def sgd(momentum, parameters, state, gradients):
    """Return parameters and state after a step of gradient descent."""
    if not momentum:
        steps = [LEARNING_RATE * g for g in gradients]
        return [p - step for p, step in zip(parameters, steps, strict=True)], state
    state = [momentum * v - LEARNING_RATE * g for v, g in zip(state, gradients, strict=True)]
    return [p + v for p, v in zip(parameters, state, strict=True)], state


def adam(parameters, state, gradients):
    """Return parameters and state after a step of Adam."""
    means, squares, k = state
    k += 1
    means = [BETA_1 * m + (1 - BETA_1) * g for m, g in zip(means, gradients, strict=True)]
    squares = [BETA_2 * v + (1 - BETA_2) * g * g for v, g in zip(squares, gradients, strict=True)]
    rate = LEARNING_RATE * jnp.sqrt(1 - BETA_2**k) / (1 - BETA_1**k)
    parameters = [
        p - rate * m / (jnp.sqrt(v) + EPSILON)
        for p, m, v in zip(parameters, means, squares, strict=True)
    ]
    return parameters, (means, squares, k)


@partial(jax.jit, static_argnames=("step",), donate_argnums=(1, 2))
def epoch(step, parameters, state, X, y, order):
    """Return parameters, state and losses after a step for each row of `order`."""

    def body(carry, rows):
        value, gradients = jax.value_and_grad(loss)(carry[0], X[rows], y[rows])
        return step(*carry, gradients), value

    (parameters, state), losses = jax.lax.scan(body, (parameters, state), order)
    return parameters, state, losses


def main():
    """Compile, then train for each line of standard input."""
    workload, solver = Workload(*json.loads(sys.argv[1])), sys.argv[2]
    X, y = workload.data(sys.argv[3])
    X, y = jnp.asarray(X), jnp.asarray(y.astype(X.dtype) if workload.outputs == 1 else y)
    rng = np.random.default_rng(0)
    step = adam if solver == "adam" else partial(sgd, MOMENTUM[solver])

    def train(epochs):
        shapes = [(workload.d, workload.hidden), (workload.hidden, workload.outputs)]
        parameters = []
        for shape in shapes:
            parameters.append(jnp.asarray(0.1 * rng.standard_normal(shape), X.dtype))
            parameters.append(jnp.zeros(shape[1], X.dtype))
        state = [jnp.zeros_like(p) for p in parameters]
        if solver == "adam":
            state = state, [jnp.zeros_like(p) for p in parameters], jnp.zeros((), X.dtype)
        whole = workload.n // workload.batch * workload.batch
        for _ in range(epochs):
            order = rng.permutation(workload.n)
            batches = order[:whole].reshape(-1, workload.batch), order[whole:][np.newaxis]
            for rows in batches[: 1 + (whole < workload.n)]:
                parameters, state, losses = epoch(step, parameters, state, X, y, jnp.asarray(rows))
        losses.block_until_ready()

    train(1)
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        train(workload.epochs)
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
