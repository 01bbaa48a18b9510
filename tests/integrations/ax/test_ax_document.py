"""What docs/ax.md shows, to the letter."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_code_runs_as_written_in_its_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs/ax.md").read_text()
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.M | re.S))
    exec(compile(code, "docs/ax.md", "exec"), {})  # the repository's own text
