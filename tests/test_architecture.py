"""The house rules that no linter knows."""

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

import sk_twolayer

PACKAGE = Path(sk_twolayer.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))


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


def public_names():
    """Yield the qualified names of all that the public modules offer."""
    for module in pkgutil.walk_packages(sk_twolayer.__path__, "sk_twolayer."):
        if "._" not in module.name:
            for name in importlib.import_module(module.name).__all__:
                yield f"{module.name}.{name}"


@pytest.mark.parametrize("name", sorted(public_names()))
def test_every_public_name_is_on_the_api_page(name):
    module, name = name.rsplit(".", 1)
    page = (PACKAGE.parent / "docs" / "api.md").read_text()
    assert f"| `{name}` |" in page
    if not isinstance(value := getattr(importlib.import_module(module), name), dict):
        assert " ".join(value.__doc__.split("\n\n")[0].split()) in page
