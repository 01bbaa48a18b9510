"""A recurring task replayed from recorded runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

import numpy as np

from arbo_bo.benchmarks.seeds import generator
from arbo_bo.experiment import Context, SearchSpace


@dataclass(frozen=True)
class Recording:
    """Every recorded run of a task, by context and degree.

    Attributes:
        name: Names the task uniquely in its source.
        contexts: The contexts that were measured at two degrees or more.
        times_s: For each context: degree -> the times of its repeats [s].
    """

    name: str
    contexts: tuple[Context, ...]
    times_s: tuple[Mapping[int, tuple[float, ...]], ...]

    @property
    def space(self) -> SearchSpace:
        """Every degree that was measured in a usable context."""
        return SearchSpace(tuple(s for table in self.times_s for s in table))

    def problem(self, seed: int) -> "Replay":
        """The task with one random sequence of its contexts."""
        return Replay(self, seed)

    def by_context(self) -> list["Recording"]:
        """Each of its contexts as a task of its own, named by the input size."""
        if len(self.contexts) == 1:
            return [self]
        return [
            Recording(f"{self.name}, size {context.input_size:g}", (context,), (table,))
            for context, table in zip(self.contexts, self.times_s, strict=True)
        ]

    def achievable_s(self) -> list[float]:
        """The mean time of every context at every degree [s]."""
        return [fmean(times) for table in self.times_s for times in table.values()]


class Replay:
    """Recorded runs, drawn again.

    Each run's context is drawn from those that were measured, with the same probability, from a
    sequence that the task and the seed fix: every policy sees the same one. A run's time is a
    randomly drawn repeat of the chosen configuration; the truth is the mean over its repeats.

    Args:
        recording: What was measured.
        seed: Fixes the sequence of contexts.
    """

    def __init__(self, recording: Recording, seed: int) -> None:
        self._recording = recording
        self._seed = seed
        self._chosen: dict[int, int] = {}

    @property
    def name(self) -> str:
        """The recording's name."""
        return self._recording.name

    def degrees(self, run: int) -> Sequence[int]:
        """The degrees that were measured in this run's context, ascending."""
        return self._degrees[self._index(run)]

    def context(self, run: int) -> Context:
        """The recorded input size and load."""
        return self._recording.contexts[self._index(run)]

    def draw_s(self, run: int, parallelism: int, rng: np.random.Generator) -> float:
        """The time of a random repeat [s]."""
        repeats = self._repeats(run, parallelism)
        return repeats[int(rng.integers(len(repeats)))]

    def expected_s(self, run: int, parallelism: int) -> float:
        """The mean over the repeats [s]."""
        return fmean(self._repeats(run, parallelism))

    def probability_within(self, run: int, parallelism: int, limit_s: float) -> float:
        """The fraction of the repeats that took no longer than the limit."""
        repeats = self._repeats(run, parallelism)
        return sum(time <= limit_s for time in repeats) / len(repeats)

    @cached_property
    def _degrees(self) -> list[list[int]]:
        return [sorted(table) for table in self._recording.times_s]

    def _repeats(self, run: int, parallelism: int) -> Sequence[float]:
        return self._recording.times_s[self._index(run)][parallelism]

    def _index(self, run: int) -> int:
        count = len(self._recording.contexts)
        if count == 1:
            return 0
        if run not in self._chosen:
            rng = generator("context", self.name, self._seed, run)
            self._chosen[run] = int(rng.integers(count))
        return self._chosen[run]
