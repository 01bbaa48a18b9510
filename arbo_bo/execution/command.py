"""The command line of a stage, with placeholders for its degree of parallelism."""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from arbo_bo.errors import CommandError, MissingPlaceholderError
from arbo_bo.experiment import WorkerType, validation

CHUNK_ID = "{chunk_id}"
CHUNKS = "{chunks}"
PARALLELISM = "{parallelism}"
PLACEHOLDERS = (CHUNK_ID, CHUNKS, PARALLELISM)
OF_A_WORKER = ("{worker_type}", "{cpus}", "{memory_gb}")

_PLACEHOLDER = re.compile("|".join(re.escape(name) for name in (*PLACEHOLDERS, *OF_A_WORKER)))
_EXAMPLE = f"python job.py --chunk {CHUNK_ID} --of {CHUNKS}"


@dataclass(frozen=True)
class StageCommand:
    """A program and its arguments, run without a shell.

    Placeholders are replaced wherever they stand in an argument; every other brace stays
    as it is, and a value that was put in is not looked at again:

    - ``{chunk_id}``: the number of the chunk, from 0;
    - ``{chunks}`` and ``{parallelism}``: the degree of parallelism;
    - ``{worker_type}``, ``{cpus}`` and ``{memory_gb}``: the name of the type of worker to run on,
      and what it has; as they are where the task has no worker types.

    With ``{chunk_id}`` a stage is one process for each chunk, side by side. Without it, it is a
    single process that is told its degree and divides the work itself.

    Attributes:
        arguments: The program, then its arguments. A name without a slash is looked up on PATH,
            another one is relative to the working directory.

    Raises:
        MissingPlaceholderError: The command holds no placeholder.
        CommandError: The command is empty, holds what no operating system
            can pass on, or its program cannot be found or run.
    """

    arguments: tuple[str, ...]

    def __post_init__(self) -> None:
        if isinstance(self.arguments, str):
            raise CommandError(
                "a command is a sequence of words, no shell splits it; "
                f"got the string {validation.short(self.arguments)}"
            )
        object.__setattr__(self, "arguments", tuple(self.arguments))
        for argument in self.arguments:
            _check_passable(argument)
        if not self.arguments or not self.arguments[0].strip():
            raise CommandError(f"the command is empty; give one such as: {_EXAMPLE}")
        if not any(_PLACEHOLDER.search(argument) for argument in self.arguments):
            raise MissingPlaceholderError(
                f"the command holds none of {', '.join(PLACEHOLDERS)}, so it would do the same "
                f"at every degree of parallelism; write for instance: {_EXAMPLE}"
            )
        program = self.arguments[0]
        if not _PLACEHOLDER.search(program) and shutil.which(program) is None:
            raise CommandError(f"{validation.short(program)} {why_not_runnable(program)}")

    @property
    def is_chunked(self) -> bool:
        """Whether a stage is one process per chunk rather than one in all."""
        return any(CHUNK_ID in argument for argument in self.arguments)

    def expand(
        self, parallelism: int, worker: tuple[str, WorkerType] | None = None
    ) -> list[list[str]]:
        """Returns the arguments of each process of a stage, in the order of the chunks.

        Args:
            parallelism: The degree of parallelism, at least 1.
            worker: The type of worker to run on, with its name; None: there is none.

        Raises:
            InvalidValueError: The degree is no whole number from 1 up.
        """
        degree = validation.integer("parallelism", parallelism, 1)
        values = {CHUNKS: str(degree), PARALLELISM: str(degree)}
        if worker is not None:
            name, one = worker
            values |= dict(
                zip(OF_A_WORKER, (name, f"{one.cpus:g}", f"{one.memory_gb:g}"), strict=True)
            )
        processes = degree if self.is_chunked else 1
        return [self._with({**values, CHUNK_ID: str(i)}) for i in range(processes)]

    def _with(self, values: Mapping[str, str]) -> list[str]:
        return [
            _PLACEHOLDER.sub(lambda match: values.get(match.group(), match.group()), argument)
            for argument in self.arguments
        ]


def why_not_runnable(program: str) -> str:
    """Says why `program` cannot be run, and what to do, as the end of a sentence."""
    if os.path.isdir(program) and os.sep in program:
        return "is a folder, not a program"
    if os.path.isfile(program):
        if os.sep not in program:
            return f"is not on PATH; for the file in this folder write ./{program}"
        if not os.access(program, os.X_OK):
            return "is not executable; use chmod +x, or put its interpreter in front"
        return "could not be run; does the interpreter in its first line exist?"
    if any(character.isspace() for character in program):
        return "was not found; no shell splits the command: give each word as its own argument"
    return "was not found" if os.sep in program else "was not found on PATH"


def _check_passable(argument: object) -> None:
    if not isinstance(argument, str):
        raise CommandError(f"an argument must be a string, got {validation.short(argument)}")
    try:
        encoded = os.fsencode(argument)
    except UnicodeEncodeError as err:
        raise CommandError(
            f"{validation.short(argument)} cannot be encoded for the operating system"
        ) from err
    if b"\0" in encoded:
        raise CommandError(f"{validation.short(argument)} holds a NUL, which no argument may")
