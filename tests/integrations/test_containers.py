"""Arrays and frames of other libraries: float32 stays float32, the rest has a clear message."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_array_equal

from sk_twolayer import TwoLayerClassifier


class Tensor:
    """What NumPy and scikit-learn see of a tensor of PyTorch: its dtype is not NumPy's."""

    dtype = "torch.float32"

    def __init__(self, array):
        self.array = np.asarray(array)

    shape = property(lambda self: self.array.shape)

    def __len__(self):
        return len(self.array)

    def __array__(self, dtype=None, copy=None):
        return self.array if dtype is None else self.array.astype(dtype)

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class OnlyDlpack:
    """An array that NumPy takes by DLPack alone."""

    def __init__(self, array):
        self.array = np.asarray(array)

    shape = property(lambda self: self.array.shape)

    def __len__(self):
        return len(self.array)

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class OnlyArray:
    """An array that says nothing of its dtype."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def __array__(self, dtype=None, copy=None):
        return self.array if dtype is None else self.array.astype(dtype)


def columns_of(X):
    return {f"c{k}": X[:, k] for k in range(X.shape[1])}


def pyarrow_table(X):
    return pytest.importorskip("pyarrow").table(columns_of(X))


def pyarrow_batch(X):
    return pytest.importorskip("pyarrow").record_batch(columns_of(X))


def pandas_of_pyarrow(X):
    pytest.importorskip("pyarrow")
    kind = {"float32": "float[pyarrow]", "float64": "double[pyarrow]"}[X.dtype.name]
    return pd.DataFrame(columns_of(X)).astype(kind)


def pandas_nullable(X):
    return pd.DataFrame(columns_of(X)).astype(X.dtype.name.capitalize())


ARRAYS = {"tensor": Tensor, "DLPack": OnlyDlpack, "__array__": OnlyArray}
FRAMES = {
    "pyarrow table": pyarrow_table,
    "pyarrow batch": pyarrow_batch,
    "pandas": lambda X: pd.DataFrame(columns_of(X)),
    "pandas of pyarrow": pandas_of_pyarrow,
    "pandas, nullable": pandas_nullable,
    "polars": lambda X: pl.DataFrame(columns_of(X)),
}


def make():
    return TwoLayerClassifier(5, max_iter=2, tol=None, random_state=0)


@pytest.mark.parametrize("container", {**ARRAYS, **FRAMES})
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_other_libraries_is_kept(digits, container, dtype):
    X, y = digits[0].astype(dtype), digits[1]
    other = {**ARRAYS, **FRAMES}[container](X)
    expected = make().fit(X, y)
    clf = make().fit(other, y)
    assert clf.coefs_[0].dtype == dtype
    assert_array_equal(clf.coefs_[0], expected.coefs_[0])
    assert_array_equal(clf.predict_proba(other), expected.predict_proba(X))
    assert make().partial_fit(other, y, range(10)).coefs_[0].dtype == dtype


@pytest.mark.parametrize("container", ["pyarrow table", "pandas of pyarrow"])
def test_the_names_of_columns_are_kept(digits, container):
    other = FRAMES[container](digits[0].astype(np.float32))
    assert make().fit(other, digits[1]).feature_names_in_[-1] == "c63"


@pytest.mark.parametrize("container", ARRAYS)
def test_labels_in_arrays_of_other_libraries(digits, container):
    X, y = digits
    clf = make().fit(X, ARRAYS[container](y))
    assert_array_equal(clf.coefs_[0], make().fit(X, y).coefs_[0])
    assert clf.classes_.dtype == y.dtype
    assert clf.score(X, ARRAYS[container](y)) == clf.score(X, y)


def test_a_lazy_frame_is_refused(digits):
    X, y = digits
    lazy = pl.DataFrame(columns_of(X)).lazy()
    with pytest.raises(TypeError, match=r"X is a LazyFrame.*give X\.collect\(\)"):
        make().fit(lazy, y)
    with pytest.raises(TypeError, match=r"y is a LazyFrame.*give y\.collect\(\)"):
        make().fit(X, pl.DataFrame({"y": y}).lazy())
    clf = make().fit(lazy.collect(), y)
    for method in ("predict", "predict_proba", "decision_function", "transform"):
        with pytest.raises(TypeError, match="X is a LazyFrame"):
            getattr(clf, method)(lazy)


def test_array_api_dispatch_is_refused_for_arrays_of_other_libraries(digits):
    pytest.importorskip("scipy", minversion="1.14")  # for scikit-learn to dispatch at all
    X, y = digits
    clf = make().fit(X, y)
    message = r"array_api_dispatch=True is not supported.*{} is a \S*Tensor\. Convert it to a NumPy"
    with sklearn.config_context(array_api_dispatch=True):
        with pytest.raises(TypeError, match=message.format("X")):
            make().fit(Tensor(X), y)
        with pytest.raises(TypeError, match=message.format("y")):
            make().fit(X, Tensor(y))
        with pytest.raises(TypeError, match=message.format("X")):
            clf.predict(Tensor(X))
        assert_array_equal(make().fit(X, y).predict(X), clf.predict(X))
        assert_array_equal(make().fit(pd.DataFrame(X), pl.Series(y)).predict(X), clf.predict(X))


def test_array_api_strict(digits):
    pytest.importorskip("scipy", minversion="1.14")
    xp = pytest.importorskip("array_api_strict")
    X, y = xp.asarray(digits[0].astype(np.float32)), xp.asarray(digits[1])
    assert make().fit(X, y).coefs_[0].dtype == np.float32
    with (
        sklearn.config_context(array_api_dispatch=True),
        pytest.raises(TypeError, match="array_api_dispatch=True is not supported"),
    ):
        make().fit(X, y)
