#!/usr/bin/env python3
"""Sift the variants of a VCF file: keep the rare ones, with their SIFT prediction if any.

    python3 examples/genome/sifting.py --vcf big.vcf --max-frequency 0.05 --output out

writes `out/sifted.tsv` with one row for each ALT allele whose frequency, as `AF` in the INFO column
says, is at most 0.05. `sift` is the `SIFT` of the INFO column, such as `deleterious`, or `.`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from program import InputError, exit_status, whole_file
from slices import Chunk
from vcf import Record, open_vcf, records

TABLE_HEADER = "chrom\tpos\tid\tref\talt\tfrequency\tsift\n"
INFO_COLUMN = 7


def sifted_rows(record: Record, max_frequency: float) -> Iterator[str]:
    """Yield a row for each ALT allele of a record that is rare enough.

    Raises:
        InputError: The INFO column holds no AF, or not one number for each ALT allele.
    """
    entries = [entry.partition("=") for entry in record.columns[INFO_COLUMN].split(";")]
    info = {key: value for key, _, value in entries}
    try:
        frequencies = [float(value) for value in info["AF"].split(",")] if record.alts else []
    except (KeyError, ValueError):
        frequencies = []
    if len(frequencies) != len(record.alts):
        raise InputError(
            f"{record.where}: expected AF with {len(record.alts)} numbers in INFO, "
            f"got {record.columns[INFO_COLUMN][:40]!r}"
        )
    site = "\t".join(record.columns[:4])
    for alt, frequency in zip(record.alts, frequencies, strict=True):
        if frequency <= max_frequency:
            yield f"{site}\t{alt}\t{frequency:.6g}\t{info.get('SIFT') or '.'}\n"


def write_sifted(vcf_path: Path, max_frequency: float, folder: Path) -> Path:
    """Write the table of the variants that were kept.

    Args:
        vcf_path: A VCF file, plain or gzip.
        max_frequency: The largest frequency to keep.
        folder: Where the table goes.

    Returns:
        The path of the table, which is there only when it is whole.

    Raises:
        InputError: The VCF cannot be used, or the limit is no frequency.
    """
    if not 0 <= max_frequency <= 1:
        raise InputError(f"expected a frequency from 0 to 1, got {max_frequency:g}")
    vcf = open_vcf(vcf_path)
    target = folder / "sifted.tsv"
    with whole_file(target) as handle:
        handle.write(TABLE_HEADER.encode())
        for record in records(vcf, Chunk(0, 1)):
            handle.write("".join(sifted_rows(record, max_frequency)).encode())
    return target


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; a usage error ends the program with status 2."""
    parser = argparse.ArgumentParser(
        prog="sifting.py", description="Keep the rare variants of a VCF."
    )
    parser.add_argument("--vcf", type=Path, required=True, help="a VCF file, plain, gzip or bgzip")
    parser.add_argument("--max-frequency", type=float, default=0.05, help="default: 0.05")
    parser.add_argument("--output", type=Path, required=True, help="the folder for the table")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status."""
    options = parse_options(arguments)

    def body() -> None:
        write_sifted(options.vcf, options.max_frequency, options.output)

    return exit_status("sifting.py", body)


if __name__ == "__main__":
    sys.exit(main())
