"""Sees one stage through, from its first process to its last, in a thread of its own."""

import math
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arbo_bo.errors import StageFailedError, StageTimeoutError
from arbo_bo.execution import capture, failures
from arbo_bo.execution.guard import Guard
from arbo_bo.execution.processes import Event, Order, ProcessEnd, ProcessGroups


@dataclass(frozen=True)
class Chunk:
    """One process to run.

    Attributes:
        subject: How messages name it.
        arguments: The program and its arguments.
        environment: All of its environment variables.
    """

    subject: str
    arguments: Sequence[str]
    environment: Mapping[str, str]


class StageInterruptedError(StageFailedError):
    """The stage was ended because the thread that called for it was interrupted."""


class StageSupervisor:
    """Runs the processes of one stage side by side and ends all of them where one fails.

    Python delivers signals to the main thread alone. So, in a thread of its own, `run` is never
    interrupted between the start of a process and its being known, or in the midst of ending them.

    Args:
        chunks: The processes, in the order of their chunks.
        timeout_s: Time limit for all of them together, or None.
        grace_s: Time between SIGTERM and SIGKILL.
        show_output: Whether what they write is to be seen on stderr.
    """

    def __init__(
        self,
        chunks: Sequence[Chunk],
        *,
        timeout_s: float | None,
        grace_s: float,
        show_output: bool,
    ) -> None:
        self._chunks = chunks
        self._timeout_s = timeout_s
        self._grace_s = grace_s
        self._show_output = show_output
        self._guard = Guard(grace_s)
        self._groups = ProcessGroups(self._guard)

    def order(self, order: Order) -> None:
        """Asks for the end of all processes; any thread may."""
        self._groups.order(order)

    def run(self) -> float:
        """Runs the stage and returns its wall time in seconds.

        Raises:
            CommandError: The program could not be run.
            StageFailedError: A process failed, or the time limit was passed.
        """
        try:
            tails = capture.Tails(self._show_output)
        except (OSError, RuntimeError) as err:
            raise StageFailedError(f"no pipes for the stderr of the processes: {err}") from err
        self._guard.start()
        try:
            execution_time_s = self._measure(tails)
        except BaseException:
            self._groups.end(self._grace_s)
            raise
        else:
            self._groups.reap()
        finally:
            self._guard.dismiss()
            tails.close()
        return execution_time_s

    def _measure(self, tails: capture.Tails) -> float:
        stdout = capture.shown_stdout() if self._show_output else subprocess.DEVNULL
        started_at = ended_at = time.perf_counter()
        deadline = math.inf if self._timeout_s is None else started_at + self._timeout_s
        for chunk_id in range(len(self._chunks)):
            while (event := self._groups.next_event(0)) is not None:
                ended_at = max(ended_at, self._end_time(event, tails))
            if time.perf_counter() >= deadline:
                raise self._too_late(tails)
            self._start(chunk_id, stdout, tails)
        while self._groups.running:
            event = self._groups.next_event(deadline - time.perf_counter())
            if event is None:
                raise self._too_late(tails)
            ended_at = max(ended_at, self._end_time(event, tails))
        return ended_at - started_at

    def _start(self, chunk_id: int, stdout: int, tails: capture.Tails) -> None:
        chunk = self._chunks[chunk_id]
        try:
            stderr = tails.writer(chunk_id)
            try:
                self._groups.start(
                    chunk_id,
                    chunk.arguments,
                    environment=chunk.environment,
                    stdout=stdout,
                    stderr=stderr,
                )
            finally:
                os.close(stderr)
        except (OSError, RuntimeError) as err:
            raise failures.not_started(chunk.subject, chunk_id, chunk.arguments[0], err) from err

    def _end_time(self, event: Event, tails: capture.Tails) -> float:
        """Returns when a process ended well; raises where it did not, or an order came."""
        if not isinstance(event, ProcessEnd):
            raise StageInterruptedError("the stage was interrupted and its processes were ended")
        if event.returncode != 0:
            raise failures.chunk_failed(
                self._chunks[event.chunk_id].subject,
                event.chunk_id,
                event.returncode,
                tails.text(event.chunk_id),
            )
        return event.ended_at

    def _too_late(self, tails: capture.Tails) -> StageTimeoutError:
        assert self._timeout_s is not None
        running = self._groups.running
        chunk_id = min(running, default=0)
        return failures.time_limit_passed(
            self._timeout_s,
            running=len(running),
            processes=len(self._chunks),
            chunk_id=chunk_id,
            stderr_tail=tails.text(chunk_id),
        )
