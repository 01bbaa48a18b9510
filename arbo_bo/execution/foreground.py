"""Runs a command in this process's place: its streams, its signals, its exit status."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass

from arbo_bo.errors import StageFailedError
from arbo_bo.execution import failures
from arbo_bo.execution.guard import Guard
from arbo_bo.execution.processes import Event, ProcessEnd, ProcessGroups
from arbo_bo.execution.signals import signals_passed_to
from arbo_bo.execution.supervisor import Chunk

# A signal that comes just before a lock is waited for does not wake the waiter.
_HEARTBEAT_S = 0.1
_GRACE_S = 5.0
_FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
_ENDING = (signal.SIGHUP, *_FROM_TERMINAL, signal.SIGTERM)


@dataclass(frozen=True)
class ForegroundEnd:
    """How a command ended that ran in this process's place.

    Attributes:
        status: The exit status to pass on: the command's, or 128 and its signal's number.
        execution_time_s: From the start of the first process to the end of the last [s].
        failure: What went wrong; None: nothing.
        interruption: The signal that this process was sent, where it asks for an end.
    """

    status: int
    execution_time_s: float
    failure: StageFailedError | None = None
    interruption: signal.Signals | None = None


class Foreground:
    """The processes of one run, which have the streams and the signals of this process.

    Where there is a terminal they stay in this process's group, so that they can read from it and
    Ctrl-C reaches them; elsewhere each heads a group of its own, so that all of it can be ended.

    Args:
        chunks: The processes; where there are several, none reads this process's stdin.
    """

    def __init__(self, chunks: list[Chunk]) -> None:
        self._chunks = chunks
        self._has_terminal = _has_terminal()
        self._guard = Guard(_GRACE_S)
        self._groups = ProcessGroups(self._guard, in_foreground=self._has_terminal)
        self._received: list[int] = []
        self._failure: tuple[int, StageFailedError] | None = None

    def run(self) -> ForegroundEnd:
        """Runs them all; one that fails ends the others.

        Raises:
            CommandError: The program could not be run.
            StageFailedError: A process could not be started.
        """
        self._guard.start()
        with signals_passed_to(self._pass_on):
            try:
                execution_time_s = self._wait()
            except BaseException:
                self._groups.end(_GRACE_S)
                raise
            finally:
                self._guard.dismiss()
            self._groups.reap()
        status, failure = self._failure or (0, None)
        asked = [signal.Signals(n) for n in self._received if n in _ENDING]
        return ForegroundEnd(status, execution_time_s, failure, asked[0] if asked else None)

    def _wait(self) -> float:
        started_at = ended_at = time.perf_counter()
        stdin = None if len(self._chunks) == 1 else subprocess.DEVNULL
        for number, chunk in enumerate(self._chunks):
            if self._failure is None:
                self._start(number, chunk, stdin)
        while self._groups.running:
            event = self._groups.next_event(_HEARTBEAT_S)
            if isinstance(event, ProcessEnd):
                ended_at = max(ended_at, event.ended_at)
                self._note(event)
        return ended_at - started_at

    def _start(self, number: int, chunk: Chunk, stdin: int | None) -> None:
        before = len(self._received)
        try:
            self._groups.start(
                number,
                chunk.arguments,
                environment=chunk.environment,
                stdin=stdin,
                stdout=None,
                stderr=None,
            )
        except (OSError, RuntimeError) as err:
            raise failures.not_started(chunk.subject, number, chunk.arguments[0], err) from err
        for place, received in enumerate(self._received):
            # What the terminal sends while the command starts reaches that by itself.
            if place < before or not self._comes_from_terminal(received):
                self._groups.signal(received)

    def _note(self, event: Event) -> None:
        """Keeps how the first process that failed did so, and ends the others."""
        assert isinstance(event, ProcessEnd)
        code = event.returncode
        if code == 0 or self._failure is not None:
            return
        failure = failures.chunk_failed(
            self._chunks[event.chunk_id].subject, event.chunk_id, code, ""
        )
        self._failure = 1 if code is None else code if code >= 0 else 128 - code, failure
        if self._groups.running:
            self._groups.end(_GRACE_S)

    def _pass_on(self, number: int) -> None:
        """Sends a signal on, unless the terminal has sent it to the whole group."""
        self._received.append(number)
        if not self._comes_from_terminal(number):
            self._groups.signal(number)

    def _comes_from_terminal(self, number: int) -> bool:
        return self._has_terminal and number in _FROM_TERMINAL and _is_in_front()


def _has_terminal() -> bool:
    with suppress(OSError), open("/dev/tty", "rb"):
        return True
    return False


def _is_in_front() -> bool:
    with suppress(OSError), open("/dev/tty", "rb") as terminal:
        return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    return False
