"""The same seed gives the same bytes, whatever runs beside or in between."""

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.model_selection import cross_val_predict
from threadpoolctl import threadpool_info, threadpool_limits

from sk_twolayer import TwoLayerClassifier
from sk_twolayer._training.workspace import Workspace
from sk_twolayer.optimizers import LBFGS, SGD


def fit(X, y, **options):
    """Fit a model large enough for BLAS to split its products among threads."""
    options = {"hidden_size": 50, "max_iter": 2, "tol": None, "random_state": 3, **options}
    clf = TwoLayerClassifier(**options).fit(X, y)
    return b"".join(array.tobytes() for array in clf.coefs_ + clf.intercepts_)


@pytest.fixture(scope="module")
def data():
    rng = np.random.RandomState(0)
    return rng.standard_normal((400, 784)).astype(np.float32), rng.randint(10, size=400)


@pytest.mark.parametrize("solver", [SGD(), SGD(momentum=0.9)], ids=str)
def test_number_of_blas_threads(data, solver):
    with threadpool_limits(1):
        one = fit(*data, solver=solver)
    with threadpool_limits(2):
        two = fit(*data, solver=solver)
    assert one == two


@pytest.mark.parametrize(
    ("rows", "features", "hidden", "container", "threads"),
    [
        (256, 512, 512, np.asarray, 2),  # 2**26 multiplications
        (256, 512, 511, np.asarray, 1),
        (256, 512, 512, sp.csr_array, 1),  # BLAS has no part in its large products
    ],
)
@pytest.mark.parametrize("solver", [SGD, LBFGS])
def test_large_products_keep_their_threads(
    rows, features, hidden, container, threads, solver, monkeypatch
):
    seen = set()
    run = Workspace.forward_backward

    def spy(self, slot):
        seen.update(p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas")
        return run(self, slot)

    monkeypatch.setattr(Workspace, "forward_backward", spy)
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((rows, features)), rng.randint(2, size=rows)
    with threadpool_limits(2, user_api="blas"):
        fit(container(X), y, hidden_size=hidden, batch_size="full", solver=solver())
    assert seen == {threads}


SHAPES = [
    (1, 64, 256, 10),  # a product of a vector and a matrix
    (1797, 64, 256, 10),  # the default net on the digits
    (3000, 784, 256, 10),  # blocks in several threads
    (100, 20, 300, 2),
    (300, 30, 64, 3000),
]


@pytest.mark.parametrize(("rows", "features", "hidden", "classes"), SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predictions_do_not_depend_on_the_number_of_threads(rows, features, hidden, classes, dtype):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((max(rows, 2 * classes), features)).astype(dtype)
    y = np.arange(len(X)) % classes
    clf = TwoLayerClassifier(hidden, max_iter=1, tol=None, random_state=0).fit(X, y)
    answers = []
    for n_threads in (1, 2, 3):
        with threadpool_limits(n_threads, user_api="blas"):
            answers.append((clf.predict_proba(X[:rows]), clf.transform(X[:rows])))
    for proba, hidden_units in answers[1:]:
        assert np.array_equal(proba, answers[0][0])
        assert np.array_equal(hidden_units, answers[0][1])


def test_cross_val_predict_of_default_nets_does_not_depend_on_n_jobs(digits):
    X, y = digits
    clf = TwoLayerClassifier(max_iter=2, tol=None, random_state=0)
    one, two = (
        cross_val_predict(clf, X, y, cv=3, n_jobs=n_jobs, method="predict_proba")
        for n_jobs in (1, 2)
    )
    assert np.array_equal(one, two)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_n_jobs(data, backend):
    seeds = [3, 4, 5, 6]
    expected = [fit(*data, random_state=seed) for seed in seeds]
    assert len(set(expected)) == 4
    jobs = (joblib.delayed(fit)(*data, random_state=seed) for seed in seeds)
    assert joblib.Parallel(n_jobs=2, backend=backend)(jobs) == expected


def test_what_was_fitted_in_between(data, digits):
    expected = fit(*data)
    fit(*digits)
    np.random.seed(0)
    assert fit(*data) == expected


def test_refitting_starts_afresh(digits):
    X, y = digits
    clf = TwoLayerClassifier(max_iter=2, tol=None, random_state=0, solver=SGD(momentum=0.9))
    first = clf.fit(X, y).coefs_[0].copy()
    assert np.array_equal(clf.fit(X, y).coefs_[0], first)


def test_seeds_matter(digits):
    assert fit(*digits, random_state=0) != fit(*digits, random_state=1)
    rng = np.random.RandomState(0)
    first = fit(*digits, random_state=rng)
    assert first == fit(*digits, random_state=np.random.RandomState(0))
    assert first != fit(*digits, random_state=rng)


# Loss, largest probability of the first row, and sum of |W1| after ten epochs on the digits.
RECORDED = {
    "sgd": (1.980991420245772, 0.24404631676562297, 275.13343337634285),
    "momentum": (0.5111985193172018, 0.9493822530621105, 305.10734887295484),
    "adam": (0.18505229524314576, 0.9955771184658747, 294.7035076586827),
    "lbfgs": (0.49955581979036523, 0.9998010344056474, 386.0496428027401),
}


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-6), (np.float32, 1e-4)])
@pytest.mark.parametrize("name", RECORDED)
def test_recorded_figures(name, dtype, tolerance, digits):
    """On every machine, with every supported Python, NumPy, SciPy and scikit-learn."""
    solver = SGD(momentum=0.9, nesterov=True) if name == "momentum" else name
    dropout = 0.0 if name == "lbfgs" else 0.1
    X, y = digits[0].astype(dtype), digits[1]
    explicit = {"alpha": 0.001, "learning_rate": 0.01, "batch_size": 50}  # not the defaults
    clf = TwoLayerClassifier(
        30, solver=solver, dropout=dropout, max_iter=10, tol=None, random_state=0, **explicit
    ).fit(X, y)
    figures = clf.loss_, clf.predict_proba(X)[0].max(), np.abs(clf.coefs_[0]).sum(dtype=float)
    assert figures == pytest.approx(RECORDED[name], rel=tolerance)
