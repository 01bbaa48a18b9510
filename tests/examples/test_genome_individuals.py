"""What individuals carry, in any number of chunks; and the variants that are kept."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

RECORDS = [
    "1 10 a A C,G . . AF=0.5,0.01 GT 0|1 2|1 .|.",
    "1 20 b A C . . AC=2;AF=0.04;SIFT=deleterious GT 1|1 0|0 0|0",
    "1 30 c A . . . X GT 0|0 0|0 0|0",
]
INDIVIDUALS = """\
sample chrom pos id ref alt copies
S1 1 10 a A C 1
S1 1 10 a A G 1
S2 1 10 a A C 1
S2 1 20 b A C 2
"""


@pytest.fixture
def vcf(tmp_path: Path, vcf_text: Callable[..., str]) -> Path:
    """Return a VCF of three samples, which are not in the order of their names."""
    path = tmp_path / "small.vcf"
    path.write_text(vcf_text(["S2", "S1", "S3"], RECORDS))
    return path


@pytest.mark.parametrize("chunks", [1, 2, 3, 7])
def test_individuals_are_the_same_when_the_file_is_cut(
    genome: SimpleNamespace, vcf: Path, tmp_path: Path, chunks: int
) -> None:
    """Every individual's rows stand together, in the order of the file."""
    for index in range(chunks):
        genome.individuals.write_individuals(vcf, genome.slices.Chunk(index, chunks), tmp_path)
    target = tmp_path / "individuals.tsv"
    genome.individuals_merge.merge_individuals(tmp_path, chunks, target)
    assert target.read_text() == INDIVIDUALS.replace(" ", "\t")


def test_programs_run_one_after_another_when_a_shell_starts_them(
    run_genome: Run, vcf: Path, tmp_path: Path
) -> None:
    """Status 0, no word, and a table each."""
    done = [
        run_genome("individuals.py", "--vcf", vcf, "--output", tmp_path),
        run_genome("individuals_merge.py", "--input", tmp_path, "--chunks", "1"),
        run_genome("sifting.py", "--vcf", vcf, "--output", tmp_path),
    ]
    assert [(each.returncode, each.stdout, each.stderr) for each in done] == [(0, "", "")] * 3
    assert (tmp_path / "individuals.tsv").read_text() == INDIVIDUALS.replace(" ", "\t")
    assert (tmp_path / "sifted.tsv").read_text().splitlines()[1:] == [
        "1\t10\ta\tA\tG\t0.01\t.",
        "1\t20\tb\tA\tC\t0.04\tdeleterious",
    ]


def test_merge_names_what_is_missing_when_chunks_are_not_there(
    run_genome: Run, tmp_path: Path
) -> None:
    """One line, status 1, and no table."""
    result = run_genome("individuals_merge.py", "--input", tmp_path, "--chunks", "2")
    assert result.returncode == 1
    assert "2 missing: individuals.chunk-0-of-2.tsv" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_merge_is_refused_when_a_chunk_is_no_table(run_genome: Run, tmp_path: Path) -> None:
    """What was joined so far is thrown away."""
    (tmp_path / "individuals.chunk-0-of-1.tsv").write_text("hello\n")
    result = run_genome("individuals_merge.py", "--input", tmp_path, "--chunks", "1")
    assert result.returncode == 1
    assert "line 1: expected the header of a table of individuals" in result.stderr
    assert not (tmp_path / "individuals.tsv").exists()


@pytest.mark.parametrize("info", [".", "AF=0.1,0.2", "AF=x", "AF"])
def test_sifting_is_refused_when_a_site_has_no_frequencies(
    run_genome: Run, tmp_path: Path, vcf_text: Callable[..., str], info: str
) -> None:
    """The message says where."""
    vcf = tmp_path / "bad.vcf"
    vcf.write_text(vcf_text(["S1"], [f"1 10 a A C . . {info} GT 0|1"]))
    result = run_genome("sifting.py", "--vcf", vcf, "--output", tmp_path)
    assert result.returncode == 1
    assert "expected AF with 1 numbers in INFO" in result.stderr


def test_sifting_is_refused_when_the_limit_is_no_frequency(run_genome: Run, vcf: Path) -> None:
    """Before anything is read."""
    arguments = ("--vcf", vcf, "--max-frequency", "5", "--output", vcf.parent)
    assert "from 0 to 1, got 5" in run_genome("sifting.py", *arguments).stderr
