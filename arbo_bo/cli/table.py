"""Plain text tables, as wide as what they hold: nothing is ever cut."""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import click

GAP = "  "


@dataclass
class Table:
    """Rows of text under titles.

    Attributes:
        titles: The columns' titles.
        left: The titles of the columns that stand at their left edge; all others stand at their
            right one, as numbers do.
        rows: The cells of each row.
        marked: Numbers of the rows that a terminal shows in green.
    """

    titles: Sequence[str]
    left: Collection[str] = ()
    rows: list[Sequence[str]] = field(default_factory=list)
    marked: set[int] = field(default_factory=set)

    def add(self, *cells: str, marked: bool = False) -> None:
        """Adds a row."""
        if marked:
            self.marked.add(len(self.rows))
        self.rows.append(cells)

    def lines(self) -> Iterator[str]:
        """The table's lines, with the terminal's codes for bold and green."""
        columns = zip(self.titles, *self.rows, strict=True)
        widths = [max(map(width, column)) for column in columns]
        lefts = [title in self.left for title in self.titles]
        yield click.style(_line(self.titles, widths, lefts), bold=True)
        for number, row in enumerate(self.rows):
            line = _line(row, widths, lefts)
            yield click.style(line, fg="green", bold=True) if number in self.marked else line


def width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(_width(ch) for ch in text)


def _width(ch: str) -> int:
    if unicodedata.combining(ch):
        return 0
    return 2 if unicodedata.east_asian_width(ch) in "WF" else 1


def _line(cells: Iterable[str], widths: Sequence[int], lefts: Sequence[bool]) -> str:
    padded = []
    for cell, wide, left in zip(cells, widths, lefts, strict=True):
        wide -= width(cell) - len(cell)  # as many characters as fill it
        padded.append(cell.ljust(wide) if left else cell.rjust(wide))
    return GAP.join(padded).rstrip()
