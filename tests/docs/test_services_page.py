"""The service of docs/services.md answers parallel requests, and its processes share memory."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from threading import Barrier

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_twolayer import TwoLayerClassifier

PAGE = (Path(__file__).parents[2] / "docs" / "services.md").read_text(encoding="utf-8")


def code(name):
    """Return the code block behind `<!-- code: NAME -->`."""
    return re.search(rf"<!-- code: {name} -->\n```python\n(.*?)```", PAGE, re.DOTALL)[1]


@pytest.fixture
def service(tmp_path, monkeypatch):
    """The names of the modules that the page shows, run where the model is saved."""
    for package in ("fastapi", "httpx"):
        pytest.importorskip(package, reason=f"{package} is not installed: the extra `test` has it")
    X, y = load_iris(return_X_y=True, as_frame=False)
    names = np.array(["setosa", "versicolor", "virginica"])
    model = make_pipeline(StandardScaler(), TwoLayerClassifier(random_state=0)).fit(X, names[y])
    joblib.dump(model, tmp_path / "model.joblib")
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "service"}
    exec(code("service") + code("errors"), namespace)
    return namespace


def post(app, *bodies):
    """Send bodies as requests at the same time, and return the responses."""
    import httpx

    async def all_at_once():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            headers = {"content-type": "application/json"}
            return await asyncio.gather(
                *(client.post("/predict", content=body, headers=headers) for body in bodies)
            )

    return asyncio.run(all_at_once())


class Together:
    """A model that predicts only when several calls are inside it at the same time."""

    def __init__(self, model, n_calls):
        self.model, self.barrier = model, Barrier(n_calls)
        self.classes_ = model.classes_

    def predict_proba(self, X):
        self.barrier.wait(timeout=60)
        return self.model.predict_proba(X)


def test_sixteen_parallel_requests_get_the_probabilities_of_single_calls(service):
    model = service["model"]
    service["model"] = Together(model, 16)
    X = load_iris().data
    requests = [X[i::16].tolist() for i in range(16)]
    responses = post(service["app"], *(json.dumps({"rows": rows}) for rows in requests))
    for rows, response in zip(requests, responses, strict=True):
        assert response.status_code == 200
        answer = response.json()
        assert answer["probabilities"] == model.predict_proba(rows).tolist()
        assert answer["labels"] == model.predict(rows).tolist()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("[[1, 2, 3]]", "3 features"),
        ("[[1, 2, 3, NaN]]", "NaN"),
        ("[[1, 2, 3, 1e999]]", "infinity"),
        ("[]", "Expected 2D array"),
        ('[["a", 2, 3, 4]]', "valid number"),
    ],
)
def test_bad_rows_are_errors_of_the_client(service, rows, message):
    [response] = post(service["app"], f'{{"rows": {rows}}}')
    assert response.status_code == 422
    assert message in json.dumps(response.json())


# Prints how many bytes of the file the process has in memory for itself, and shared with others.
USER = """
import sys
from pathlib import Path

import joblib
import numpy as np

path = sys.argv[1]
clf = joblib.load(path, mmap_mode="r")
clf.predict(np.ones((3, clf.n_features_in_)))
print("loaded", flush=True)
sys.stdin.readline()  # until the other process has loaded the file too
pages = {"Private_Clean": 0, "Private_Dirty": 0, "Shared_Clean": 0}
inside = False
for line in Path("/proc/self/smaps").read_text().splitlines():
    name, *values = line.split()
    if "-" in name and ":" not in name:  # the head of a mapping
        inside = line.endswith(path)
    elif inside and name[:-1] in pages:
        pages[name[:-1]] += 1024 * int(values[0])
print(pages["Private_Clean"] + pages["Private_Dirty"], pages["Shared_Clean"], flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux has /proc/self/smaps")
def test_processes_share_the_memory_of_a_mapped_file(tmp_path):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((64, 500))
    clf = TwoLayerClassifier(1000, max_iter=1, tol=None, random_state=0).fit(X, X[:, 0] > 0)
    n_bytes = sum(array.nbytes for array in clf.coefs_)
    path = tmp_path / "model.joblib"
    joblib.dump(clf, path)
    with path.open("rb+") as file:
        os.fsync(file.fileno())  # pages that are not on the disk yet are dirty
    command = [sys.executable, "-c", USER, str(path)]
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    users = [subprocess.Popen(command, **options) for _ in range(2)]
    try:
        assert [user.stdout.readline() for user in users] == ["loaded\n"] * 2
        measured = []
        for user in users:  # each while the other one still has the file
            user.stdin.write("\n")
            user.stdin.flush()
            measured.append(tuple(map(int, user.stdout.readline().split())))
    finally:
        for user in users:
            user.communicate()
    private, shared = measured[0]
    assert private < 0.05 * n_bytes
    assert shared > 0.95 * n_bytes
