"""The tree uses the field's terms: names that only its authors understand are refused."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRIVATE = re.compile(
    r"front[ ]door|\bcurious|open_minded|\bpatiently\b|\b_railed\b|in\s+the\s+eyes\s+of", re.I
)
PLACES = ("arbo_bo", "docs", "examples", "perf", "tests")


def _texts(place: str) -> list[Path]:
    kinds = {".py", ".md"}
    return [p for p in (ROOT / place).rglob("*") if p.suffix in kinds and p != Path(__file__)]


@pytest.mark.parametrize("place", PLACES)
def test_no_text_uses_a_private_metaphor(place: str) -> None:
    texts = _texts(place)
    assert texts
    found = [str(p.relative_to(ROOT)) for p in texts if PRIVATE.search(p.read_text("utf-8"))]
    assert not found, f"say it in the field's terms: {found}"
