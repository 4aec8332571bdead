"""What decides whether a change lands: `nox` runs all of it, `nox -s lint` a part.

Sessions that use all cores, and those that use one, have a tag each, so that `.ci/run` can run one
of the latter beside the former. Sessions without an environment of their own run in that of
developers, where `python -m pip install -e ".[dev]"` has installed nox too.
"""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import nox

nox.options.error_on_missing_interpreters = False  # other versions of Python, where there are any

ROOT = Path(__file__).parent
README = ROOT / "README.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
TESTS = ("python", "-m", "pytest", "--quiet", "-n", "auto")
# Modules without public names; of the public ones, numpydoc checks the sections.
NOT_PUBLIC = (
    ":!sk_twolayer/_*",
    ":!sk_twolayer/network/_[cilvp]*",
    ":!sk_twolayer/*/_registry.py",
)
# A proxy that is not there: whatever would be downloaded fails.
NO_NETWORK = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
NOT_PACKED = (".ci/", ".github/")
# imbalanced-learn for scikit-learn 1.7 needs NumPy 1.25; joblib 1.2 has no parallel_config.
NOT_OF_OLDEST = (
    "--ignore=tests/integrations/test_imbalanced_learn.py",
    "--ignore=tests/integrations/test_dask.py",
    "--ignore=docs/scaling_out.md",
)


def files(*patterns):
    """Return the names of the files that git tracks, or would."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in names.split("\0") if (ROOT / name).is_file())


def go_to_a_copy(session, name):
    """Copy the checkout without what git ignores, and run what follows there."""
    copy = Path(session.create_tmp()).absolute() / name
    shutil.rmtree(copy, ignore_errors=True)
    for path in files():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, copy / path)
    session.chdir(copy)
    return copy


def readme_command(name):
    """Return the code block behind `<!-- command: NAME -->`."""
    text = README.read_text()
    return re.search(rf"<!-- command: {name} -->\n```bash\n(.*?)\n```", text, re.DOTALL)[1]


@nox.session(venv_backend="none", tags=["one-core"])
def lint(session):
    """Check style, formatting, the levels of imports, and docstrings."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-logo")
    session.run("python", "-m", "numpydoc", "lint", *files("sk_twolayer/*.py", *NOT_PUBLIC))


@nox.session(venv_backend="none", tags=["one-core"])
def types(session):
    """Check types, strictly."""
    session.run("mypy")


@nox.session(tags=["one-core"])
def docs(session):
    """Build the site with its gallery; warnings are errors, and nothing is downloaded.

    Where there is a browser, check that no page scrolls sideways, and what the search finds.
    """
    go_to_a_copy(session, "docs")
    session.install(".[docs]")
    sphinx = ("python", "-m", "sphinx", "-W", "--keep-going", "--quiet", "-b", "html")
    session.run(*sphinx, "docs", "docs/_build/html", env=NO_NETWORK)
    session.run("python", "docs/check_site.py", "docs/_build/html")


@nox.session(tags=["one-core"])
def package(session):
    """Build and check source and wheel, and install the wheel outside of the checkout."""
    copy = go_to_a_copy(session, "package")
    session.install("build", "twine")
    session.run("python", "-m", "build")
    built = sorted(Path("dist").iterdir())
    session.run("python", "-m", "twine", "check", "--strict", *map(str, built))
    [source] = [path for path in built if path.suffix == ".gz"]
    [wheel] = [path for path in built if path.suffix == ".whl"]
    # The source holds all there is, so that its tests can run.
    names = subprocess.check_output(["tar", "-tzf", source], text=True).splitlines()
    packed = {name.split("/", 1)[1] for name in names} - {"PKG-INFO"}
    expected = {path for path in files() if not path.startswith(NOT_PACKED)}
    if packed != expected:
        session.error(f"the source and the checkout differ in {sorted(packed ^ expected)}")
    session.log(", ".join(f"{path.name}: {path.stat().st_size} bytes" for path in built))
    session.install(str(wheel))
    elsewhere = copy.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    shutil.copy2(README, elsewhere)
    session.chdir(elsewhere)
    session.run("python", "-W", "error", "-m", "doctest", "README.md")
    where = "import sk_twolayer as s; print(s.__file__); assert 'site-packages' in s.__file__"
    session.run("python", "-c", where)


@nox.session(name="readme-main", venv_backend="none", tags=["one-core"])
def readme_main(session):
    """Run the README's command that shows the package at work, word for word."""
    copy = go_to_a_copy(session, "main")
    output = session.run("bash", "-euc", readme_command("main"), silent=True)
    session.log(output)
    accuracy = re.search(r"test accuracy of the loaded model: ([\d.]+)", output)
    model, picture = (copy / "output" / name for name in ("digits.joblib", "digits.png"))
    if float(accuracy[1]) < 0.97 or model.stat().st_size < 1000 or not picture.stat().st_size:
        session.error("examples/digits.py did not do what the README says")


@nox.session(name="readme-test", venv_backend="none", tags=["all-cores"])
def readme_test(session):
    """Run the README's command that runs all tests, word for word."""
    go_to_a_copy(session, "test")
    session.run("bash", "-euc", readme_command("test"))


@nox.session(venv_backend="none", tags=["all-cores"])
def tests(session):
    """Run the tests that are not slow, in random order, and measure coverage."""
    seed = os.environ.get("SK_TWOLAYER_ORDER", "20261125")
    options = ("-p", "randomly", f"--randomly-seed={seed}", "-p", "no:cacheprovider", "--cov")
    session.run(*TESTS, "-m", "not slow", *options, *session.posargs)


@nox.session(name="tests-oldest", tags=["all-cores"])
def tests_oldest(session):
    """Run the tests that are not slow on the oldest supported dependencies."""
    go_to_a_copy(session, "oldest")
    names = ("examples", "onnx", "test-core", "test-oldest")
    requirements = PROJECT["dependencies"] + [one for name in names for one in EXTRAS[name]]
    oldest = [one.replace(">=", "==") for one in requirements if ">=" in one]
    Path("oldest.txt").write_text("\n".join(oldest) + "\n")
    session.install("--constraint", "oldest.txt", ".[test-oldest]")
    session.run(*TESTS, "-m", "not slow", *NOT_OF_OLDEST)


@nox.session(name="tests-core", python=["3.12", "3.13"], tags=["all-cores"])
def tests_core(session):
    """Run the tests of the parts on other versions of Python."""
    go_to_a_copy(session, "core")
    session.install(".[test-core]")
    parts = ("data", "training", "network", "layers", "optimizers", "numerics")
    session.run(*TESTS, "-m", "not slow", *(f"tests/{part}" for part in parts))
