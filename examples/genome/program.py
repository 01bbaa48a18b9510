"""What every program of this folder does the same way: fail in one line, write a file whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class InputError(ValueError):
    """An input that cannot be used, told in one line: what was expected, what came, and where."""


def exit_status(program: str, body: Callable[[], None]) -> int:
    """Run `body` and turn its failure into one line on standard error.

    Args:
        program: The name that begins the line.
        body: What the program does once its options are parsed.

    Returns:
        0, or 1 after an error. (Usage errors are argparse's and end with 2.)
    """
    try:
        body()
    except InputError as err:
        message = str(err)
    except OSError as err:
        message = f"{err.filename or 'input or output'}: {err.strerror or err}"
    else:
        return 0
    print(f"{program}: error: {' '.join(message.splitlines())}", file=sys.stderr)
    return 1


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only when the block ends without an error.

    The text goes to a hidden file beside it, which is renamed at the end, or removed.

    Args:
        path: The file to write; its folder is made where it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.urandom(4).hex()}.partial")
    try:
        with partial.open("xb") as handle:
            yield handle
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
