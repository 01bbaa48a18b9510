#!/usr/bin/env python3
"""Extract what each individual carries from one chunk of a VCF file.

Run `n` of these side by side, with chunk ids 0 to n-1, and each reads its own slice of the file:

    python3 examples/genome/individuals.py --vcf big.vcf --chunk-id 0 --chunks 4 --output out

writes `out/individuals.chunk-0-of-4.tsv` with one row for each individual and each ALT allele that
it carries, and how often. The rows are sorted by the individual's name, so that
`individuals_merge.py` can join the chunks without holding them in memory.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from program import exit_status, whole_file
from slices import Chunk
from vcf import Record, VcfFile, open_vcf, records, select_samples

TABLE_HEADER = "sample\tchrom\tpos\tid\tref\talt\tcopies\n"


def chunk_name(chunk: Chunk) -> str:
    """Return the file name of one chunk's table."""
    return f"individuals.chunk-{chunk.index}-of-{chunk.count}.tsv"


def carried(record: Record, vcf: VcfFile, rows: dict[str, list[str]]) -> None:
    """Add a row to every sample that carries an ALT allele of the record.

    Raises:
        InputError: A genotype is malformed.
    """
    site = "\t".join(record.columns[:4])
    select = select_samples(range(len(vcf.samples)))
    for sample, genotype in zip(vcf.samples, record.genotypes(select), strict=True):
        alleles = record.alleles(genotype)
        for number in sorted({allele for allele in alleles if allele}):
            alt = record.alts[number - 1]
            rows[sample].append(f"{sample}\t{site}\t{alt}\t{alleles.count(number)}\n")


def write_individuals(vcf_path: Path, chunk: Chunk, folder: Path) -> Path:
    """Write the table of one chunk.

    Args:
        vcf_path: A VCF file, plain or gzip.
        chunk: The slice of the file.
        folder: Where the table goes.

    Returns:
        The path of the table, which is there only when it is whole.

    Raises:
        InputError: The VCF cannot be used.
    """
    vcf = open_vcf(vcf_path)
    rows: dict[str, list[str]] = {sample: [] for sample in sorted(vcf.samples)}
    for record in records(vcf, chunk):
        carried(record, vcf, rows)
    target = folder / chunk_name(chunk)
    with whole_file(target) as handle:
        handle.write(TABLE_HEADER.encode())
        for lines in rows.values():
            handle.write("".join(lines).encode())
    return target


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; a usage error ends the program with status 2."""
    parser = argparse.ArgumentParser(
        prog="individuals.py", description="What each individual carries in a chunk of a VCF."
    )
    parser.add_argument("--vcf", type=Path, required=True, help="a VCF file, plain, gzip or bgzip")
    parser.add_argument("--chunk-id", type=int, default=0, help="from 0 to chunks - 1 (default: 0)")
    parser.add_argument("--chunks", type=int, default=1, help="how many chunks (default: 1)")
    parser.add_argument("--output", type=Path, required=True, help="the folder for the table")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status."""
    options = parse_options(arguments)

    def body() -> None:
        write_individuals(options.vcf, Chunk(options.chunk_id, options.chunks), options.output)

    return exit_status("individuals.py", body)


if __name__ == "__main__":
    sys.exit(main())
