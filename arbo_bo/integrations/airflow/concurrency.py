"""How many workers of a stage really ran side by side.

A list of eight is no eight workers: a pool, a limit of the executor or `airflow dags test` runs
some of them after the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LATE = 1.5
"""All began together if the stage took at most so many times as long as its longest chunk."""
NEAR = 0.2
"""A mean is a number of workers if it is no further from it than this part of it."""

Span = tuple[float, float]
"""When an instance began and ended [s since the epoch]."""


@dataclass(frozen=True)
class Concurrency:
    """How many chunks ran at once.

    Attributes:
        planned: How many there were.
        peak: The most at any time.
        mean: On average over the stage's time.
        lateness: The stage's time over that of its longest chunk; 1: all began together.
    """

    planned: int
    peak: int
    mean: float
    lateness: float

    @property
    def parallelism(self) -> int | None:
        """The degree whose time was measured; None: it was none's.

        All chunks, if all ran at once and none came so late that its wait was much of the time.
        Otherwise the mean, which is the work that was done over the time that it took: eight chunks
        in a pool of four slots are a run of four, three in a pool of two are one of none.
        """
        if self.peak >= self.planned and self.lateness <= LATE:
            return self.planned
        nearest = round(self.mean)
        return nearest if nearest and abs(self.mean - nearest) <= NEAR * nearest else None

    def __str__(self) -> str:
        return (
            f"of {self.planned} instances at most {self.peak} ran side by side, "
            f"{self.mean:.2g} on average"
        )


def concurrency(chunks: Mapping[int, Sequence[Span]]) -> Concurrency:
    """Returns how many chunks ran side by side.

    Args:
        chunks: By the chunk the spans of its tasks, at least one; they may overlap.
    """
    merged = {chunk: _merged(spans) for chunk, spans in chunks.items()}
    busy = [span for spans in merged.values() for span in spans]
    took = max(end for _, end in busy) - min(start for start, _ in busy)
    longest = max(spans[-1][1] - spans[0][0] for spans in merged.values())
    if took <= 0 or longest <= 0:
        return Concurrency(len(chunks), len(chunks), float(len(chunks)), 1.0)
    mean = sum(end - start for start, end in busy) / took
    return Concurrency(len(chunks), _peak(busy), mean, took / longest)


def _merged(spans: Sequence[Span]) -> list[Span]:
    """When a chunk was at work, in order: spans that overlap or touch become one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _peak(spans: Sequence[Span]) -> int:
    # An end sorts before a start at the same moment: one after the other is not side by side.
    events = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    running = peak = 0
    for _, change in events:
        running += change
        peak = max(peak, running)
    return peak
