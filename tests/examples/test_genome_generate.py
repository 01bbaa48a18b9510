"""The generator writes what it promises, and the same again for the same seed."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("name", ["some.vcf", "some.vcf.gz"])
def test_bytes_are_the_same_when_the_seed_is(run_genome: Run, tmp_path: Path, name: str) -> None:
    """Two processes with one seed write one file and one panel."""
    options = ("--variants", "200", "--samples", "40", "--seed", "3")
    first = run_genome("generate_vcf.py", "--output", tmp_path / "a" / name, *options)
    second = run_genome("generate_vcf.py", "--output", tmp_path / "b" / name, *options)
    assert (first.returncode, second.returncode) == (0, 0)
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    panels = [(tmp_path / folder / "some.panel").read_bytes() for folder in "ab"]
    assert panels[0] == panels[1]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["some.panel", name]


@pytest.fixture
def write(genome: SimpleNamespace, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that generates a file in this process."""

    def write_file(
        name: str, samples: int, variants: int | None, seed: int = 0, size_bytes: int | None = None
    ) -> Path:
        size = genome.generate_vcf.Size(samples, variants, size_bytes)
        genome.generate_vcf.write_vcf(tmp_path / name, tmp_path / f"{name}.panel", size, seed)
        return tmp_path / name

    return write_file


def test_bytes_differ_when_the_seed_does(write: Callable[..., Path]) -> None:
    """Another seed is another file."""
    assert (
        write("a.vcf", 10, 20, seed=1).read_bytes() != write("b.vcf", 10, 20, seed=2).read_bytes()
    )


def test_content_is_the_same_when_compressed(write: Callable[..., Path]) -> None:
    """The .gz file holds the bytes of the plain one."""
    plain, compressed = write("a.vcf", 10, 20), write("a.vcf.gz", 10, 20)
    assert gzip.decompress(compressed.read_bytes()) == plain.read_bytes()


@pytest.mark.parametrize("samples", [1, 7, 100])
def test_file_has_the_size_asked_for_when_megabytes_are_given(
    write: Callable[..., Path], samples: int
) -> None:
    """Writing stops with the record that reaches the size."""
    content = write("a.vcf", samples, None, size_bytes=50_000).read_bytes()
    last = content.splitlines(keepends=True)[-1]
    assert 50_000 <= len(content) < 50_000 + len(last)


def test_records_are_a_valid_vcf_when_read_back(
    genome: SimpleNamespace, write: Callable[..., Path]
) -> None:
    """Positions ascend, alleles differ, and every genotype parses."""
    vcf = genome.vcf.open_vcf(write("a.vcf", 30, 500))
    records = list(genome.vcf.records(vcf, genome.slices.Chunk(0, 1)))
    everyone = genome.vcf.select_samples(range(30))
    positions = [int(record.columns[1]) for record in records]
    assert len(records) == 500
    assert positions == sorted(set(positions))
    assert all(len({record.columns[3], *record.alts}) == 1 + len(record.alts) for record in records)
    assert all(sum(genome.frequency.count_alleles(record, everyone)) for record in records)


@pytest.mark.parametrize("feature", [b"\t.|.", b"\t1|1", b"\t0|1", b"\t2|", b"|2", b",", b"\tGT\t"])
def test_feature_occurs_when_a_few_hundred_records_are_written(
    write: Callable[..., Path], feature: bytes
) -> None:
    """Missing genotypes, carriers of both kinds, and sites with two ALT alleles are there."""
    body = write("a.vcf", 50, 400).read_bytes().partition(b"#CHROM")[2]
    assert feature in body


def test_most_variants_are_rare_when_the_spectrum_is_neutral(
    genome: SimpleNamespace, tmp_path: Path, write: Callable[..., Path]
) -> None:
    """About half of the alleles are below 5 percent, and some are common."""
    path = write("a.vcf", 200, 500)
    chunk = genome.slices.Chunk(0, 1)
    table = genome.frequency.write_frequencies(path, None, "ALL", chunk, tmp_path).read_text()
    shares = [float(row.split("\t")[7]) for row in table.splitlines()[1:]]
    assert sum(share < 0.05 for share in shares) > 0.4 * len(shares)
    assert sum(share > 0.2 for share in shares) > 0.1 * len(shares)


def test_gzip_header_holds_no_time_when_compressed(write: Callable[..., Path]) -> None:
    """A time stamp (RFC 1952: bytes 4 to 7) would change the bytes from one second to the next."""
    assert write("a.vcf.gz", 1, 1).read_bytes()[4:8] == bytes(4)


def test_populations_differ_in_frequency_when_alleles_are_common(
    genome: SimpleNamespace, tmp_path: Path, write: Callable[..., Path]
) -> None:
    """AFR and EAS frequencies of one site lie apart, as their divergence says."""
    path = write("a.vcf", 500, 200)
    chunk = genome.slices.Chunk(0, 1)
    panel = tmp_path / "a.vcf.panel"
    tables = [
        genome.frequency.write_frequencies(path, panel, name, chunk, tmp_path).read_text()
        for name in ("AFR", "EAS")
    ]
    columns = [[float(row.split("\t")[7]) for row in table.splitlines()[1:]] for table in tables]
    differences = [abs(first - second) for first, second in zip(*columns, strict=True)]
    assert max(differences) > 0.1


def test_panel_lists_every_sample_in_order_when_written(
    genome: SimpleNamespace, tmp_path: Path, write: Callable[..., Path]
) -> None:
    """The panel has the project's columns and covers all super-populations from 5 samples on."""
    vcf = genome.vcf.open_vcf(write("a.vcf", 5, 1))
    lines = [line.split("\t") for line in (tmp_path / "a.vcf.panel").read_text().splitlines()]
    assert lines[0] == ["sample", "pop", "super_pop", "gender"]
    assert tuple(line[0] for line in lines[1:]) == vcf.samples
    assert [line[2] for line in lines[1:]] == ["AFR", "AMR", "EAS", "EUR", "SAS"]
    assert vcf.samples[0] == "HG00096"


@pytest.mark.parametrize(
    "options",
    [
        ("--output", "some.bcf", "--variants", "1"),
        ("--output", "some.vcf"),
        ("--output", "some.vcf", "--variants", "1", "--megabytes", "1"),
        ("--output", "some.vcf", "--variants", "0"),
        ("--output", "some.vcf", "--megabytes", "nan"),
        ("--output", "some.vcf", "--variants", "1", "--samples", "-1"),
    ],
)
def test_generator_exits_with_2_when_the_options_are_wrong(
    genome: SimpleNamespace, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    """A usage error is argparse's."""
    with pytest.raises(SystemExit) as raised:
        genome.generate_vcf.main(options)
    assert raised.value.code == 2
    assert "generate_vcf.py: error:" in capsys.readouterr().err


def test_generator_says_so_in_one_line_when_it_cannot_write(
    run_genome: Run, tmp_path: Path
) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "taken").write_text("")
    target = tmp_path / "taken" / "some.vcf"
    result = run_genome("generate_vcf.py", "--output", target, "--variants", "1")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("generate_vcf.py: error: ")
