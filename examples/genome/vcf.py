"""Read a VCF file: its header, then the records of one chunk.

A program that works on individuals instead of sites reads the same way: `open_vcf`, `records`, and
`Record.genotypes` gives one genotype for each selected sample, in the order of `VcfFile.samples`.
How a file is cut into chunks is told in `slices`.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedReader
from operator import itemgetter
from pathlib import Path

from program import InputError
from slices import Chunk, gzip_lines, plain_lines

Selector = Callable[[Sequence[str]], Sequence[str]]

FIXED_COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")

_FIRST_LINE = b"##fileformat=VCF"
_FIRST_LINE_LIMIT_BYTES = 1 << 16
_GZIP_MAGIC = b"\x1f\x8b"
_GENOTYPE = re.compile(r"[/|]?(?:\.|[0-9]+)(?:[/|](?:\.|[0-9]+))*")


@dataclass(frozen=True)
class VcfFile:
    """A VCF file whose header has been read."""

    path: Path
    samples: tuple[str, ...]
    compressed: bool
    header_bytes: int
    header_lines: int


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a VCF file: a site, its alleles, and a column for each sample."""

    where: str
    columns: list[str]
    alts: tuple[str, ...]
    gt_index: int
    gt_only: bool

    def genotypes(self, select: Selector) -> Sequence[str]:
        """Return the GT text of the selected samples, e.g. `0|1`; an absent one is `.`."""
        selected = select(self.columns)
        if self.gt_only:
            return selected
        index = self.gt_index
        parts = [column.split(":", index + 1) for column in selected]
        return [part[index] if index < len(part) else "." for part in parts]

    def alleles(self, genotype: str) -> tuple[int, ...]:
        """Return the called alleles of one genotype (0 is REF), missing ones left out.

        Raises:
            InputError: The genotype is malformed, or names an allele that the site lacks.
        """
        try:
            alleles = _called_alleles(genotype)
        except ValueError as err:
            raise InputError(
                f"{self.where}: expected a genotype like 0|1, 0/1, 1 or .|., got {genotype!r}"
            ) from err
        if alleles and max(alleles) > len(self.alts):
            raise InputError(
                f"{self.where}: expected allele numbers from 0 to {len(self.alts)}, "
                f"got genotype {genotype!r}"
            )
        return alleles


@lru_cache(maxsize=4096)
def _called_alleles(genotype: str) -> tuple[int, ...]:
    if not _GENOTYPE.fullmatch(genotype):
        raise ValueError(genotype)
    return tuple(int(part) for part in re.split(r"[/|]", genotype) if part not in ("", "."))


def select_samples(indices: Sequence[int]) -> Selector:
    """Return a function that takes the columns of some samples out of a record's columns.

    Args:
        indices: Positions in `VcfFile.samples`, ascending, at least one.
    """
    columns = [len(FIXED_COLUMNS) + index for index in indices]
    if columns[-1] - columns[0] == len(columns) - 1:
        return itemgetter(slice(columns[0], columns[-1] + 1))
    return itemgetter(*columns)


def open_vcf(path: Path) -> VcfFile:
    """Read the header of a VCF file; gzip is told by its first two bytes, not by the name.

    Raises:
        InputError: The file cannot be read, is not a VCF, or its header is not whole.
    """
    try:
        with path.open("rb") as handle:
            compressed = handle.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        with gzip.open(path) if compressed else path.open("rb") as handle:
            return _read_header(path, handle, compressed)
    except (EOFError, zlib.error, gzip.BadGzipFile) as err:
        raise InputError(f"{path}, header: expected a whole gzip stream, got: {err}") from err
    except OSError as err:
        raise InputError(f"{path}: expected a readable VCF file, got: {err.strerror}") from err


def _read_header(path: Path, handle: gzip.GzipFile | BufferedReader, compressed: bool) -> VcfFile:
    line = handle.readline(_FIRST_LINE_LIMIT_BYTES)
    if not line.startswith(_FIRST_LINE):
        raise InputError(
            f"{path}, line 1: expected a VCF, which begins with '##fileformat=VCFv4', "
            f"got {_shown(line)}"
        )
    header_lines, header_bytes = 1, len(line)
    while line.startswith(b"##"):
        line = handle.readline()
        header_lines += 1
        header_bytes += len(line)
    where = f"{path}, line {header_lines}"
    if not line.startswith(b"#CHROM\t"):
        raise InputError(f"{where}: expected the header line '#CHROM POS ...', got {_shown(line)}")
    if not line.endswith(b"\n"):
        raise InputError(f"{where}: expected a newline after the header line, got the end of file")
    samples = _parse_sample_names(where, line)
    return VcfFile(path, samples, compressed, header_bytes, header_lines)


def _parse_sample_names(where: str, line: bytes) -> tuple[str, ...]:
    columns = _decode(where, line).split("\t")
    fixed, samples = tuple(columns[: len(FIXED_COLUMNS)]), tuple(columns[len(FIXED_COLUMNS) :])
    if fixed != FIXED_COLUMNS or not samples:
        raise InputError(
            f"{where}: expected the columns {' '.join(FIXED_COLUMNS)} and at least one sample, "
            f"got {len(columns)} columns: {_shown(line)}"
        )
    if len(set(samples)) < len(samples):
        raise InputError(f"{where}: expected every sample name once, got one twice")
    return samples


def records(vcf: VcfFile, chunk: Chunk) -> Iterator[Record]:
    """Yield the records of one chunk in file order.

    Raises:
        InputError: A record of this chunk is malformed or cut short, or the compressed stream is.
    """
    if vcf.compressed:
        unit, lines = "line", gzip_lines(vcf.path, vcf.header_lines, chunk)
    else:
        unit, lines = "byte", plain_lines(vcf.path, vcf.header_bytes, chunk)
    last_sample = select_samples([len(vcf.samples) - 1])
    for place, line in lines:
        record = _parse_record(vcf, f"{vcf.path}, record at {unit} {place}", line)
        if not line.endswith(b"\n"):
            # The file may have been cut within the last genotype, which nobody may have selected.
            record.alleles(record.genotypes(last_sample)[0])
        yield record


def _parse_record(vcf: VcfFile, where: str, line: bytes) -> Record:
    columns = _decode(where, line).split("\t")
    expected = len(FIXED_COLUMNS) + len(vcf.samples)
    if len(columns) != expected:
        cut = "" if line.endswith(b"\n") else "; the file ends within this record"
        raise InputError(
            f"{where}: expected {expected} tab-separated columns "
            f"({len(FIXED_COLUMNS)} and {len(vcf.samples)} samples), got {len(columns)}{cut}"
        )
    position, alt, keys = columns[1], columns[4], columns[8]
    if not (position.isascii() and position.isdigit()):
        raise InputError(f"{where}: expected a whole number as POS, got {position!r}")
    formats = keys.split(":")
    if "GT" not in formats:
        raise InputError(f"{where}: expected GT in the FORMAT column, got {keys!r}")
    alts = () if alt == "." else tuple(alt.split(","))
    return Record(where, columns, alts, formats.index("GT"), keys == "GT")


def _decode(where: str, line: bytes) -> str:
    try:
        return line.rstrip(b"\r\n").decode()
    except UnicodeDecodeError as err:
        raise InputError(f"{where}: expected UTF-8 text, got {_shown(line)}") from err


def _shown(line: bytes) -> str:
    return repr(line[:40].decode(errors="replace")) if line else "the end of file"
