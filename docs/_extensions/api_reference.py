"""The API reference: every public name is documented, and scikit-learn's methods are only named.

The build warns, and with ``-W`` fails, if a public name is not documented.
"""

import inspect
import re
from typing import Any

from docutils import nodes
from name_links import scikit_learn
from public_names import missing, public_names
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)
WORTH_A_TABLE = 8  # methods of a class


def check(app: Sphinx, env: Any) -> None:
    """Warn of public names that are not documented."""
    for name in missing(env.domains.python_domain.objects):
        logger.warning("%s is public, and missing in the API reference: docs/api.rst", name)


def is_from_scikit_learn(member: Any) -> bool:
    """Tell whether scikit-learn defines a member of a class of ours."""
    module = getattr(inspect.unwrap(member) if callable(member) else member, "__module__", None)
    return (module or "").split(".")[0] == "sklearn"


def skip(app: Sphinx, what: str, name: str, member: Any, leave_out: bool, options: Any) -> Any:
    """Leave out methods of scikit-learn, and fields of named tuples.

    The docstrings of the first have links that work on scikit-learn's pages only; those of the last
    have a number and no more.
    """
    is_field = (inspect.getdoc(member) or "").startswith("Alias for field number")
    return True if is_field or is_from_scikit_learn(member) else None


def link(app: Sphinx, env: Any, node: Any, text: Any) -> Any:
    """Resolve the name of a class, or of its method, that has no module; also of scikit-learn."""
    target = node.get("reftarget", "")
    head, dot, method = target.partition(".")
    names = [f"{name}{dot}{method}" for name in public_names() if name.endswith(f".{head}")]
    if node.get("refdomain") != "py" or not target[:1].isupper():
        return None
    domain, place = env.domains.python_domain, (env, node["refdoc"], app.builder, "obj")
    links = (domain.resolve_xref(*place, name, node, text) for name in names)
    found = next((found for found in links if found is not None), None)
    address = scikit_learn(env).get(target)
    if found is None and address is not None:
        found = nodes.reference("", "", text, refuri=address, internal=False)
    return found


def methods(owner: type) -> list[str]:
    """Return the names of the documented methods of a class, in the order of their definition.

    Methods that scikit-learn defines are left out.
    """
    names = dict.fromkeys(name for base in owner.__mro__ for name in vars(base))
    return [
        name
        for name in names
        if not name.startswith("_")
        and callable(getattr(owner, name))
        and inspect.getdoc(getattr(owner, name))
        and not is_from_scikit_learn(getattr(owner, name))
    ]


def list_methods(
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Add to a class the table of its methods, and the names of those it has from scikit-learn."""
    if what != "class" or not name.startswith("sk_twolayer"):
        return
    ours = methods(value)
    if len(ours) >= WORTH_A_TABLE:
        lines += ["", ".. rubric:: Methods", "", ".. autosummary::", "   :nosignatures:", ""]
        lines += [f"   ~{value.__name__}.{method}" for method in ours]
    theirs = [
        f"``{member}``"
        for member in dir(value)
        if not member.startswith("_") and is_from_scikit_learn(getattr(value, member, None))
    ]
    if theirs:
        lines += ["", f"Methods of scikit-learn's base classes: {', '.join(theirs)}.", ""]


def keep_initials(
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Escape the initial of an author, which would otherwise be the letter of a list."""
    lines[:] = [re.sub(r"^(\s*\.\. \[\d+\] )(?=[A-Z]\. )", r"\1\\", line) for line in lines]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the functions with Sphinx."""
    app.connect("env-check-consistency", check)
    app.connect("missing-reference", link)
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-docstring", keep_initials, priority=100)  # numpydoc has 500
    app.connect("autodoc-process-docstring", list_methods, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
