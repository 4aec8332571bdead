"""
Latency of a service with an ONNX model
=======================================

A web service does not need scikit-learn to predict: it can load the model as an ONNX graph. This
example converts a pipeline, serves it over HTTP, and measures how long a request takes.

It needs skl2onnx and onnxruntime. From a checkout: ``python -m pip install -e ".[onnx]"
onnxruntime``.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from onnxruntime import InferenceSession
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_twolayer import TwoLayerClassifier

# %%
# The converted model is a string of bytes, which can be saved to a file.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X.astype(np.float32), y, random_state=0)
model = make_pipeline(StandardScaler(), TwoLayerClassifier(random_state=0)).fit(X_train, y_train)
graph = to_onnx(model, X_train[:1], options={"zipmap": False}).SerializeToString()
print(f"{len(graph) / 1000:.0f} kB")


# %%
# The service loads the graph once. `ThreadingHTTPServer` uses one thread per connection, and all
# threads share the session.
session = InferenceSession(graph, providers=["CPUExecutionProvider"])


class Service(BaseHTTPRequestHandler):
    """Answer a row of pixels with a digit and its probability."""

    protocol_version = "HTTP/1.1"  # keeps connections open
    disable_nagle_algorithm = True  # sends the answer at once

    def do_POST(self):
        """Read the row, predict, and write the answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        row = np.array([json.loads(body)], dtype=np.float32)
        [label], [probabilities] = session.run(["label", "probabilities"], {"X": row})
        answer = {"digit": int(label), "probability": round(float(probabilities.max()), 4)}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        """Print nothing per request."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
Thread(target=server.serve_forever, daemon=True).start()


# %%
# Four clients send the test rows, each over a connection of its own.
def send(rows):
    """Return the answers for some rows, and the milliseconds that each took."""
    connection = HTTPConnection(*server.server_address)
    answers, times = [], []
    for row in rows.tolist():
        start = perf_counter()
        connection.request("POST", "/", json.dumps(row))
        answers.append(json.loads(connection.getresponse().read()))
        times.append(1000 * (perf_counter() - start))
    connection.close()
    return answers, times


with ThreadPoolExecutor(4) as clients:
    answers, times = zip(*clients.map(send, np.array_split(X_test, 4)), strict=True)
server.shutdown()
server.server_close()
digits = [answer["digit"] for part in answers for answer in part]
print("first answer:", answers[0][0])
print(f"{len(digits)} answers, accuracy {np.mean(digits == y_test):.2f}")

# %%
# The latency of all requests:
milliseconds = np.concatenate(times)
middle, late = np.quantile(milliseconds, [0.5, 0.95])
figure, axes = plt.subplots()
axes.hist(milliseconds, np.linspace(0, 2 * late, 60))
axes.axvline(middle, color="C1", label=f"median: {middle:.1f} ms")
axes.axvline(late, color="C1", linestyle=":", label=f"95 % of the requests: {late:.1f} ms")
axes.legend()
axes.set(xlabel="milliseconds per request", ylabel="requests", title="450 requests of 4 clients")
plt.show()

# %%
# The model needs about 0.01 ms for a row. The rest of the time is spent on HTTP, on JSON, and on
# waiting for the requests of the other three clients. :doc:`../onnx` describes the options of the
# conversion.
