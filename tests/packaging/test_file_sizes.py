"""A file that outgrows its purpose is split."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_LINES = 320


@pytest.mark.parametrize("place", ["arbo_bo", "perf", "examples", "tests"])
def test_no_file_is_longer_than_a_reader_keeps_in_mind(place):
    files = list((ROOT / place).rglob("*.py"))
    assert files
    lines = {str(f.relative_to(ROOT)): f.read_text("utf-8").count("\n") for f in files}
    assert {name: n for name, n in lines.items() if n > MOST_LINES} == {}
