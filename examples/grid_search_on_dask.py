"""Search for hidden size and learning rate on a Dask cluster: here, two processes on this machine.

For a cluster of several machines, change only the lines that create the client. To install the
dependencies from a checkout: ``python -m pip install ".[distributed]"``.
"""

import joblib
from dask.distributed import Client, LocalCluster
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_twolayer import TwoLayerClassifier


def tasks_done(dask_worker):
    """Return the number of tasks that a worker has executed."""
    return dask_worker.state.executed_count


def main():
    """Search, and print the best parameters and the number of tasks of each worker."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
    clf = TwoLayerClassifier(solver="sgd", batch_size=32, max_iter=15, tol=None, random_state=0)
    grid = {
        "twolayerclassifier__hidden_size": [20, 40, 80],
        "twolayerclassifier__learning_rate": [0.01, 0.1],
    }
    search = GridSearchCV(make_pipeline(StandardScaler(), clf), grid, cv=4)

    # One thread per worker: a fit limits BLAS to one thread.
    local = {"processes": True, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, **local) as cluster,
        Client(cluster) as client,
    ):
        # Each worker gets X and y once, not with each fit.
        with joblib.parallel_config(backend="dask", scatter=[X_train, y_train]):
            search.fit(X_train, y_train)
        for number, tasks in enumerate(client.run(tasks_done).values()):
            print(f"tasks of worker {number}: {tasks}")
    print("best parameters", search.best_params_)
    print(f"accuracy in cross-validation {search.best_score_:.3f}")
    print(f"test accuracy {search.score(X_test, y_test):.3f}")


if __name__ == "__main__":  # each worker process imports this file
    main()
