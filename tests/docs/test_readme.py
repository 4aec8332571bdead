"""The README is short, and its example with a table of one's own runs."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_readme_has_fewer_than_a_hundred_lines():
    assert len(README.splitlines()) < 100


def test_a_table_with_numbers_and_words_is_classified_saved_and_loaded(
    tmp_path, monkeypatch, capsys
):
    rng = np.random.RandomState(0)
    ages = rng.choice([*range(18, 40), *range(60, 80)], 400)  # none near the limit of the classes
    table = pd.DataFrame({"age": ages, "city": rng.choice(["Rome", "Oslo"], 400)})
    table["label"] = np.where((table["age"] > 50) == (table["city"] == "Rome"), "yes", "no")
    table.to_csv(tmp_path / "table.csv", index=False)
    monkeypatch.chdir(tmp_path)
    namespace = {}
    [code] = re.findall(r"<!-- code: own table -->\n```python\n(.*?)```", README, re.DOTALL)
    exec(code, namespace)
    X, y = table.drop(columns="label"), table["label"]
    predicted = namespace["model"].predict(X)
    assert re.findall("yes|no", capsys.readouterr().out) == predicted[:5].tolist()
    assert np.mean(predicted == y) > 0.95
