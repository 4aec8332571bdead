"""The gain of each idea behind the speed: the time without it, divided by the time with it.

In float32 on one BLAS thread; median and range over alternating runs. The last line is an epoch of
a net whose layers are called one by one, divided by an epoch of a net whose layers are bound.
"""

import argparse
import time

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits
from tools.measuring import ratio

from sk_twolayer import TwoLayerNet
from sk_twolayer._data.dataset import Dataset
from sk_twolayer._numerics.gemm import add_scaled, bind_product
from sk_twolayer._training.batches import MAX_SLOTS
from sk_twolayer._training.objective import NetworkObjective
from sk_twolayer._training.state import RandomSources
from sk_twolayer.losses import SoftmaxWithLoss, softmax
from sk_twolayer.optimizers import SGD, Adam, _base
from sk_twolayer.schedules import LearningRate

RNG = np.random.default_rng(0)
SHAPES = [(32, 64, 50, 10), (200, 784, 100, 10)]  # rows, features, hidden units, classes


def draw(*shape, order="C"):
    """Return random numbers in float32."""
    return np.asarray(RNG.standard_normal(shape), np.float32, order=order)


def step_inside_the_product(rows, features, hidden, classes):
    """Compute the step inside the product, instead of subtracting a gradient."""
    W, x, dout = draw(features, hidden), draw(rows, features), draw(rows, hidden)

    def without():
        W[...] -= 1e-9 * (x.T @ dout)

    return without, bind_product(W, x, dout, scale=-1e-9, transpose_a=True)


def bind_once(rows, features, hidden, classes):
    """Determine the arguments of BLAS once."""
    into, x, W = draw(rows, hidden), draw(rows, features), draw(features, hidden)
    return lambda: bind_product(into, x, W, keep=0)(), bind_product(into, x, W, keep=0)


def rows_into_a_preallocated_array(rows, features, hidden, classes):
    """Take rows by `take` into a preallocated array, instead of `X[rows]`."""
    X, order = draw(20 * rows, features), RNG.permutation(20 * rows)[:rows]
    out = np.empty((rows, features), np.float32)
    return lambda: X[order], lambda: X.take(order, 0, out, "clip")


def softmax_by_columns(rows, features, hidden, classes):
    """Store scores in column-major order, so that softmax sums along the batch."""
    by_rows, by_columns = draw(rows, classes), draw(rows, classes, order="F")
    return lambda: softmax(by_rows, by_rows), lambda: softmax(by_columns, by_columns)


def array_of_zeros(rows, features, hidden, classes):
    """Compare with an array of zeros in relu, instead of the number 0."""
    x, y, zeros = draw(rows, hidden), draw(rows, hidden), np.zeros((rows, hidden), np.float32)
    return lambda: np.maximum(x, 0, out=y), lambda: np.maximum(x, zeros, out=y)


def multiply_by_the_mask(rows, features, hidden, classes):
    """Multiply by relu's mask, instead of assigning zeros by it."""
    y, dout = draw(rows, hidden), draw(rows, hidden)
    mask = np.empty(y.shape, bool)

    def without():
        np.less_equal(y, 0, out=mask)
        np.copyto(dout, 0, where=mask)

    def idea():
        np.greater(y, 0, out=mask)
        np.multiply(dout, mask, out=dout)

    return without, idea


def sums_by_a_product(rows, features, hidden, classes):
    """Sum the rows of a bias's gradient by a product with ones."""
    dout, b, ones = draw(rows, hidden), draw(hidden), np.ones((1, rows), np.float32)

    def without():
        b[...] -= 1e-9 * dout.sum(axis=0)

    return without, bind_product(b[np.newaxis], ones, dout, scale=-1e-9)


def losses_at_once(rows, features, hidden, classes):
    """Compute the losses of 64 minibatches in one call."""
    layer = SoftmaxWithLoss()
    memory = draw(2, MAX_SLOTS, classes, rows).swapaxes(-1, -2)
    layer.set_batch(*memory)
    for values in layer.row_stats:
        values[...] = 1
    parts = [layer.select(slot) for slot in range(MAX_SLOTS)]
    return lambda: [part.sum_losses() for part in parts], layer.sum_losses


def adam_in_blocks(rows, features, hidden, classes):
    """Update theta in blocks that fit the cache, for Adam (hidden units times 8)."""
    block = _base.BLOCK_ELEMENTS

    def add_gradient(into, *, scale, keep):
        into[:] = scale

    def bound(size):
        net = TwoLayerNet(features, 8 * hidden, classes, dtype=np.float32, random_state=0)
        theta, adam = net.theta, Adam()
        _base.BLOCK_ELEMENTS = size
        adam.step(theta, add_gradient, 1e-9)  # binds the blocks
        _base.BLOCK_ELEMENTS = block
        return lambda: adam.step(theta, add_gradient, 1e-9)

    return bound(10**9), bound(block)


def axpy(rows, features, hidden, classes):
    """Add a multiple of a vector by BLAS, in one pass."""
    theta, v = draw(features * hidden), draw(features * hidden)

    def without():
        theta[...] += 1e-9 * v

    return without, lambda: add_scaled(theta, v, scale=1e-9)


def few_columns(rows, features, hidden, classes):
    """Add a sparse gradient only to used columns (1 nonzero in 1000, features times 100)."""
    features *= 100
    x = sparse.random(rows, features, 0.001, "csr", np.float32, random_state=0)
    W, dout = draw(features, hidden), draw(rows, hidden)

    def without():
        W[...] += x.T @ (-1e-9 * dout)

    return without, bind_product(W, x, dout, scale=-1e-9, transpose_a=True)


def bound_layers(rows, features, hidden, classes):
    """All of training: bound layers, instead of `forward` and `backward` of each."""
    X, t = draw(50 * rows, features), RNG.integers(classes, size=50 * rows)
    nets = [TwoLayerNet(features, hidden, classes, dtype=np.float32, random_state=0) for _ in "ab"]
    random_state = np.random.RandomState(0)
    data, sources = Dataset(X, t, None), RandomSources(random_state)
    objective = NetworkObjective(nets[0], data, batch_size=rows, sources=sources)
    training = SGD().epochs(objective, LearningRate(1e-6))

    def without():
        order = random_state.permutation(len(X))
        for start in range(0, len(X), rows):
            batch = order[start : start + rows]
            nets[1].loss(X[batch], t[batch])
            nets[1].backward()
            nets[1].add_gradient(nets[1].theta, scale=-1e-6)

    return without, lambda: next(training)


IDEAS = [
    step_inside_the_product,
    bind_once,
    rows_into_a_preallocated_array,
    softmax_by_columns,
    array_of_zeros,
    multiply_by_the_mask,
    sums_by_a_product,
    losses_at_once,
    adam_in_blocks,
    axpy,
    few_columns,
    bound_layers,
]


def seconds(function, times):
    """Return how long some calls take."""
    start = time.perf_counter()
    for _ in range(times):
        function()
    return time.perf_counter() - start


def measure(repeats):
    """Yield the description of each idea, and the ratio of times for each shape."""
    for idea in IDEAS:
        figures = []
        for shape in SHAPES:
            without, with_it = idea(*shape)
            with threadpool_limits(1):
                times = max(1, int(0.02 / max(1e-7, seconds(with_it, 1))))
                runs = [(seconds(without, times), seconds(with_it, times)) for _ in range(repeats)]
            slow, fast = zip(*runs, strict=True)
            figures.append(ratio({"without": slow, "ours": fast}, "without"))
        yield idea.__doc__[0].lower() + idea.__doc__[1:-1], figures


def main():
    """Print a line for each idea."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    print("rows x features, hidden, classes:", *SHAPES, sep="   ")
    for idea, figures in measure(arguments.repeats):
        told = ("{:5.1f} ({:.1f}-{:.1f})".format(*figure) for figure in figures)
        print(f"{idea:98s}", *told, sep="  ", flush=True)


if __name__ == "__main__":
    main()
