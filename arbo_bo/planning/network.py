"""What starts when: a workflow's dependencies as arrays, walked parents first over all samples.

A stage begins when its parents have ended and what they made has arrived; a worker that is not warm
starts up first. Without a limit on workers that is a longest path, a maximum and a sum a stage;
with one, `arbo_bo.planning.slots` resolves events in their order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.slots import in_slots

Mask = NDArray[np.bool_]
Numbers = NDArray[Any]
"""Numbers of options or stages, as integers."""


@dataclass(frozen=True)
class Arrangement:
    """What workers and data do beside the stages' own work; by number of the stage.

    Attributes:
        claims: The parent on whose workers a stage goes on: they are warm, and hold its output.
        preloaded: Stages whose inputs are fetched as each becomes ready, not when all are.
        warmed: Stages whose workers are started ahead, at the end of another stage; -1: at the
            workflow's start.
        deferred: Stages whose large output is read later, by whoever needs it, not before the next.
        duplicated: Stages that run twice, of which the first to end counts.
    """

    claims: Mapping[int, int] = field(default_factory=dict)
    preloaded: frozenset[int] = frozenset()
    warmed: Mapping[int, int] = field(default_factory=dict)
    deferred: frozenset[int] = frozenset()
    duplicated: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class Load:
    """What a choice means for one stage in every one of R rows; each attribute is ``R x 1`` or so.

    Attributes:
        duration: Of its own work [s], ``R x N``.
        startup: Of a worker that is not warm [s], ``R x 1``.
        workers: Its degree, ``R x 1``.
        kind: The number of its worker type, ``R x 1``.
    """

    duration: Vector
    startup: Vector
    workers: Vector
    kind: Vector


@dataclass(frozen=True, eq=False)
class Timing:
    """When every stage runs, in every sample.

    Attributes:
        start: When each stage has its inputs, ``R x N`` each.
        finish: ``R x N`` each.
        cold: How long each waits for its workers then [s], ``R x N`` or less each.
        last: The stages that nothing comes after.
    """

    start: Sequence[Vector]
    finish: Sequence[Vector]
    cold: Sequence[Vector]
    last: Sequence[int]

    @property
    def makespan(self) -> Vector:
        """``R x N``."""
        return latest([self.finish[i] for i in self.last])


@dataclass(frozen=True, eq=False)
class Network:
    """A workflow's dependencies.

    Attributes:
        parents: Numbers of each stage's parents; a parent's is below its child's.
        transfer: What it takes to fetch each parent's output from elsewhere [s], as `parents`.
        keep_warm_s: How long a worker stays warm [s].
        capacity: How many workers may run at once; None: any number.
        release: Before this moment a stage does not begin [s]; None: any time.
    """

    parents: Sequence[Sequence[int]]
    transfer: Sequence[Sequence[float]]
    keep_warm_s: float = np.inf
    capacity: int | None = None
    release: Sequence[float] | None = None

    @cached_property
    def children(self) -> list[list[int]]:
        """Numbers of each stage's children."""
        found: list[list[int]] = [[] for _ in self.parents]
        for child, parents in enumerate(self.parents):
            for parent in parents:
                found[parent].append(child)
        return found

    @cached_property
    def depth(self) -> Numbers:
        """How many stages come before each on the longest chain."""
        found: list[int] = []
        for parents in self.parents:
            found.append(1 + max((found[p] for p in parents), default=-1))
        return np.array(found)

    @cached_property
    def last(self) -> list[int]:
        """The stages that nothing comes after."""
        return [i for i, children in enumerate(self.children) if not children]

    def timing(self, loads: Sequence[Load], arrangement: Arrangement) -> Timing:
        """When every stage runs."""
        if self.capacity is not None:
            return in_slots(self, loads, arrangement)
        start: list[Vector] = []
        finish: list[Vector] = []
        cold: list[Vector] = []
        for i, load in enumerate(loads):
            start.append(self.ready(i, finish, loads, arrangement))
            cold.append(self.waiting(i, start[i], finish, loads, arrangement))
            finish.append(start[i] + cold[i] + load.duration)
        return Timing(start, finish, cold, self.last)

    def again(
        self,
        timing: Timing,
        loads: Sequence[Load],
        changed: Sequence[int],
        arrangement: Arrangement,
    ) -> Timing:
        """The timing after some stages' loads have changed: only what they reach is evaluated.

        It equals `timing` of all; with a limit on workers everything may have moved.
        """
        if self.capacity is not None:
            return self.timing(loads, arrangement)
        start, finish, cold = list(timing.start), list(timing.finish), list(timing.cold)
        dirty, watched = set(changed), _watchers(arrangement)
        for i in range(min(changed), len(loads)):
            if i not in dirty:
                continue
            begin = self.ready(i, finish, loads, arrangement)
            wait = self.waiting(i, begin, finish, loads, arrangement)
            end = begin + wait + loads[i].duration
            start[i], cold[i] = begin, wait
            if i in changed or not np.array_equal(end, finish[i]):
                finish[i] = end
                dirty.update(self.children[i], watched.get(i, ()))
        return Timing(start, finish, cold, self.last)

    def ready(
        self,
        i: int,
        finish: Sequence[Vector],
        loads: Sequence[Load],
        arrangement: Arrangement,
    ) -> Vector:
        """When everything that a stage reads is there, ``R x N``."""
        found = self._arrived(i, finish, loads, arrangement)
        return found if self.release is None else np.maximum(found, self.release[i])

    def _arrived(
        self,
        i: int,
        finish: Sequence[Vector],
        loads: Sequence[Load],
        arrangement: Arrangement,
    ) -> Vector:
        parents = self.parents[i]
        if not parents:
            return np.zeros(loads[i].duration.shape)
        moved = [
            self._moved(i, p, t, loads, arrangement)
            for p, t in zip(parents, self.transfer[i], strict=True)
        ]
        if i in arrangement.preloaded:
            ends = [finish[p] + m for p, m in zip(parents, moved, strict=True)]
            return latest(ends)
        last = latest([finish[p] for p in parents])
        total = sum(moved)
        return last if isinstance(total, float) and total == 0 else last + total

    def waiting(
        self,
        i: int,
        start: Vector,
        finish: Sequence[Vector],
        loads: Sequence[Load],
        arrangement: Arrangement,
    ) -> Vector:
        """How long a stage that has its inputs waits for its workers [s]."""
        startup = loads[i].startup
        if not startup.any():
            return startup
        if i in arrangement.warmed:
            trigger = arrangement.warmed[i]
            asked = finish[trigger] if trigger >= 0 else 0.0
            return np.clip(asked + startup - start, 0.0, startup)
        parent = arrangement.claims.get(i)
        if parent is None:
            return startup
        idle = start - finish[parent]
        warm = np.logical_and(goes_on(loads[i], loads[parent]), idle <= self.keep_warm_s)
        return np.where(warm, 0.0, startup)

    def _moved(
        self,
        i: int,
        parent: int,
        transfer: float,
        loads: Sequence[Load],
        arrangement: Arrangement,
    ) -> "Vector | float":
        """What it takes until a stage has its parent's output [s]."""
        if transfer == 0 or parent in arrangement.deferred:
            return 0.0
        if arrangement.claims.get(i) != parent:
            return transfer
        return np.where(goes_on(loads[i], loads[parent]), 0.0, transfer)


def latest(times: Sequence[Vector]) -> Vector:
    """The elementwise maximum."""
    return times[0] if len(times) == 1 else np.maximum.reduce(times)


def goes_on(child: Load, parent: Load) -> Mask:
    """Where a stage finds room on its parent's workers."""
    return np.asarray(np.logical_and(child.kind == parent.kind, child.workers <= parent.workers))


def _watchers(arrangement: Arrangement) -> dict[int, list[int]]:
    """The stages that are warmed at a stage's end."""
    found: dict[int, list[int]] = {}
    for stage, trigger in arrangement.warmed.items():
        found.setdefault(trigger, []).append(stage)
    return found
