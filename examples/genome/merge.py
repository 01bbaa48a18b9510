#!/usr/bin/env python3
"""Join the tables that `frequency.py` wrote for the chunks of one population into one.

    python3 examples/genome/merge.py --input out --population AFR --chunks 4

reads `out/frequency.AFR.chunk-0-of-4.tsv` to `chunk-3-of-4` and writes `out/frequency.AFR.tsv`, the
same table as one run over the whole file gives.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from frequency import TABLE_HEADER, chunk_name
from panel import ALL
from program import InputError, exit_status, whole_file
from slices import Chunk


def merge_chunks(folder: Path, population: str, chunks: int, target: Path) -> None:
    """Concatenate the tables of all chunks in order, under one header.

    Args:
        folder: Where the tables of the chunks are.
        population: The population they were computed for.
        chunks: How many there are.
        target: The table to write.

    Raises:
        InputError: A chunk is missing, or is no table of frequencies.
    """
    Chunk(0, chunks)
    paths = [folder / chunk_name(population, Chunk(index, chunks)) for index in range(chunks)]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise InputError(
            f"{folder}: expected the tables of {chunks} chunks, "
            f"{len(missing)} missing: {', '.join(missing)}"
        )
    with whole_file(target) as merged:
        merged.write(TABLE_HEADER.encode())
        for path in paths:
            with path.open("rb") as table:
                header = table.readline()
                if header != TABLE_HEADER.encode():
                    raise InputError(
                        f"{path}, line 1: expected the header of a frequency table, "
                        f"got {header[:40].decode(errors='replace')!r}"
                    )
                shutil.copyfileobj(table, merged)


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; a usage error ends the program with status 2."""
    parser = argparse.ArgumentParser(
        prog="merge.py", description="Join the chunks of one population's frequencies."
    )
    parser.add_argument("--input", type=Path, required=True, help="the folder of the chunks")
    parser.add_argument("--population", default=ALL, help="e.g. ALL or AFR (default: ALL)")
    parser.add_argument("--chunks", type=int, required=True, help="how many chunks there are")
    parser.add_argument("--output", type=Path, help="default: frequency.POPULATION.tsv in --input")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status."""
    options = parse_options(arguments)
    target = options.output or options.input / f"frequency.{options.population}.tsv"
    return exit_status(
        "merge.py",
        lambda: merge_chunks(options.input, options.population, options.chunks, target),
    )


if __name__ == "__main__":
    sys.exit(main())
