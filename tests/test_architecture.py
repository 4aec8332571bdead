"""The house rules that no linter knows."""

import ast
import importlib.util
from pathlib import Path

import pytest

import sk_twolayer

ROOT = Path(__file__).parents[1]


def extension(name):
    """Import an extension that the documentation is built with."""
    path = ROOT / "docs" / "_extensions" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PACKAGE = Path(sk_twolayer.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

gallery, public_names = extension("gallery"), extension("public_names")


@pytest.mark.parametrize(
    ("word", "file"),
    [
        ("gemm", "_linalg.py"),
        ("issparse", "_rows.py"),
        ("threadpoolctl", "_threads.py"),
        ("sklearn.callback", "_callbacks.py"),
        ("matplotlib", "display.py"),
        ("skl2onnx", "_onnx.py"),
    ],
)
def test_one_file_knows_each_awkward_fact(word, file):
    assert [path.name for path in FILES if word in path.read_text()] == [file]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_and_functions_fit_the_eye(path):
    source = path.read_text()
    assert len(source.splitlines()) <= 350
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body:
                assert body[-1].end_lineno - body[0].lineno < 30, node.name


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/plot_*.py")), ids=lambda p: p.name)
def test_examples_of_the_gallery_are_short_and_have_their_place(path):
    assert len(path.read_text().splitlines()) < 80
    assert gallery.place(path) < len(gallery.ORDER)


def test_a_public_name_that_is_missing_in_the_documentation_is_found():
    everything = list(public_names.public_names())
    assert public_names.missing(everything) == []
    assert public_names.missing(set(everything) - {"sk_twolayer.layers.Affine"}) == [
        "sk_twolayer.layers.Affine"
    ]
    # Offered by two modules, and documented at one of them:
    assert public_names.missing(set(everything) - {"sk_twolayer.network.TwoLayerNet"}) == []
