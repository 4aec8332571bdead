"""On the pages of text, the name of a class in code font is a link to its documentation.

The classes are those of this package and those of scikit-learn in the inventory. The first mention
in each section becomes a link.
"""

from docutils import nodes
from public_names import public_names
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext.intersphinx import InventoryAdapter


def scikit_learn(env: BuildEnvironment) -> dict[str, str]:
    """Return the address of each class of scikit-learn, by its name with and without the module."""
    classes = InventoryAdapter(env).named_inventory.get("sklearn", {}).get("py:class", {})
    by_name = {name.rsplit(".", 1)[1]: item.uri for name, item in classes.items()}
    return {**by_name, **{name: item.uri for name, item in classes.items()}}


def add_links(app: Sphinx, document: nodes.document) -> None:
    """Turn names of classes into references, which Sphinx resolves when all pages are read."""
    if app.env.docname.startswith("generated/"):
        return  # there, numpydoc and the default role make them
    ours = {name.rsplit(".", 1)[1] for name in public_names()} | set(public_names())
    known = {name for name in ours if name.rsplit(".", 1)[-1][:1].isupper()}
    known |= scikit_learn(app.env).keys()
    linked: set[tuple[int, str]] = set()
    for literal in list(document.findall(nodes.literal)):
        name, parent = literal.astext(), literal.parent
        if name not in known or isinstance(parent, nodes.title | nodes.reference | pending_xref):
            continue
        section = parent
        while section is not None and not isinstance(section, nodes.section):
            section = section.parent
        if (id(section), name) in linked:
            continue
        linked.add((id(section), name))
        reference = pending_xref(
            "", refdomain="py", reftype="obj", reftarget=name, refwarn=False, refexplicit=False
        )
        reference["refdoc"] = app.env.docname
        literal.replace_self(reference)
        reference += literal


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the function with Sphinx."""
    app.connect("doctree-read", add_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
