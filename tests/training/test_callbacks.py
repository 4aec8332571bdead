"""scikit-learn's callbacks, which came with 1.9; below it the classifier does without."""

import importlib.util
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_twolayer import TwoLayerClassifier
from sk_twolayer.optimizers import LBFGS
from tests.helpers import PLAIN

HAS_CALLBACKS = importlib.util.find_spec("sklearn.callback") is not None
SOLVERS = ["sgd", "adam", "lbfgs"]


@pytest.fixture
def clf():
    return TwoLayerClassifier(hidden_size=10, max_iter=5, tol=None, random_state=0, **PLAIN)


class Recorder:
    """Notes what it is told, stops a fit after an epoch, and fails, if told to.

    It may be sent to other processes, so it notes into a file if given one.
    """

    def __init__(self, *, stop_after=None, fail_in=None, error=RuntimeError, path=None):
        self.stop_after, self.fail_in, self.error, self.path = stop_after, fail_in, error, path
        self.events = []

    def _note(self, hook, context):
        event = (hook, context.estimator_name, context.task_name, context.task_id)
        self.events.append(event)
        if self.path:
            with open(self.path, "a") as file:
                file.write(" ".join(map(str, event)) + "\n")
        if hook == self.fail_in or f"{hook} {context.task_name}" == self.fail_in:
            raise self.error("failed as asked")

    def setup(self, estimator, context):
        self._note("setup", context)

    def teardown(self, estimator, context):
        self._note("teardown", context)

    def on_fit_task_begin(self, estimator, context):
        self._note("begin", context)

    def on_fit_task_end(self, estimator, context):
        self._note("end", context)
        return context.task_name == "epoch" and context.task_id + 1 == self.stop_after

    def told(self):
        return [f"{hook} {task} {number}" for hook, _, task, number in self.events]


class Propagated(Recorder):
    """A recorder that meta-estimators hand on to what they fit."""

    max_propagation_depth = None


class Keeper(Recorder):
    """Asks for the data and a fitted estimator after each epoch."""

    def __init__(self, **options):
        super().__init__(**options)
        self.kept, self.seen = [], []

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        if context.task_name == "epoch":
            probabilities = fitted_estimator.predict_proba(X)
            self.kept.append((fitted_estimator, probabilities, list(fitted_estimator.loss_curve_)))
            self.seen.append((X, y, metadata))
        return super().on_fit_task_end(estimator, context)


def story(n_epochs):
    """Return what a callback is told of a fit."""
    epochs = [f"{hook} epoch {k}" for k in range(n_epochs) for hook in ("begin", "end")]
    return ["setup fit 0", "begin fit 0", *epochs, "end fit 0", "teardown fit 0"]


def parameters(clf):
    return [array.tobytes() for array in clf.coefs_ + clf.intercepts_]


@pytest.mark.parametrize("solver", SOLVERS)
def test_fit_without_callbacks(clf, digits, solver):
    assert hasattr(clf, "set_callbacks") == HAS_CALLBACKS
    clf.set_params(solver=solver).fit(*digits)
    assert clf.n_iter_ == 5
    assert clf.loss_ < clf.loss_curve_[0]
    assert not [name for name in vars(clf) if "callback" in name]


if HAS_CALLBACKS:  # below scikit-learn 1.9 nobody calls a callback, and the test above is all
    from sklearn.callback import ProgressBar, ScoringMonitor

    @pytest.mark.parametrize("solver", SOLVERS)
    def test_callbacks_are_notified_of_each_epoch(clf, digits, solver):
        recorder = Recorder()
        clf.set_params(solver=solver).set_callbacks(recorder).fit(*digits)
        assert clf.n_iter_ == 5
        assert recorder.told() == story(5)
        assert {name for _, name, _, _ in recorder.events} == {"TwoLayerClassifier"}
        clf.fit(*digits)
        assert recorder.told() == 2 * story(5)

    @pytest.mark.parametrize("solver", SOLVERS)
    def test_callbacks_are_notified_of_all_epochs_if_training_stops_early(clf, digits, solver):
        recorder = Recorder()
        clf.set_params(solver=solver, max_iter=100, tol=10.0, n_iter_no_change=3)
        clf.set_callbacks(recorder).fit(*digits)
        assert clf.n_iter_ == 4
        assert recorder.told() == story(4)

    def test_callbacks_are_notified_of_all_epochs_if_lbfgs_converges(clf, cancer):
        recorder, monitor = Recorder(), ScoringMonitor(scoring="accuracy")
        clf.set_params(solver="lbfgs", activation="identity", hidden_size=1, alpha=1.0)
        clf.set_params(max_iter=3000, tol=0.0, n_iter_no_change=3000)
        clf.set_callbacks(recorder, monitor).fit(*cancer)
        assert clf.n_iter_ < 3000
        logged = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
        assert len(logged) == clf.n_iter_
        assert recorder.told() == story(clf.n_iter_)

    @pytest.mark.parametrize("solver", SOLVERS)
    def test_a_fitted_estimator_is_what_a_fit_stopped_there_would_be(clf, digits, solver):
        X, y = digits
        keeper = Keeper()
        clf.set_params(solver=solver).set_callbacks(keeper).fit(X, y)
        assert len(keeper.kept) == 5
        for k, (fitted, probabilities, curve) in enumerate(keeper.kept, start=1):
            stopped = clone(clf).set_callbacks().set_params(max_iter=k).fit(X, y)
            assert_array_equal(probabilities, stopped.predict_proba(X))
            assert_array_equal(fitted.predict_proba(X), probabilities)
            assert_array_equal(fitted.transform(X), stopped.transform(X))
            assert parameters(fitted) == parameters(stopped)
            assert fitted.loss_curve_ == curve == stopped.loss_curve_
            assert fitted.n_iter_ == k
            assert fitted.t_ == k * len(y)

    def test_arguments_of_the_notification_of_an_epoch(clf, digits):
        X, y = digits
        weight = np.linspace(0.5, 1.5, len(y))
        keeper = Keeper()
        clf.set_callbacks(keeper).fit(X, y, sample_weight=weight)
        clf.fit(X, y)
        for k, (seen_X, seen_y, metadata) in enumerate(keeper.seen):
            assert_array_equal(seen_X, X)
            assert_array_equal(seen_y, y)
            assert list(metadata) == (["sample_weight"] if k < 5 else [])
        assert_array_equal(keeper.seen[0][2]["sample_weight"], weight)

    @pytest.mark.parametrize("tol", [None, 1e-4])
    @pytest.mark.parametrize("solver", [*SOLVERS, LBFGS(max_fun=3)])
    def test_a_callback_stops_training(clf, digits, solver, tol):
        recorder = Recorder(stop_after=2)
        clf.set_params(solver=solver, tol=tol, max_iter=20).set_callbacks(recorder)
        clf.fit(*digits)  # a warning would be an error
        assert clf.n_iter_ == len(clf.loss_curve_) == 2
        assert recorder.told() == story(2)
        short = clone(clf).set_callbacks().set_params(max_iter=2, tol=None).fit(*digits)
        assert parameters(clf) == parameters(short)

    def test_a_callback_stops_training_in_its_last_epoch(clf, digits):
        clf.set_params(tol=1e-4).set_callbacks(Recorder(stop_after=5)).fit(*digits)
        assert clf.n_iter_ == 5  # and no ConvergenceWarning

    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("frame", [False, True])
    @pytest.mark.parametrize("solver", SOLVERS)
    def test_scoring_monitor(clf, cancer, solver, weighted, frame):
        X, y = cancer
        X = pd.DataFrame(X).add_prefix("column ") if frame else X
        options = {"sample_weight": np.linspace(0.1, 2, len(y))} if weighted else {}
        monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
        clf.set_params(solver=solver).set_callbacks(monitor).fit(X, y, **options)
        rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
        assert [row["task_id"] for row in rows] == list(range(5))
        for k, row in enumerate(rows, start=1):
            stopped = clone(clf).set_callbacks().set_params(max_iter=k).fit(X, y, **options)
            assert row["accuracy"] == accuracy_score(y, stopped.predict(X), **options)
            loss = log_loss(y, stopped.predict_proba(X), **options)
            assert row["neg_log_loss"] == pytest.approx(-loss)

    if importlib.util.find_spec("rich"):  # which draws the bar; scikit-learn does not bring it

        @pytest.mark.parametrize("stop_after", [None, 2])
        def test_progress_bar(clf, digits, capsys, stop_after):
            clf.set_callbacks(ProgressBar(), Recorder(stop_after=stop_after)).fit(*digits)
            assert clf.n_iter_ == (stop_after or 5)
            printed = capsys.readouterr().out
            assert "TwoLayerClassifier - fit" in printed
            assert "100%" in printed

    def test_propagation_through_a_pipeline(clf, digits):
        callback = Propagated()
        pipeline = make_pipeline(clone(clf).set_params(max_iter=2), StandardScaler(), clf)
        pipeline.set_callbacks(callback).fit(*digits)
        nets = [event[0] for event in callback.events if event[2] == "epoch"]
        assert nets == ["begin", "end"] * 7
        tasks = [event[1] for event in callback.events if event[0] in ("setup", "teardown")]
        assert tasks == ["Pipeline"] * 2
        assert not [name for name in vars(clf) if "callback" in name]
        bare = make_pipeline(clone(clf).set_params(max_iter=2), StandardScaler(), clone(clf))
        assert_array_equal(
            pipeline.predict_proba(digits[0]), bare.fit(*digits).predict_proba(digits[0])
        )

    @pytest.mark.parametrize("on_the_search", [True, False])
    @pytest.mark.parametrize("n_jobs", [1, 2])
    @pytest.mark.parametrize("piped", [False, True])
    def test_propagation_through_a_search(clf, digits, tmp_path, n_jobs, on_the_search, piped):
        path = tmp_path / "events"
        if not on_the_search:
            clf.set_callbacks(Recorder(path=path))
        model = make_pipeline(StandardScaler(), clf) if piped else clf
        grid = {"twolayerclassifier__alpha" if piped else "alpha": [0.0, 10.0]}
        search = GridSearchCV(model, grid, cv=2, n_jobs=n_jobs)
        if on_the_search:
            search.set_callbacks(Propagated(path=path))
        search.fit(*digits)
        lines = path.read_text().splitlines()
        for hook in ("begin", "end"):
            for k in range(5):  # four fits of the search, and the one of the best
                assert lines.count(f"{hook} TwoLayerClassifier epoch {k}") == 5
        setups = [line for line in lines if line.startswith("setup")]
        assert len(setups) == (1 if on_the_search else 5)
        bare = clone(model)
        if not on_the_search:
            (bare[-1] if piped else bare).set_callbacks()
        bare = GridSearchCV(bare, grid, cv=2).fit(*digits)
        assert_array_equal(bare.predict_proba(digits[0]), search.predict_proba(digits[0]))
        assert_array_equal(
            bare.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
        )

    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
    @pytest.mark.parametrize(
        "fail_in", ["setup", "begin fit", "begin epoch", "end epoch", "end fit", "teardown"]
    )
    @pytest.mark.parametrize("fitted", [False, True])
    def test_a_callback_that_fails(clf, digits, fail_in, fitted, error):
        if error is KeyboardInterrupt and fail_in in ("end epoch", "teardown"):
            error = ValueError  # an epoch that has ended is kept; teardown is not to interrupt
        X, y = digits
        clf.set_params(warm_start=True)
        if fitted:
            clf.fit(X, y)
            probabilities, curve = clf.predict_proba(X), list(clf.loss_curve_)
        recorder = Recorder(fail_in=fail_in, error=error)
        clf.set_callbacks(recorder)
        before = dict(vars(clf))
        with pytest.raises(error, match="failed as asked"):
            clf.fit(X, y)
        assert vars(clf) == before
        assert recorder.told()[-1] == "teardown fit 0"
        assert len([event for event in recorder.events if event[0] == "teardown"]) == 1
        if fitted:
            assert clf.loss_curve_ == curve
            assert_array_equal(clf.predict_proba(X), probabilities)
            again = pickle.loads(pickle.dumps(clf)).set_callbacks().fit(X, y)
            whole = clone(clf).set_callbacks().fit(X, y).fit(X, y)
            assert parameters(again) == parameters(whole)

    @pytest.mark.parametrize("solver", [*SOLVERS, LBFGS(max_fun=2)])  # spent in the first epoch
    def test_an_interrupt_at_the_end_of_an_epoch(clf, digits, solver):
        recorder = Recorder(fail_in="end epoch", error=KeyboardInterrupt)
        clf.set_params(solver=solver)
        with pytest.warns(UserWarning, match="fit was interrupted"):
            clf.set_callbacks(recorder).fit(*digits)
        assert clf.n_iter_ == len(clf.loss_curve_) == 1
        assert recorder.told() == story(1)

    def test_data_that_cannot_be_used_and_callbacks(clf, digits):
        recorder = Recorder()
        before = dict(vars(clf.set_callbacks(recorder)))
        with pytest.raises(ValueError, match="NaN"):
            clf.fit(np.full_like(digits[0], np.nan), digits[1])
        with pytest.raises(ValueError, match="diverged"):
            clf.set_params(learning_rate=1e9).fit(*digits)
        assert vars(clf.set_params(learning_rate=before["learning_rate"])) == before
        assert len([event for event in recorder.events if event[0] == "setup"]) == 1
        assert recorder.told()[-1] == "teardown fit 0"

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"solver": "adam", "dropout": 0.5},
            {"solver": "lbfgs"},
            {"early_stopping": True, "scoring": "accuracy"},
            {"learning_rate_schedule": "cosine", "class_weight": "balanced"},
        ],
        ids=str,
    )
    def test_callbacks_do_not_change_the_model(clf, digits, options):
        bare = clf.set_params(**options).fit(*digits)
        monitor = ScoringMonitor(scoring="accuracy")
        watched = clone(clf).set_callbacks(Recorder(), Keeper(), monitor).fit(*digits)
        assert parameters(watched) == parameters(bare)
        assert watched.loss_curve_ == bare.loss_curve_
        assert watched.validation_scores_ == bare.validation_scores_
        assert vars(watched).keys() - vars(bare).keys() == {"_skl_callbacks"}

    @pytest.mark.parametrize("fitted", [False, True])
    def test_clone_and_pickle(clf, digits, fitted):
        X, y = digits
        clf.set_callbacks(Recorder())
        if fitted:
            clf.fit(X, y)
        for copied in (clone(clf), pickle.loads(pickle.dumps(clf))):
            (recorder,) = copied._skl_callbacks
            recorder.events.clear()
            copied.fit(X, y)
            assert recorder.told() == story(5)
        loaded = pickle.loads(pickle.dumps(clf.fit(X, y)))
        assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))

    def test_partial_fit_does_not_notify_callbacks(clf, digits):
        recorder = Recorder()
        clf.set_callbacks(recorder).partial_fit(*digits, classes=np.arange(10))
        assert clf.n_iter_ == 1
        assert recorder.events == []

    def test_warm_start_notifies_callbacks_of_each_fit(clf, digits):
        X, y = digits
        keeper = Keeper()
        clf.set_params(warm_start=True).set_callbacks(keeper).fit(X, y).fit(X, y)
        assert keeper.told() == 2 * story(5)
        whole = clone(clf).set_callbacks().set_params(max_iter=8).fit(X, y)
        assert_array_equal(keeper.kept[7][1], whole.predict_proba(X))
        assert keeper.kept[7][0].n_iter_ == 3

    @pytest.mark.parametrize("first", ["fit", "partial_fit"])
    def test_training_resumes_from_a_fitted_estimator(clf, digits, first):
        X, y = digits
        keeper = Keeper()
        clf.set_params(warm_start=True)
        clf.fit(X, y) if first == "fit" else clf.partial_fit(X, y, classes=np.arange(10))
        clf.set_callbacks(keeper).fit(X, y)
        fitted, _, curve = keeper.kept[2]
        fitted.set_callbacks().set_params(max_iter=1).fit(X, y)
        assert fitted.loss_curve_[:-1] == curve
        assert fitted.loss_ < curve[-1]

    def test_early_stopping(clf, digits):
        X, y = digits
        recorder = Recorder()
        clf.set_params(early_stopping=True, max_iter=100, tol=0.01, n_iter_no_change=2)
        clf.set_params(learning_rate=0.5).set_callbacks(recorder).fit(X, y)
        assert 2 < clf.n_iter_ < 100
        assert recorder.told() == story(clf.n_iter_)
        assert len(clf.validation_scores_) == clf.n_iter_

    def test_a_callback_stops_early_stopping_and_the_best_epoch_is_kept(clf, digits):
        X, y = digits
        wrong = (y + 1) % 10  # so that the first epoch is the best
        clf.set_params(early_stopping=True).set_callbacks(Recorder(stop_after=3))
        clf.fit(X, y, X_val=X, y_val=wrong)
        assert clf.n_iter_ == len(clf.validation_scores_) == 3
        assert clf.validation_scores_[0] == max(clf.validation_scores_)
        first = clone(clf).set_callbacks().set_params(max_iter=1, early_stopping=False).fit(X, y)
        assert parameters(clf) == parameters(first)

    def test_a_fitted_estimator_of_early_stopping_is_the_best_so_far(clf, digits):
        X, y = digits
        rows = {"X_val": X, "y_val": (y + 1) % 10}  # so that the first epoch is the best
        keeper = Keeper()
        clf.set_params(early_stopping=True).set_callbacks(keeper).fit(X, y, **rows)
        assert len(keeper.kept) == 5
        for k, (fitted, _, _) in enumerate(keeper.kept, start=1):
            stopped = clone(clf).set_callbacks(Recorder(stop_after=k)).fit(X, y, **rows)
            assert fitted.best_validation_score_ == stopped.best_validation_score_
            assert parameters(fitted) == parameters(stopped)
