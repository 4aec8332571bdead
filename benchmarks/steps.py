"""The time of each part of a training step, beside a whole step of jitted JAX.

For each of the first five workloads and both solvers, in float32 on one BLAS thread: the calls of a
step, bound to the arrays of a minibatch, are run with and without each part. The difference is the
time of the part, in multiples of the matrix products alone. What is left is the cost of the calls
of Python. If JAX is not installed, its column is empty.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/steps.py
"""

import argparse
import importlib.util
import time

import numpy as np
from threadpoolctl import threadpool_limits
from tools.contenders import LEARNING_RATE, WORKLOADS, InJAX, products_alone

from sk_twolayer import TwoLayerNet
from sk_twolayer._training.workspace import Workspace
from sk_twolayer.optimizers import SGD, Adam

OPTIMIZERS = {"sgd": SGD, "adam": Adam}
CHOSEN = [0, 1, 2, 3, 5]  # of the workloads
PARTS = ["rows", "products", "other operations", "gradient and update"]


def step_parts(workload, solver):
    """Return the parts of a step, each a list of functions without arguments."""
    X, y = workload.data("float32")
    loss = "sigmoid" if workload.outputs == 1 else "softmax"
    net = TwoLayerNet(
        workload.d, workload.hidden, workload.outputs, "auto", loss=loss, dtype=np.float32
    )
    workspace = Workspace(net, workload.batch, 1)
    workspace.set_targets(y[: workload.batch])
    order, rows = np.random.default_rng(1).permutation(len(X)), np.empty_like(X[: workload.batch])
    workspace.bind_rows(rows)
    optimizer = OPTIMIZERS[solver]()
    batch = order[: workload.batch]
    operations = [*workspace._to_hidden, *workspace._operations[0]]
    gemms = [operation for operation in operations if is_product(operation)]
    others = [operation for operation in operations if not is_product(operation)]
    return {
        "rows": [lambda: X.take(batch, 0, rows, "clip")],
        "products": gemms,
        "other operations": others,
        "gradient and update": [
            lambda: optimizer.step(net.theta, workspace.add_gradient, 1e-3 * LEARNING_RATE)
        ],
    }


def is_product(operation):
    """Return whether an operation calls gemm."""
    return "gemm" in str(getattr(operation, "func", operation))


def seconds_per_run(functions, times):
    """Return the mean time to call all functions once."""
    start = time.perf_counter()
    for _ in range(times):
        for function in functions:
            function()
    return (time.perf_counter() - start) / times


def measure(workload, solver, repeats):
    """Return the time of each part, of the whole step, and of JAX, in multiples of the products."""
    parts = step_parts(workload, solver)
    whole = [function for functions in parts.values() for function in functions]
    without = {
        name: [f for other, functions in parts.items() if other != name for f in functions]
        for name in parts
    }
    X, _ = workload.data("float32")
    steps = workload.epochs * workload.n / workload.batch
    jax = InJAX(workload, solver, "float32") if importlib.util.find_spec("jax") else None
    samples = {name: [] for name in ("products alone", "whole step", "JAX", *parts)}
    with threadpool_limits(1, user_api="blas"), np.errstate(all="ignore"):
        times = max(3, int(0.05 / seconds_per_run(whole, 2)))
        for _ in range(repeats):
            samples["products alone"].append(products_alone(workload, X) / steps)
            all_seconds = seconds_per_run(whole, times)
            samples["whole step"].append(all_seconds)
            for name, functions in without.items():
                samples[name].append(all_seconds - seconds_per_run(functions, times))
            samples["JAX"].append(jax() / steps if jax else np.nan)
    unit = np.median(samples.pop("products alone"))
    return {name: float(np.median(values) / unit) for name, values in samples.items()}


def main():
    """Print a line for each workload and solver."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--workloads", type=int, nargs="+", default=CHOSEN)
    arguments = parser.parse_args()
    heads = ["whole step", "JAX", *PARTS]
    print(f"{'workload':24s} solver", *(f"{head:>19s}" for head in heads))
    for workload in (WORKLOADS[number] for number in arguments.workloads):
        for solver in OPTIMIZERS:
            figures = measure(workload, solver, arguments.repeats)
            told = (f"{figures[head]:19.2f}" for head in heads)
            print(f"{workload.name:24s} {solver:6s}", *told, flush=True)


if __name__ == "__main__":
    main()
