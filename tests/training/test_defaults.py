"""What "auto" comes to, and what fit warns of: the defaults, and how they follow the data."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sk_twolayer import TwoLayerClassifier
from sk_twolayer._numerics.matrices import mean_squares
from sk_twolayer.optimizers import SGD


def make(**options):
    return TwoLayerClassifier(**{"hidden_size": 5, "random_state": 0, **options})


@pytest.fixture
def data(rng):
    X = rng.standard_normal((400, 25))
    return standardised(X), np.arange(400) % 3


def standardised(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


class TestAlpha:
    """``4.5e-3 * noise * S / sqrt(n + 6 D)``, to the nearest eighth of a power of two."""

    @pytest.mark.parametrize(
        ("n", "d", "k"), [(400, 25, 3), (400, 5, 3), (90, 25, 3), (400, 25, 2)]
    )
    def test_it_follows_columns_rows_and_classes(self, data, n, d, k):
        X, y = standardised(data[0][:n, :d]), np.arange(n) % k
        expected = 4.5e-3 * (1 + 50 * k / n) / (k - 1) * d / np.sqrt(n + 6 * d)
        assert make().fit(X, y).alpha_ == pytest.approx(expected, rel=0.05)

    def test_labels_count_as_two_classes_each(self, data, rng):
        X, Y = data[0], rng.randint(2, size=(400, 4))
        assert make().fit(X, Y).alpha_ == make().fit(X, Y[:, 0]).alpha_

    def test_rows_of_few_words_get_a_stronger_penalty(self, rng):
        """Of 900 columns 10 or 60 are not 0: ``150 / (16 k)``, at most 2/3, exceeds the classes."""
        y = np.arange(500) % 21
        for k, noise in ((10, 2 / 3), (60, 150 / (16 * 60))):
            X = np.zeros((500, 900))
            for row in X:
                row[rng.permutation(900)[:k]] = 1
            roots = np.sqrt(X.mean(axis=0))
            n_effective = roots.sum() ** 2 / (roots**2).sum()
            expected = 4.5e-3 * noise * roots.sum() / np.sqrt(500 + 6 * n_effective)
            for container in (np.asarray, sp.csr_array):
                assert make().fit(container(X), y).alpha_ == pytest.approx(expected, rel=0.05)

    def test_it_does_not_erase_the_classes_of_few_rows(self, rng):
        """Two rows of each of fifteen classes, far apart: a too strong penalty predicts one."""
        centers = 3 * rng.standard_normal((15, 40))
        X = standardised(np.repeat(centers, 2, axis=0) + 0.1 * rng.standard_normal((30, 40)))
        y = np.repeat(np.arange(15), 2)
        assert make(hidden_size=64).fit(X, y).score(X, y) == 1
        words = sp.csr_array(np.repeat(np.eye(15), 2, axis=0))
        assert make(hidden_size=64).fit(words, y).score(words, y) == 1

    @pytest.mark.filterwarnings("ignore:column .* of X is not scaled")
    def test_it_is_linear_in_the_scale_of_small_columns(self, data):
        X, y = data
        assert make().fit(X / 10, y).alpha_ == pytest.approx(make().fit(X, y).alpha_ / 10, 0.1)
        assert make().fit(100 * X, y).alpha_ == make().fit(X, y).alpha_

    def test_weights_are_copies_and_containers_make_no_difference(self, data):
        X, y = data
        X = X * (abs(X) > 0.5)
        weight = 1 + np.arange(400) % 2
        alphas = {
            make().fit(np.repeat(X, weight, axis=0), np.repeat(y, weight)).alpha_,
            make().fit(X, y, weight).alpha_,
            make().fit(X[::-1], y[::-1], weight[::-1]).alpha_,
            make().fit(np.asfortranarray(X), y, weight).alpha_,
            make().fit(sp.csc_array(X), y, weight).alpha_,
        }
        assert len(alphas) == 1

    def test_a_stream_takes_itself_for_ten_thousand_rows(self, data):
        X, y = data
        clf = make().partial_fit(X, y, classes=range(3))
        expected = 4.5e-3 * 1.015 / 2 * 25 / np.sqrt(10_000 + 6 * 25)
        assert clf.alpha_ == pytest.approx(expected, rel=0.05)
        alpha = clf.alpha_
        assert clf.partial_fit(X, y, sample_weight=np.zeros(400)).alpha_ == alpha

    def test_a_number_is_used_unchanged(self, data):
        assert make(alpha=0.25).fit(*data).alpha_ == 0.25
        assert_array_equal(
            make().fit(*data).coefs_[0], make(alpha=make().fit(*data).alpha_).fit(*data).coefs_[0]
        )


@pytest.mark.parametrize(
    ("n", "batch_size", "epochs"),
    [(30, 30, 600), (60, 16, 150), (600, 18, 40), (2048, 64, 40), (40960, 128, 14)],
)
def test_minibatches_and_epochs(n, batch_size, epochs, rng):
    X, y = rng.standard_normal((n, 2)), rng.randint(2, size=n)
    auto = make(hidden_size=64, tol=None).fit(X, y)
    assert auto.n_iter_ == epochs
    same = make(hidden_size=64, batch_size=batch_size, max_iter=epochs, tol=None).fit(X, y)
    assert_array_equal(auto.coefs_[0], same.coefs_[0])


@pytest.mark.parametrize(("hidden_size", "steps"), [(1, 4800), (16, 1200), (256, 300), (400, 300)])
def test_fewer_hidden_units_are_trained_for_more_steps(hidden_size, steps, rng):
    X, y = rng.standard_normal((20, 2)), rng.randint(2, size=20)
    assert make(hidden_size=hidden_size).fit(X, y).n_iter_ == steps


def test_rows_without_weight_do_not_count(rng):
    X, y = rng.standard_normal((3000, 2)), rng.randint(2, size=3000)
    weight = (np.arange(3000) < 2500).astype(float)
    of_some = make().fit(X[:2500], y[:2500])
    assert_array_equal(make().fit(X, y, weight).coefs_[0], of_some.coefs_[0])


@pytest.mark.parametrize(("n", "n_epochs"), [(30, 300), (400, 40)])
def test_a_larger_max_iter_does_not_lengthen_the_automatic_schedule(data, n, n_epochs):
    X, y = data[0][:n], data[1][:n]
    auto = make(hidden_size=256).fit(X, y)
    assert auto.max_iter_ == auto.n_iter_ == n_epochs
    raised = make(hidden_size=256, max_iter=5000).fit(X, y)
    assert raised.max_iter_ == n_epochs
    assert_array_equal(raised.coefs_[0], auto.coefs_[0])


def test_a_longer_schedule_is_asked_for_by_name(data):
    clf = make(learning_rate_schedule="cosine", max_iter=60, tol=None).fit(*data)
    assert clf.n_iter_ == 60


def test_the_schedule_is_a_cosine_where_the_end_is_known(data):
    X, y = data
    same = {"max_iter": 5, "tol": None, "learning_rate": 0.01}
    for options, schedule in (({}, "cosine"), ({"warm_start": True}, "constant")):
        auto = make(**same, **options).fit(X, y)
        assert auto.learning_rate_schedule_ == schedule
        named = make(learning_rate_schedule=schedule, **same, **options).fit(X, y)
        assert auto.loss_curve_ == named.loss_curve_
    stream, constant = (
        make(**options).partial_fit(X, y, range(3)).partial_fit(X, y)
        for options in ({}, {"learning_rate_schedule": "constant"})
    )
    assert_array_equal(stream.coefs_[0], constant.coefs_[0])


def test_lbfgs_may_take_two_hundred_steps(data):
    assert 40 < make(solver="lbfgs").fit(*data).n_iter_ <= 200


class TestScale:
    MESSAGE = r"column {} of X is not scaled \(.* above 10\).*Scaler\(\), TwoLayer"

    @pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
    def test_a_large_column_is_named(self, container, data):
        X, y = data
        X[:, 3] *= 20
        with pytest.warns(UserWarning, match=self.MESSAGE.format(3)) as caught:
            make().fit(container(X), y)
        assert len(caught) == 1
        assert caught[0].filename == __file__

    def test_by_its_name_if_it_has_one(self, data):
        frame = pd.DataFrame(100 * data[0]).add_prefix("width ")
        with pytest.warns(UserWarning, match=self.MESSAGE.format("'width [0-9]+'")):
            make().fit(frame, data[1])

    def test_once_in_a_stream(self, data):
        X, y = data
        clf = make()
        with pytest.warns(UserWarning, match=self.MESSAGE.format(r"\d+")):
            clf.partial_fit(100 * X, y, classes=range(3))
        clf.partial_fit(100 * X, y)  # a warning would be an error

    def test_not_of_what_is_scaled_or_rare(self, data, digits):
        X, y = data
        rare = (np.arange(400) == 7).astype(float)[:, np.newaxis]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            make().fit(np.hstack([X, rare, (rare - rare.mean()) / rare.std()]), y)
            make().fit(*digits)


def test_denormal_numbers_are_flushed_to_zero(data):
    """A column of zeros under a penalty: its weights would end as denormal numbers."""
    X, y = data
    X = np.hstack([X, np.zeros_like(X)]).astype(np.float32)
    options = {"solver": SGD(momentum=0.5), "alpha": 0.1, "learning_rate": 0.3}
    clf = make(activation="tanh", max_iter=300, tol=None, warm_start=True, **options).fit(X, y)
    for array in (*clf.coefs_, *clf.intercepts_, clf._training_state["optimizer"]["velocity_"]):
        assert not ((array != 0) & (abs(array) < np.finfo(np.float32).tiny)).any()
    assert not clf.coefs_[0][25:].any()
    assert clf.coefs_[0][:25].all()


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array, sp.csr_matrix])
@pytest.mark.parametrize("weights", [None, np.array([1.0, 2, 1], dtype=np.float32)])
def test_mean_squares(container, weights, rng):
    X = rng.standard_normal((3, 4)).astype(np.float32)
    expected = np.average(X.astype(float) ** 2, axis=0, weights=weights)
    assert_allclose(mean_squares(container(X), weights), expected, rtol=1e-6)
    X[1] = [1e30, 0, -1e30, 1]
    assert np.isinf(mean_squares(container(X), weights)).tolist() == [True, False, True, False]


def test_raising_max_iter_lengthens_lbfgs(rng):
    """Its steps have no schedule, so that a larger number of epochs is used."""
    X, y = rng.standard_normal((60, 4)), rng.randint(2, size=60)
    clf = make(solver="lbfgs", max_iter=300, tol=None).fit(X, y)
    assert (clf.n_iter_, clf.max_iter_, clf.learning_rate_schedule_) == (300, 300, "constant")


def test_duplicate_entries_of_sparse_rows_count_once(rng):
    X, y = rng.standard_normal((40, 60)), rng.randint(2, size=40)
    halves = sp.csr_array(
        (np.repeat(X / 2, 2), np.tile(np.repeat(np.arange(60), 2), 40), np.arange(41) * 120),
        shape=X.shape,
    )
    stored = halves.data.copy()
    dense, sparse = make().fit(X, y), make().fit(halves, y)
    assert (sparse.learning_rate_, sparse.alpha_) == (dense.learning_rate_, dense.alpha_)
    assert_array_equal(halves.data, stored)
