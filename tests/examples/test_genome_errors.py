"""Every error of frequency.py is one line with what was expected, what came and where."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

SITE = "1 10 rs1 A C 50 PASS ."
GOOD = f"{SITE} GT 0|1 1|1"
PANEL = "sample\tpop\tsuper_pop\tgender\nS0\tYRI\tAFR\tmale\nS9\tGBR\tEUR\tmale\n"


@pytest.fixture
def check_error(run_genome: Run, tmp_path: Path) -> Callable[..., None]:
    """Return a function that runs frequency.py and checks how it fails."""

    def check(vcf: Path, *expected: str, options: tuple[str | Path, ...] = ()) -> None:
        output = tmp_path / "out"
        result = run_genome("frequency.py", "--vcf", vcf, "--output", output, *options)
        assert (result.returncode, result.stdout) == (1, "")
        assert len(result.stderr.splitlines()) == 1
        assert result.stderr.startswith("frequency.py: error: ")
        assert [text for text in expected if text not in result.stderr] == []
        assert not output.exists() or list(output.iterdir()) == []

    return check


@pytest.fixture
def vcf(tmp_path: Path, vcf_text: Callable[..., str]) -> Path:
    """Return a good VCF of two samples and three records."""
    path = tmp_path / "some.vcf"
    path.write_text(vcf_text(["S0", "S1"], [GOOD] * 3))
    return path


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (f"{SITE} GT 0|1", "expected 11 tab-separated columns (9 and 2 samples), got 10"),
        (f"{GOOD} 0|0", "expected 11 tab-separated columns (9 and 2 samples), got 12"),
        ("", "got 1"),
        (f"{SITE} GT 0|1 0|x", "expected a genotype like 0|1, 0/1, 1 or .|., got '0|x'"),
        (f"{SITE} GT 0|1 ", "got ''"),
        (f"{SITE} GT 0||1 0|0", "got '0||1'"),
        (f"{SITE} DP:GT 3:0|1 3:1-1:4", "got '1-1'"),
        (f"{SITE} GT 0|2 0|0", "expected allele numbers from 0 to 1, got genotype '0|2'"),
        (f"{SITE} DP 3 4", "expected GT in the FORMAT column, got 'DP'"),
        ("1 ten rs1 A C 50 PASS . GT 0|1 1|1", "expected a whole number as POS, got 'ten'"),
    ],
)
def test_record_is_named_by_its_byte_when_it_is_malformed(
    check_error: Callable[..., None],
    tmp_path: Path,
    vcf_text: Callable[..., str],
    record: str,
    expected: str,
) -> None:
    """The byte is that of the record's beginning: here, the end of header and first record."""
    path = tmp_path / "bad.vcf"
    path.write_text(vcf_text(["S0", "S1"], [GOOD, record, GOOD]))
    start = len(vcf_text(["S0", "S1"], [GOOD]))
    check_error(path, f"{path}, record at byte {start}: ", expected)


def test_record_is_named_by_its_line_when_it_is_malformed_in_a_gzip_file(
    check_error: Callable[..., None], tmp_path: Path, vcf_text: Callable[..., str]
) -> None:
    """Three header lines and two good records come before."""
    path = tmp_path / "bad.vcf.gz"
    text = vcf_text(["S0", "S1"], [GOOD, GOOD, f"{SITE} GT 0|1 0|x"])
    path.write_bytes(gzip.compress(text.encode()))
    check_error(path, f"{path}, record at line 6: ", "got '0|x'")


@pytest.mark.parametrize(
    ("cut_bytes", "expected"),
    [
        (len("\t1|1\n"), "got 10; the file ends within this record"),
        (len("|1\t1|1\n"), "got 10; the file ends within this record"),
        (len("T\t0|1\t1|1\n"), "got 9; the file ends within this record"),
        (len("1\n"), "expected a genotype like 0|1, 0/1, 1 or .|., got '1|'"),
    ],
)
def test_chunk_that_holds_the_end_fails_when_a_plain_file_is_cut(
    check_error: Callable[..., None], run_genome: Run, vcf: Path, cut_bytes: int, expected: str
) -> None:
    """The first of two chunks is good; the last genotype counts even if not selected."""
    panel = vcf.with_name("some.panel")
    panel.write_text(PANEL)
    vcf.write_bytes(vcf.read_bytes()[:-cut_bytes])
    options = ("--chunks", "2", "--panel", panel, "--population", "AFR", "--chunk-id")
    check_error(vcf, "record at byte", expected, options=(*options, "1"))
    good = run_genome("frequency.py", "--vcf", vcf, "--output", vcf.parent, *options, "0")
    assert (good.returncode, good.stderr) == (0, "")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            b"",
            "line 1: expected a VCF, which begins with '##fileformat=VCFv4', got the end of file",
        ),
        (b"a,b\n1,2\n", "line 1: expected a VCF, which begins with '##fileformat=VCFv4', got 'a,b"),
        (b"\x00\xff\x00" * 99, "line 1: expected a VCF"),
        (
            b"##fileformat=VCFv4.2\n",
            "line 2: expected the header line '#CHROM POS ...', got the end",
        ),
        (b"##fileformat=VCFv4.2\n1\t5\t.\tA\tC\n", "line 2: expected the header line '#CHROM POS"),
        (b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\n", "and at least one sample, got 3 columns"),
        (
            b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS0\tS1",
            "line 2: expected a newline after the header line, got the end of file",
        ),
        (
            b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\tS\n",
            "line 2: expected every sample name once",
        ),
        (
            b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t\xff\n",
            "line 2: expected UTF-8 text",
        ),
    ],
)
def test_header_is_named_by_its_line_when_it_is_not_that_of_a_vcf(
    check_error: Callable[..., None], tmp_path: Path, content: bytes, expected: str
) -> None:
    """Not a VCF, no header line, no samples: the line says which."""
    path = tmp_path / "bad.vcf"
    path.write_bytes(content)
    check_error(path, f"{path}, line ", expected)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (0.9, "expected the end-of-stream marker of gzip, got the end of file"),
        (0.1, "header: expected a whole gzip stream, got: "),
    ],
)
def test_end_of_stream_is_missed_when_a_gzip_file_is_cut(
    check_error: Callable[..., None],
    tmp_path: Path,
    vcf_text: Callable[..., str],
    kept: float,
    expected: str,
) -> None:
    """A cut in the records, and one in the header."""
    path = tmp_path / "cut.vcf.gz"
    records = [f"1 {number**3} . A C 50 PASS . GT 0|1 1|1" for number in range(1, 300)]
    content = gzip.compress(vcf_text(["S0", "S1"], records).encode())
    size = int(kept * len(content)) if kept > 0.5 else 30
    path.write_bytes(content[:size])
    check_error(path, str(path), expected)


def test_gzip_file_is_refused_when_it_is_corrupt(
    check_error: Callable[..., None], tmp_path: Path, vcf_text: Callable[..., str]
) -> None:
    """The checksum at the end does not fit."""
    path = tmp_path / "corrupt.vcf.gz"
    content = bytearray(gzip.compress(vcf_text(["S0", "S1"], [GOOD]).encode()))
    content[-8] ^= 0xFF
    path.write_bytes(content)
    check_error(path, str(path), "expected", "gzip", "got: ")


def test_end_block_is_missed_when_a_bgzip_file_is_cut_between_blocks(
    check_error: Callable[..., None],
    tmp_path: Path,
    vcf_text: Callable[..., str],
    bgzf_block: Callable[[bytes], bytes],
) -> None:
    """What is left is good gzip, and the records end with a newline."""
    path = tmp_path / "cut.vcf.gz"
    path.write_bytes(bgzf_block(vcf_text(["S0", "S1"], [GOOD]).encode()))
    check_error(path, f"byte {path.stat().st_size}: expected the end block of bgzip")


@pytest.mark.parametrize(
    ("panel", "population", "expected"),
    [
        (PANEL, "afr", "expected one of ALL, AFR, EUR, GBR, YRI, got population 'afr'"),
        (PANEL, "EUR", "expected samples of population 'EUR'"),
        ("name\tgroup\nS0\tAFR\n", "AFR", "line 1: expected the columns sample pop super_pop"),
        (PANEL + "S1\tYRI\n", "AFR", "line 4: expected sample pop super_pop, got 'S1\\tYRI'"),
        ("", "AFR", "line 1: expected the columns sample pop super_pop, got an empty file"),
    ],
)
def test_population_is_refused_when_the_panel_does_not_give_it(
    check_error: Callable[..., None], vcf: Path, panel: str, population: str, expected: str
) -> None:
    """The populations that exist are listed."""
    path = vcf.with_name("some.panel")
    path.write_text(panel)
    check_error(vcf, expected, str(path), options=("--panel", path, "--population", population))


@pytest.mark.parametrize(
    ("chunk_id", "chunks", "expected"),
    [
        ("2", "2", "expected a chunk id from 0 to 1 for 2 chunks, got 2"),
        ("-1", "2", "expected a chunk id from 0 to 1 for 2 chunks, got -1"),
        ("0", "0", "expected at least 1 chunk, got 0"),
    ],
)
def test_chunk_is_refused_when_out_of_range(
    check_error: Callable[..., None], vcf: Path, chunk_id: str, chunks: str, expected: str
) -> None:
    """The range is in the message."""
    check_error(vcf, expected, options=("--chunk-id", chunk_id, "--chunks", chunks))


def test_vcf_is_named_when_it_is_missing(check_error: Callable[..., None], tmp_path: Path) -> None:
    """No such file."""
    path = tmp_path / "none.vcf"
    check_error(path, f"{path}: expected a readable VCF file, got: No such file or directory")


def test_vcf_is_named_when_it_is_a_folder(check_error: Callable[..., None], tmp_path: Path) -> None:
    """A folder is no file."""
    check_error(tmp_path, f"{tmp_path}: expected a readable VCF file, got: Is a directory")


def test_panel_is_named_when_it_is_missing(check_error: Callable[..., None], vcf: Path) -> None:
    """No such file, even where ALL would not need it."""
    path = vcf.with_name("none.panel")
    check_error(vcf, f"{path}: expected a readable panel file, got: No", options=("--panel", path))


def test_output_is_named_when_a_file_stands_in_its_place(run_genome: Run, vcf: Path) -> None:
    """The folder for the table cannot be made."""
    result = run_genome("frequency.py", "--vcf", vcf, "--output", vcf)
    assert result.returncode == 1
    assert result.stderr == f"frequency.py: error: {vcf}: File exists\n"


@pytest.mark.parametrize(
    "options", [(), ("--chunk-id", "one"), ("--population", "AFR"), ("--nonsense",)]
)
def test_status_is_2_when_the_options_are_wrong(
    run_genome: Run, vcf: Path, options: tuple[str, ...]
) -> None:
    """A usage error is argparse's; without options, --output is missing."""
    output = ("--output", vcf.parent / "out") if options else ()
    result = run_genome("frequency.py", "--vcf", vcf, *output, *options)
    assert result.returncode == 2
    assert "frequency.py: error: " in result.stderr
    assert "Traceback" not in result.stderr
