"""Fixtures for the tests of the examples."""

from __future__ import annotations

import importlib
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

GENOME_FOLDER = Path(__file__).resolve().parents[2] / "examples" / "genome"
GENOME_MODULES = (
    "program",
    "slices",
    "vcf",
    "panel",
    "frequency",
    "merge",
    "individuals",
    "individuals_merge",
    "sifting",
    "generate_vcf",
)


@pytest.fixture(scope="session")
def genome() -> Iterator[SimpleNamespace]:
    """Return the modules of examples/genome, imported from their folder as the scripts do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(GENOME_FOLDER))
        modules = {name: importlib.import_module(name) for name in GENOME_MODULES}
        yield SimpleNamespace(**modules)
        for name in GENOME_MODULES:
            del sys.modules[name]


@pytest.fixture(scope="session")
def run_genome() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs a program of examples/genome as a real process."""

    def run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(GENOME_FOLDER / program), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return run


@pytest.fixture(scope="session")
def vcf_text() -> Callable[[Sequence[str], Sequence[str]], str]:
    """Return a function that makes a VCF of sample names and records, tabs written as spaces."""

    def text(samples: Sequence[str], records: Sequence[str]) -> str:
        header = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
        lines = [" ".join([*header, *samples]), *records]
        table = "".join(line.replace(" ", "\t") + "\n" for line in lines)
        return f"##fileformat=VCFv4.2\n##contig=<ID=1>\n{table}"

    return text


@pytest.fixture(scope="session")
def bgzf_block() -> Callable[[bytes], bytes]:
    """Return a function that makes one block of bgzip; the block of no bytes ends a file."""

    def block(content: bytes) -> bytes:
        deflate = zlib.compressobj(wbits=-15)
        body = deflate.compress(content) + deflate.flush()
        start = bytes.fromhex("1f8b08040000000000ff060042430200") + struct.pack(
            "<H", len(body) + 25
        )
        return start + body + struct.pack("<II", zlib.crc32(content), len(content))

    return block
