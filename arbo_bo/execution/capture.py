"""Where the output of a stage's processes goes."""

import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
from typing import BinaryIO

TAIL_BYTES = 4096
TAIL_LINES = 20
_BLOCK_BYTES = 1 << 16


def stderr_file() -> BinaryIO:
    """Opens an unnamed file for one process to write its stderr to.

    A file, unlike a pipe, never fills up, and nobody needs to wait for its last writer. It is
    opened for appending, so that a program which opens /dev/stderr anew doesn't overwrite.
    """
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  the caller closes it
    flags = fcntl.fcntl(file, fcntl.F_GETFL)
    fcntl.fcntl(file, fcntl.F_SETFL, flags | os.O_APPEND)
    return file


def tail(file: BinaryIO) -> str:
    """Returns the last lines of `file`, at most 20 of them from its last 4 KiB."""
    size = os.fstat(file.fileno()).st_size
    start = max(0, size - TAIL_BYTES)
    # pread: the offset is the child's too
    text = os.pread(file.fileno(), TAIL_BYTES, start).decode(errors="replace")
    lines = text.splitlines(keepends=True)
    if start and len(lines) > 1:
        del lines[0]
    return "".join(lines[-TAIL_LINES:])


def shown_stdout() -> int:
    """Returns the descriptor for the stdout of processes whose output is to be seen.

    It is this process's stderr: its stdout belongs to what the program itself has to say.
    """
    return subprocess.DEVNULL if sys.__stderr__ is None else sys.__stderr__.fileno()


def show(file: BinaryIO) -> None:
    """Copies `file` to this process's stderr; a stderr that takes nothing is no error."""
    if sys.__stderr__ is None:
        return
    with contextlib.suppress(OSError, ValueError):
        sys.__stderr__.flush()
        with open(sys.__stderr__.fileno(), "wb", closefd=False) as stderr:
            offset = 0
            while block := os.pread(file.fileno(), _BLOCK_BYTES, offset):
                stderr.write(block)
                offset += len(block)
