"""What a choice of degrees and worker types leads to: makespan and cost in joint samples."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from arbo_bo.errors import WorkflowError
from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.goals import Target, upper_quantile
from arbo_bo.planning.network import Arrangement, Load, Network, Numbers, Timing, latest
from arbo_bo.planning.options import StageTimes
from arbo_bo.planning.paths import on_path
from arbo_bo.planning.workflow import Workflow

ROWS_BUDGET = 4_000_000
"""Times of stages that are held at once where many choices are evaluated."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What R choices lead to.

    Attributes:
        makespan: ``R x N`` [s].
        cost: ``R x N``.
        timing: When every stage runs.
        durations: Of every stage, ``R x N`` each [s].
        costs: Of every stage, ``R x N`` each.
    """

    makespan: Vector
    cost: Vector
    timing: Timing
    durations: Sequence[Vector]
    costs: Sequence[Vector]


Redraw = Callable[[int], "Sequence[StageTimes]"]


class Forecast:
    """The joint distribution of what any choice leads to.

    Args:
        workflow: The stages.
        times: A stage's each, parents first.
        network: Their dependencies, by the same numbers.
        unit: What costs are in: "usd", or "worker-seconds" where no price is known.
        redraw: Draws the times anew from a seed.
        arrangement: What workers and data do beside.
    """

    def __init__(
        self,
        workflow: Workflow,
        times: Sequence[StageTimes],
        network: Network,
        unit: str,
        redraw: "Redraw",
        arrangement: Arrangement | None = None,
    ) -> None:
        self.workflow, self.times, self.network, self.unit = workflow, times, network, unit
        self.redraw = redraw
        self.arrangement = arrangement or Arrangement()
        self.size = times[0].time.shape[1]

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def number(self) -> dict[str, int]:
        """Each stage's number, parents first."""
        return {t.stage.name: i for i, t in enumerate(self.times)}

    @cached_property
    def coupled(self) -> list[list[int]]:
        """Each stage's children whose time depends on how many parts it makes."""
        return [
            [c for c in children if self.times[c].part_cost is not None]
            for children in self.network.children
        ]

    def arranged(self, arrangement: Arrangement) -> "Forecast":
        """The same stages with another arrangement of workers and data."""
        return self._with(self.times, arrangement)

    def first(self, size: int) -> "Forecast":
        """The same in the first samples only, for a coarse look."""
        return self._with([t.first(size) for t in self.times], self.arrangement)

    def redrawn(self, seed: int) -> "Forecast":
        """The same in other samples."""
        return self._with(self.redraw(seed), self.arrangement)

    def under_way(self, times: Sequence[StageTimes], network: Network) -> "Forecast":
        """The same workflow with some stages begun; samples cannot be drawn anew."""
        return Forecast(self.workflow, times, network, self.unit, lambda _: times, self.arrangement)

    def with_times(self, times: Sequence[StageTimes]) -> "Forecast":
        """The same dependencies with other times."""
        return self._with(times, self.arrangement)

    def _with(self, times: Sequence[StageTimes], arrangement: Arrangement) -> "Forecast":
        return Forecast(self.workflow, times, self.network, self.unit, self.redraw, arrangement)

    def load(self, i: int, choices: Vector) -> Load:
        """What R choices mean for one stage.

        Args:
            i: Its number.
            choices: Numbers of options, ``R x S``.
        """
        own, chosen = self.times[i], choices[:, i]
        duration = own.time[chosen]
        if own.part_cost is not None:
            parts = self.parts(i, choices)
            duration = duration * (1 + own.part_cost * np.maximum(parts - 1, 0)[:, None])
        if i in self.arrangement.duplicated:
            duration = np.minimum(duration, duration * own.again)
        return Load(
            duration,
            own.startup[chosen][:, None],
            own.workers[chosen][:, None],
            own.kind[chosen][:, None],
        )

    def parts(self, i: int, choices: Vector) -> Vector:
        """How many parts a stage's parents make in R choices, shape (R,)."""
        total = np.zeros(len(choices))
        for p in self.network.parents[i]:
            total += self.times[p].workers[choices[:, p]]
        return total

    def evaluate(self, choices: Any) -> Evaluation:
        """What R choices lead to.

        Args:
            choices: Numbers of options, ``R x S`` or shape (S,).
        """
        rows = np.atleast_2d(np.asarray(choices))
        if self.is_plain and len(rows) == 1:
            return self._evaluated_plainly(rows)
        loads = [self.load(i, rows) for i in range(len(self))]
        return self._evaluation(rows, loads, self.network.timing(loads, self.arrangement))

    @cached_property
    def is_plain(self) -> bool:
        """Whether a stage is its parents' latest end and its own time, and nothing else."""
        network = self.network
        return not (
            network.capacity is not None
            or network.release is not None
            or self.arrangement.duplicated
            or any(t.part_cost is not None or t.startup.any() for t in self.times)
            or any(any(moved) for moved in network.transfer)
        )

    def _evaluated_plainly(self, rows: Numbers) -> Evaluation:
        """One choice without start-ups, transfers and parts: the same, in a tenth of the time."""
        chosen = rows[0].tolist()
        own = list(zip(self.times, chosen, strict=True))
        durations = np.array([t.time[k] for t, k in own])
        costs = durations * np.array([t.price[k] for t, k in own])[:, None]
        zero = np.zeros(self.size)
        start: list[Vector] = []
        finish: list[Vector] = []
        for parents, duration in zip(self.network.parents, durations, strict=True):
            begin = latest([finish[p] for p in parents]) if parents else zero
            start.append(begin)
            finish.append(begin + duration)
        cold = np.zeros((1, 1))
        timing = Timing(
            [s[None] for s in start],
            [f[None] for f in finish],
            [cold] * len(own),
            self.network.last,
        )
        return Evaluation(
            timing.makespan,
            costs.sum(0)[None],
            timing,
            list(durations[:, None]),
            list(costs[:, None]),
        )

    def again(self, before: Evaluation, choice: Vector, changed: Sequence[int]) -> Evaluation:
        """What one choice leads to that differs from an evaluated one in some stages.

        Args:
            before: Of the other choice, one row.
            choice: Shape (S,).
            changed: The stages that differ.
        """
        rows = np.atleast_2d(choice)
        touched = sorted({*changed, *(c for i in changed for c in self.coupled[i])})
        loads = _Patched(self, rows, {i: self.load(i, rows) for i in touched}, before)
        timing = self.network.again(before.timing, loads, touched, self.arrangement)
        durations, costs = list(before.durations), list(before.costs)
        cost = before.cost
        for i in touched:
            durations[i] = loads[i].duration
            costs[i] = self._cost(i, rows, loads[i].duration, timing.cold[i])
            cost = cost + (costs[i] - before.costs[i])
        return Evaluation(timing.makespan, cost, timing, durations, costs)

    def _evaluation(self, rows: Vector, loads: Sequence[Load], timing: Timing) -> Evaluation:
        durations = [load.duration for load in loads]
        costs = [self._cost(i, rows, durations[i], timing.cold[i]) for i in range(len(self))]
        total = costs[0].copy()
        for cost in costs[1:]:
            total += cost
        return Evaluation(timing.makespan, total, timing, durations, costs)

    def _cost(self, i: int, rows: Vector, duration: Vector, cold: Vector) -> Vector:
        price = self.times[i].price[rows[:, i]][:, None] * (
            2 if i in self.arrangement.duplicated else 1
        )
        return np.asarray(price * (duration + cold))

    def judged(self, choices: Vector, target: Target) -> tuple[Vector, Vector]:
        """Excess and value of many choices under a target, shape (R,) each.

        Args:
            choices: ``R x S``.
            target: What is minimised, and what has to hold.
        """
        found = [
            (target.excess(e.makespan, e.cost), target.value(e.makespan, e.cost))
            for e in self._each(choices)
        ]
        return np.concatenate([e for e, _ in found]), np.concatenate([v for _, v in found])

    def reached(self, choices: Vector, quantile: float) -> Vector:
        """A quantile of the makespan of many choices, shape (R,)."""
        return np.concatenate([upper_quantile(e.makespan, quantile) for e in self._each(choices)])

    def likely(self, choices: Vector, target: Target) -> Vector:
        """How likely each of many choices keeps every limit together, shape (R,)."""
        found = [target.probability(e.makespan, e.cost) for e in self._each(choices)]
        return np.concatenate(found)

    def summary(self, choices: Vector, target: Target) -> tuple[Vector, Vector, Vector]:
        """The quantile of the makespan that the goal is about, expected cost, and probability."""
        found = [
            (
                upper_quantile(e.makespan, target.quantile),
                e.cost.mean(-1),
                target.probability(e.makespan, e.cost),
            )
            for e in self._each(choices)
        ]
        time, cost, likely = (np.concatenate(each) for each in zip(*found, strict=True))
        return time, cost, likely

    def _each(self, choices: Vector) -> Iterator[Evaluation]:
        """Evaluates some rows at a time."""
        held = len(self) if self.network.capacity is None else len(self) + self.network.capacity
        rows = max(ROWS_BUDGET // (held * self.size), 1)
        for first in range(0, len(choices), rows):
            yield self.evaluate(choices[first : first + rows])

    def criticality(self, found: Evaluation) -> Vector:
        """How often each stage is on the longest path, shape (S,); of one row."""
        return np.asarray(on_path(self.network, found.timing).mean(1))

    def number_of(self, name: str, parallelism: float, type_name: str | None = None) -> int:
        """The option of a stage that is nearest to a degree, of a worker type if one is named."""
        options = self.times[self.number[name]].options
        alike = [i for i, o in enumerate(options) if type_name is None or o.type_name == type_name]
        if not alike:
            raise WorkflowError(f"stage {name!r} has no worker type {type_name!r}")
        return min(alike, key=lambda i: abs(math.log(options[i].parallelism / parallelism)))


class _Patched(Sequence[Load]):
    """Loads of which few are asked for."""

    def __init__(
        self, forecast: Forecast, rows: Vector, known: dict[int, Load], before: Evaluation
    ) -> None:
        self._forecast, self._rows, self._known, self._before = forecast, rows, known, before

    def __len__(self) -> int:
        return len(self._forecast)

    def __getitem__(self, i: Any) -> Any:
        if i not in self._known:
            own, chosen = self._forecast.times[i], self._rows[:, i]
            self._known[i] = Load(
                self._before.durations[i],
                own.startup[chosen][:, None],
                own.workers[chosen][:, None],
                own.kind[chosen][:, None],
            )
        return self._known[i]
