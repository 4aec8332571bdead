"""The results as a page of tables and two pictures."""

import math

COLOURS = {
    "ours": "#d1495b",
    "MLPClassifier": "#3d5a80",
    "PyTorch": "#edae49",
    "JAX": "#66a182",
    "products": "#888888",
}
LABELS = {
    "ours": "TwoLayerClassifier",
    "MLPClassifier": "MLPClassifier",
    "PyTorch": "PyTorch, eager",
    "JAX": "JAX, jitted",
    "products": "matrix products alone",
}
OTHERS = ["MLPClassifier", "PyTorch", "JAX"]
THREADS = {"1": "one BLAS thread", "default": "the default number of threads"}
SOLVERS = {"sgd": "Plain gradient descent", "adam": "Adam"}
AXES = {
    "n": "rows",
    "d": "features",
    "hidden": "hidden units",
    "batch": "rows in a minibatch",
}
PAGE = """# Benchmarks

Most figures are ratios of times of alternating runs: the median, and in brackets the smallest and
the largest ratio. Above 1, `TwoLayerClassifier` is faster, unless the text of a section says
otherwise. These commands write this page, in about half an hour:

```bash
python -m pip install -e ".[benchmarks]"
env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python benchmarks/compare.py
```

`env -u` unsets variables that choose a kernel of OpenBLAS, so that OpenBLAS chooses it. `python
benchmarks/quick.py` measures only training, for the first five workloads, in less than a minute.

{machine}

## Training

The workloads are:

{workloads}

The data are random, because the time of an epoch does not depend on their values. The columns of
the next tables are:

- epoch: the time of an epoch of `TwoLayerClassifier`, including its share of the fixed cost of a
  fit;
- MLPClassifier, PyTorch, JAX: the time of this package divided by that of `TwoLayerClassifier`.
  PyTorch runs in eager mode. JAX compiles a whole epoch, and its process is pinned to one core;
- of the products: the time of `TwoLayerClassifier` divided by that of the five matrix products of
  each step. On one thread, the minimum is 1. With the default number of threads, it can be less
  than 1, because the products alone always use all threads, even where this is slower; training
  does not.

![Time to train, as a multiple of its matrix products](images/speed.png)

{training}

## The parts of a training step

For each workload, the time of a step without the loop over minibatches, the time of a step of
jitted JAX, and the part of each group of calls of NumPy and BLAS, measured by leaving it out; all
in multiples of the five matrix products alone. The products of the gradient are a part of the last
group. A step makes about 20 calls, and 27 with Adam; JAX compiles all of them to one. `python
benchmarks/steps.py` prints the same figures.

{steps}

## Predictions of many rows

The tables show the time of `MLPClassifier` divided by that of `TwoLayerClassifier`. A large part of
both times is scikit-learn's validation of X. With the default number of threads the ratios vary
more from run to run.

{prediction}

## Short calls

The ratio is the CPU time of `TwoLayerClassifier` divided by that of `MLPClassifier`, with one BLAS
thread. Below 1, `TwoLayerClassifier` takes less time. In brackets are the quartiles. `python
benchmarks/small_calls.py` prints the same figures.

{short_calls}

## The fixed cost of a fit

The fixed cost is the part of the CPU time of a fit that does not depend on the number of epochs:
validation, the choice of automatic parameters, and the preparation of training. The table shows it
as a percentage of a fit with default parameters.

{fixed_cost}

## Grid searches

The searches have 60 candidates (four hidden sizes, five learning rates, three penalties), with
default parameters otherwise, and use 3 folds and `n_jobs=2`. The columns are the elapsed time with
`TwoLayerClassifier`, the time with `MLPClassifier` divided by it, and the best mean accuracy in
cross-validation of both.

{search}

## Sparse rows

X has 20000 rows and 7000 columns with a density of 0.002. There are 100 hidden units, minibatches
of 200 rows, and 10 classes. The time of `MLPClassifier` divided by that of `TwoLayerClassifier`:
{sparse}.

## A second thread

The table shows the elapsed time with one BLAS thread divided by that with two threads: of a fit, of
a fit while another process keeps a core busy, and of predictions. Sizes are rows x columns, hidden
units, minibatch (classes). Training uses one thread, unless the largest product of a step needs
2^26 multiplications or more.

{threads}

## Memory

The table shows the peak of the memory that a fit uses in addition to X, in MB, as measured by
Python's `tracemalloc` (allocated) and by the system (resident), and the size of the parameters and
of the saved model. "ours" is `TwoLayerClassifier`, "MLP" is `MLPClassifier`.

{memory}

## Growth with each size

The figure shows the time of an epoch of SGD in float32 on one BLAS thread. In each panel, one size
varies. The others are fixed at 8000 rows, 100 features, 100 hidden units, minibatches of 100 rows
and 10 classes; the dotted line marks the fixed value of the varied size.

![Seconds per epoch as a function of each size](images/growth.png)
"""


def cell(figure):
    """Return a ratio as the tables show it."""
    if figure is None:
        return "-"
    median, least, largest = figure
    digits = 1 if median >= 10 else 2
    return f"{median:.{digits}f} ({least:.{digits}f}-{largest:.{digits}f})"


def table(heads, rows):
    """Return a table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def seconds(value):
    """Return a time with its unit."""
    if value >= 1:
        return f"{value:.1f} s"
    return f"{1000 * value:.3g} ms" if value >= 0.001 else f"{1e6 * value:.0f} µs"


def workload_table(workloads):
    """Return the sizes of the workloads."""
    heads = ["workload", "rows", "columns", "hidden units", "minibatch", "classes"]
    return table(heads, [[w.name, *map(str, w[1:6])] for w in workloads])


def training_tables(results):
    """Return a table for each number of threads, type and solver."""
    tables = []
    for threads, dtype in (("1", "float32"), ("default", "float32"), ("1", "float64")):
        for solver, title in SOLVERS.items():
            chosen = [
                r
                for r in results
                if (r["threads"], r["dtype"], r["solver"]) == (threads, dtype, solver)
            ]
            others = [name for name in OTHERS if any(name in r for r in chosen)]
            rows = [
                [
                    r["workload"],
                    seconds(r["epoch"]),
                    *(cell(r.get(name)) for name in [*others, "of products"]),
                ]
                for r in chosen
            ]
            heads = ["workload", "epoch", *others, "of the products"]
            tables += [f"{title}, {dtype}, {THREADS[threads]}:", table(heads, rows)]
    return "\n\n".join(tables)


def prediction_tables(results):
    """Return a table of predictions of all rows for each number of threads."""
    found = {
        (r["workload"], r["threads"], r["method"]): r["ratio"] for r in results if r["rows"] > 1
    }
    methods = ["predict", "predict_proba"]
    tables = []
    for threads in THREADS:
        rows = [
            [workload, *(cell(found[workload, threads, method]) for method in methods)]
            for workload in dict.fromkeys(r["workload"] for r in results)
        ]
        tables += [f"With {THREADS[threads]}:", table(["workload", *methods], rows)]
    return "\n\n".join(tables)


def steps_table(results):
    """Return a table of the parts of each step, in multiples of the matrix products."""
    parts = ["whole step", "JAX", "rows", "products", "other operations", "gradient and update"]
    rows = [
        [
            f"{r['workload']}, {r['solver']}",
            *("-" if math.isnan(r[part]) else f"{r[part]:.2f}" for part in parts),
        ]
        for r in results
    ]
    return table(["workload, solver", *parts], rows)


def short_calls_table(results):
    """Return a table of the ratio of each call."""
    rows = []
    for r in results:
        low, median, high = r["quartiles"]
        rows.append([r["call"], seconds(r["seconds"]), f"{median:.2f} ({low:.2f}-{high:.2f})"])
    return table(["call", "time", "ratio"], rows)


def fixed_cost_table(results):
    """Return a table of the share of the fixed cost."""
    rows = [
        [r["set"], str(r["rows"]), str(r["epochs"]), f"{100 * max(0, r['share']):.0f} %"]
        for r in results
    ]
    return table(["data", "rows", "epochs", "fixed cost"], rows)


def search_table(results):
    """Return a table of the searches."""
    rows = [
        [
            r["set"],
            seconds(r["seconds"]),
            cell(r["ratio"]),
            *(f"{r['best scores'][who]:.3f}" for who in ("ours", "MLPClassifier")),
        ]
        for r in results
    ]
    return table(["data", "time", "ratio", "accuracy, ours", "accuracy, MLPClassifier"], rows)


def threads_table(results):
    """Return a table of the gain of a second thread."""
    rows = [
        [r["sizes"], f"2^{math.log2(r['multiplications']):.1f}", *(f"{g:.2f}" for g in r["gains"])]
        for r in results
    ]
    return table(["sizes", "multiplications", "fit", "fit, busy core", "predict_proba"], rows)


def memory_table(results):
    """Return a table of peaks and pickles, ours and MLPClassifier's."""

    def megabytes(value):
        return "-" if value is None else f"{value / 1e6:.2f}"

    rows = [
        [
            f"{r['workload']}, {r['solver']}",
            megabytes(r["parameters"]),
            *(
                " / ".join(megabytes(r[who][k]) for who in ("ours", "MLPClassifier"))
                for k in (0, 1)
            ),
            " / ".join(megabytes(r[f"pickle of {who}"]) for who in ("ours", "MLPClassifier")),
        ]
        for r in results
    ]
    heads = ["workload, solver", "parameters", "allocated, ours / MLP", "resident, ours / MLP"]
    return table([*heads, "pickle, ours / MLP"], rows)


def draw_speed(results, path):
    """Draw each contender's step as a multiple of the products, by solver."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
    for (solver, title), axes in zip(SOLVERS.items(), panels, strict=True):
        setting = ("1", solver, "float32")
        chosen = [r for r in results if (r["threads"], r["solver"], r["dtype"]) == setting]
        for height, r in enumerate(reversed(chosen)):
            of_products = r["of products"][0]
            multiples = {"products": 1.0, "ours": of_products}
            multiples |= {name: r[name][0] * of_products for name in OTHERS if name in r}
            axes.plot([1, max(multiples.values())], [height, height], color="#dddddd", zorder=0)
            for name, multiple in multiples.items():
                axes.scatter(multiple, height, s=70, color=COLOURS[name], zorder=2)
        axes.set_yticks(range(len(chosen)), [r["workload"] for r in reversed(chosen)])
        axes.set_xscale("log")
        ticks = [1, 2, 3, 5, 10, 20, 30]
        axes.set_xticks(ticks, [f"{tick}x" for tick in ticks])
        axes.minorticks_off()
        axes.set_title(title, loc="left")
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    handles = [
        axes.scatter([], [], s=70, color=colour, label=LABELS[name])
        for name, colour in COLOURS.items()
    ]
    title = "Time to train in float32 on one BLAS thread, as a multiple of the matrix products"
    figure.suptitle(title, x=0.01, ha="left")
    figure.legend(handles=handles, frameon=False, loc="outside lower center", ncols=len(handles))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_growth(results, start, path):
    """Draw the seconds of an epoch over each size."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(2, 2, figsize=(8, 6), layout="constrained", sharey=True)
    for (name, points), axes in zip(results.items(), panels.flat, strict=True):
        sizes = [point["size"] for point in points]
        for who in ("MLPClassifier", "ours", "products"):
            times = [point[who] for point in points]
            axes.plot(sizes, times, "o-", color=COLOURS[who], label=LABELS[who])
        axes.axvline(start[name], color="#cccccc", linestyle=":", zorder=0)
        axes.set(xscale="log", yscale="log", xlabel=AXES[name])
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("seconds per epoch")
    panels[0, 0].legend(frameon=False, fontsize="small")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def write(results, docs, start, workloads):
    """Write the page and its pictures."""
    (docs / "images").mkdir(exist_ok=True)
    draw_speed(results["training"], docs / "images" / "speed.png")
    draw_growth(results["growth"], start, docs / "images" / "growth.png")
    known = {name: value for name, value in results["machine"].items() if value}
    told = "; ".join(
        f"{name} {' and '.join(value) if isinstance(value, list) else value}"
        for name, value in known.items()
    )
    page = PAGE.format(
        machine=f"The figures below are from a shared virtual machine: {told}.",
        workloads=workload_table(workloads),
        training=training_tables(results["training"]),
        steps=steps_table(results["steps"]),
        prediction=prediction_tables(results["prediction"]),
        short_calls=short_calls_table(results["short calls"]),
        fixed_cost=fixed_cost_table(results["fixed cost"]),
        search=search_table(results["grid search"]),
        sparse=", ".join(f"{s} {cell(figure)}" for s, figure in results["sparse"].items()),
        threads=threads_table(results["threads"]),
        memory=memory_table(results["memory"]),
    )
    (docs / "benchmarks.md").write_text(page)
