"""Forks of a process that uses a store.

A child inherits the state of SQLite's library. A thread that is inside it at that moment is not
there in the child, and what it held is held for ever. So a fork waits until no other thread is.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

FORK_WAIT_S = 10.0
"""For how long a fork waits for the other threads' transactions."""


class _Gate:
    """Which threads are inside SQLite, and whether one waits to fork."""

    def __init__(self) -> None:
        self.forks = 0
        self._reset()

    def _reset(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._inside: set[int] = set()
        self._forking = False

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Keeps forks of other threads waiting while the block lasts."""
        me = threading.get_ident()
        if me in self._inside:
            yield
            return
        with self._changed:
            self._changed.wait_for(lambda: not self._forking, FORK_WAIT_S)
            self._inside.add(me)
        changed = self._changed
        try:
            yield
        finally:
            with changed:
                self._inside.discard(me)
                changed.notify_all()

    def before(self) -> None:
        """Waits for the others; the thread that forks may be inside itself."""
        me, until = threading.get_ident(), time.monotonic() + FORK_WAIT_S
        self._changed.acquire()
        self._forking = True
        while self._inside - {me} and (left_s := until - time.monotonic()) > 0:
            self._changed.wait(left_s)

    def in_parent(self) -> None:
        """Lets the others go on."""
        self._forking = False
        self._changed.notify_all()
        self._changed.release()

    def in_child(self) -> None:
        """Begins anew: no other thread came along."""
        self.forks += 1
        self._reset()


GATE = _Gate()
os.register_at_fork(
    before=GATE.before, after_in_parent=GATE.in_parent, after_in_child=GATE.in_child
)
