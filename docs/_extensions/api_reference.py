"""The API reference: no public name is missing, and what scikit-learn documents is not repeated.

What is public is what ``__all__`` of any public module of the package says. A name that several
modules offer is documented at one of them. The build warns, and with ``-W`` fails, if one is not.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

import sk_twolayer

logger = logging.getLogger(__name__)


def modules() -> Iterator[str]:
    """Yield the names of the package and of its public modules."""
    yield sk_twolayer.__name__
    for module in pkgutil.walk_packages(sk_twolayer.__path__, "sk_twolayer."):
        if "._" not in module.name:
            yield module.name


def value_of(name: str) -> Any:
    """Return what a qualified name stands for."""
    module, attribute = name.rsplit(".", 1)
    return getattr(importlib.import_module(module), attribute)


def check(app: Sphinx, env: Any) -> None:
    """Compare what is documented with what is public."""
    public = list(modules())
    objects = env.domains.python_domain.objects
    documented = [value_of(name) for name in objects if name.rpartition(".")[0] in public]
    for module in public:
        for name in importlib.import_module(module).__all__:
            value = value_of(f"{module}.{name}")
            if not any(value is other for other in documented):
                logger.warning(
                    "%s.%s is public, and missing in the API reference: add it to docs/api.rst",
                    module,
                    name,
                )


def is_from_scikit_learn(member: Any) -> bool:
    """Tell whether scikit-learn, or what it is built on, defines a member of a class of ours."""
    module = getattr(inspect.unwrap(member) if callable(member) else member, "__module__", None)
    return (module or "").split(".")[0] == "sklearn"


def skip(app: Sphinx, what: str, name: str, member: Any, leave_out: bool, options: Any) -> Any:
    """Leave out methods that scikit-learn documents: its pages link to places that are there."""
    return True if is_from_scikit_learn(member) else None


def name_the_rest(
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Name at the end of a class the methods it has from scikit-learn."""
    if what != "class":
        return
    theirs = [
        f"``{member}``"
        for member in dir(value)
        if not member.startswith("_") and is_from_scikit_learn(getattr(value, member, None))
    ]
    if theirs:
        lines += ["", f"Methods as scikit-learn documents them: {', '.join(theirs)}.", ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the three."""
    app.connect("env-check-consistency", check)
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-docstring", name_the_rest, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
