"""Allele frequencies against tables worked out by hand."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

SAMPLES = ["A1", "A2", "E1", "E2", "X1"]
PANEL = (
    "sample\tpop\tsuper_pop\tgender\t\t\n"
    "A1\tYRI\tAFR\tmale\nE1\tGBR\tEUR\tmale\nA2\tLWK\tAFR\tfemale\nE2\tFIN\tEUR\tfemale\n"
    "Z9\tCHB\tEAS\tmale\n"
)
RECORDS = [
    "1 10 rs1 A C 50 PASS . GT 0|1 1|1 0|0 0|1 .|.",
    "1 20 rs2 A C,<DEL> 50 PASS . DP:GT:GQ 3:1/2:9 4:0/.:8 .:.:. 5:2/2 7",
    "X 30 . G T 50 PASS . GT:DP 1 0 1/0 . 1|1:9",
    "X 40 . G T 50 PASS . GT . . .|. ./. .",
    "X 50 . G . 50 PASS . GT 0|0 0|0 0|0 0|0 0|0",
]
# Counted by hand: chromosomes that carry the allele, and called chromosomes.
EXPECTED = {
    "ALL": ["C 4 8 0.5", "C 1 5 0.2", "<DEL> 3 5 0.6", "T 4 6 0.666667", "T 0 0 ."],
    "AFR": ["C 3 4 0.75", "C 1 3 0.333333", "<DEL> 1 3 0.333333", "T 1 2 0.5", "T 0 0 ."],
    "YRI": ["C 1 2 0.5", "C 1 2 0.5", "<DEL> 1 2 0.5", "T 1 1 1", "T 0 0 ."],
    "EUR": ["C 1 4 0.25", "C 0 2 0", "<DEL> 2 2 1", "T 1 2 0.5", "T 0 0 ."],
}
SITES = ["1 10 rs1 A", "1 20 rs2 A", "1 20 rs2 A", "X 30 . G", "X 40 . G"]


@pytest.fixture
def files(tmp_path: Path, vcf_text: Callable[..., str]) -> tuple[Path, Path]:
    """Return a VCF whose AFR samples stand side by side, and its panel."""
    vcf, panel = tmp_path / "hand.vcf", tmp_path / "hand.panel"
    vcf.write_text(vcf_text(SAMPLES, RECORDS))
    panel.write_text(PANEL)
    return vcf, panel


def table(expected: list[str]) -> str:
    """Return the text of a table, tabs written as spaces in `expected`."""
    header = "chrom pos id ref alt allele_count allele_number frequency"
    rows = [f"{site} {row}" for site, row in zip(SITES, expected, strict=True)]
    return "".join(line.replace(" ", "\t") + "\n" for line in [header, *rows])


@pytest.mark.parametrize("population", EXPECTED)
def test_table_matches_the_hand_count_when_a_population_is_chosen(
    genome: SimpleNamespace, tmp_path: Path, files: tuple[Path, Path], population: str
) -> None:
    """Haploid, unphased, missing and multi-allelic genotypes count as the definition says."""
    chunk = genome.slices.Chunk(0, 1)
    path = genome.frequency.write_frequencies(*files, population, chunk, tmp_path / "out")
    assert path == tmp_path / "out" / f"frequency.{population}.chunk-0-of-1.tsv"
    assert path.read_text() == table(EXPECTED[population])


def test_table_is_the_same_when_samples_of_a_population_stand_apart(
    genome: SimpleNamespace, tmp_path: Path, vcf_text: Callable[..., str]
) -> None:
    """The choice of columns follows the panel, not their order in the file."""
    vcf, panel = tmp_path / "apart.vcf", tmp_path / "apart.panel"
    vcf.write_text(vcf_text(["A1", "E1", "A2"], ["1 10 rs1 A C 50 PASS . GT 0|1 0|0 1|1"]))
    panel.write_text(PANEL)
    chunk = genome.slices.Chunk(0, 1)
    path = genome.frequency.write_frequencies(vcf, panel, "AFR", chunk, tmp_path)
    assert path.read_text().splitlines()[1] == "1\t10\trs1\tA\tC\t3\t4\t0.75"


def test_every_sample_counts_when_there_is_no_panel(
    run_genome: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
    files: tuple[Path, Path],
) -> None:
    """ALL needs no panel, and is the default."""
    result = run_genome("frequency.py", "--vcf", files[0], "--output", tmp_path / "out")
    assert (result.returncode, result.stderr) == (0, "")
    written = tmp_path / "out" / "frequency.ALL.chunk-0-of-1.tsv"
    assert written.read_text() == table(EXPECTED["ALL"])


def test_gzip_gives_the_plain_table_when_the_content_is_the_same(
    genome: SimpleNamespace, tmp_path: Path, files: tuple[Path, Path]
) -> None:
    """Compression is seen from the content: the name says nothing of it here."""
    files[0].write_bytes(gzip.compress(files[0].read_bytes()))
    chunk = genome.slices.Chunk(0, 1)
    path = genome.frequency.write_frequencies(*files, "EUR", chunk, tmp_path)
    assert path.read_text() == table(EXPECTED["EUR"])


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_last_record_counts_when_its_line_ends_in_any_way(
    genome: SimpleNamespace, tmp_path: Path, vcf_text: Callable[..., str], ending: str
) -> None:
    """A last line that has all its columns needs no newline."""
    path = tmp_path / "end.vcf"
    text = vcf_text(["S0"], ["1 10 rs1 A C 50 PASS . GT 0|1"]).removesuffix("\n") + ending
    path.write_bytes(text.encode())
    chunk = genome.slices.Chunk(0, 1)
    written = genome.frequency.write_frequencies(path, None, "ALL", chunk, tmp_path)
    assert written.read_text().splitlines()[1:] == ["1\t10\trs1\tA\tC\t1\t2\t0.5"]


def test_frequencies_equal_the_info_column_when_the_file_is_generated(
    genome: SimpleNamespace, tmp_path: Path
) -> None:
    """The generator's AC, AN and AF, counted another way, are what the program finds."""
    vcf = tmp_path / "some.vcf"
    size = genome.generate_vcf.Size(samples=60, variants=300, bytes=None)
    genome.generate_vcf.write_vcf(vcf, tmp_path / "some.panel", size, seed=2)
    chunk = genome.slices.Chunk(0, 1)
    table = genome.frequency.write_frequencies(vcf, None, "ALL", chunk, tmp_path).read_text()
    found = [row.split("\t")[5:] for row in table.splitlines()[1:]]
    expected = []
    for line in vcf.read_text().splitlines():
        if not line.startswith("#"):
            pairs = dict(pair.split("=") for pair in line.split("\t")[7].split(";"))
            for count, share in zip(pairs["AC"].split(","), pairs["AF"].split(","), strict=True):
                expected.append([count, pairs["AN"], share])
    assert found == expected
