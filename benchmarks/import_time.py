"""What `import sk_twolayer` costs over scikit-learn's base, in milliseconds, in fresh processes."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

STATEMENTS = ("import sk_twolayer", "from sk_twolayer import TwoLayerClassifier")
SCRIPT = """
from time import perf_counter
start = perf_counter()
import sklearn.base
base = perf_counter()
{}
print(1000 * (base - start), 1000 * (perf_counter() - base))
"""


def import_times(statement: str) -> tuple[float, float]:
    """Return how long scikit-learn's base took to import, and then a statement, in a process."""
    # With bytecode, as pip installs it: without, most of the time is the compiler's.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", SCRIPT.format(statement)]
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    base, over = map(float, output.stdout.split())
    return base, over


def main() -> None:
    """Print the median, the least and the most of several processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15, help="number of processes")
    repeats = parser.parse_args().repeats
    for statement in STATEMENTS:
        import_times(statement)  # so that the bytecode is there
        base, over = zip(*(import_times(statement) for _ in range(repeats)), strict=True)
        for name, times in (("import sklearn.base", base), (f"then {statement}", over)):
            median = statistics.median(times)
            print(f"{name:47} {median:6.1f} ms ({min(times):.1f}-{max(times):.1f})")


if __name__ == "__main__":
    main()
