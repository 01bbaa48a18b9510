"""How a stage fails: the errors with what is known about them, and their messages."""

import errno
import os
import re
import signal
from collections.abc import Callable

from arbo_bo.errors import CommandError, StageFailedError, StageTimeoutError
from arbo_bo.execution.command import why_not_runnable
from arbo_bo.experiment import validation

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_LINE_LIMIT = 200
_SHORT_OF_RESOURCES = {
    errno.EAGAIN: "raise ulimit -u or lower the parallelism",
    errno.EMFILE: "raise ulimit -n or lower the parallelism",
    errno.ENFILE: "the whole system has too many open files; lower the parallelism",
    errno.ENOMEM: "lower the parallelism",
}


class ChunkFailedError(StageFailedError):
    """One process of a stage failed, or could not be started; the others have been ended.

    Attributes:
        chunk_id: The chunk, from 0.
        returncode: The exit status, or minus the signal's number; None where there is none,
            because the process was never started or its status was lost.
        stderr_tail: The last lines that the process wrote to stderr.
    """

    def __init__(
        self,
        message: str,
        *,
        chunk_id: int = 0,
        returncode: int | None = None,
        stderr_tail: str = "",
    ) -> None:
        super().__init__(message)
        self.chunk_id = chunk_id
        self.returncode = returncode
        self.stderr_tail = stderr_tail


class StageTimeLimitError(StageTimeoutError):
    """A stage did not end in time; all of its processes have been ended.

    Attributes:
        timeout_s: The time limit in seconds.
        chunk_id: The first chunk that still ran.
        returncode: Always None.
        stderr_tail: The last lines that this chunk wrote to stderr.
    """

    def __init__(
        self, message: str, *, timeout_s: float = 0.0, chunk_id: int = 0, stderr_tail: str = ""
    ) -> None:
        super().__init__(message)
        self.timeout_s = timeout_s
        self.chunk_id = chunk_id
        self.returncode: int | None = None
        self.stderr_tail = stderr_tail

    def __reduce__(self) -> tuple[Callable[..., BaseException], tuple[object, ...]]:
        """Pickles by name and attributes: of two builtin bases Python cannot tell whose way."""
        return _restored, (self.args, self.__dict__)


def _restored(args: tuple[str], attributes: dict[str, object]) -> StageTimeLimitError:
    error = StageTimeLimitError(*args)
    error.__dict__.update(attributes)
    return error


def chunk_failed(
    subject: str, chunk_id: int, returncode: int | None, stderr_tail: str
) -> ChunkFailedError:
    """The error for a process that ended badly; `subject` names it, such as "chunk 3 of 8"."""
    last = _last_line(stderr_tail)
    message = f"{subject} {_ending(returncode)}" + (f": {last}" if last else "")
    return ChunkFailedError(
        message, chunk_id=chunk_id, returncode=returncode, stderr_tail=stderr_tail
    )


def time_limit_passed(
    timeout_s: float, running: int, processes: int, chunk_id: int, stderr_tail: str
) -> StageTimeLimitError:
    """The error for a stage of which `running` processes had not ended in time."""
    what = f"{running} of its {processes} processes" if processes > 1 else "its process"
    message = f"the stage did not end within {timeout_s:g} s; {what} still ran and had to be ended"
    return StageTimeLimitError(
        message, timeout_s=timeout_s, chunk_id=chunk_id, stderr_tail=stderr_tail
    )


def not_started(
    subject: str, chunk_id: int, program: str, err: Exception
) -> CommandError | ChunkFailedError:
    """The error for a process that the operating system would not start.

    Returns:
        A CommandError where the command is at fault, else a ChunkFailedError: the machine is short
        of processes, files or memory, and a lower degree may do.
    """
    if not isinstance(err, OSError):
        # threading has RuntimeError for a thread that could not be had
        return ChunkFailedError(f"{subject} could not be started: {err}", chunk_id=chunk_id)
    reason = os.strerror(err.errno) if err.errno else str(err)
    if err.errno in _SHORT_OF_RESOURCES:
        return ChunkFailedError(
            f"{subject} could not be started: {reason}; {_SHORT_OF_RESOURCES[err.errno]}",
            chunk_id=chunk_id,
        )
    picture = validation.short(program)
    if err.errno in (errno.ENOENT, errno.EACCES, errno.ENOTDIR):
        return CommandError(
            f"{subject} could not be started: {picture} {why_not_runnable(program)}"
        )
    hint = "; its first line must name an interpreter" if err.errno == errno.ENOEXEC else ""
    return CommandError(f"{subject} could not be started: {picture}: {reason}{hint}")


def _ending(returncode: int | None) -> str:
    if returncode is None:
        return "ended, but its status was lost: does something else in this program wait for it?"
    if returncode >= 0:
        # a shell reports a signal of its own child as 128 + its number
        killed = returncode == 128 + signal.SIGKILL
        return f"exited with status {returncode}" + (" (out of memory?)" if killed else "")
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = f"signal {-returncode}"
    return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def _last_line(text: str) -> str:
    """The last line that isn't blank, fit to stand in a one-line message."""
    lines = (_ANSI.sub("", line).strip() for line in reversed(text.splitlines()))
    line = next(filter(None, lines), "")
    line = "".join(character if character.isprintable() else " " for character in line)
    return line if len(line) <= _LINE_LIMIT else line[: _LINE_LIMIT - 3] + "..."
