"""Optuna: its search over parameters, and studies that give up on a net that learns too slowly."""

import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution
from optuna_integration import OptunaSearchCV
from sklearn.base import clone
from sklearn.model_selection import train_test_split

from sk_twolayer import TwoLayerClassifier


@pytest.fixture(autouse=True)
def _quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture
def clf():
    return TwoLayerClassifier(
        16, solver="adam", batch_size=50, max_iter=10, tol=None, random_state=0
    )


def sampler():
    return optuna.samplers.TPESampler(seed=0)


# OptunaSearchCV itself reports its scores by a module that optuna has deprecated.
@pytest.mark.filterwarnings("ignore:`optuna.terminator` module has been:FutureWarning")
def test_search(clf, digits):
    space = {
        "hidden_size": IntDistribution(2, 40),
        "learning_rate": FloatDistribution(1e-5, 0.1, log=True),
    }
    study = optuna.create_study(direction="maximize", sampler=sampler())
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        search = OptunaSearchCV(clf, space, cv=2, n_trials=8, study=study, random_state=0)
    search.fit(*digits)
    assert search.best_score_ > 0.9
    assert search.best_estimator_.get_params().items() >= search.best_params_.items()
    assert search.predict(digits[0]).shape == digits[1].shape


def test_a_study_that_prunes(clf, digits):
    """`partial_fit` is an epoch, and after each the study may end the trial."""
    X_train, X_val, y_train, y_val = train_test_split(*digits, random_state=0)

    def objective(trial):
        net = clone(clf)
        net.set_params(learning_rate=trial.suggest_float("learning_rate", 1e-5, 0.1, log=True))
        for epoch in range(8):
            net.partial_fit(X_train, y_train, classes=range(10))
            trial.report(net.score(X_val, y_val), epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return net.score(X_val, y_val)

    pruner = optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1)
    study = optuna.create_study(direction="maximize", sampler=sampler(), pruner=pruner)
    study.optimize(objective, n_trials=12)
    epochs = {trial.state.name: len(trial.intermediate_values) for trial in study.trials}
    assert set(epochs) == {"COMPLETE", "PRUNED"}
    assert epochs["PRUNED"] < 8
    assert study.best_value > 0.9
