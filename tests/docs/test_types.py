"""mypy reports misspelt attributes in every module, so few expressions have the type Any."""

import ast
import collections
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "sk_twolayer").rglob("*.py"))
ROUNDS = 100 if os.environ.get("SK_TWOLAYER_TESTS") == "long" else 1


def functions(node):
    """Yield the functions and methods of a module, without those inside of functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield child
        else:
            yield from functions(child)


def attributes(node):
    """Yield the attributes that are read below a node, except in f-strings.

    Before Python 3.12, the positions of the parts of an f-string are not known.
    """
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        yield node
    if not isinstance(node, ast.JoinedStr):
        for child in ast.iter_child_nodes(node):
            yield from attributes(child)


def misspelt(source, nodes):
    """Return a source with a suffix to the names of some attributes."""
    lines = source.encode().splitlines(keepends=True)
    for node in sorted(nodes, key=lambda n: (n.end_lineno, n.end_col_offset), reverse=True):
        line, end = lines[node.end_lineno - 1], node.end_col_offset
        lines[node.end_lineno - 1] = line[:end] + b"zzz" + line[end:]
    return b"".join(lines)


@pytest.mark.slow
def test_mypy_reports_misspelt_attributes_in_every_module(tmp_path):
    """Each round misspells one attribute per function, in a copy of the package.

    Signatures are annotated, so a mistake in one function does not hide those in others. What is
    not reported belongs to packages without type stubs, such as SciPy, scikit-learn and skl2onnx.
    """
    random_state = random.Random(0)
    by_function = {}
    for path in FILES:
        bodies = [function.body for function in functions(ast.parse(path.read_text()))]
        by_function[path] = [[a for node in body for a in attributes(node)] for body in bodies]
        for nodes in by_function[path]:
            random_state.shuffle(nodes)
    shutil.copytree(ROOT / "sk_twolayer", tmp_path / "sk_twolayer")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    tried, reported = collections.Counter(), collections.Counter()
    for _ in range(min(ROUNDS, max(len(nodes) for f in by_function.values() for nodes in f))):
        chosen = {p: [nodes.pop() for nodes in f if nodes] for p, f in by_function.items()}
        for path, nodes in chosen.items():
            target = tmp_path / path.relative_to(ROOT)
            target.write_bytes(misspelt(path.read_text(), nodes))
        command = [sys.executable, "-m", "mypy", "--no-pretty", "--cache-dir", "cache"]
        answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        errors = collections.defaultdict(str)
        for name, line, text in re.findall(r"^(\S+?):(\d+): error: (.*)", answer.stdout, re.M):
            errors[Path(name), int(line)] += text
        for path, nodes in chosen.items():
            for node in nodes:
                lines = range(node.lineno, node.end_lineno + 1)
                texts = [errors[path.relative_to(ROOT), line] for line in lines]
                tried[path] += 1
                reported[path] += any(f'"{node.attr}zzz"' in text for text in texts)
    assert len(tried) > 45
    assert [str(path) for path in tried if not reported[path]] == []
    assert sum(reported.values()) > 0.9 * sum(tried.values())
