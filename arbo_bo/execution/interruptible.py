"""Waiting in a way that a signal always gets through to, for a function that none may reach."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_HEARTBEAT_S = 0.1


class InterruptibleCall(Generic[T]):
    """A function in a thread of its own, where no signal interrupts it, and a caller who waits.

    The caller may be interrupted at any point of any method, and may then call `withdraw` and
    `wait` again. That is why this is made of bare locks, which are taken and released in one step:
    a condition variable, and so a Future or an Event, can be left locked by an interruption.

    Args:
        function: What to run.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._claim = threading.Lock()
        self._bell = threading.Lock()
        self._bell.acquire()
        self._values: list[T] = []
        self._error: BaseException | None = None
        self._ended = False

    def start(self, name: str) -> None:
        """Starts the thread."""
        threading.Thread(target=self._run, name=name).start()

    def wait(self) -> None:
        """Returns when the function has ended."""
        while not self._ended:
            # A signal that comes just before a lock is waited for does not wake the waiter: its
            # handler would run only once the function has ended. A heartbeat lets it run.
            self._bell.acquire(timeout=_HEARTBEAT_S)

    def result(self) -> T:
        """Waits, then returns what the function returned or raises what it raised."""
        self.wait()
        if self._error is not None:
            raise self._error
        return self._values[0]

    def withdraw(self) -> bool:
        """Whether the function has not begun; in that case it never will."""
        return self._claim.acquire(blocking=False)

    def _run(self) -> None:
        if not self._claim.acquire(blocking=False):
            return
        try:
            self._values.append(self._function())
        except BaseException as err:
            self._error = err
        finally:
            self._ended = True
            self._bell.release()
