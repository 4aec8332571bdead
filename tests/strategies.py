"""What people hand to an estimator: the same numbers in every guise, and numbers that are none.

A guise of a matrix or of labels comes with what it stands for, as a plain array or list.
"""

import collections
import datetime
import decimal
import tempfile
import warnings
from fractions import Fraction
from functools import partial, wraps

import hypothesis
import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse as sp
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.5, 3.0, -2.5, 100.0, 1e-3, 5e-324, 1e-310, 1e30, -1e30]
SPOILED = [np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, 1e300]
DTYPES = [
    *(np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64, np.bool_),
    *(np.float16, np.float32, np.float64, np.longdouble, "M8[s]", "m8[s]", "U9", "S9", "O"),
    *(">f2", ">f4", ">f8", ">i4", ">u8"),
]
SPARSE_FORMATS = ["csr", "csc", "coo", "lil", "dok", "dia", "bsr"]


ONE_TO_FOUR = st.integers(1, 4)
tried = collections.Counter()


def given(*strategies):
    """Return hypothesis's decorator; every case it tries is counted in `tried`."""

    def decorate(test):
        @wraps(test)
        def counting(*arguments, **options):
            tried[test.__name__] += 1
            return test(*arguments, **options)

        return hypothesis.given(*strategies)(counting)

    return decorate


def matrices(rows, columns=ONE_TO_FOUR, numbers=NUMBERS):
    """Return plain matrices: float64, by rows, some with a column that is constant."""

    def fill(shape):
        n = shape[0] * shape[1]
        cells = st.lists(st.sampled_from(numbers) | st.floats(-3, 3, width=16), min_size=n)
        return cells.map(lambda values: np.reshape(values[:n], shape).astype(np.float64))

    plain = st.tuples(rows, columns).flatmap(fill)
    return plain | plain.map(lambda X: np.ones_like(X) * X[:1])


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def memory_mapped(X):
    with tempfile.NamedTemporaryFile() as file:
        mapped = np.memmap(file, X.dtype, "w+", shape=X.shape)
        mapped[:] = X
        return mapped


def every_other_row(X):
    return np.repeat(X, 2, axis=0)[::2]


def unaligned(X):
    memory = np.zeros(X.nbytes + 1, np.uint8)[1:].view(X.dtype).reshape(X.shape)
    memory[...] = X
    return memory


def as_dtype(dtype):
    def cast(X):
        with np.errstate(all="ignore"):  # what does not fit becomes some other number
            return np.clip(X, -100, 100).astype(dtype)

    cast.__name__ = np.dtype(dtype).str
    return cast


def named(X):
    return pd.DataFrame(X).add_prefix("column ")


# Each takes a plain matrix, of any size but 0, and returns it in another guise.
DENSE_GUISES = [
    np.ndarray.copy,
    np.asfortranarray,
    every_other_row,
    unaligned,
    read_only,
    memory_mapped,
    *map(as_dtype, DTYPES),
    lambda X: X[::-1][::-1],
    lambda X: np.ascontiguousarray(X[::-1])[::-1],
    lambda X: X.copy()[::-1, ::-1],
    lambda X: np.broadcast_to(X[:1], X.shape),
    lambda X: np.broadcast_to(X[:, :1], X.shape),
    lambda X: np.broadcast_to(X[0, 0], X.shape),
    lambda X: np.ma.array(X),
    lambda X: X.tolist(),
    lambda X: list(X),
    lambda X: [tuple(row) for row in X.tolist()],
    lambda X: np.vectorize(str, otypes=[object])(X),
    named,
    lambda X: named(X).astype("Float64"),
    lambda X: named(as_dtype(np.int64)(X)).astype("Int64"),
    lambda X: named(as_dtype(np.int8)(X)).astype("category"),
    lambda X: named(X != 0).astype("boolean"),
    lambda X: named(X.astype(np.float32)),
    lambda X: named(X).astype({"column 0": np.float32}),
    lambda X: named(X).set_index(np.zeros(len(X))),
    lambda X: pl.DataFrame(dict(named(X))),
    lambda X: pl.DataFrame(dict(named(as_dtype(np.uint64)(X)))),
    lambda X: pl.DataFrame(dict(named(X.astype(np.float32)))),
]


def as_plain(X):
    """Return what an estimator makes of a guise: a float32 or float64 array by rows."""
    if isinstance(X, pl.DataFrame):
        X = X.to_numpy()
    X = np.asarray(X)
    return np.array(X, np.float32 if X.dtype == np.float32 else np.float64, order="C")


@st.composite
def dense_rows(draw, **sizes):
    """Return a guise of a matrix, and the plain matrix."""
    guise = draw(st.sampled_from(DENSE_GUISES))(draw(matrices(**sizes)))
    return guise, as_plain(guise)


@st.composite
def sparse_rows(draw, **sizes):
    """Return a sparse container, its entries perhaps in disorder, and the plain matrix."""
    dtype = draw(st.sampled_from([np.float64, np.float32, np.int32, np.longdouble, np.bool_]))
    X = draw(matrices(**sizes, numbers=[0.0, 1.0, -2.0, 0.5])).astype(dtype)
    kind = draw(st.sampled_from([sp.coo_array, sp.coo_matrix]))
    rows, columns = np.indices(X.shape).reshape(2, -1)
    there = np.flatnonzero(X.ravel()) if draw(st.booleans()) else np.arange(X.size)
    there = np.repeat(there, draw(st.integers(1, 2)))  # twice is added up
    there = np.array(draw(st.permutations(there.tolist())), dtype=int)
    entries = (X.ravel()[there], (rows[there], columns[there]))
    container = kind(entries, shape=X.shape).asformat(draw(st.sampled_from(SPARSE_FORMATS)))
    plain = container.toarray()
    if hasattr(container, "indptr"):
        index = draw(st.sampled_from([np.int32, np.int64]))
        container.indices = container.indices.astype(index)
        container.indptr = container.indptr.astype(index)
        if container.format in ("csr", "csc") and draw(st.booleans()):
            container = with_entries_in_disorder(container)
        if draw(st.booleans()):
            for array in (container.data, container.indices, container.indptr):
                array.flags.writeable = False
    return container, as_plain(plain)


def with_entries_in_disorder(csr):
    """Return the entries of each row, or column, from the last to the first."""
    order = [
        k
        for a, b in zip(csr.indptr[:-1], csr.indptr[1:], strict=True)
        for k in range(b - 1, a - 1, -1)
    ]
    entries = (csr.data[order], csr.indices[order], csr.indptr)
    return type(csr)(entries, shape=csr.shape)


ARRAY_GUISES = [
    np.array,
    lambda labels: read_only(np.array(labels)),
    lambda labels: np.repeat(np.array(labels), 2)[::2],
    lambda labels: np.array(labels[::-1])[::-1],
    lambda labels: np.ma.array(labels),
]
# As a column; scikit-learn asks for a row instead, by a DataConversionWarning.
COLUMN_GUISES = [
    lambda labels: np.array(labels)[:, np.newaxis],
    lambda labels: pd.DataFrame({"y": labels}),
    lambda labels: pl.DataFrame({"y": labels}),
    lambda labels: pd.DataFrame({"y": labels}).convert_dtypes(),
]
LABEL_GUISES = [
    *ARRAY_GUISES,
    *COLUMN_GUISES,
    list,
    tuple,
    collections.deque,
    lambda labels: np.array(labels, dtype=object),
    pd.Series,
    pd.Index,
    lambda labels: pd.Series(labels, index=range(len(labels))[::-1]),
    lambda labels: pd.Series(pd.Categorical(labels)),
    lambda labels: pd.Categorical(labels, categories=sorted(set(labels))[::-1], ordered=True),
    lambda labels: pd.Series(labels).convert_dtypes(),
    lambda labels: pd.Series(labels).convert_dtypes().array,
    lambda labels: pl.Series("y", labels),
]
DTYPES_OF_LABELS = [np.int8, np.uint16, np.uint64, np.float16, np.float32, np.longdouble, ">i4"]
# Labels of one kind, and in what they come.
LABELS = [
    (["", "a", "ä", "z" * 30], LABEL_GUISES),
    (["a\0b", "a\0c", "😀"], ARRAY_GUISES),  # pandas 2.0 takes the first two for the same
    (
        ["b", "a"],
        [partial(pl.Series, dtype=pl.Categorical), lambda y: pl.Series(y).cast(pl.Enum("ab"))],
    ),
    ([False, True], LABEL_GUISES),
    ([2**53, 2**53 + 1, -(2**63), -7, 0, 2**63 - 1], LABEL_GUISES),
    ([-1.0, 0.0, 3.0, 1e15], LABEL_GUISES),
    ([0, 1], LABEL_GUISES),
    ([2**53, 2**53 + 1], LABEL_GUISES),
    (list(range(8)), LABEL_GUISES),
    ([0, 1, 2, 100], [partial(np.array, dtype=dtype) for dtype in DTYPES_OF_LABELS]),
    ([2**63, 2**64 - 1], ARRAY_GUISES),  # of the others not all can hold them
]


@st.composite
def labels(draw, n):
    """Return n labels in some guise, of at least two classes, and as a plain list."""
    alphabet, guises = draw(st.sampled_from(LABELS))
    if len(alphabet) >= n and draw(st.booleans()):
        plain = alphabet[:n]  # as many classes as rows
    else:
        rest = draw(st.lists(st.sampled_from(alphabet), min_size=n - 2, max_size=n - 2))
        plain = [*alphabet[:2], *rest]
    return draw(st.sampled_from(guises))(plain), plain


def with_zeros_beside(y):
    """Return a sparse matrix that holds each one together with a zero in the same place."""
    csr = sp.csr_array(y)
    data = np.stack([csr.data, np.zeros_like(csr.data)], axis=1).ravel()
    return sp.csr_array((data, np.repeat(csr.indices, 2), 2 * csr.indptr), shape=y.shape)


INDICATOR_GUISES = [
    with_zeros_beside,
    *(partial(np.asarray, dtype=dtype) for dtype in (np.int8, np.bool_, np.float32, np.uint64)),
    partial(np.asarray, dtype=np.longdouble),
    partial(np.asarray, dtype=np.float16),
    lambda y: pd.DataFrame(y).astype("Int64"),
    lambda y: pd.DataFrame(y.astype(bool)).astype("boolean"),
    lambda y: np.ma.array(y),
    lambda y: y.copy()[::-1, ::-1][::-1, ::-1],
    np.asfortranarray,
    np.ndarray.tolist,
    read_only,
    pd.DataFrame,
    lambda y: pd.DataFrame(y.astype(bool)),
    lambda y: pl.DataFrame(dict(named(y))),
    *(partial(sp.coo_array.asformat, format=kind) for kind in SPARSE_FORMATS),
    *(lambda y, kind=kind: sp.coo_matrix(y).asformat(kind) for kind in SPARSE_FORMATS),
    lambda y: sp.csr_array(y.astype(bool)),
]


@st.composite
def indicators(draw, n):
    """Return an indicator matrix of n rows in some guise, and the plain one."""
    plain = draw(arrays(np.int64, (n, draw(st.integers(2, 4))), elements=st.integers(0, 1)))
    guise = draw(st.sampled_from(INDICATOR_GUISES))
    to_sparse = getattr(guise, "func", None) is sp.coo_array.asformat
    return guise(sp.coo_array(plain) if to_sparse else plain.copy()), plain


def as_matrix(X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of NumPy: there are better
        return np.matrix(X)


def no_labels(n):
    """Return targets that no classifier can learn."""
    return st.sampled_from(
        [
            [0.5, *[1.25] * (n - 1)],
            np.array([0.0, *[1e300] * (n - 1)]),
            np.array([0.0, *[5e-324] * (n - 1)]),
            np.array([0.0, *[np.inf] * (n - 1)], dtype=np.float32),
            np.array([0.5, *[1.5] * (n - 1)], dtype=np.longdouble),
            [b"a", *[b"b"] * (n - 1)],
            [np.nan, *[1.0] * (n - 1)],
            [None, *["b"] * (n - 1)],
            ["b", None] * (n // 2),
            pl.Series(["b", None] * (n // 2)),
            np.zeros(n, [("a", int)]),
            np.array(["2020", "NaT"] * (n // 2), "M8[D]"),
            np.array([1, "NaT"] * (n // 2), "m8[s]"),
            [1, None] * (n // 2),
            np.array(["b", *[1] * (n - 1)], dtype=object),
            np.array([True, *["b"] * (n - 1)], dtype=object),
            np.array([(1,), (2,)] * (n // 2) + [None], dtype=object)[:n],
            [[1], [1, 2]] * (n // 2),
            [{1}, {2}] * (n // 2),
            [decimal.Decimal(1), decimal.Decimal(2)] * (n // 2),
            [datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)] * (n // 2),
            [2**64, 1] * (n // 2),
            np.array([1, *["b"] * (n - 1)], dtype=object),
            np.array([2**70, *[1] * (n - 1)], dtype=object),
            [1j, *[2.0] * (n - 1)],
            [Fraction(1, 3)] * n,
            [],
            [0, 1],
            None,
            7,
            "ab" * n,
            b"ab" * n,
            {"a": 1},
            set(range(n)),
            np.array(1),
            pd.Series([1, pd.NA] * (n // 2), dtype="Int64"),
            pd.Series([True, pd.NA] * (n // 2), dtype="boolean"),
            pd.Series(["b", pd.NA] * (n // 2), dtype="string"),
            pd.Categorical(["b", None] * (n // 2)),
            pd.Series(["b", np.nan] * (n // 2), dtype=object),
            pd.Series(pd.to_datetime(["2020", None] * (n // 2))),
            pd.DataFrame({"a": [1, pd.NA] * (n // 2), "b": 1}, dtype="Int64"),
            pl.Series([1, None] * (n // 2)),
            pl.Series([True, None] * (n // 2)),
            pl.Series([[1], [2]] * (n // 2)),
            pl.DataFrame({"a": [0, None] * (n // 2), "b": [1] * n}),
            np.ma.array([0, 1] * (n // 2), mask=[True, False] * (n // 2)),
            np.tile([0, 1, 2], (n, 1)),
            np.zeros((n, 2, 2)),
            np.full((n, 3), 0.5),
            np.full((n, 3), 2),
            np.full((n, 0), 1),
            np.full((n, 2), np.nan),
            np.eye(n, 2) + 1j,
            np.eye(n, 2) * 2 - 1,
            np.eye(n, 2).astype(str),
            np.eye(n, 2).astype(object) / 2,
            as_matrix(np.eye(n, 2)),
            sp.csr_array(np.tile([0, 1, 2], (n, 1))),
            sp.csr_array(np.full((n, 2), np.inf)),
            sp.csr_array(np.eye(n, 2) / 2),
            sp.csr_array((n, 0)),
        ]
    )


def no_classes():
    """Return what cannot be announced as the labels 0, 1 and 2."""
    return st.sampled_from(
        [
            [],
            [0],
            [0, 1],
            [0, 0, 0],
            [0.5, 1.5],
            ["0", "1", "2"],
            [b"a", b"b"],
            [0, "a", None],
            [0, 1, None],
            [{0}, {1}, {2}],
            np.array([0, 1j]),
            [[0], [1, 2]],
            {0, 1, 2},
            "012",
            None,
            pd.Series([0, 1, pd.NA], dtype="Int64"),
            [0, np.nan],
            [0, np.inf],
            [0.0, 1e300],
            [2**63, -1],
            np.array(3),
            sp.csr_array([[0, 1, 2]]),
        ]
    )


def memory_mapped_weights(weights):
    return memory_mapped(np.array(weights))


# Each takes a list of n weights of 0, 1 and 2.
WEIGHT_GUISES = [
    list,
    tuple,
    lambda weights: np.array(weights, np.uint8),
    lambda weights: np.array(weights, np.float16),
    lambda weights: np.array(weights, np.float32),
    lambda weights: np.array(weights, ">f8"),
    lambda weights: np.array(weights, ">i4"),
    lambda weights: np.array(weights, np.longdouble),
    lambda weights: np.array(weights, np.uint64) * np.uint64(2**62),
    lambda weights: [weight * 2**70 for weight in weights],
    lambda weights: [Fraction(weight, 3) for weight in weights],
    lambda weights: np.array(weights, object),
    lambda weights: np.array(weights[::-1])[::-1],
    lambda weights: np.ma.array(weights),
    memory_mapped_weights,
    lambda weights: read_only(np.array(weights, float)),
    lambda weights: np.repeat(weights, 2)[::2],
    lambda weights: pd.Series(weights, index=range(5, 5 + len(weights))),
    lambda weights: pd.Series(weights, dtype="Float64"),
    lambda weights: pl.Series("weights", weights),
    lambda weights: np.array(weights) * 5e-324,
    lambda weights: np.array(weights) * 5e307,
    lambda weights: np.array(weights, np.float32) * np.float32(1e-45),
    lambda weights: np.array(weights, np.float32) * np.float32(1e38),
    lambda weights: -0.0 * np.equal(weights, 0) + weights,
]
BOOLEAN_GUISES = [
    lambda weights: [bool(weight) for weight in weights],
    lambda weights: np.array(weights, bool),
    lambda weights: pd.Series(weights, dtype="boolean"),
    lambda weights: pl.Series(weights).cast(pl.Boolean),
]


@st.composite
def row_weights(draw, n):
    """Return weights of n rows in some guise, and how many copies of each row they stand for."""
    largest = draw(st.integers(1, 2))
    plain = draw(st.lists(st.integers(0, largest), min_size=n, max_size=n))
    guises = WEIGHT_GUISES + BOOLEAN_GUISES if largest == 1 else WEIGHT_GUISES
    return draw(st.sampled_from(guises))(plain), plain


def no_weights(n):
    """Return what cannot be weights of n rows."""
    return st.sampled_from(
        [
            [-1.0, *[1.0] * (n - 1)],
            np.array([-1, *[1] * (n - 1)], np.int8),
            [-5e-324, *[1.0] * (n - 1)],
            [np.nan, *[1.0] * (n - 1)],
            [np.inf, *[1.0] * (n - 1)],
            [-np.inf, *[1.0] * (n - 1)],
            np.array([np.inf, *[1] * (n - 1)], np.float16),
            [0.0] * n,
            [1.0] * (n + 1),
            [],
            [[1.0]] * n,
            ["heavy"] * n,
            [None] * n,
            [1j] * n,
            {"a": 1.0},
            {1.0},
            "balanced",
            len,
            np.array(1.0),
            -1.0,
            [[1.0], [1.0, 2.0]] * (n // 2),
            np.ones((1, n)),
            np.full(n, "NaT", "m8[s]"),
            as_matrix(np.ones(n)),
            np.nan,
            1j,
            10**400,
            [10**400] * n,
            np.full(n, np.longdouble("1e400")),
            pl.Series([1, None] * (n // 2)),
            pd.DataFrame({"a": [1.0] * n}),
            np.ma.array([1.0] * n, mask=[True] + [False] * (n - 1)),
            pd.Series([1, pd.NA] * (n // 2), dtype="Int64"),
            sp.csr_array(np.ones((1, n))),
        ]
    )


def no_rows(n):
    """Return what cannot be n rows of two columns."""
    return st.sampled_from(
        [
            *(np.full((n, 2), value) for value in SPOILED[:3]),
            np.array([[np.inf, -np.inf]] * n),
            np.zeros((0, 2)),
            np.zeros((n, 0)),
            np.zeros(n),
            np.zeros((n, 2, 1)),
            np.float64(1),
            np.zeros((n, 2), complex),
            np.full((n, 2), "a"),
            np.full((n, 2), b"a"),
            np.full((n, 2), None),
            as_matrix(np.zeros((n, 2))),
            np.full((n, 2), "NaT", "M8[s]"),
            np.array([["2020", "NaT"]] * n, "M8[D]"),
            pd.DataFrame({"a": pd.to_datetime(["2020", None] * (n // 2))}),
            [[10**400, 1]] * n,
            np.full((n, 2), 10**400),
            np.full((n, 2), np.longdouble(10) ** 4000),
            np.zeros((n, 2), "V8"),
            np.zeros((n, 2), [("a", float), ("b", float)]),
            np.ma.array(np.zeros((n, 2)), mask=np.eye(n, 2, dtype=bool)),
            [[0.0, 1.0], [0.0]] * (n // 2),
            [["a", 1.0]] * n,
            [[{}, 1.0]] * n,
            "ab" * n,
            None,
            7,
            {"a": [1.0] * n},
            set(range(n)),
            len,
            [b"ab"] * n,
            [datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)] * (n // 2),
            pd.Series(range(n)),
            pd.DataFrame(),
            pd.DataFrame(index=range(n)),
            pd.DataFrame({"a": ["x"] * n, "b": 1.0}),
            pd.DataFrame({"a": pd.Categorical(["x"] * n), "b": 1.0}),
            pd.DataFrame({"a": pd.Categorical([1, None] * (n // 2)), "b": 1.0}),
            pd.DataFrame({"a": [True, pd.NA] * (n // 2), "b": True}, dtype="boolean"),
            pd.DataFrame({"a": [1.5, pd.NA] * (n // 2), "b": 1}, dtype="Float64"),
            pd.DataFrame({"a": ["x", pd.NA] * (n // 2)}, dtype="string"),
            pd.DataFrame([[1j, 2]] * n),
            pd.DataFrame([[1.0, 2.0]] * n, columns=["a", 1]),
            pl.Series(range(n)),
            pl.DataFrame(),
            pl.DataFrame({"a": ["x"] * n, "b": [1.0] * n}),
            pl.DataFrame({"a": [1, None] * (n // 2), "b": [1] * n}),
            pl.DataFrame({"a": [True, None] * (n // 2), "b": [True] * n}),
            pd.DataFrame({"a": [pd.NA, 1] * (n // 2), "b": 1}, dtype="Int64"),
            pl.DataFrame({"a": [None, 1.0] * (n // 2), "b": [1.0] * n}),
            sp.csr_array(np.full((n, 2), np.nan)),
            sp.csr_array(np.zeros((n, 2), complex)),
            sp.coo_array(([1.7e308, 1.7e308], ([0, 0], [1, 1])), shape=(n, 2)),
            *(kind((0, 2)) for kind in (sp.csr_array, sp.dok_array, sp.lil_matrix)),
            *(kind((n, 0)) for kind in (sp.csr_array, sp.dok_array, sp.lil_matrix)),
        ]
    )
