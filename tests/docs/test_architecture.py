"""The house rules that no linter knows."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def extension(name):
    """Import an extension that the documentation is built with."""
    path = ROOT / "docs" / "_extensions" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


drawings, gallery, public_names = map(extension, ("drawings", "gallery", "public_names"))


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/plot_*.py")), ids=lambda p: p.name)
def test_an_example_has_a_position_text_between_its_cells_and_no_style_of_its_own(path):
    """The style of all pictures is in one module; INK is its color of text."""
    script = path.read_text()
    assert len(script.splitlines()) < 130
    assert gallery.position(path) < len(gallery.ORDER)
    _, *cells = script.split("\n# %%\n# ")
    assert len(cells) > 1
    assert "plt.show()" not in cells[-1], "text after the last picture says what it shows"
    assert not re.search(r"#[0-9a-fA-F]{6}\b|rcParams|spines", script)


def test_a_public_name_that_is_missing_in_the_documentation_is_found():
    everything = list(public_names.public_names())
    assert public_names.missing(everything) == []
    assert public_names.missing(set(everything) - {"sk_twolayer.layers.Affine"}) == [
        "sk_twolayer.layers.Affine"
    ]
    # Offered by two modules, and documented at one of them:
    assert public_names.missing(set(everything) - {"sk_twolayer.network.TwoLayerNet"}) == []


@pytest.mark.parametrize(("name", "content"), drawings.files().items(), ids=drawings.files())
def test_the_pictures_of_the_site_are_those_of_the_script(name, content):
    assert (ROOT / "docs" / "_static" / name).read_text(encoding="utf-8") == content


def test_the_list_at_the_head_of_the_gallery_has_its_examples_in_their_order():
    header = (ROOT / "examples" / "GALLERY_HEADER.rst").read_text()
    assert [f"{name}.py" for name in re.findall(r"<(plot_\w+)>", header)] == gallery.ORDER
