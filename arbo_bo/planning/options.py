"""What may be chosen for a stage, and how long it takes then."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from arbo_bo.experiment import Experiment
from arbo_bo.experiment.worker_type import WorkerType
from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.network import Numbers
from arbo_bo.planning.workflow import Stage


@dataclass(frozen=True)
class Option:
    """What a stage's workers may be.

    Attributes:
        parallelism: The degree.
        type_name: None: workers of one kind.
        worker_type: The type of that name.
        price_per_s: Of one worker; 1 where no price is known.
    """

    parallelism: int
    type_name: str | None = None
    worker_type: WorkerType | None = None
    price_per_s: float = 1.0

    @property
    def startup_s(self) -> float:
        """What a worker that is not warm takes until it can begin [s]."""
        return 0.0 if self.worker_type is None else self.worker_type.startup_s or 0.0

    def __str__(self) -> str:
        return (
            f"{self.parallelism}"
            if self.type_name is None
            else f"{self.parallelism} {self.type_name}"
        )


@dataclass(frozen=True, eq=False)
class StageTimes:
    """A stage's options, and its time at each.

    Attributes:
        stage: The stage.
        options: m of them.
        time: With one part, a run's noise included [s], ``m x N``.
        part_cost: c in each sample (`arbo_bo.planning.stage_model`); None: parts cost nothing.
        again: A second run's noise over the first one's, as a factor, shape (N,).
        experiment: The configuration of the stage's task.
        input_size: What its times are for; None: unknown.
    """

    stage: Stage
    options: Sequence[Option]
    time: Vector
    part_cost: Vector | None
    again: Vector
    experiment: Experiment
    input_size: float | None = None

    def first(self, size: int) -> "StageTimes":
        """The same in the first samples only."""
        cost = None if self.part_cost is None else self.part_cost[:size]
        return replace(self, time=self.time[:, :size], part_cost=cost, again=self.again[:size])

    def picked(self, samples: Numbers) -> "StageTimes":
        """The same in some of the samples."""
        cost = None if self.part_cost is None else self.part_cost[samples]
        return replace(self, time=self.time[:, samples], part_cost=cost, again=self.again[samples])

    def fixed(self, option: int, time: Vector) -> "StageTimes":
        """One option alone, with a time that is known."""
        return replace(self, options=[self.options[option]], time=time[None], part_cost=None)

    @cached_property
    def mean_time(self) -> Vector:
        """Expected time of each option with one part [s], shape (m,)."""
        return np.asarray(self.time.mean(1))

    @cached_property
    def mean_part_time(self) -> Vector:
        """What each further part adds to that [s], shape (m,)."""
        if self.part_cost is None:
            return np.zeros(len(self.options))
        return np.asarray((self.time * self.part_cost).mean(1))

    def mean_time_at(self, parts: Any) -> Vector:
        """Expected time of each option [s], ``... x m``.

        Args:
            parts: How many parts there are, shape ``...``.
        """
        more = np.maximum(np.asarray(parts, dtype=float) - 1, 0)[..., None]
        return np.asarray(self.mean_time + self.mean_part_time * more)

    @cached_property
    def workers(self) -> Vector:
        """The options' degrees, shape (m,)."""
        return np.array([o.parallelism for o in self.options])

    @cached_property
    def price(self) -> Vector:
        """Of all workers of each option per second, shape (m,)."""
        return np.array([o.parallelism * o.price_per_s for o in self.options])

    @cached_property
    def startup(self) -> Vector:
        """Shape (m,) [s]."""
        return np.array([o.startup_s for o in self.options])

    @cached_property
    def kind(self) -> Vector:
        """Which worker type each option has, as a number that is one in all stages of a process."""
        return np.array([hash(o.type_name) for o in self.options])
