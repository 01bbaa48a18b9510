"""Starts processes, each at the head of a group of its own, reports their ends, ends the groups."""

import enum
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from arbo_bo.execution.guard import Guard

_LOOK_EVERY_S = 0.02


class Order(enum.Enum):
    """What the thread that called for a stage asks of the one that supervises it."""

    END = enum.auto()
    KILL = enum.auto()


@dataclass(frozen=True)
class ProcessEnd:
    """One process ended.

    Attributes:
        chunk_id: Its chunk.
        ended_at: When, on the clock of `time.perf_counter`.
        returncode: Its exit status, or minus the signal's number; None if it was lost.
    """

    chunk_id: int
    ended_at: float
    returncode: int | None


Event = ProcessEnd | Order


class ProcessGroups:
    """The processes of one stage; all methods but `order` belong to a single thread.

    Each process heads its own session and so its own process group, which its descendants share.
    A thread of its own waits for each, so that the times of their ends don't depend on each other.

    Args:
        guard: Ends the groups where this process is killed.
        in_foreground: Whether the processes stay in this process's group and session instead, as a
            program does that reads from the terminal. Then each is ended by itself.
    """

    def __init__(self, guard: Guard, in_foreground: bool = False) -> None:
        self._guard, self._in_foreground = guard, in_foreground
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._leaders: dict[int, subprocess.Popen[bytes]] = {}
        self._running: set[int] = set()

    @property
    def running(self) -> frozenset[int]:
        """The chunks whose process is not known to have ended."""
        return frozenset(self._running)

    def start(
        self,
        chunk_id: int,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        stdin: int | None = subprocess.DEVNULL,
        stdout: int | None,
        stderr: int | None,
    ) -> None:
        """Starts the process of one chunk; a stream of None is this process's own.

        Raises:
            OSError: The operating system would not start it.
            RuntimeError: There was no thread to be had to wait for it.
        """
        leader = subprocess.Popen(
            arguments,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={**environment, **dict([self._guard.mark])},
            start_new_session=not self._in_foreground,
        )
        self._guard.watch(leader.pid if self._in_foreground else -leader.pid)
        try:
            threading.Thread(
                target=self._report_end, args=(chunk_id, leader), name=f"arbo-chunk-{chunk_id}"
            ).start()
        except RuntimeError:
            self._signal_one(leader, signal.SIGKILL)
            leader.wait()
            raise
        self._leaders[chunk_id] = leader
        self._running.add(chunk_id)

    def order(self, order: Order) -> None:
        """Leaves an order for the supervising thread; any thread may."""
        self._events.put(order)

    def next_event(self, timeout_s: float) -> Event | None:
        """Waits for a process to end or an order to come; None when `timeout_s` passed first."""
        try:
            event = self._events.get(timeout=min(max(timeout_s, 0.0), threading.TIMEOUT_MAX))
        except Empty:
            return None
        if isinstance(event, ProcessEnd):
            self._running.discard(event.chunk_id)
        return event

    def end(self, grace_s: float) -> None:
        """Ends every group: SIGTERM, then SIGKILL to what is left after `grace_s` or an order."""
        self.signal(signal.SIGTERM)
        self._wait_for_groups(time.perf_counter() + grace_s)
        self.signal(signal.SIGKILL)
        while self._running:
            self.next_event(math.inf)
        self.reap()

    def reap(self) -> None:
        """Collects the ended processes, and with them their numbers: no signal after this."""
        for leader in self._leaders.values():
            leader.wait()
        self._leaders.clear()

    def signal(self, number: int) -> None:
        """Sends a signal to all processes that are known; a handler may, at any moment."""
        for leader in list(self._leaders.values()):
            self._signal_one(leader, number)

    def _signal_one(self, leader: subprocess.Popen[bytes], number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            (os.kill if self._in_foreground else os.killpg)(leader.pid, number)

    def _wait_for_groups(self, deadline: float) -> None:
        """Returns when no group has a living member, at the deadline, or when told to kill."""
        while self._living() and (left_s := deadline - time.perf_counter()) > 0:
            # nobody reports the end of a grandchild, so that is looked for
            pause_s = left_s if self._running else min(left_s, _LOOK_EVERY_S)
            if self.next_event(pause_s) is Order.KILL:
                return

    def _living(self) -> bool:
        if self._running or self._in_foreground:
            return bool(self._running)
        return _any_group_lives({p.pid for p in self._leaders.values()})

    def _report_end(self, chunk_id: int, leader: subprocess.Popen[bytes]) -> None:
        returncode = _wait_without_reaping(leader)
        self._events.put(ProcessEnd(chunk_id, time.perf_counter(), returncode))


def _wait_without_reaping(leader: subprocess.Popen[bytes]) -> int | None:
    """Waits for the end of `leader` and returns its status as `Popen` would.

    On Linux the process stays a zombie for now: as long as it does, the number of its group cannot
    come to mean somebody else's.
    """
    if sys.platform != "linux":
        return leader.wait()
    try:
        ended = os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        return None
    if ended is None:
        return None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _any_group_lives(groups: set[int]) -> bool:
    """Whether any process that isn't a zombie belongs to one of `groups`.

    A group of zombies can still be signalled, and in a container nobody may ever reap them; so on
    Linux the states are read.
    """
    if sys.platform != "linux":
        return any([_answers(group) for group in groups])
    with os.scandir("/proc") as entries:
        return any(_lives_in(entry.path, groups) for entry in entries if entry.name.isdigit())


def _answers(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _lives_in(directory: str, groups: set[int]) -> bool:
    try:
        with open(f"{directory}/stat", "rb") as file:
            # pid (name) state ppid pgrp ...; the name may hold blanks and parentheses
            state, _, group, *_ = file.read().rpartition(b")")[2].split()
    except (OSError, ValueError):
        return False
    return int(group) in groups and state not in (b"Z", b"X")
