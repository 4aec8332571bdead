"""Write the inventory by which Sphinx links names of scikit-learn to scikit-learn's pages.

``python docs/inventories/make_inventory.py`` writes ``docs/inventories/scikit-learn.inv``: the
classes and functions that the installed scikit-learn lists in `sklearn.utils.discovery`. Their
pages have the name in their address, so nothing is downloaded. Run it again when a new name is not
linked.
"""

import importlib
import inspect
import warnings
import zlib
from itertools import takewhile
from pathlib import Path

import sklearn
from sklearn.utils.discovery import all_displays, all_estimators, all_functions

HEAD = (
    "# Sphinx inventory version 2\n"
    "# Project: scikit-learn\n"
    f"# Version: {sklearn.__version__}\n"
    "# The remainder of this file is compressed using zlib.\n"
)


def public_name(item):
    """Return the name by which users import a class or function, or None."""
    public = takewhile(lambda part: not part.startswith("_"), item.__module__.split("."))
    module = ".".join(public)
    found = getattr(importlib.import_module(module), item.__name__, None)
    return f"{module}.{item.__name__}" if found is item else None


def lines():
    """Yield one line per name, in the form of Sphinx's inventories."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # modules that are deprecated are imported too
        items = [
            item for find in (all_estimators, all_displays, all_functions) for _, item in find()
        ]
    names = {public_name(item): item for item in items}
    for name in sorted(filter(None, names)):
        role = "class" if inspect.isclass(names[name]) else "function"
        yield f"{name} py:{role} 1 modules/generated/{name}.html#$ -\n"


def main():
    """Write the inventory."""
    content = HEAD.encode() + zlib.compress("".join(lines()).encode(), 9)
    Path(__file__).with_name("scikit-learn.inv").write_bytes(content)


if __name__ == "__main__":
    main()
