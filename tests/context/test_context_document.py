"""What docs/context.md shows, to the letter."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs/context.md").read_text()


@pytest.mark.parametrize("code", re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S))
def test_code_runs_as_written(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input").mkdir()
    (tmp_path / "input/a.csv").write_text("1,2\n")
    exec(compile(code, "docs/context.md", "exec"), {})  # the repository's own text
