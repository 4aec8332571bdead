"""Time to train as ratios, measured in less than a minute.

For each of the first five workloads, in float32 on one BLAS thread: the time of MLPClassifier
divided by that of TwoLayerClassifier, and that divided by the time of the matrix products alone
(median and range of alternating runs).
"""

import argparse

from tools.contenders import WORKLOADS, trainings
from tools.measuring import blas_threads, interleaved, ratio

EPOCHS = {1797: 60, 5000: 10, 20000: 3, 2000: 1, 60000: 1}


def main():
    """Print a line for each workload and solver."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--solvers", nargs="+", default=["sgd", "adam"])
    parser.add_argument("--workloads", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    arguments = parser.parse_args()
    print(f"{'workload':45s} solver   MLP / ours         ours / products")
    for workload in (WORKLOADS[number] for number in arguments.workloads):
        workload = workload._replace(epochs=EPOCHS[workload.n])
        for solver in arguments.solvers:
            contenders = trainings(workload, solver, "float32", frameworks=())
            with blas_threads(1):
                seconds = interleaved(contenders, arguments.repeats)
            figures = ratio(seconds, "MLPClassifier"), ratio(seconds, "ours", "products")
            told = "   ".join("{:5.2f} ({:.2f}-{:.2f})".format(*figure) for figure in figures)
            print(f"{workload.name:45s} {solver:8s} {told}", flush=True)


if __name__ == "__main__":
    main()
