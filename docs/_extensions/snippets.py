"""Remove the empty lines at the end of code blocks, which doctest needs and readers do not."""

from docutils import nodes
from sphinx.application import Sphinx


def trim(app: Sphinx, document: nodes.document) -> None:
    """Remove the empty lines at the end of each code block."""
    for block in document.findall(nodes.literal_block):
        text = block.astext().rstrip()
        block.rawsource = text  # Sphinx highlights the text only if both are the same
        block[:] = [nodes.Text(text)]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the function with Sphinx."""
    app.connect("doctree-read", trim)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
