"""The results as a page of tables and two pictures."""

COLOURS = {
    "ours": "#d1495b",
    "MLPClassifier": "#3d5a80",
    "PyTorch": "#edae49",
    "products": "#888888",
}
LABELS = {
    "ours": "TwoLayerClassifier",
    "MLPClassifier": "MLPClassifier",
    "PyTorch": "PyTorch, eager",
    "products": "matrix products alone",
}
THREADS = {"1": "one BLAS thread", "default": "the threads each takes by itself"}
AXES = {
    "n": "rows",
    "d": "features",
    "hidden": "hidden units",
    "batch": "rows in a minibatch",
}
PAGE = """# Benchmarks

Figures are ratios of times of alternating runs: the median, and in brackets the smallest and the
largest. Above 1, `TwoLayerClassifier` is faster, except in the column "of the products", where 1 is
the minimum for a step on one thread. `python benchmarks/compare.py` makes this page; `python
benchmarks/quick.py` measures training alone, for the first five workloads, in less than a minute.

{machine}

## Training

Workloads are rows x columns, hidden units, minibatch (classes). "MLP" is the time of
`MLPClassifier` with the same settings divided by that of `TwoLayerClassifier`; "PyTorch" is the
same for PyTorch in eager mode; "of the products" is the time of `TwoLayerClassifier` divided by
that of the five matrix products of each step. With default threads, the products alone use all
threads, also where this is slower; training does not.

![Time to train, as a multiple of its matrix products](images/speed.png)

{training}

## Prediction

The time of `MLPClassifier` divided by that of `TwoLayerClassifier`. A large part of both is
scikit-learn's validation of X. With default threads the ratios vary: the wheels of NumPy (used by
`MLPClassifier`) and SciPy (used here) contain a BLAS each, whose threads compete when both are used
alternately.

{prediction}

## Memory

The peak of memory that a fit allocates in addition to X, in MB, by Python's `tracemalloc` and by
the system (resident), and the size of the saved model; "ours" is `TwoLayerClassifier`.

{memory}

## A grid search

12 candidates (hidden units and learning rate) in 5 folds on scikit-learn's digits, 30 epochs in
minibatches of 32, `n_jobs=2`: the search with `MLPClassifier` takes {search} times as long. The
best scores are {scores}.

## Sparse rows

20000 x 7000 with a density of 0.002, 100 hidden units, minibatches of 200, 10 classes;
the time of `MLPClassifier` divided by that of `TwoLayerClassifier`: {sparse}.

## Scaling with size

The time of an epoch of SGD in float32 on one BLAS thread. One size at a time is changed; the dotted
lines mark the others (8000 rows, 100 features, 100 hidden units, minibatches of 100, 10 classes).

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


def training_tables(results):
    """Return a table for each number of threads and type."""
    found = {(r["threads"], r["dtype"], r["workload"], r["solver"]): r for r in results}
    tables = []
    for threads, dtype in (("1", "float32"), ("default", "float32"), ("1", "float64")):
        rows = []
        for workload in dict.fromkeys(r["workload"] for r in results):
            of = [found[threads, dtype, workload, s] for s in ("sgd", "momentum", "adam")]
            rows.append(
                [
                    workload,
                    *(cell(r["MLPClassifier"]) for r in of),
                    *(cell(r.get("PyTorch")) for r in (of[0], of[2])),
                    cell(of[0]["of products"]),
                ]
            )
        heads = ["workload", "MLP, sgd", "momentum", "adam", "PyTorch, sgd", "adam"]
        tables += [
            f"{dtype}, with {THREADS[threads]}:",
            table([*heads, "sgd of the products"], rows),
        ]
    return "\n\n".join(tables)


def prediction_tables(results):
    """Return a table of predictions for each number of threads."""
    found = {
        (r["workload"], r["threads"], r["method"], r["rows"] == 1): r["ratio"] for r in results
    }
    columns = [(method, one) for one in (False, True) for method in ("predict", "predict_proba")]
    heads = [f"{method}, {'one row' if one else 'all rows'}" for method, one in columns]
    tables = []
    for threads in THREADS:
        rows = [
            [workload, *(cell(found[workload, threads, *column]) for column in columns)]
            for workload in dict.fromkeys(r["workload"] for r in results)
        ]
        tables += [f"With {THREADS[threads]}:", table(["workload", *heads], rows)]
    return "\n\n".join(tables)


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
    """Draw each contender's step as a multiple of the products."""
    import matplotlib.pyplot as plt

    chosen = [
        r for r in results if (r["threads"], r["solver"], r["dtype"]) == ("1", "sgd", "float32")
    ]
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for place, r in enumerate(reversed(chosen)):
        of_products = r["of products"][0]
        multiples = {"products": 1.0, "ours": of_products}
        for name in ("MLPClassifier", "PyTorch"):
            if name in r:
                multiples[name] = r[name][0] * of_products
        axes.plot([1, max(multiples.values())], [place, place], color="#dddddd", zorder=0)
        for name, multiple in multiples.items():
            axes.scatter(multiple, place, s=70, color=COLOURS[name], zorder=2)
    for name, colour in COLOURS.items():
        axes.scatter([], [], s=70, color=colour, label=LABELS[name])
    axes.set_yticks(range(len(chosen)), [r["workload"] for r in reversed(chosen)])
    axes.set_xscale("log")
    ticks = [1, 2, 3, 5, 10, 20, 30]
    axes.set_xticks(ticks, [f"{tick}x" for tick in ticks])
    axes.minorticks_off()
    axes.set_title("Time to train, as a multiple of the matrix products alone", loc="left")
    axes.set_xlabel("float32, plain gradient descent, one BLAS thread (log scale)")
    axes.legend(frameon=False, loc="lower right")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_growth(results, start, path):
    """Draw the seconds of an epoch over each size."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(2, 2, figsize=(8, 6), layout="constrained", sharey=True)
    for (name, points), axes in zip(results.items(), panels.flat, strict=True):
        sizes = [point["size"] for point in points]
        for who in ("MLPClassifier", "ours", "products"):
            seconds = [point[who] for point in points]
            axes.plot(sizes, seconds, "o-", color=COLOURS[who], label=LABELS[who])
        axes.axvline(start[name], color="#cccccc", linestyle=":", zorder=0)
        axes.set(xscale="log", yscale="log", xlabel=AXES[name])
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("seconds an epoch")
    panels[0, 0].legend(frameon=False, fontsize="small")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def write(results, docs, start):
    """Write the page and its pictures."""
    (docs / "images").mkdir(exist_ok=True)
    draw_speed(results["training"], docs / "images" / "speed.png")
    draw_growth(results["growth"], start, docs / "images" / "growth.png")
    known = {name: value for name, value in results["machine"].items() if value}
    told = ", ".join(
        f"{name} {' and '.join(value) if isinstance(value, list) else value}"
        for name, value in known.items()
    )
    search = results["grid search"]
    page = PAGE.format(
        machine=f"The figures below are from a shared virtual machine: {told}.",
        training=training_tables(results["training"]),
        prediction=prediction_tables(results["prediction"]),
        memory=memory_table(results["memory"]),
        search=cell(search["ratio"]),
        scores=" and ".join(f"{s:.3f} ({LABELS[n]})" for n, s in search["best scores"].items()),
        sparse=", ".join(f"{s} {cell(figure)}" for s, figure in results["sparse"].items()),
    )
    (docs / "benchmarks.md").write_text(page)
