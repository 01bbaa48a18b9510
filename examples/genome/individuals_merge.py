#!/usr/bin/env python3
"""Join the tables that `individuals.py` wrote for the chunks of a VCF file into one.

    python3 examples/genome/individuals_merge.py --input out --chunks 4

reads `out/individuals.chunk-0-of-4.tsv` to `chunk-3-of-4` and writes `out/individuals.tsv`, the
same table as one run over the whole file gives: all rows of an individual stand together.
"""

from __future__ import annotations

import argparse
import heapq
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from individuals import TABLE_HEADER, chunk_name
from program import InputError, exit_status, whole_file
from slices import Chunk


def merge_individuals(folder: Path, chunks: int, target: Path) -> None:
    """Merge the sorted tables of all chunks, row by row.

    Args:
        folder: Where the tables of the chunks are.
        chunks: How many there are.
        target: The table to write.

    Raises:
        InputError: A chunk is missing, or is no table of individuals.
    """
    Chunk(0, chunks)
    paths = [folder / chunk_name(Chunk(index, chunks)) for index in range(chunks)]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise InputError(
            f"{folder}: expected the tables of {chunks} chunks, "
            f"{len(missing)} missing: {', '.join(missing)}"
        )
    with whole_file(target) as merged, ExitStack() as opened:
        tables = [rows(path, opened.enter_context(path.open("rb"))) for path in paths]
        merged.write(TABLE_HEADER.encode())
        # Rows of the same individual keep the order of the chunks: merge is stable.
        merged.writelines(heapq.merge(*tables, key=sample_of))


def rows(path: Path, table: BinaryIO) -> Iterator[bytes]:
    """Yield the rows of one chunk's table.

    Raises:
        InputError: It begins with another header.
    """
    header = table.readline()
    if header != TABLE_HEADER.encode():
        raise InputError(
            f"{path}, line 1: expected the header of a table of individuals, "
            f"got {header[:40].decode(errors='replace')!r}"
        )
    yield from table


def sample_of(row: bytes) -> str:
    """Return the individual of a row, as text: `individuals.py` sorts names, not bytes."""
    return row.partition(b"\t")[0].decode()


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; a usage error ends the program with status 2."""
    parser = argparse.ArgumentParser(
        prog="individuals_merge.py", description="Join the chunks of the individuals' table."
    )
    parser.add_argument("--input", type=Path, required=True, help="the folder of the chunks")
    parser.add_argument("--chunks", type=int, required=True, help="how many chunks there are")
    parser.add_argument("--output", type=Path, help="default: individuals.tsv in --input")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status."""
    options = parse_options(arguments)
    target = options.output or options.input / "individuals.tsv"
    return exit_status(
        "individuals_merge.py", lambda: merge_individuals(options.input, options.chunks, target)
    )


if __name__ == "__main__":
    sys.exit(main())
