"""CPU time of one request to a service: arrays, data frames and ONNX.

`TwoLayerClassifier`, alone and in a pipeline after `StandardScaler`, predicts the probabilities of
one row and of 100 rows. It alternates with `MLPClassifier`; both have 100 hidden units, 64 columns
and 10 classes. BLAS and onnxruntime have one thread. The results go to benchmarks/serving.json;
``benchmarks/render.py`` writes them to docs/services.md. It takes less than a minute.
"""

import argparse
import json
import platform
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import sklearn
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sk_twolayer import TwoLayerClassifier

RESULTS = Path(__file__).parent / "serving.json"
OURS, THEIRS = "TwoLayerClassifier", "MLPClassifier"
PARTS = "classifier", "pipeline"


def fitted(X, y, *, with_scaler):
    """Return the two classifiers, trained for a few epochs, each alone or after a scaler."""
    models = {
        OURS: TwoLayerClassifier(100, max_iter=5, tol=None, random_state=0),
        THEIRS: MLPClassifier((100,), max_iter=5, random_state=0),
    }
    if with_scaler:
        models = {name: make_pipeline(StandardScaler(), clf) for name, clf in models.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return {name: model.fit(X, y) for name, model in models.items()}


def onnx_call(model, X):
    """Return a function that computes the probabilities of rows by onnxruntime on one thread."""
    clf = model[-1] if hasattr(model, "steps") else model
    graph = to_onnx(model, X[:1], options={id(clf): {"zipmap": False}})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return lambda rows: session.run(["probabilities"], {"X": rows})


def requests():
    """Yield the name of each request, and what answers it: functions by part and classifier."""
    X, y = load_digits(return_X_y=True)
    X = StandardScaler().fit_transform(X).astype(np.float32)
    frame = pd.DataFrame(X, columns=[f"pixel {i}" for i in range(X.shape[1])])
    for kind, table in (("array", X), ("DataFrame", frame), ("ONNX, array", X)):
        calls = {}
        for part in PARTS:
            for name, model in fitted(table, y, with_scaler=part == "pipeline").items():
                is_onnx = kind == "ONNX, array"
                calls[part, name] = onnx_call(model, X) if is_onnx else model.predict_proba
        for n in (1, 100):
            bound = {key: partial(call, table[:n]) for key, call in calls.items()}
            yield f"{kind}, {n} row{'s' * (n > 1)}", bound


def seconds_per_call(call, number):
    """Return the CPU time of one call."""
    start = time.process_time()
    for _ in range(number):
        call()
    return (time.process_time() - start) / number


def measure(calls, repeats):
    """Return for each part the median CPU time, and quartiles of its ratio to MLPClassifier."""
    numbers = {}
    for key, call in calls.items():
        call()
        numbers[key] = max(1, int(0.02 / max(seconds_per_call(call, 3), 1e-7)))
    times = {key: [] for key in calls}
    for _ in range(repeats):
        for key, call in calls.items():
            times[key].append(seconds_per_call(call, numbers[key]))
    times = {key: np.array(seconds) for key, seconds in times.items()}
    ratios = {part: times[part, OURS] / times[part, THEIRS] for part in PARTS}
    return {
        part: {
            "seconds": float(np.median(times[part, OURS])),
            "ratio": np.quantile(ratios[part], [0.25, 0.5, 0.75]).tolist(),
        }
        for part in PARTS
    }


def main():
    """Measure, and store the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    measured = {}
    with threadpool_limits(1):
        for name, calls in requests():
            measured[name] = measure(calls, arguments.repeats)
            print(name, measured[name], flush=True)
    machine = (
        f"Python {platform.python_version()}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, pandas {pd.__version__}, onnxruntime {onnxruntime.__version__}"
    )
    results = {"machine": machine, "requests": measured}
    arguments.results.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
