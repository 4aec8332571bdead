"""Saving and loading: the same predictions, about the size of the parameters, no data."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import SGD


@pytest.fixture(
    params=[
        {},
        {"solver": SGD(momentum=0.9, nesterov=True)},
        {"hidden_size": 300, "batch_size": 50},
    ],
    ids=str,
)
def clf(request):
    return TwoLayerClassifier(max_iter=50, tol=None, random_state=0, **request.param)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_round_trips(clf, digits, dtype, tmp_path):
    X, y = digits[0].astype(dtype), digits[1]
    clf.fit(X, y)
    joblib.dump(clf, tmp_path / "model.joblib")
    copies = [pickle.loads(pickle.dumps(clf, protocol)) for protocol in range(6)]
    copies += [joblib.load(tmp_path / "model.joblib"), copy.deepcopy(clf)]
    copies.append(joblib.load(tmp_path / "model.joblib", mmap_mode="r"))
    for loaded in copies:
        assert_array_equal(loaded.predict(X), clf.predict(X))
        assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
        assert loaded.get_params().keys() == clf.get_params().keys()
        assert_array_equal(loaded.fit(X, y).coefs_[0], clf.coefs_[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_size", [7, 64, "full"])
def test_size_and_secrecy(clf, digits, dtype, batch_size):
    X, y = digits[0].astype(dtype), digits[1]
    clf.set_params(batch_size=batch_size, max_iter=3)
    weight = np.linspace(0, 1, len(y), dtype=dtype)
    saved = pickle.dumps(clf.fit(X, y, sample_weight=weight))
    parameters = sum(array.nbytes for array in clf.coefs_ + clf.intercepts_)
    assert len(saved) <= 1.2 * parameters + 10_000
    assert clf.coefs_[0][:5].tobytes() in saved  # the search below would find what is there
    assert not [k for k, row in enumerate(X) if row.tobytes() in saved]
    assert weight[100:103].tobytes() not in saved


def test_a_history_takes_nine_bytes_an_epoch(digits):
    options = {"tol": None, "hidden_size": 10, "batch_size": "full", "random_state": 0}
    short, long = (
        len(pickle.dumps(TwoLayerClassifier(max_iter=max_iter, **options).fit(*digits)))
        for max_iter in (1000, 2000)
    )
    assert 8000 < long - short < 9500
