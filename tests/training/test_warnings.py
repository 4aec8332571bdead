"""Where warnings are located, and how often they are shown."""

import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_twolayer import TwoLayerClassifier, classifier
from tests.training.test_callbacks import HAS_CALLBACKS, Recorder

TEXTS = {
    "column 2 of X is not scaled (its root mean square is above 10). Neural networks train best on "
    "features of about unit scale; add a scaler: make_pipeline(StandardScaler(), "
    "TwoLayerClassifier()), or MaxAbsScaler() for a sparse X",
    "Maximum number of epochs (1) reached before convergence. Increase max_iter, tune "
    "learning_rate, or set tol=None to train for exactly max_iter epochs without this warning",
}
GRID = {"learning_rate": [0.1, 0.2, 0.3, 0.4]}


@pytest.fixture
def data(rng):
    X = rng.standard_normal((60, 3))
    X[:, 2] *= 1000
    return X, np.arange(60) % 2


def make(**params):
    params = {"max_iter": 1, "learning_rate_schedule": "constant", "random_state": 0, **params}
    return TwoLayerClassifier(4, **params)


def search(X, y, **options):
    return GridSearchCV(make(), GRID, cv=5, refit=False, **options).fit(X, y)


def fit_with_callback(X, y):
    clf = make()
    if HAS_CALLBACKS:
        clf.set_callbacks(Recorder())
    return clf.fit(X, y)


def search_of_pipelines(X, y):
    pipeline = make_pipeline(FunctionTransformer(), make())
    grid = {f"twolayerclassifier__{name}": values for name, values in GRID.items()}
    return GridSearchCV(pipeline, grid).fit(X, y)


FITS = {
    "fit": lambda X, y: make().fit(X, y),
    "fit_transform": lambda X, y: make().fit_transform(X, y),
    "pipeline": lambda X, y: make_pipeline(FunctionTransformer(), make()).fit(X, y),
    "search": search,
    "search of pipelines": search_of_pipelines,
    "cross_val_score": lambda X, y: cross_val_score(make(), X, y),
    "callback": fit_with_callback,
}


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_warnings_are_located_at_the_line_of_the_user(fit, data):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(*data)
    assert {str(warning.message) for warning in caught} == TEXTS
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_each_text_is_shown_once_per_line(fit, data):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        globals().pop("__warningregistry__", None)
        for _ in range(3):
            fit(*data)
    assert sorted(str(warning.message) for warning in caught) == sorted(TEXTS)


def test_a_filter_for_all_warnings_repeats_them(data):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search(*data)
    assert len(caught) == 2 * 20


@pytest.mark.parametrize("text", ["column 2 of X", ""])
def test_a_filter_may_make_errors_of_them_in_each_fit(text, data):
    make_fit = FITS["fit"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", message=text, category=UserWarning, module=__name__)
        for _ in range(2):
            with pytest.raises(UserWarning, match="column 2 of X"):
                make_fit(*data)


def test_a_filter_may_ignore_them_first(data):
    globals().pop("__warningregistry__", None)
    for action, n_shown in (("ignore", 0), ("default", 2), ("default", 0)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter(action)
            FITS["fit"](*data)
        assert len(caught) == n_shown


def test_a_thread_without_a_line_of_the_user_names_the_classifier(data):
    clf = make()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        joblib.Parallel(2, backend="threading")([joblib.delayed(clf.fit)(*data)] * 2)
    assert {warning.filename for warning in caught} == {classifier.__file__}
    assert {warning.category for warning in caught} == {UserWarning, ConvergenceWarning}


SCRIPT = f"""
import numpy as np
from sklearn.model_selection import GridSearchCV
from sk_twolayer import TwoLayerClassifier

if __name__ == "__main__":
    X = np.random.RandomState(0).standard_normal((60, 3)) * [1, 1, 1000]
    clf = TwoLayerClassifier(4, max_iter=1, learning_rate_schedule="constant", random_state=0)
    search = GridSearchCV(clf, {GRID!r}, cv=5, refit=False, n_jobs=N_JOBS)
    search.fit(X, np.arange(60) % 2)
"""


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_twenty_fits_of_a_script_show_each_text_once_per_process(n_jobs, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("N_JOBS", str(n_jobs)))
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    shown = [line for line in run.stderr.splitlines() if "Warning: " in line]
    for text in TEXTS:
        assert 1 <= sum(text in line for line in shown) <= n_jobs
    file = str(script) if n_jobs == 1 else classifier.__file__
    assert all(line.startswith(file) for line in shown)
