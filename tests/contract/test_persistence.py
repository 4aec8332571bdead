"""Saving and loading: the same predictions, about the size of the parameters, no data."""

import copy
import errno
import io
import os
import pickle
import tempfile
from functools import partial
from pathlib import Path

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
import skops.io
from numpy.testing import assert_array_equal
from sklearn.exceptions import InconsistentVersionWarning

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import LBFGS, SGD
from tests.helpers import LONG, pairwise

OPTIONS = {
    "defaults": {},
    "momentum": {"solver": SGD(momentum=0.9, nesterov=True)},
    "wide": {"hidden_size": 300, "batch_size": 50},
}


@pytest.fixture(params=OPTIONS.values(), ids=OPTIONS)
def clf(request):
    return TwoLayerClassifier(max_iter=50, tol=None, random_state=0, **request.param)


N_DAMAGED = 20_000 if LONG else 400


def by_pickle(clf, protocol):
    return pickle.loads(pickle.dumps(clf, protocol))


def by_joblib(clf, mmap_mode=None, **options):
    with tempfile.TemporaryDirectory() as folder:
        joblib.dump(clf, Path(folder) / "model", **options)
        return joblib.load(Path(folder) / "model", mmap_mode)


def by_cloudpickle(clf):
    return cloudpickle.loads(cloudpickle.dumps(clf))


def by_skops(clf):
    """Go by way of a file that can hold no code, trusting the names of this package alone."""
    file = skops.io.dumps(clf)
    trusted = skops.io.get_untrusted_types(data=file)
    assert trusted[0] == "sk_twolayer.classifier.TwoLayerClassifier"
    assert all(name.startswith("sk_twolayer.optimizers.") for name in trusted[1:])
    assert len(trusted) == 1 + (not isinstance(clf.solver, str))
    return skops.io.loads(file, trusted=trusted)


def load_skops(file):
    data = file.read()
    return skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))


WAYS = {
    **{f"pickle {protocol}": partial(by_pickle, protocol=protocol) for protocol in range(6)},
    "joblib": by_joblib,
    "joblib, compressed": partial(by_joblib, compress=3),
    "joblib, memory-mapped": partial(by_joblib, mmap_mode="r"),
    "cloudpickle": by_cloudpickle,
    "skops": by_skops,
    "deepcopy": copy.deepcopy,
}
KINDS = {
    "ten classes": lambda digits: digits,
    "two classes, named": lambda digits: (digits[0], np.where(digits[1] > 4, "high", "low")),
    "labels": lambda digits: (digits[0], np.c_[digits[1] % 2, digits[1] % 3 == 0]),
    "sparse float32": lambda digits: (sp.csr_array(digits[0].astype(np.float32)), digits[1]),
    "data frame": lambda digits: (pd.DataFrame(digits[0]).add_prefix("pixel "), digits[1]),
    "object labels": lambda digits: (digits[0], np.array(["a", "b"], object)[digits[1] % 2]),
}


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def way(request):
    return request.param


@pytest.mark.parametrize(("options", "kind", "way"), pairwise(OPTIONS, KINDS, WAYS))
def test_round_trips(options, kind, way, digits):
    X, y = KINDS[kind]((digits[0][:300], digits[1][:300]))
    clf = TwoLayerClassifier(max_iter=3, tol=None, random_state=0, **OPTIONS[options]).fit(X, y)
    loaded = WAYS[way](clf)
    assert_array_equal(loaded.predict(X), clf.predict(X))
    assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    assert repr(loaded) == repr(clf)
    assert vars(loaded).keys() == vars(clf).keys()
    assert loaded.classes_.dtype == clf.classes_.dtype
    assert_array_equal(loaded.fit(X, y).coefs_[0], clf.coefs_[0])


GOING_ON = {
    "adam, dropout": {"solver": "adam", "dropout": 0.2},
    "momentum": {"solver": SGD(momentum=0.9), "learning_rate_schedule": "adaptive"},
    "lbfgs": {"solver": LBFGS()},
    "best epoch": {"early_stopping": True, "scoring": "accuracy", "class_weight": {3: 2.0}},
}


@pytest.mark.parametrize("options", GOING_ON.values(), ids=GOING_ON)
def test_training_resumes_from_a_file(options, way, digits):
    X, y = digits
    clf = TwoLayerClassifier(
        20, max_iter=2, tol=None, warm_start=True, random_state=0, **options
    ).fit(X, y)
    loaded = way(clf)
    assert_array_equal(loaded.fit(X, y).coefs_[0], clf.fit(X, y).coefs_[0])
    assert loaded.loss_curve_ == clf.loss_curve_


def test_partial_fit_resumes_from_a_file(way, digits):
    X, y = digits
    clf = TwoLayerClassifier(20, solver="adam", random_state=0).partial_fit(X, y, range(10))
    loaded = way(clf)
    assert_array_equal(loaded.partial_fit(X, y).coefs_[0], clf.partial_fit(X, y).coefs_[0])


def plain_types(value):
    """Yield the types of what is in a value, down to arrays and scalars."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple):
        for item in value:
            yield from plain_types(item)
    else:
        yield f"array of {value.dtype.kind}" if isinstance(value, np.ndarray) else type(value)


@pytest.mark.parametrize("options", GOING_ON.values(), ids=GOING_ON)
def test_the_fitted_state_is_plain(options, digits):
    clf = TwoLayerClassifier(5, max_iter=2, tol=None, warm_start=True, random_state=0, **options)
    state = clf.fit(*digits).__getstate__()
    fitted = {name: value for name, value in state.items() if name not in clf.get_params()}
    arrays = {"array of f", "array of i", "array of u"}
    assert set(plain_types(fitted)) <= arrays | {str, int, float, bool, type(None)}


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


@pytest.mark.slow
def test_a_history_takes_nine_bytes_per_epoch(digits):
    options = {"hidden_size": 10, "batch_size": "full", "random_state": 0}
    options["learning_rate_schedule"] = "cosine"
    short, long = (
        len(pickle.dumps(TwoLayerClassifier(max_iter=max_iter, **options).fit(*digits)))
        for max_iter in (1000, 2000)
    )
    assert 8000 < long - short < 9500


class FullDisk(io.BytesIO):
    """Takes so many bytes and no more."""

    def __init__(self, room):
        super().__init__()
        self.room = room

    def write(self, data):
        taken = self.getbuffer().nbytes
        super().write(memoryview(data).cast("B")[: self.room - taken])
        if taken + memoryview(data).nbytes > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return memoryview(data).nbytes


SAVING = {"pickle": pickle.dump, "joblib": joblib.dump, "skops": skops.io.dump}
LOADING = {"pickle": pickle.load, "joblib": joblib.load, "skops": load_skops}


@pytest.fixture(scope="module")
def small(digits):
    """A model that takes few bytes, and going on from it."""
    return TwoLayerClassifier(2, solver="adam", random_state=0).partial_fit(*digits, range(10))


@pytest.fixture(scope="module", params=SAVING)
def saved(request, small):
    """A way to save, a way to load, and what a file of the model holds."""
    file = io.BytesIO()
    SAVING[request.param](small, file)
    return SAVING[request.param], LOADING[request.param], file.getvalue()


def is_refused(load, content):
    try:
        load(io.BytesIO(content))
    except Exception:  # which one is the library's business
        return True
    return False


def test_a_full_disk_while_saving(saved, small):
    """The error is passed on, the model lives, and what is on the disk is not taken for one."""
    save, load, content = saved
    before = joblib.hash(vars(small))
    for room in range(0, len(content), 1 + len(content) // 50):
        disk = FullDisk(room)
        with pytest.raises(OSError, match="No space left"):
            save(small, disk)
        assert joblib.hash(vars(small)) == before
        assert is_refused(load, disk.getvalue())


def test_a_truncated_file_is_no_model(saved):
    _, load, content = saved
    for length in range(0, len(content), 1 + len(content) // 300):
        assert is_refused(load, content[:length])


def with_a_bit_flipped(content, places):
    """Yield a file again and again, with another bit changed in one of some of its bytes."""
    random_state = np.random.RandomState(0)
    for _ in range(N_DAMAGED):
        damaged = bytearray(content)
        damaged[random_state.choice(places)] ^= 1 << random_state.randint(8)
        yield bytes(damaged)


@pytest.mark.parametrize("library", ["pickle", "joblib"])
def test_damaged_numbers_in_a_file(library, small):
    """pickle takes them for what was saved: hence the checksum.

    (A bit elsewhere in a pickle can do anything, up to a crash of NumPy, before it is asked.)
    """
    file = io.BytesIO()
    SAVING[library](small, file)
    content, memory = file.getvalue(), small._training_state["optimizer"]
    arrays = [*small.coefs_, *small.intercepts_, memory["mean_"], memory["square_"]]
    starts = [content.index(array.tobytes()) for array in arrays]
    places = np.concatenate(
        [start + np.arange(array.nbytes) for start, array in zip(starts, arrays, strict=True)]
    )
    for damaged in with_a_bit_flipped(content, places):
        with pytest.raises(ValueError, match="does not match its contents"):
            LOADING[library](io.BytesIO(damaged))


def test_a_damaged_skops_file(small, digits):
    """It is an archive with checksums of its own; some of its fields nobody reads."""
    content, answers = skops.io.dumps(small), small.predict_proba(digits[0])
    loaded = []
    for damaged in with_a_bit_flipped(content, np.arange(len(content))):
        try:
            loaded.append(load_skops(io.BytesIO(damaged)))
        except Exception:  # of zipfile, json, NumPy, skops or this package
            continue
    assert len(loaded) < 0.2 * N_DAMAGED
    for clf in loaded:
        assert_array_equal(clf.predict_proba(digits[0]), answers)
        assert repr(clf) == repr(small)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"_layout": 99, "_saved_by": "9.0"}, r"in layout 99 by sk_twolayer 9.0, but.*layout 1"),
        ({"_layout": None, "_saved_by": None}, "in layout None by sk_twolayer None.*train it"),
        ({"alpha": 0.5}, "does not match its contents.*damaged"),
        ({"_checksum": None}, "does not match its contents"),
        ({"t_": 1}, "does not match its contents"),
    ],
    ids=str,
)
def test_foreign_and_changed_files(change, message, small):
    state = {**small.__getstate__(), **change}
    with pytest.raises(ValueError, match=message):
        TwoLayerClassifier.__new__(TwoLayerClassifier).__setstate__(state)


def saved_under(version, small):
    """Return what a file holds that was written with some version of scikit-learn."""
    state = small.__getstate__()
    assert state["_sklearn_version"] == sklearn.__version__
    if version is None:
        del state["_sklearn_version"]
        return state
    return {**state, "_sklearn_version": version}


def test_a_file_of_another_version_of_scikit_learn_gives_its_warning(small, digits):
    loaded = TwoLayerClassifier.__new__(TwoLayerClassifier)
    with pytest.warns(InconsistentVersionWarning, match="TwoLayerClassifier from version 0.99"):
        loaded.__setstate__(saved_under("0.99", small))
    assert_array_equal(loaded.predict_proba(digits[0]), small.predict_proba(digits[0]))


def test_a_file_of_the_same_or_of_an_unknown_version_gives_no_warning(small):
    for version in (None, sklearn.__version__):
        loaded = TwoLayerClassifier.__new__(TwoLayerClassifier)
        loaded.__setstate__(saved_under(version, small))
        assert vars(loaded).keys() == vars(small).keys()


def test_an_estimator_that_is_not_fitted(way):
    loaded = way(TwoLayerClassifier(hidden_size=7))
    assert repr(loaded) == "TwoLayerClassifier(hidden_size=7)"
    assert not hasattr(loaded, "coefs_")
