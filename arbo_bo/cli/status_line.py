"""One line on stderr that says what is going on, where stderr is a terminal."""

import shutil
import sys
from typing import Self

import click

_CLEAR = "\r\x1b[K"


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
            click.echo(_CLEAR + text[:width], nl=False, err=True)
            self._shown = text

    def print(self, text: str) -> None:
        """Prints a line that stays, above the status."""
        shown = self._shown
        self.update("")
        click.echo(text, err=True)
        self.update(shown)
