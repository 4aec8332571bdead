"""The public names: ``__all__`` of every public module of the package."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from typing import Any

import sk_twolayer


def modules() -> Iterator[str]:
    """Yield the names of the package and of its public modules."""
    yield sk_twolayer.__name__
    for module in pkgutil.walk_packages(sk_twolayer.__path__, "sk_twolayer."):
        if "._" not in module.name:
            yield module.name


def public_names() -> Iterator[str]:
    """Yield the qualified names that the public modules export."""
    for module in modules():
        for name in importlib.import_module(module).__all__:
            yield f"{module}.{name}"


def value_of(name: str) -> Any:
    """Return the object with a qualified name."""
    module, attribute = name.rsplit(".", 1)
    return getattr(importlib.import_module(module), attribute)


def missing(documented: Iterable[str]) -> list[str]:
    """Return the public names that are not among the documented ones.

    A name that several modules export needs to be documented in one of them only.
    """
    public = set(public_names())
    values = [value_of(name) for name in public.intersection(documented)]
    return sorted(n for n in public if not any(value_of(n) is value for value in values))
