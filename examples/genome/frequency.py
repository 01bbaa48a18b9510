#!/usr/bin/env python3
"""Compute the allele frequencies of one population in one chunk of a VCF file.

Run `n` of these side by side, with chunk ids 0 to n-1, and each reads its own slice of the file:

    python3 examples/genome/frequency.py --vcf big.vcf --panel big.panel --population AFR \
        --chunk-id 0 --chunks 4 --output out

writes `out/frequency.AFR.chunk-0-of-4.tsv` with one row for each ALT allele:

    frequency = allele count / allele number

where the allele count is how often the population carries the allele, and the allele number is how
many of its alleles are called (a missing allele counts in neither). Where none is called, the
frequency is `.`. `merge.py` joins the chunks.

A plain VCF is read by byte ranges, so chunks scale over cores. A gzip or bgzip file cannot be
entered in the middle: every chunk decompresses the stream from its beginning and takes its own
records, which is a real serial fraction.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from panel import ALL, read_panel, sample_indices
from program import exit_status, whole_file
from slices import Chunk
from vcf import Record, Selector, open_vcf, records, select_samples

TABLE_HEADER = "chrom\tpos\tid\tref\talt\tallele_count\tallele_number\tfrequency\n"


def chunk_name(population: str, chunk: Chunk) -> str:
    """Return the file name of one chunk's table."""
    return f"frequency.{population}.chunk-{chunk.index}-of-{chunk.count}.tsv"


def count_alleles(record: Record, select: Selector) -> list[int]:
    """Count the called alleles of the selected samples; position 0 is REF, 1 the first ALT.

    Raises:
        InputError: A genotype is malformed.
    """
    counts = [0] * (1 + len(record.alts))
    for genotype, samples in Counter(record.genotypes(select)).items():
        for allele in record.alleles(genotype):
            counts[allele] += samples
    return counts


def table_rows(record: Record, counts: Sequence[int]) -> Iterator[str]:
    """Yield one row for each ALT allele of a record; none at a site without one."""
    site = "\t".join(record.columns[:4])
    number = sum(counts)
    for alt, count in zip(record.alts, counts[1:], strict=True):
        frequency = f"{count / number:.6g}" if number else "."
        yield f"{site}\t{alt}\t{count}\t{number}\t{frequency}\n"


def write_frequencies(
    vcf_path: Path, panel_path: Path | None, population: str, chunk: Chunk, folder: Path
) -> Path:
    """Write the table of one chunk.

    Args:
        vcf_path: A VCF file, plain or gzip.
        panel_path: The panel; not needed for the population `ALL`.
        population: A population, a super-population, or `ALL` for every sample.
        chunk: The slice of the file.
        folder: Where the table goes.

    Returns:
        The path of the table, which is there only when it is whole.

    Raises:
        InputError: The VCF or the panel cannot be used, or has no such population.
    """
    vcf = open_vcf(vcf_path)
    panel = read_panel(panel_path) if panel_path else None
    select = select_samples(sample_indices(vcf, panel, population))
    target = folder / chunk_name(population, chunk)
    with whole_file(target) as handle:
        handle.write(TABLE_HEADER.encode())
        for record in records(vcf, chunk):
            rows = table_rows(record, count_alleles(record, select))
            handle.write("".join(rows).encode())
    return target


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; a usage error ends the program with status 2."""
    parser = argparse.ArgumentParser(
        prog="frequency.py", description="Allele frequencies of one population in a chunk of a VCF."
    )
    parser.add_argument("--vcf", type=Path, required=True, help="a VCF file, plain, gzip or bgzip")
    parser.add_argument("--panel", type=Path, help="sample, pop and super_pop; not needed for ALL")
    parser.add_argument("--population", default=ALL, help="e.g. ALL, AFR or YRI (default: ALL)")
    parser.add_argument("--chunk-id", type=int, default=0, help="from 0 to chunks - 1 (default: 0)")
    parser.add_argument("--chunks", type=int, default=1, help="how many chunks (default: 1)")
    parser.add_argument("--output", type=Path, required=True, help="the folder for the table")
    options = parser.parse_args(arguments)
    if options.panel is None and options.population != ALL:
        parser.error(f"--population {options.population} needs --panel; without one, use {ALL}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status."""
    options = parse_options(arguments)

    def body() -> None:
        chunk = Chunk(options.chunk_id, options.chunks)
        write_frequencies(options.vcf, options.panel, options.population, chunk, options.output)

    return exit_status("frequency.py", body)


if __name__ == "__main__":
    sys.exit(main())
