"""Runs one stage at one degree of parallelism and measures its wall time."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from arbo_bo.errors import InvalidValueError
from arbo_bo.execution.command import StageCommand
from arbo_bo.execution.interruptible import InterruptibleCall
from arbo_bo.execution.processes import Order
from arbo_bo.execution.signals import ending_signals_raise
from arbo_bo.execution.supervisor import Chunk, StageSupervisor
from arbo_bo.experiment import WorkerType, validation

_CHUNK_ID = "ARBO_CHUNK_ID"
_CHUNKS = "ARBO_CHUNKS"
_PARALLELISM = "ARBO_PARALLELISM"


@dataclass(frozen=True)
class StageTiming:
    """How long a stage took.

    Attributes:
        parallelism: The degree that it ran at.
        execution_time_s: Wall time in seconds, from the start of the first process to the end of
            the last, on a monotonic clock.
        processes: How many processes that were: the degree, or 1 for a command that divides the
            work itself.
    """

    parallelism: int
    execution_time_s: float
    processes: int


def run_stage(
    command: StageCommand,
    parallelism: int,
    *,
    timeout_s: float | None = None,
    environment: Mapping[str, str] | None = None,
    show_output: bool = False,
    grace_s: float = 5.0,
    worker: tuple[str, WorkerType] | None = None,
) -> StageTiming:
    """Runs `command` at a degree of parallelism, waits for all its processes, and times them.

    The processes read nothing (stdin is /dev/null). What they write to stdout is discarded, and of
    their stderr the tail is kept for a failure's message. They find ARBO_PARALLELISM and
    ARBO_CHUNKS among their environment variables, and ARBO_CHUNK_ID where each has a chunk. Should
    this process be killed, they are ended, by a shell that waits for that, and on Linux so is what
    has inherited their ARBO_STAGE_ID.

    Where one fails, the time limit passes, or the caller is interrupted (Ctrl-C, or a SIGTERM or
    SIGHUP without a handler of its own), every process and what it has started in its process group
    gets SIGTERM, and after the grace period SIGKILL; a second Ctrl-C sends that at once. What a
    stage that ended well has left in the background is not touched.

    Args:
        command: What to run.
        parallelism: The degree, at least 1.
        timeout_s: Time limit for the whole stage in seconds; None for none.
        environment: Environment variables on top of this process's own.
        show_output: Whether to show what the processes write, on stderr: their stdout as it comes,
            their stderr line by line.
        grace_s: Time between SIGTERM and SIGKILL in seconds.
        worker: The type of worker that the command is told of, with its name; None: none.

    Raises:
        InvalidValueError: An argument is outside its domain.
        CommandError: The program could not be run.
        StageFailedError: A process ended with a non-zero status or by a signal, or could not be
            started; as a `ChunkFailedError` it has `chunk_id`, `returncode` and `stderr_tail`.
        StageTimeoutError: The time limit passed; it has `timeout_s`.
    """
    degree = validation.integer("parallelism", parallelism, 1)
    chunks = chunks_of(command, degree, environment, worker)
    supervisor = StageSupervisor(
        chunks,
        timeout_s=None if timeout_s is None else validation.positive("timeout_s", timeout_s),
        grace_s=validation.non_negative("grace_s", grace_s),
        show_output=show_output,
    )
    return StageTiming(degree, _run_supervised(supervisor), len(chunks))


def prepare(command: str, *, show_output: bool = False) -> None:
    """Runs a shell's command before a run, outside of its time.

    Args:
        command: What ``sh -c`` is given.
        show_output: Whether to show what it writes, on stderr.

    Raises:
        StageFailedError: It failed.
    """
    chunk = Chunk(f"the preparation {command!r}", ["sh", "-c", command], os.environ)
    supervisor = StageSupervisor([chunk], timeout_s=None, grace_s=5.0, show_output=show_output)
    _run_supervised(supervisor)


def _run_supervised(supervisor: StageSupervisor) -> float:
    call = InterruptibleCall(supervisor.run)
    with ending_signals_raise():
        try:
            call.start("arbo-stage-supervisor")
            return call.result()
        except BaseException:
            if not call.withdraw():
                _end(supervisor, call)
            raise


def _end(supervisor: StageSupervisor, call: InterruptibleCall[float]) -> None:
    """Has all processes ended and waits for that; one more interruption cuts the grace short."""
    try:
        supervisor.order(Order.END)
        call.wait()
    except BaseException:
        supervisor.order(Order.KILL)
        call.wait()


def chunks_of(
    command: StageCommand,
    parallelism: int,
    environment: Mapping[str, str] | None = None,
    worker: tuple[str, WorkerType] | None = None,
) -> list[Chunk]:
    """The processes of a stage, each with the environment variables that tell it its part."""
    common = {
        **_checked_environment(environment),
        _CHUNKS: str(parallelism),
        _PARALLELISM: str(parallelism),
    }
    common.pop(_CHUNK_ID, None)
    expanded = command.expand(parallelism, worker)
    if not command.is_chunked:
        # without a chunk's number: a program that reads it must not take itself for one of many
        return [Chunk("the command", expanded[0], common)]
    return [
        Chunk(f"chunk {i} of {parallelism}", arguments, {**common, _CHUNK_ID: str(i)})
        for i, arguments in enumerate(expanded)
    ]


def _checked_environment(added: Mapping[str, str] | None) -> dict[str, str]:
    for name, value in (added or {}).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidValueError(
                "environment variables and their values must be strings, "
                f"got {validation.short(name)} = {validation.short(value)}"
            )
        if not name or "=" in name or "\0" in name + value:
            raise InvalidValueError(
                "an environment variable needs a name without '=', and holds no NUL; "
                f"got {validation.short(name)} = {validation.short(value)}"
            )
    return {**os.environ, **(added or {})}
