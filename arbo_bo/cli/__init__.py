"""The command line: options in, one library call, rendering out."""

import sys
from collections.abc import Sequence

INTERRUPTED = 130
"""The exit status after Ctrl-C: 128 and the signal's number, as a shell has it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs ``arbo`` and returns its exit status.

    0: done. 1: an `ArboError`, in one line on stderr. 2: a usage error. 130: interrupted.
    """
    try:
        from arbo_bo.cli.process import run

        return run(sys.argv[1:] if arguments is None else list(arguments))
    except KeyboardInterrupt:  # while modules load, or while an error is being told
        print("arbo: interrupted", file=sys.stderr)
        return INTERRUPTED
