"""The tables of the chunks are joined only when all are there."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

HEADER = "chrom\tpos\tid\tref\talt\tallele_count\tallele_number\tfrequency\n"


@pytest.fixture
def chunks(tmp_path: Path) -> Path:
    """Return a folder with the tables of three chunks, the second without rows."""
    rows = ["1\t1\t.\tA\tC\t1\t2\t0.5\n", "", "1\t3\t.\tA\tC\t1\t4\t0.25\n"]
    for index, text in enumerate(rows):
        (tmp_path / f"frequency.AFR.chunk-{index}-of-3.tsv").write_text(HEADER + text)
    return tmp_path


def test_table_is_whole_and_in_order_when_all_chunks_are_there(
    run_genome: Run, chunks: Path
) -> None:
    """One header, then the rows of chunk 0, 1, 2."""
    result = run_genome("merge.py", "--input", chunks, "--population", "AFR", "--chunks", "3")
    assert (result.returncode, result.stderr) == (0, "")
    merged = (chunks / "frequency.AFR.tsv").read_text()
    assert merged == HEADER + "1\t1\t.\tA\tC\t1\t2\t0.5\n1\t3\t.\tA\tC\t1\t4\t0.25\n"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--population", "AFR", "--chunks", "4"), "4 missing: frequency.AFR.chunk-0-of-4.tsv"),
        (("--population", "ALL", "--chunks", "3"), "frequency.ALL.chunk-2-of-3.tsv"),
        (("--population", "AFR", "--chunks", "0"), "expected at least 1 chunk, got 0"),
    ],
)
def test_merge_names_what_is_missing_when_chunks_are_not_there(
    run_genome: Run, chunks: Path, options: tuple[str, ...], expected: str
) -> None:
    """One line, status 1, and no table."""
    result = run_genome("merge.py", "--input", chunks, *options)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("merge.py: error: ")
    assert expected in result.stderr
    assert len(list(chunks.iterdir())) == 3


def test_merge_leaves_no_file_when_a_chunk_is_no_table(run_genome: Run, chunks: Path) -> None:
    """The last of three is something else: what was joined so far is thrown away."""
    (chunks / "frequency.AFR.chunk-2-of-3.tsv").write_text("hello\n")
    result = run_genome("merge.py", "--input", chunks, "--population", "AFR", "--chunks", "3")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "chunk-2-of-3.tsv, line 1: expected the header" in result.stderr
    assert len(list(chunks.iterdir())) == 3
