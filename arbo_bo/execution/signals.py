"""What becomes of the signals that would end this process while a stage runs."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_FORWARDED = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
)


@contextmanager
def ending_signals_raise() -> Iterator[None]:
    """Turns SIGTERM and SIGHUP into SystemExit within a block.

    The processes of a stage are in sessions of their own, where neither the terminal's Ctrl-C nor
    its hang-up reaches them: were this process to end at once, they would run on. A handler that
    somebody else has set stays, as does everything when this isn't the main thread, which alone
    may set one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [number for number in _ENDING if signal.getsignal(number) == signal.SIG_DFL]
    try:
        for number in taken:
            signal.signal(number, _exit)
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def signals_passed_to(receive: Callable[[int], None]) -> Iterator[None]:
    """Gives the signals of a block to `receive`, but for those that this process ignores.

    A process started under nohup, say, ignores SIGHUP, as do those that it starts.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in _FORWARDED}
    taken = [number for number, handler in handlers.items() if handler != signal.SIG_IGN]
    try:
        for number in taken:
            signal.signal(number, lambda number, frame: receive(number))
        yield
    finally:
        for number in taken:
            signal.signal(number, handlers[number])
