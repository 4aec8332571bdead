"""Alternating runs, ratios with their spread, and peaks of memory."""

import json
import subprocess
import sys
import time
import tracemalloc
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from tools.contenders import Workload, ours, theirs, torch

PAUSE = 0.05  # until the BLAS threads of the last run, which wait actively for a while, sleep


@contextmanager
def blas_threads(threads):
    """Run a block with one BLAS thread, or with as many as each library takes by itself."""
    if threads == "default":
        yield
        return
    torch_threads = torch and torch.get_num_threads()
    if torch:
        torch.set_num_threads(int(threads))
    try:
        with threadpool_limits(int(threads)):
            yield
    finally:
        if torch:
            torch.set_num_threads(torch_threads)


def interleaved(contenders, repeats):
    """Return the seconds of each contender, in alternating runs, so that other load slows all."""
    seconds = {name: [] for name in contenders}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are fixed
        for _ in range(repeats):
            for name, run in contenders.items():
                time.sleep(PAUSE)
                seconds[name].append(run())
    return seconds


def ratio(seconds, other, one="ours"):
    """Return median, least and largest of how many times longer one contender takes."""
    ratios = np.sort(np.array(seconds[other]) / np.array(seconds[one]))
    return float(np.median(ratios)), float(ratios[0]), float(ratios[-1])


def peaks(workload, solver, dtype, who):
    """Return the most bytes a fit allocates, as tracemalloc and as the system sees it.

    The second comes from a process of its own; it is None where the system does not tell.
    """
    arguments = [json.dumps(workload), solver, dtype, who]
    process = subprocess.run(
        [sys.executable, "-m", "tools.measuring", *arguments],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(process.stdout)


def _peaks_here(workload, solver, dtype, who):
    workload = Workload(*workload)
    X, y = workload.data(dtype)
    make = {"ours": ours, "MLPClassifier": theirs}[who]
    warnings.simplefilter("ignore", ConvergenceWarning)
    make(workload, solver, epochs=1).fit(X[: 2 * workload.batch], y[: 2 * workload.batch])
    before = _resident("VmRSS", reset=True)
    make(workload, solver, epochs=1).fit(X, y)
    resident = None if before is None else _resident("VmHWM") - before
    tracemalloc.start()
    make(workload, solver, epochs=1).fit(X, y)
    return tracemalloc.get_traced_memory()[1], resident


def _resident(name, *, reset=False):
    """Return a process's resident bytes, now or at most; only Linux tells."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name + ":"))


if __name__ == "__main__":
    print(json.dumps(_peaks_here(json.loads(sys.argv[1]), *sys.argv[2:])))
