"""The pages of guarantees and integrations name tests, and these tests exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = sorted(
    set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)+)`", (ROOT / "docs/promises.md").read_text()))
)


def test_the_page_names_tests():
    assert len(NAMED) > 30


@pytest.mark.parametrize("name", NAMED)
def test_a_named_test_is_there(name):
    path, *names = name.split("::")
    body = ast.parse((ROOT / path).read_text()).body
    for part in names:
        [found] = [node for node in body if getattr(node, "name", None) == part]
        assert part.startswith(("test_", "Test"))
        body = found.body


def test_the_tests_named_on_the_page_of_integrations_exist():
    page = (ROOT / "docs/clients.md").read_text()
    scripts = [path.read_text() for path in (ROOT / "tests/integrations").glob("test_*.py")]
    defined = set(re.findall(r"def (test_\w+)", "".join(scripts)))
    named = set(re.findall(r"`(test_\w+)`", page))
    assert len(named) > 20
    assert named - defined == set()
