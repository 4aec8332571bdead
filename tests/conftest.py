"""Data that several test files share."""

from __future__ import annotations

import os

# Before SciPy is imported: without it scikit-learn skips its check of array-API input.
os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.preprocessing import scale


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
