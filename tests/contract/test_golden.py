"""Models saved by earlier releases load, and say what they said then."""

import json
import pickle
import runpy
from pathlib import Path

import joblib
import pytest
import skops.io
from numpy.testing import assert_allclose

# Each release is tested with every version of scikit-learn.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")

FOLDER = Path(__file__).parents[1] / "golden"
RELEASES = sorted(path.name for path in FOLDER.iterdir() if (path / "figures.json").exists())
GOLDEN = runpy.run_path(str(FOLDER / "make.py"))
TRUSTED = [
    "sk_twolayer.classifier.TwoLayerClassifier",
    "sk_twolayer.optimizers._sgd.SGD",
    "sk_twolayer.optimizers._lbfgs.LBFGS",
]
LOADING = {
    "pickle": lambda path: pickle.loads(path.read_bytes()),
    "joblib": joblib.load,
    "skops": lambda path: skops.io.load(path, trusted=TRUSTED),
}


def assert_says(clf, name, figures):
    """Hold a model to what was recorded: to rounding, which BLAS libraries do differently."""
    now = GOLDEN["says"](clf, name)
    tolerance = 1e-9 if clf.coefs_[0].dtype == "float64" else 1e-4
    assert now.pop("classes") == figures["classes"]
    assert now.pop("predict") == figures["predict"]
    for what, numbers in now.items():
        assert_allclose(numbers, figures[what], rtol=tolerance, atol=tolerance)


def test_the_first_release_is_here():
    assert "0.1.0" in RELEASES


@pytest.mark.parametrize("name", [*GOLDEN["MODELS"], *GOLDEN["STREAMS"]])
@pytest.mark.parametrize("release", RELEASES)
def test_what_a_release_has_saved(release, name):
    figures = json.loads((FOLDER / release / "figures.json").read_text())[name]
    clf = LOADING[name.split(".")[1]](FOLDER / release / name)
    assert GOLDEN["parameters_of"](clf) == figures["parameters"]
    assert_says(clf, name, figures["saved"])
    if "gone on" in figures:
        assert_says(GOLDEN["train"](clf, name), name, figures["gone on"])
