"""Write the measured figures that README.md and pages of the documentation quote.

The figures are between the comments ``<!-- figures: NAME -->`` and ``<!-- end of figures -->``, and
come from the results in ``benchmarks/*.json``. With ``--check`` no file is changed: the command
fails and prints the names of the files whose figures are not those of the results.
"""

import argparse
import json
import re
import sys
import textwrap
from pathlib import Path

import numpy as np
from tools.study_page import MLP, OURS, Study, half_width, log_ratios, ratio, table, within

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks"
SPEED = ("1", "float32", "sgd")  # threads, dtype and solver of the times that are quoted


def results(name):
    """Return the results that a benchmark has stored."""
    return json.loads((RESULTS / f"{name}.json").read_text())


def points_of_accuracy(study):
    """Return the differences in accuracy from MLPClassifier in percentage points, one per set."""
    return 100 * -np.diff(study.means("accuracy", OURS, MLP)).ravel()


def log_times(study):
    """Return the logarithms of our time to fit divided by that of MLPClassifier, one per set."""
    return np.diff(np.log(study.means("seconds", MLP, OURS))).ravel()


def measured_range(name):
    """Return the smallest and the largest time to fit, divided by ours, over the workloads."""
    training = results("results")["training"]
    chosen = [r for r in training if (r["threads"], r["dtype"], r["solver"]) == SPEED]
    medians = [r[name][0] for r in chosen if name in r]  # PyTorch may not be installed
    return f"{min(medians):.1f} to {max(medians):.1f}" if medians else "not measured"


def comparison():
    """Return the comparison with other libraries: a paragraph and a table."""
    study = Study(results("defaults")["defaults"])
    points, losses = points_of_accuracy(study), study.means("log-loss", OURS, MLP)
    paragraph = (
        f"The first three rows are means over {len(points)} real data sets with default parameters "
        "after a `StandardScaler`, with 95 % confidence intervals ([study](docs/study.md)). The "
        f"log-loss of `TwoLayerClassifier` is lower on {(losses[:, 0] < losses[:, 1]).sum()} of "
        f"them, and its accuracy {-points.min():.2f} points lower at worst. With the same settings "
        "and initial weights, both end with the same weights up to rounding; the times are for "
        "plain gradient descent in float32 on one thread ([Benchmarks](docs/benchmarks.md))."
    )
    rows = [
        ["accuracy, points", "0", within(-points, 2), ""],
        ["log-loss, relative", "1", ratio(-log_ratios(losses)), ""],
        ["time to fit, relative", "1", ratio(-log_times(study)), ""],
        [
            "time to fit with the same settings, relative",
            "1",
            *(measured_range(name) for name in ("MLPClassifier", "PyTorch")),
        ],
        ["size of a saved model, relative", "1", "3, or 4 with Adam", ""],
        ["tasks", "classification, multilabel", "also regression", "any"],
        ["hidden layers; hardware", "one; CPU", "any number; CPU", "any; CPU, GPU"],
        ["defaults that depend on the data", "yes", "only the batch size", "no"],
        ["`class_weight`, `dropout`, callbacks", "yes", "no", "yes"],
        [
            "early stopping",
            "by the loss or any scorer, also on your own validation rows",
            "by accuracy",
            "yes",
        ],
        ["`decision_function`, hidden units by `transform`", "yes", "no", "no"],
    ]
    heads = ["", "`TwoLayerClassifier`", "`MLPClassifier`", "PyTorch, skorch"]
    return f"{wrapped(paragraph)}\n\n{table(heads, rows)}"


def wrapped(paragraph):
    """Return a paragraph in lines of 100 characters."""
    return textwrap.fill(paragraph, 100, break_on_hyphens=False, break_long_words=False)


def headline():
    """Return the two numbers of the front page."""
    study = Study(results("defaults")["defaults"])
    points = points_of_accuracy(study)
    mean, half = -log_times(study).mean(), half_width(log_times(study))
    times, low, high = (f"{number:.1f}" for number in np.exp([mean, mean - half, mean + half]))
    numbers = {
        f"{times} times": f"as fast to fit ({low} to {high})",
        f"{points.mean():+.2f} points": f"of accuracy (± {half_width(points):.2f})",
    }
    parts = [f":::{{container}} number\n**{n}**\n\n{text}\n:::\n" for n, text in numbers.items()]
    source = (
        f"Compared with `MLPClassifier`, both with default parameters, on {len(points)} real data "
        "sets; 95 % confidence intervals ([the study](study.md))."
    )
    return "\n".join([*parts, f":::{{container}} source\n{source}\n:::"])


def latency():
    """Return the table of the CPU time of one request."""
    measured = results("serving")
    rows = []
    for name, parts in measured["requests"].items():
        rows.append([name])
        for figures in parts.values():
            microseconds = 1e6 * figures["seconds"]
            low, median, high = figures["ratio"]
            rows[-1].append(f"{microseconds:.{0 if microseconds > 10 else 1}f}")
            rows[-1].append(f"{median:.2f} ({low:.2f} to {high:.2f})")
    unit = "\N{MICRO SIGN}s"
    head = ["request", f"classifier, {unit}", "ratio", f"pipeline, {unit}", "ratio"]
    return f"{table(head, rows)}\n\nMeasured with {measured['machine']}."


def gains():
    """Return the table of the gain of each idea behind the speed."""
    rows = [
        [idea, *(f"{median:.1f}" for median, *_ in figures)]
        for idea, figures in results("results")["ideas"].items()
    ]
    return table(["idea", "small step", "larger step"], rows)


FIGURES = {
    "README.md": {"comparison": comparison},
    "docs/how_it_is_fast.md": {"gains": gains},
    "docs/index.md": {"headline": headline},
    "docs/services.md": {"latency": latency},
}


def with_figures(text, figures):
    """Return a page with the text between its comments replaced by the figures."""
    for name, make in figures.items():
        pattern = rf"(<!-- figures: {name} -->\n).*?(<!-- end of figures -->)"
        text, found = re.subn(
            pattern, lambda m, make=make: f"{m[1]}{make()}\n{m[2]}", text, flags=re.DOTALL
        )
        if found != 1:
            raise ValueError(f"{found} places for the figures {name!r} instead of one")
    return text


def main():
    """Write the figures, or check them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change no file")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder with README.md")
    arguments = parser.parse_args()
    changed = []
    for name, figures in FIGURES.items():
        path = arguments.root / name
        before = path.read_text(encoding="utf-8")
        after = with_figures(before, figures)
        if after != before:
            changed.append(name)
            if not arguments.check:
                path.write_text(after, encoding="utf-8")
    if arguments.check and changed:
        sys.exit(f"the figures are not those of the results: {', '.join(changed)}")


if __name__ == "__main__":
    main()
