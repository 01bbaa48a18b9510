#!/usr/bin/env python3
"""Write a VCF file of a chosen size, and the panel of its samples.

    python3 examples/genome/generate_vcf.py --output big.vcf --megabytes 30 --samples 2504 --seed 1

writes `big.vcf` and `big.panel`. The same options give the same bytes.

Allele frequencies follow the neutral spectrum (density proportional to 1 / f), so most variants are
rare; each super-population's frequency scatters around the common one as in the Balding-Nichols
model, f_s ~ Beta(f (1 - F) / F, (1 - f) (1 - F) / F) with F = 0.1. Some sites have two ALT alleles,
some are insertions, some genotypes are missing.
"""

from __future__ import annotations

import argparse
import gzip
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import BinaryIO

from panel import COLUMNS as PANEL_COLUMNS
from program import InputError, exit_status, whole_file
from vcf import FIXED_COLUMNS

SUFFIXES = (".vcf", ".vcf.gz")

# The 26 populations of the 1000 Genomes project under their super-populations.
POPULATIONS = {
    "AFR": ("YRI", "LWK", "GWD", "MSL", "ESN", "ASW", "ACB"),
    "AMR": ("MXL", "PUR", "CLM", "PEL"),
    "EAS": ("CHB", "JPT", "CHS", "CDX", "KHV"),
    "EUR": ("CEU", "TSI", "FIN", "GBR", "IBS"),
    "SAS": ("GIH", "PJL", "BEB", "STU", "ITU"),
}
CONTIG, CONTIG_LENGTH, FIRST_POSITION = "1", 249_250_621, 10_177
MEAN_GAP, MISSING_RATE, MULTIALLELIC_RATE, INSERTION_RATE = 8, 0.002, 0.03, 0.04
DIVERGENCE, RARE, NEVER = 0.1, 1 / 16, 1e-9
MEGABYTE = 10**6


@dataclass(frozen=True)
class Sample:
    """One line of the panel."""

    name: str
    population: str
    super_population: str
    gender: str


@dataclass(frozen=True)
class Size:
    """How much to write: a number of variants, or records until so many bytes are reached."""

    samples: int
    variants: int | None
    bytes: int | None

    def reached(self, variants: int, written_bytes: int) -> bool:
        """Return whether the file is large enough."""
        if self.variants is not None:
            return variants >= self.variants
        return self.bytes is not None and written_bytes >= self.bytes


def make_samples(count: int, rng: Random) -> list[Sample]:
    """Return samples spread evenly over the super-populations, those of one side by side."""
    groups = []
    for index in range(count):
        turn, place = divmod(index, len(POPULATIONS))
        super_population = tuple(POPULATIONS)[place]
        populations = POPULATIONS[super_population]
        groups.append((super_population, populations[turn % len(populations)]))
    return [
        Sample(f"HG{96 + index:05d}", population, super_population, rng.choice(("male", "female")))
        for index, (super_population, population) in enumerate(sorted(groups))
    ]


def header_text(samples: Sequence[Sample]) -> str:
    """Return the header of the VCF."""
    columns = "\t".join([*FIXED_COLUMNS, *(sample.name for sample in samples)])
    return (
        "##fileformat=VCFv4.2\n"
        '##FILTER=<ID=PASS,Description="All filters passed">\n'
        "##source=generate_vcf.py\n"
        f"##contig=<ID={CONTIG},length={CONTIG_LENGTH},assembly=b37>\n"
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="Allele count in genotypes">\n'
        '##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">\n'
        '##INFO=<ID=AN,Number=1,Type=Integer,Description="Number of called alleles">\n'
        '##INFO=<ID=NS,Number=1,Type=Integer,Description="Number of samples">\n'
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        f"{columns}\n"
    )


def sparse_positions(rng: Random, count: int, rate: float) -> Iterator[int]:
    """Yield each of 0..count-1 with probability `rate`, by geometric steps over the others."""
    if rate < NEVER:
        return
    scale = 1 / math.log1p(-rate)
    position = int(math.log(1 - rng.random()) * scale)
    while position < count:
        yield position
        position += 1 + int(math.log(1 - rng.random()) * scale)


def draw_haplotypes(rng: Random, count: int, frequencies: Sequence[float]) -> bytes:
    """Draw `count` alleles as digits; `frequencies` are those of the ALT alleles 1 and 2.

    A common allele's frequency is rounded to 1/256, since one random byte decides each draw.
    """
    total = sum(frequencies)
    if total < RARE:
        drawn = bytearray(b"0" * count)
        for position in sparse_positions(rng, count, total):
            drawn[position] = ord("1" if rng.random() * total < frequencies[0] else "2")
        return bytes(drawn)
    table = b"".join(
        digit * round(256 * share) for digit, share in zip((b"1", b"2"), frequencies, strict=False)
    )
    return rng.randbytes(count).translate(table[:256].ljust(256, b"0"))


class GenotypeWriter:
    """Draws the genotype columns of one record after the other."""

    def __init__(self, samples: Sequence[Sample], rng: Random) -> None:
        """Remember where the samples of each super-population begin and end."""
        names = [sample.super_population for sample in samples]
        self._blocks = [(names.index(name), names.count(name)) for name in sorted(set(names))]
        self._samples = len(samples)
        self._rng = rng

    def draw(self, alts: int) -> bytes:
        """Return the genotypes at a site with so many ALT alleles: `0|1` and tabs, then newline."""
        rng = self._rng
        common = math.exp(rng.uniform(math.log(0.5 / self._samples), math.log(0.95)))
        second_share = rng.uniform(0.1, 0.5) if alts > 1 else 0.0
        concentration = (1 - DIVERGENCE) / DIVERGENCE
        row = bytearray(b"0|0\t" * self._samples)
        for start, count in self._blocks:
            local = rng.betavariate(common * concentration, (1 - common) * concentration)
            frequencies = (local * (1 - second_share), local * second_share)
            first, end = 4 * start, 4 * (start + count)
            row[first:end:4] = draw_haplotypes(rng, count, frequencies)
            row[first + 2 : end : 4] = draw_haplotypes(rng, count, frequencies)
        if row.count(b"0|0") == self._samples:
            row[4 * rng.randrange(self._samples)] = ord("1")
        for position in sparse_positions(rng, self._samples, MISSING_RATE):
            row[4 * position : 4 * position + 3] = b".|."
        row[-1:] = b"\n"
        return bytes(row)


def draw_alleles(rng: Random) -> tuple[str, list[str]]:
    """Return REF and the ALT alleles of one site."""
    ref, alt, other = rng.sample("ACGT", 3)
    kind = rng.random()
    if kind < MULTIALLELIC_RATE:
        return ref, [alt, other]
    return ref, [ref + alt] if kind < MULTIALLELIC_RATE + INSERTION_RATE else [alt]


def record_lines(samples: Sequence[Sample], rng: Random) -> Iterator[bytes]:
    """Yield records without end, at ascending positions.

    Raises:
        InputError: The contig is full.
    """
    genotypes = GenotypeWriter(samples, rng)
    position, number = FIRST_POSITION, 0
    while position <= CONTIG_LENGTH:
        ref, alts = draw_alleles(rng)
        row = genotypes.draw(len(alts))
        called = 2 * (len(samples) - row.count(b".|."))
        counts = [row.count(b"%d" % allele) for allele in range(1, 1 + len(alts))]
        frequencies = ",".join(f"{count / max(called, 1):.6g}" for count in counts)
        site = f"AC={','.join(map(str, counts))};AF={frequencies};AN={called};NS={len(samples)}"
        number += 1
        yield (
            f"{CONTIG}\t{position}\trs{1_000_000 + number}\t{ref}\t{','.join(alts)}\t100\tPASS\t"
            f"{site}\tGT\t"
        ).encode() + row
        position += rng.randint(1, 2 * MEAN_GAP - 1)
    raise InputError(f"expected a size that fits on one contig, got more than {number} variants")


def write_records(
    handle: BinaryIO | gzip.GzipFile, size: Size, samples: Sequence[Sample], rng: Random
) -> int:
    """Write header and records to an open file and return the number of variants."""
    header = header_text(samples).encode()
    handle.write(header)
    variants, written_bytes = 0, len(header)
    lines = record_lines(samples, rng)
    while not size.reached(variants, written_bytes):
        line = next(lines)
        handle.write(line)
        variants += 1
        written_bytes += len(line)
    return variants


def write_panel(path: Path, samples: Sequence[Sample]) -> None:
    """Write the panel: one line for each sample."""
    rows = [PANEL_COLUMNS] + [
        (sample.name, sample.population, sample.super_population, sample.gender)
        for sample in samples
    ]
    with whole_file(path) as handle:
        handle.writelines("\t".join(row).encode() + b"\n" for row in rows)


def write_vcf(path: Path, panel_path: Path, size: Size, seed: int) -> int:
    """Write a VCF file, gzip where its name ends in .gz, and its panel.

    Args:
        path: The VCF file.
        panel_path: The panel file.
        size: How much to write; bytes are counted before compression.
        seed: The same seed and size give the same bytes.

    Returns:
        The number of variants.
    """
    rng = Random(seed)
    samples = make_samples(size.samples, rng)
    with whole_file(path) as handle:
        if path.suffix == ".gz":
            # No name and no time in the gzip header, so that the bytes depend on the seed alone.
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=handle, mtime=0) as compressed:
                variants = write_records(compressed, size, samples, rng)
        else:
            variants = write_records(handle, size, samples, rng)
        write_panel(panel_path, samples)
    return variants


def positive_int(text: str) -> int:
    """Parse a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {text}")
    return number


def megabytes_as_bytes(text: str) -> int:
    """Parse a size in megabytes (10^6 bytes) and return it in bytes."""
    megabytes = float(text)
    if not 0 < megabytes < math.inf:
        raise argparse.ArgumentTypeError(f"expected a size above 0, got {text}")
    return round(megabytes * MEGABYTE)


def vcf_path(text: str) -> Path:
    """Parse the name of the file to write."""
    if not text.endswith(SUFFIXES):
        raise argparse.ArgumentTypeError(f"expected a name ending in .vcf or .vcf.gz, got {text}")
    return Path(text)


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; a usage error ends the program with status 2."""
    parser = argparse.ArgumentParser(
        prog="generate_vcf.py", description="Write a VCF of a chosen size and its panel."
    )
    parser.add_argument("--output", type=vcf_path, required=True, help="NAME.vcf or NAME.vcf.gz")
    parser.add_argument("--panel", type=Path, help="the panel to write (default: NAME.panel)")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--variants", type=positive_int, help="how many records")
    length.add_argument(
        "--megabytes", type=megabytes_as_bytes, help="how many 10^6 bytes, before compression"
    )
    parser.add_argument("--samples", type=positive_int, default=2504, help="default: 2504")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status."""
    options = parse_options(arguments)
    name = options.output.name.removesuffix(".gz").removesuffix(".vcf")
    panel_path = options.panel or options.output.with_name(f"{name}.panel")
    size = Size(options.samples, options.variants, options.megabytes)

    def body() -> None:
        variants = write_vcf(options.output, panel_path, size, options.seed)
        print(f"{options.output}: {variants} variants of {size.samples} samples; {panel_path}")

    return exit_status("generate_vcf.py", body)


if __name__ == "__main__":
    sys.exit(main())
