"""One line on stderr that says what is going on, where stderr is a terminal."""

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Self, TypeVar

import click

_CLEAR = "\r\x1b[K"


T = TypeVar("T")
_STEP = 1000


class StatusLine:
    """A line that each update replaces; it is gone at the end.

    Into a pipe or a file go the lasting lines alone.
    """

    def __init__(self) -> None:
        self._shown = ""
        self._live = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.update("")

    def update(self, text: str) -> None:
        """Shows another text, cut to the terminal's width."""
        if self._live and text != self._shown:
            width = shutil.get_terminal_size().columns - 1
            print(_CLEAR + text[:width], end="", file=sys.stderr, flush=True)
            self._shown = text

    def print(self, text: str) -> None:
        """Prints a line that stays, above the status."""
        shown = self._shown
        self.update("")
        print(text if self._live else click.unstyle(text), file=sys.stderr)
        self.update(shown)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """Shows how many there were so far, as the block says."""
    with StatusLine() as status:
        yield lambda number: status.update(f"{number:,} {what}")


def counted(items: Iterable[T], what: str) -> Iterator[T]:
    """Passes items on and shows how many there were so far."""
    with counting(what) as told:
        for number, item in enumerate(items, start=1):
            if number % _STEP == 0:
                told(number)
            yield item
