"""What the runner needs of a problem beyond the protocol, and how a problem comes to be."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from arbo_bo.benchmarks.protocol import Problem
from arbo_bo.experiment import Objective, SearchSpace

DEADLINE = re.compile(r", (deadline at [\d.]+ %|size \S+)$")
WRAPPED = re.compile(
    r" (x[\d.]+ from run \d+|with stragglers|under load|with more noise|with a heavy tail)$"
)
PARAMETERS = re.compile(r"\s*\([^()]*\)$")


class TimedProblem(Problem, Protocol):
    """A problem whose distribution of times is known, and not its mean alone."""

    def probability_within(self, run: int, parallelism: int, limit_s: float) -> float:
        """P(T <= limit) of one run at this degree."""
        ...


class Source(Protocol):
    """A recurring task before its random sequence of contexts is drawn; picklable."""

    @property
    def name(self) -> str:
        """Names the task uniquely in its suite."""
        ...

    @property
    def space(self) -> SearchSpace:
        """Every degree that any of its runs can be given."""
        ...

    def problem(self, seed: int) -> TimedProblem:
        """The task with the sequence of contexts that this seed draws."""
        ...

    def achievable_s(self) -> Sequence[float]:
        """The expected time of every context at every degree [s]."""
        ...


@dataclass(frozen=True)
class Case:
    """One row of a suite: a task, what is minimised, and perhaps a deadline.

    Attributes:
        suite: The suite's name.
        name: Names the case uniquely among those of its suite with the same objective.
        source: The task.
        objective: What is minimised.
        deadline_s: A run shall end within this [s]; None: no service level.
        confidence: With at least this probability.
    """

    suite: str
    name: str
    source: Source
    objective: Objective
    deadline_s: float | None = None
    confidence: float = 0.95


def middle(degrees: Sequence[int]) -> int:
    """The middle one of ascending degrees; of an even number, the upper of the two."""
    return degrees[len(degrees) // 2]


def program_of(problem: str) -> str:
    """The program of a recorded problem: tasks of one program are alike, and resampled together.

    That is its name without deadline, size, wrapper, context (what follows " @ ") and parameters in
    parentheses at its end, such as the number of threads.

    >>> program_of("castep(4threads) @ ARCHER2,OFI, deadline at 25 %")
    'castep'
    """
    name = WRAPPED.sub("", DEADLINE.sub("", problem)).partition(" @ ")[0]
    return PARAMETERS.sub("", name) or problem
