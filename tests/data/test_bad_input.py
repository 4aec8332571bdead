"""Bad input: each case gets an error that says what was wrong and what to do."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import SGD, Adam

X = np.random.RandomState(0).standard_normal((30, 4))
y = np.arange(30) % 3


def with_value(value):
    spoiled = X.copy()
    spoiled[3, 2] = value
    return spoiled


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_size": 0}, r"'hidden_size'.* int in the range \[1, inf\). Got 0"),
        ({"hidden_size": 2.5}, "'hidden_size'.*Got 2.5"),
        ({"activation": "swish"}, "'activation'.*'identity'.*Got 'swish'"),
        ({"solver": "newton"}, "'solver'.*'adam'.*Optimizer.*Got 'newton'"),
        ({"weight_init_std": "he"}, "'weight_init_std'.*Got 'he'"),
        ({"weight_init_std": 0}, "'weight_init_std'.*Got 0"),
        ({"learning_rate": "fast"}, "'learning_rate'.*'auto'.*Got 'fast'"),
        ({"learning_rate": -0.1}, r"'learning_rate'.*range \(0.* inf\).*Got -0.1"),
        ({"alpha": -1}, "'alpha'.*Got -1"),
        ({"batch_size": 0}, "'batch_size'.*Got 0"),
        ({"batch_size": "all"}, "'batch_size'.*'auto'.*Got 'all'"),
        ({"max_iter": 0}, "'max_iter'.*Got 0"),
        ({"tol": -1e-4}, "'tol'.*Got -0.0001"),
        ({"n_iter_no_change": 0}, "'n_iter_no_change'.*Got 0"),
        ({"class_weight": "even"}, "'class_weight'.*'balanced'.*Got 'even'"),
        ({"class_weight": {7: 2.0}}, r"class_weight names \[7\], but the classes in y are \[0, 1"),
        ({"class_weight": {"0": 2.0}}, r"class_weight names \['0'\]"),
        (
            {"class_weight": {0: -1.0}},
            r"class_weight\[0\] must be .*zero or positive, got -1.0",
        ),
        ({"class_weight": {0: np.nan}}, r"class_weight\[0\].*got nan"),
        ({"class_weight": {1: np.inf}}, r"class_weight\[1\].*got inf"),
        ({"class_weight": {1: 10**400}}, r"class_weight\[1\].*got 1000"),
        ({"class_weight": {1: None}}, r"class_weight\[1\].*got None"),
        ({"class_weight": {0: 0, 1: 0, 2: 0}}, "is zero for every row"),
        ({"random_state": "seed"}, "'random_state'.*Got 'seed'"),
        ({"shuffle": "yes"}, "'shuffle'.*Got 'yes'"),
        ({"verbose": "much"}, "'verbose'.*Got 'much'"),
        ({"solver": SGD(momentum=1.0)}, r"'momentum' parameter of SGD.*range \[0.* 1.*Got 1.0"),
        ({"solver": Adam(beta_2=1.0)}, r"'beta_2' parameter of Adam.*range \[0.* 1.*Got 1.0"),
        ({"solver": Adam(epsilon=0)}, "'epsilon' parameter of Adam.*Got 0"),
        ({"solver": SGD(nesterov="yes")}, "'nesterov' parameter of SGD.*Got 'yes'"),
    ],
    ids=str,
)
def test_parameters(options, message):
    clf = TwoLayerClassifier(**options)
    with pytest.raises(ValueError, match=message):
        clf.fit(X, y)
    assert not hasattr(clf, "coefs_")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((with_value(np.nan), y), "X contains NaN"),
        ((with_value(np.inf), y), "X contains infinity"),
        ((X, np.where(y == 1, np.nan, y)), r"y has missing labels, .* \(nan\) in row 1: remove"),
        ((X, y[:-1]), "inconsistent numbers of samples.*30, 29"),
        ((X, None), "requires y to be passed"),
        ((X, y + 0.5), "Unknown label type: continuous"),
        ((X, np.c_[y, y]), r"multiclass-multioutput.*MultiOutputClassifier\(TwoLayerClassifier"),
        ((X, 2 * np.eye(3)[y]), "indicator matrix contains 0 and 1, but y ranges from 0.0 to 2.0"),
        ((X[:, 0], y), "Expected 2D array, got 1D array"),
        ((X[:0], y[:0]), "Found array with 0 sample"),
        ((X[:, :0], y), "0 feature"),
        ((X + 1j, y), "Complex data not supported"),
        ((np.array([["a"] * 4] * 30), y), "could not convert string to float|dtype"),
    ],
)
def test_data(data, message):
    clf = TwoLayerClassifier()
    with pytest.raises(ValueError, match=message):
        clf.fit(*data)
    assert not hasattr(clf, "coefs_")


def test_bytes_as_labels():
    with pytest.raises(TypeError, match="Convert the labels to a string or integer format"):
        TwoLayerClassifier().fit(X, np.array([b"a", b"b", b"c"])[y])


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.where(np.arange(30) == 4, -2.0, 1), "must not be negative, but it is -2 in row 4"),
        (np.zeros(30), "(?i)weight.*zero"),
        (np.ones(29), r"sample_weight.shape == \(29,\), expected \(30,\)"),
        (np.full(30, np.nan), "sample_weight contains NaN"),
    ],
)
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 2.0}])
def test_sample_weights(weight, message, class_weight):
    with pytest.raises(ValueError, match=message):
        TwoLayerClassifier(class_weight=class_weight).fit(X, y, sample_weight=weight)


masked = np.ma.array(X, mask=np.arange(120).reshape(30, 4) == 7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X_val": with_value(np.nan)}, "^Input X_val contains NaN"),
        ({"X_val": with_value(np.nan).tolist()}, "^Input X_val contains NaN"),
        ({"X_val": sp.csr_array(with_value(np.inf))}, "^Input X_val contains infinity"),
        ({"X_val": masked}, r"^X_val is a masked array .*\(1 of 120\).*X_val\.filled\(np\.nan\)"),
        ({"X_val": [[10**400] * 4] * 30}, "^X_val contains a number that is too large"),
        ({"X_val": np.full((30, 4), "NaT", "m8[s]")}, "^X_val contains NaT"),
        ({"X_val": X[:, :3]}, "^X_val has 3 features, but .* is expecting 4"),
        ({"X_val": X[:29]}, r"^X_val and y_val: .*inconsistent numbers of samples: \[29, 30\]"),
        ({"X_val": X[0]}, "^X_val and y_val: Expected 2D array, got 1D array"),
        ({"X_val": [["X"] * 4] * 30}, "^X_val and y_val: could not convert string to float: 'X'"),
        ({"X_val": X[:0], "y_val": y[:0]}, "^X_val and y_val: Found array with 0 sample"),
        ({"y_val": y + 0.5}, "^y_val: Unknown label type: continuous"),
        ({"y_val": np.ones((30, 2, 2))}, "^X_val and y_val: Found array with dim 3"),
        ({"y_val": 3}, "^X_val and y_val: Input should have at least 1 dimension"),
        ({"sample_weight_val": np.ones(3)}, r"^sample_weight_val\.shape == \(3,\), expected \(30"),
        ({"sample_weight_val": np.ones((30, 2))}, "^sample_weight_val: .* 1D array or scalar"),
        ({"sample_weight_val": np.full(30, np.nan)}, "^Input sample_weight_val contains NaN"),
        ({"sample_weight_val": -np.ones(30)}, "^sample_weight_val must not be negative"),
        ({"sample_weight_val": sp.csr_array(X)}, "^sample_weight_val: Sparse data was passed"),
    ],
)
def test_errors_name_the_argument_of_the_validation_rows(changes, message):
    validation = {"X_val": X, "y_val": y, **changes}
    with pytest.raises((ValueError, TypeError), match=message):
        TwoLayerClassifier().fit(X, y, **validation)


def test_only_times_that_are_missing_are_nat():
    frame = pd.DataFrame({"a": [1.0, np.nan] * 15, "time": pd.to_datetime(["2020"] * 30)})
    with pytest.raises((ValueError, TypeError)) as error:
        TwoLayerClassifier().fit(frame, y)
    assert "NaT" not in str(error.value)
    frame.loc[3, "time"] = pd.NaT
    with pytest.raises(ValueError, match="X contains NaT"):
        TwoLayerClassifier().fit(frame, y)


def test_masked_weights_need_no_imputer():
    weight = np.ma.array(np.ones(30), mask=np.arange(30) == 7)
    with pytest.raises(ValueError, match=r"1 of 30.*sample_weight\.filled\(0\)") as error:
        TwoLayerClassifier().fit(X, y, sample_weight=weight)
    assert "imputer" not in str(error.value)
    TwoLayerClassifier(max_iter=1).fit(X, y, sample_weight=weight.filled(0))


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "decision_function"]
)
class TestPrediction:
    def test_before_fit(self, method):
        with pytest.raises(NotFittedError, match=r"not fitted yet\. Call 'fit'"):
            getattr(TwoLayerClassifier(), method)(X)

    def test_after_a_fit_that_failed(self, method):
        clf = TwoLayerClassifier()
        with pytest.raises(ValueError, match="continuous"):
            clf.fit(X, y + 0.5)
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(clf, method)(X)

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            (X[:, :3], "X has 3 features, but TwoLayerClassifier is expecting 4"),
            (X[0], "Expected 2D array, got 1D array"),
            (with_value(np.nan), "X contains NaN"),
        ],
    )
    def test_rows_that_do_not_fit(self, method, rows, message):
        clf = TwoLayerClassifier(max_iter=1, tol=None).fit(X, y)
        with pytest.raises(ValueError, match=message):
            getattr(clf, method)(rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("labels", [y, y % 2])
@pytest.mark.parametrize("solver", [SGD(), SGD(momentum=0.9, nesterov=True)], ids=str)
def test_a_learning_rate_so_large_that_the_loss_is_not_finite(dtype, labels, solver, capsys):
    clf = TwoLayerClassifier(
        solver=solver, activation="identity", learning_rate=1e30, verbose=True, batch_size=5
    )
    with pytest.raises(ValueError, match=r"diverged.*lower learning_rate \(now 1e\+30\).*scale"):
        clf.fit(X.astype(dtype), labels)
    assert capsys.readouterr().out.count("epoch") <= 2
    assert not hasattr(clf, "coefs_")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "transform"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sp.csr_array])
def test_predictions_refuse_what_is_not_finite_in_any_block(method, value, container, digits):
    X, y = digits
    clf = TwoLayerClassifier(10, max_iter=1, tol=None).fit(X, y)
    bad = X.copy()
    bad[1500, 3] = value
    what = "NaN" if np.isnan(value) else "infinity"
    with pytest.raises(ValueError, match=f"^Input X contains {what}") as refused:
        getattr(clf, method)(container(bad))
    with pytest.raises(ValueError, match=what) as refused_by_fit:
        clone(clf).fit(container(bad), y)
    assert str(refused.value) == str(refused_by_fit.value)


def test_rows_whose_sum_overflows_are_finite(digits):
    X, y = digits
    clf = TwoLayerClassifier(10, max_iter=1, tol=None).fit(X.astype(np.float32), y)
    assert len(clf.predict(np.full((2000, 64), 1e35, np.float32))) == 2000


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "transform"])
@pytest.mark.parametrize(("dtype", "value"), [(np.float32, 3e38), (np.float64, -1.7e308)])
def test_rows_too_large_for_the_model(container, method, dtype, value, digits):
    X, y = digits[0].astype(dtype), digits[1]
    clf = TwoLayerClassifier(10, max_iter=1, tol=None, activation="identity").fit(X, y)
    X[1234] = value
    message = rf"results of row 1234 of X overflow {X.dtype}.* Scale the columns"
    with pytest.raises(ValueError, match=message):
        getattr(clf, method)(container(X))


@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize(
    ("convert", "kind"),
    [
        (np.ndarray.tolist, "list"),
        (lambda array: array.astype(int), "int64 array|int32 array"),
        (lambda array: array.astype(object), "object array"),
        (sp.csr_array, "csr_array"),
    ],
    ids=["list", "int", "object", "sparse"],
)
def test_assigned_parameters_must_be_arrays_of_floats(name, position, convert, kind):
    clf = TwoLayerClassifier(3, max_iter=1, tol=None, warm_start=True).fit(X, y)
    assigned = list(getattr(clf, name))
    assigned[position] = convert(assigned[position])
    setattr(clf, name, assigned)
    calls = {
        "predict": (X,),
        "predict_proba": (X,),
        "decision_function": (X,),
        "transform": (X,),
        "fit": (X, y),
        "partial_fit": (X, y),
    }
    for method, data in calls.items():
        with pytest.raises(TypeError, match=f"coefs_ and intercepts_ .*float64, got a ({kind})"):
            getattr(clf, method)(*data)
