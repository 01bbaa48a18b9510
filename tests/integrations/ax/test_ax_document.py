"""What docs/ax.md shows, to the letter."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[3] / "docs/ax.md").read_text()


@pytest.mark.parametrize("code", re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S))
def test_code_runs_as_written(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/ax.md", "exec"), {})  # the repository's own text
