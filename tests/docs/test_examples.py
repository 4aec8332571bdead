"""The examples and benchmarks run as a user runs them, and print the figures they should."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from scipy import stats

from sk_twolayer.layers._registry import ACTIVATIONS

pytestmark = pytest.mark.slow  # most tests start a process

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def run(script, *arguments, cwd):
    """Run a script in a process of its own, and return what it prints."""
    # As conftest does not set it for users, nor is it set here.
    environment = {name: value for name, value in os.environ.items() if name != "SCIPY_ARRAY_API"}
    process = subprocess.run(
        [sys.executable, ROOT / script, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**environment, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"},
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert "Warning" not in process.stderr
    return process.stdout


def figures(output):
    """Return the first number of each line by the word before it."""
    return {name: float(value) for name, value in re.findall(r"^(\w+) +(-?[\d.]+)", output, re.M)}


def test_buy_apples(tmp_path):
    expected = {"price": 220.0, "d_apple": 2.2, "d_apple_num": 110.0, "d_tax": 200.0}
    assert figures(run("examples/buy_apples.py", cwd=tmp_path)) == expected


def test_buy_apples_and_oranges(tmp_path):
    assert figures(run("examples/buy_apples_and_oranges.py", cwd=tmp_path)) == {
        "price": 715.0,
        "d_apple": 2.2,
        "d_apple_num": 110.0,
        "d_orange": 3.3,
        "d_orange_num": 165.0,
        "d_tax": 650.0,
    }


def test_check_gradients(tmp_path):
    output = run("examples/check_gradients.py", cwd=tmp_path)
    differences = [float(line.split()[-1]) for line in output.splitlines()]
    assert len(differences) == 4 * len(ACTIVATIONS)
    assert max(differences) < 1e-7


def test_train_by_hand(tmp_path):
    output = run("examples/train_by_hand.py", cwd=tmp_path)
    last = output.splitlines()[-1]
    assert float(re.search(r"test accuracy ([\d.]+)", last)[1]) >= 0.96


@pytest.fixture
def fashion(tmp_path):
    """A folder with a file like that of Fashion-MNIST, of random pixels."""
    rng = np.random.RandomState(0)
    X, y = rng.randint(256, size=(1230, 784), dtype=np.uint8), rng.randint(10, size=1230)
    np.savez(
        tmp_path / "fashion_mnist.npz",
        X_train=X[:1030],
        y_train=y[:1030],
        X_test=X[1030:],
        y_test=y[1030:],
    )
    return tmp_path


def test_textbook_benchmark(fashion, tmp_path):
    """By hand or by the classifier: the same accuracy, and in float64 the same weights."""
    script, options = "benchmarks/textbook_fashion_mnist.py", ["--seeds", "1", "--epochs", "3"]
    output = run(script, "--data-dir", fashion, *options, cwd=tmp_path)
    double, single = (line.split() for line in output.splitlines()[2:])
    assert double[2] == double[3]
    assert float(double[5]) < 1e-12
    assert float(single[5]) < 1e-3


def test_the_recipe_for_fashion_mnist(fashion, tmp_path):
    options = ["--data-dir", fashion, "--seeds", "1", "--epochs", "1"]
    *_, mean = run("benchmarks/fashion_mnist.py", *options, cwd=tmp_path).splitlines()
    name, *numbers = mean.split()
    assert name == "mean"
    assert 0 < float(numbers[0]) < 0.3  # of ten classes, by chance


def test_study_of_the_defaults(tmp_path):
    """A set is measured once, and the page is made of it."""
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((200, 3)), np.repeat([0, 1, 2, 3], [120, 60, 18, 2])
    np.savez(tmp_path / "mine.npz", X=X + y[:, np.newaxis], y=y)
    results = tmp_path / "results.json"
    options = ["--results", results, "--docs", tmp_path, "--data-dir", tmp_path, "--seeds", "2"]
    options += ["--sets", "wine", "mine", "--most-rows", "160"]
    options += ["--contenders", "TwoLayerClassifier", "MLPClassifier", "unscaled", "clipped"]
    options += ["--small-sets", "iris", "blobs", "--rows", "20", "--units", "4", "16"]
    lines = run("benchmarks/defaults.py", *options, cwd=tmp_path).splitlines()
    assert len(lines) == 2 * (4 + 3) + 2 * 2 * 2 * 2  # "unscaled" has the first split alone
    assert run("benchmarks/defaults.py", *options, cwd=tmp_path) == ""
    found = json.loads(results.read_text())["defaults"]["wine"]
    accuracies = [found[seed]["TwoLayerClassifier"]["accuracy"] for seed in "01"]
    assert min(accuracies) > 0.9
    page = (tmp_path / "study.md").read_text()
    assert f"| wine | {np.mean(accuracies):.3f} ± " in page
    assert "on small\nsamples of 2 sets (iris, blobs)" in page
    for name in ("defaults", "frontier"):
        assert (tmp_path / "images" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_study_is_made_of_its_results(tmp_path):
    run("benchmarks/defaults.py", "--render", "--docs", tmp_path, cwd=tmp_path)
    page = (tmp_path / "study.md").read_text()
    assert page == (ROOT / "docs" / "study.md").read_text()


def test_benchmark_of_texts(tmp_path):
    """A corpus that is not there is left out."""
    options = ["--corpora", "titles", "manual", "--rows", "binary", "--texts", "200"]
    head, *lines = run("benchmarks/text.py", *options, cwd=tmp_path).splitlines()
    assert "ratio of losses" in head
    assert all(" log-loss " in line for line in lines)


def test_quick_benchmark(tmp_path):
    options = ["--repeats", "1", "--workloads", "0", "--solvers", "sgd"]
    line = run("benchmarks/quick.py", *options, cwd=tmp_path).splitlines()[-1]
    times_mlps, times_products = map(float, re.findall(r"([\d.]+) \(", line[45:]))
    assert times_mlps > 0
    assert times_products > 0


def test_benchmark_of_the_import(tmp_path):
    lines = run("benchmarks/import_time.py", "--repeats", "1", cwd=tmp_path).splitlines()
    assert [line.split(" ms")[0].split()[-1] > "0" for line in lines] == [True] * 4


def test_benchmark_of_ideas(tmp_path):
    output = run("benchmarks/ideas.py", "--repeats", "1", cwd=tmp_path)
    _, *lines = output.splitlines()
    assert len(lines) == 12
    for line in lines:
        assert len([ratio for ratio in re.findall(r"([\d.]+) \(", line) if float(ratio) > 0]) == 2


def test_benchmark_of_the_parts_of_a_step(tmp_path):
    options = ["--workloads", "0", "--repeats", "1"]
    _, *lines = run("benchmarks/steps.py", *options, cwd=tmp_path).splitlines()
    whole_steps = [float(line.split()[-6]) for line in lines]
    assert len(whole_steps) == 2
    assert min(whole_steps) > 0


def test_comparison_of_rules_for_the_defaults(tmp_path):
    options = ["--few-rows", "--sets", "iris", "--seeds", "1", "--candidates", "chosen", "before"]
    lines = run("benchmarks/choose_defaults.py", *options, cwd=tmp_path).splitlines()
    ratios = {line.split(" | ")[0]: float(line.split(" | ")[2]) for line in lines[2:4]}
    assert set(ratios) == {"| chosen", "| before"}
    assert ratios["| chosen"] < ratios["| before"]


def test_the_readme_quotes_the_results():
    """Its ranges of the times to fit are the measured ones, to one decimal."""
    training = json.loads((ROOT / "benchmarks" / "results.json").read_text())["training"]
    chosen = [
        r for r in training if (r["threads"], r["solver"], r["dtype"]) == ("1", "sgd", "float32")
    ]
    quoted = []
    for name in ("MLPClassifier", "PyTorch"):
        medians = [r[name][0] for r in chosen]
        quoted.append(f"{min(medians):.1f} to {max(medians):.1f}")
    assert f"| time to fit with the same settings, relative | 1 | {' | '.join(quoted)} |" in README


def test_the_pages_quote_the_stored_figures(tmp_path):
    """`render.py --check` accepts them, refuses another figure, and writes the right one again."""
    run("benchmarks/render.py", "--check", cwd=tmp_path)
    for name in ("README.md", "docs/how_it_is_fast.md", "docs/index.md", "docs/services.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        page = (ROOT / name).read_text()
        (tmp_path / name).write_text(page.replace(". ", ".7 "))
    command = [sys.executable, ROOT / "benchmarks" / "render.py", "--root", tmp_path]
    process = subprocess.run([*command, "--check"], capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert "README.md" in process.stderr
    run("benchmarks/render.py", "--root", tmp_path, cwd=tmp_path)
    run("benchmarks/render.py", "--root", tmp_path, "--check", cwd=tmp_path)


def test_benchmark_of_requests(tmp_path):
    results = tmp_path / "serving.json"
    run("benchmarks/serving.py", "--repeats", "1", "--results", results, cwd=tmp_path)
    requests = json.loads(results.read_text())["requests"]
    assert len(requests) == 6
    for parts in requests.values():
        assert set(parts) == {"classifier", "pipeline"}
        assert all(part["seconds"] > 0 and min(part["ratio"]) > 0 for part in parts.values())


def test_the_front_page_quotes_the_study():
    results = json.loads((ROOT / "benchmarks" / "defaults.json").read_text())["defaults"]

    def mean(who, what, splits):
        return np.mean([split[who][what] for split in splits.values() if who in split])

    ours, theirs = "TwoLayerClassifier", "MLPClassifier"
    times = [mean(theirs, "seconds", s) / mean(ours, "seconds", s) for s in results.values()]
    points = [
        100 * (mean(ours, "accuracy", s) - mean(theirs, "accuracy", s)) for s in results.values()
    ]
    page = (ROOT / "docs" / "index.md").read_text()
    assert f"**{stats.gmean(times):.1f} times**\n\nas fast to fit" in page
    assert f"**{np.mean(points):+.2f} points**" in page


def test_the_page_of_measurements_is_made_of_the_results(tmp_path):
    run("benchmarks/compare.py", "--render", "--docs", tmp_path, cwd=tmp_path)
    page = (tmp_path / "benchmarks.md").read_text()
    assert page == (ROOT / "docs" / "benchmarks.md").read_text()
    for name in ("speed", "growth"):
        assert (tmp_path / "images" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_benchmarks_explain_themselves(tmp_path):
    """All in one process, which imports the libraries once."""
    script = """
        import os, runpy, sys
        for script in sys.argv[1:]:
            sys.argv = [script, "--help"]
            sys.path[0] = os.path.dirname(script)
            try:
                runpy.run_path(script, run_name="__main__")
            except SystemExit as end:
                assert not end.code, script
    """
    (tmp_path / "explain.py").write_text(dedent(script))
    scripts = sorted((ROOT / "benchmarks").glob("*.py"))
    assert run(tmp_path / "explain.py", *scripts, cwd=tmp_path).count("usage:") == len(scripts)


def test_the_readme_quotes_the_study():
    results = json.loads((ROOT / "benchmarks" / "defaults.json").read_text())["defaults"]

    def means(who, what):
        return np.array(
            [np.mean([f[who][what] for f in s.values() if who in f]) for s in results.values()]
        )

    def interval(values):
        return stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))

    ours, theirs = "TwoLayerClassifier", "MLPClassifier"
    points = 100 * (means(theirs, "accuracy") - means(ours, "accuracy"))
    losses, their_losses = means(ours, "log-loss"), means(theirs, "log-loss")
    words = " ".join(README.split())
    assert f"means over {len(results)} real data sets" in words
    assert f"is lower on {(losses < their_losses).sum()} of them" in words
    assert f"its accuracy {points.max():.2f} points lower at worst" in words
    half = interval(points)[1] - points.mean()
    assert f"| accuracy, points | 0 | {points.mean():.2f} ± {half:.2f} |" in words
    seconds = means(theirs, "seconds") / means(ours, "seconds")
    relative = {
        "log-loss": np.log((their_losses + 0.005) / (losses + 0.005)),
        "time to fit": np.log(seconds),
    }
    for name, logs in relative.items():
        low, high = np.exp(interval(logs))
        quoted = f"{np.exp(logs.mean()):.2f} ({low:.2f} to {high:.2f})"
        assert f"| {name}, relative | 1 | {quoted} |" in words
