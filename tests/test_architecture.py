"""The house rules that no linter knows."""

import ast
from pathlib import Path

import pytest

import sk_twolayer

PACKAGE = Path(sk_twolayer.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("word", ["gemm", "issparse", "threadpoolctl"])
def test_one_file_knows_each_awkward_fact(word):
    assert [path.name for path in FILES if word in path.read_text()] == ["_linalg.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_and_functions_fit_the_eye(path):
    source = path.read_text()
    assert len(source.splitlines()) <= 350
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body:
                assert body[-1].end_lineno - body[0].lineno < 30, node.name
