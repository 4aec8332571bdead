"""What `import sk_twolayer` loads: nothing that takes long and is not needed yet."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow  # each test starts processes

LATE = (
    "sklearn.callback",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.pipeline",
    "sklearn.preprocessing",
)


def loaded_by(statement):
    """Return the modules that a statement loads in a fresh process."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    command = [sys.executable, "-c", code]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.fixture(scope="module")
def base():
    return loaded_by("import sklearn.base")


@pytest.mark.parametrize(
    "statement", ["import sk_twolayer", "from sk_twolayer import TwoLayerClassifier"]
)
def test_little_is_loaded_over_the_base_of_scikit_learn(base, statement):
    more = loaded_by(statement) - base
    assert "sk_twolayer.classifier" in more
    assert not [name for name in more if name.startswith(LATE)]
    # nothing of anybody else: no rich, no pandas, no matplotlib
    packages = {name.partition(".")[0] for name in more} - set(sys.stdlib_module_names)
    assert packages <= {"sk_twolayer", "sklearn", "numpy", "scipy"}
