"""Data that several test files share."""

from __future__ import annotations

import os
import sys

# Before SciPy is imported: without it scikit-learn skips its check of array-API input.
os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import pytest
from hypothesis import settings
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.preprocessing import scale

# The same cases in every run; SK_TWOLAYER_TESTS=long tries many more.
settings.register_profile(
    "short",
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    max_examples=100,
)
settings.register_profile("long", settings.get_profile("short"), max_examples=10_000)
settings.load_profile(os.environ.get("SK_TWOLAYER_TESTS", "short"))


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.name == "scaling_out.md":  # a cluster is started
            item.add_marker("slow")


@pytest.fixture(scope="session")
def digits():
    """Ten classes: X in [0, 1], y in 0..9."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y


@pytest.fixture(scope="session")
def cancer():
    """Two classes, standardised columns."""
    X, y = load_breast_cancer(return_X_y=True)
    return scale(X), y


@pytest.fixture
def rng():
    return np.random.RandomState(0)


def pytest_terminal_summary(terminalreporter):
    strategies = sys.modules.get("tests.strategies")
    if strategies is not None and strategies.tried:
        terminalreporter.write_line(f"hypothesis cases: {strategies.tried.total()}")
