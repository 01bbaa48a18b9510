"""One task's time in samples: hypotheses about size and fan-in, weighed by their evidence.

Beside what the numerics know of degree, size and load, a stage's time may grow with the parts that
its parents made, and may not depend on its size at all. Each hypothesis sets the runs in relation,
T / (1 + c (parts - 1)), and is weighed by the evidence of what is left. Samples are drawn from the
mixture, so that what the runs do not tell apart stays open.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from arbo_bo.experiment import Context, Trial
from arbo_bo.experiment.law import DEFAULT_MEAN
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.laws import LAWS
from arbo_bo.planning.beliefs import Belief, Point, WindowOf, beliefs
from arbo_bo.planning.histories import TaskHistory

PART_COSTS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0)
"""c: what a part costs, in units of the time with one part. Half a decade apart: a merge that is
all parts has c above 1, and below 0.01 thirty parts are within a run's noise."""
FINER = (0.56, 0.75, 1.33, 1.78)
"""Around the best of them: four steps to the next one."""
NO_PART_COST = 0.5
"""Prior probability that parts cost nothing."""
NO_SIZE = 0.2
"""Prior probability that a stage's time does not depend on its size: start-ups, notifications."""
SPREAD = 1.05
"""Sizes, or parts, within a factor of this are one."""
LEAST_WEIGHT = 0.005
"""Hypotheses less likely than this are left out."""
UNKNOWN_TIME_S, UNKNOWN_SCALE = 60.0, 2.0
"""A stage of a workflow of which nothing is known: a minute, within a factor of 7 in two of three
cases; where other stages are known, around their median."""
TELLING_RUNS, TELLING_TASKS, ASKED_TASKS, LEAST_NOISE = 5, 3, 30, 0.01
"""From how many runs of how many tasks the usual noise is learned, and its least value: what a
timer and a scheduler add."""
UNKNOWN_NOISE = 0.2
"""Standard deviation of log time from run to run where nothing is known: twice the usual."""


@dataclass(frozen=True)
class Hypothesis:
    """How a stage's time depends on what the law does not have.

    Attributes:
        is_sized: Whether it depends on the input size.
        part_cost: c.
    """

    is_sized: bool = True
    part_cost: float = 0.0

    def factor(self, parts: float) -> float:
        """1 + c (parts - 1)."""
        return 1 + self.part_cost * max(parts - 1, 0.0)

    def applied(self, trials: Sequence[Trial], parts: Sequence[float]) -> list[Trial]:
        """The runs without what the hypothesis says of size and parts."""
        return [self._without(t, n) for t, n in zip(trials, parts, strict=True)]

    def _without(self, trial: Trial, parts: float) -> Trial:
        assert trial.execution_time_s is not None
        context = trial.context if self.is_sized else replace(trial.context, input_size=None)
        startup = trial.startup_time_s if self.part_cost == 0 else None
        time = trial.execution_time_s / self.factor(parts)
        return replace(trial, context=context, execution_time_s=time, startup_time_s=startup)

    def point(self, point: Point) -> Point:
        """Where the runs without it are asked."""
        if self.is_sized:
            return point
        return replace(point, context=replace(point.context, input_size=None))


@dataclass(frozen=True, eq=False)
class TaskModel:
    """What is believed of a task's time.

    Attributes:
        hypotheses: At least one.
        weights: Their probabilities.
        known: A belief each; None: the task has no run.
        location: Of log T of a task without runs [log s].
    """

    hypotheses: Sequence[Hypothesis]
    weights: Vector
    known: Sequence[Belief] | None
    location: float = math.log(UNKNOWN_TIME_S)

    def draw(self, points: Sequence[Point], size: int, rng: np.random.Generator) -> "Drawn":
        """Joint samples at some points.

        Args:
            points: m of them.
            size: N.
            rng: Where chance comes from.
        """
        normal = rng.standard_normal((len(points), size))
        if self.known is None:
            return self._unknown(points, size, rng)
        counts = _shares(self.weights, size)
        log_time, noise = np.empty((len(points), size)), np.empty((len(points), size))
        part_cost, at = np.empty(size), rng.permutation(size)
        first = 0
        for h, belief, count in zip(self.hypotheses, self.known, counts, strict=True):
            if not count:
                continue
            chosen = at[first : first + count]
            asked = [h.point(p) for p in points]
            log_time[:, chosen] = belief.draw(asked, normal[:, chosen])
            noise[:, chosen] = belief.noise_std(asked)[:, None]
            part_cost[chosen] = h.part_cost
            first += count
        return Drawn(log_time, noise, part_cost)

    def residuals(self, asked: "Asked") -> Vector:
        """What the runs' log T are beside the most probable hypothesis, shape (n,)."""
        assert self.known is not None
        best = int(np.argmax(self.weights))
        h, trials = self.hypotheses[best], asked.history.trained
        without = h.applied(trials, asked.filled_parts)
        points = [
            Point(t.parallelism, t.training_context, kind)
            for t, kind in zip(without, asked.history.trained_types, strict=True)
        ]
        times = [math.log(t.execution_time_s) for t in without if t.execution_time_s]
        return np.asarray(np.array(times) - self.known[best].mean(points))

    def _unknown(self, points: Sequence[Point], size: int, rng: np.random.Generator) -> "Drawn":
        """Draws from the law's own prior; the level is as good as open."""
        law = LAWS[DEFAULT_MEAN]
        s = np.array([float(p.parallelism) for p in points])
        theta = np.array(
            [
                np.clip(rng.normal(p.prior.location, p.prior.scale, size), p.low, p.high)
                for p in law.parameters
            ]
        ).T
        theta[:, law.names.index("log_t1")] = 0.0
        shape = np.log(law.runtime(s[None, :], np.ones((1, len(s))), theta)).T
        level = rng.normal(self.location, UNKNOWN_SCALE, size)
        noise = np.full((len(points), size), UNKNOWN_NOISE)
        return Drawn(shape + level, noise, np.zeros(size))


@dataclass(frozen=True, eq=False)
class Drawn:
    """Samples of a task's time.

    Attributes:
        log_time: Of the noise-free log T with one part, ``m x N``.
        noise: Standard deviation of log T from run to run, ``m x N``.
        part_cost: c in each sample, shape (N,).
    """

    log_time: Vector
    noise: Vector
    part_cost: Vector


@dataclass(frozen=True)
class Asked:
    """What is to be learned of a task.

    Attributes:
        history: Its runs.
        parts: For each run that trains, what its parents had made; None: unknown.
        sizes: The input sizes that will be asked for.
    """

    history: TaskHistory
    parts: Sequence[float | None]
    sizes: Sequence[float]

    @property
    def filled_parts(self) -> list[float]:
        """The parts, the mean of the known ones where they are unknown."""
        known = [p for p in self.parts if p is not None]
        usual = fmean(known) if known else 1.0
        return [usual if p is None else p for p in self.parts]

    def window(self, hypothesis: Hypothesis) -> WindowOf:
        """The runs without what a hypothesis says of size and parts."""
        trials = hypothesis.applied(self.history.trained, self.filled_parts)
        return WindowOf(self.history.experiment, trials, self.history.trained_types)

    def hypotheses(self) -> list[Hypothesis]:
        """Those that make a difference."""
        seen = [t.input_size for t in self.history.trained if t.input_size is not None]
        sized = [True, False] if seen and _vary([*seen, *self.sizes]) else [True]
        costs = PART_COSTS if any(p is not None for p in self.parts) else (0.0,)
        return [Hypothesis(is_sized, c) for is_sized in sized for c in costs]


def learn(asked: Sequence[Asked]) -> list[TaskModel]:
    """Learns from the histories of several tasks; all their hypotheses are fitted as one batch."""
    noise = _usual_noise(asked)
    found = _weighed([(a, a.hypotheses() if a.history.trained else []) for a in asked], noise)
    around = [
        _around(m) if _vary(a.filled_parts) else [] for a, m in zip(asked, found, strict=True)
    ]
    finer = _weighed(list(zip(asked, around, strict=True)), noise)
    joined = [_together(a, b) for a, b in zip(found, finer, strict=True)]
    levels = [
        fmean(math.log(t.execution_time_s) for t in a.history.trained if t.execution_time_s)
        for a in asked
        if a.history.trained
    ]
    location = float(np.median(levels)) if levels else math.log(UNKNOWN_TIME_S)
    return [
        TaskModel([Hypothesis()], np.ones(1), None, location) if m is None else _pruned(m)
        for m in joined
    ]


@dataclass(frozen=True, eq=False)
class _Weighed:
    """Hypotheses with their beliefs and log odds."""

    hypotheses: list[Hypothesis]
    known: list[Belief]
    log_odds: list[float]


def _usual_noise(asked: Sequence[Asked]) -> float | None:
    """The median over tasks of the noise from run to run; None: too few tasks tell.

    Single runs at many degrees do not tell noise from structure; tasks that run side by side have
    about the same noise.
    """
    telling = [a for a in asked if len(a.history.trained) >= TELLING_RUNS]
    if len(telling) < TELLING_TASKS:
        return None
    chosen = telling[:: max(len(telling) // ASKED_TASKS, 1)]
    known = beliefs([a.window(Hypothesis()) for a in chosen])
    points = [[Point(a.history.trained[-1].parallelism, Context())] for a in chosen]
    stds = [b.noise_std(p)[0] for b, p in zip(known, points, strict=True)]
    return max(float(np.median(stds)), LEAST_NOISE)


def _weighed(
    asked: Sequence[tuple[Asked, list[Hypothesis]]], noise: float | None
) -> list[_Weighed | None]:
    windows = [a.window(h) for a, hypotheses in asked for h in hypotheses]
    known = iter(beliefs(windows, noise) if windows else [])
    found: list[_Weighed | None] = []
    for _, hypotheses in asked:
        own = [next(known) for _ in hypotheses]
        if not own:
            found.append(None)
            continue
        evidence = [0.0] if len(own) == 1 else [b.log_evidence for b in own]
        odds = [e + _log_prior(h) for e, h in zip(evidence, hypotheses, strict=True)]
        found.append(_Weighed(hypotheses, own, odds))
    return found


def _log_prior(hypothesis: Hypothesis) -> float:
    size = math.log(1 - NO_SIZE if hypothesis.is_sized else NO_SIZE)
    if hypothesis.part_cost == 0:
        return size + math.log(NO_PART_COST)
    return size + math.log((1 - NO_PART_COST) / (len(PART_COSTS) - 1))


def _around(found: _Weighed | None) -> list[Hypothesis]:
    if found is None:
        return []
    best = found.hypotheses[int(np.argmax(found.log_odds))]
    if best.part_cost == 0:
        return []
    return [replace(best, part_cost=best.part_cost * step) for step in FINER]


def _together(a: _Weighed | None, b: _Weighed | None) -> _Weighed | None:
    if a is None or b is None:
        return a
    return _Weighed(
        [*a.hypotheses, *b.hypotheses], [*a.known, *b.known], [*a.log_odds, *b.log_odds]
    )


def _pruned(found: _Weighed) -> TaskModel:
    odds = np.array(found.log_odds)
    weights = np.exp(odds - odds.max())
    weights /= weights.sum()
    kept = np.flatnonzero(weights >= min(LEAST_WEIGHT, weights.max()))
    return TaskModel(
        [found.hypotheses[i] for i in kept],
        weights[kept] / weights[kept].sum(),
        [found.known[i] for i in kept],
    )


def _shares(weights: Vector, size: int) -> list[int]:
    """Whole numbers of samples that sum to `size`, each within one of its share."""
    ends = np.round(np.cumsum(weights) * size).astype(int)
    ends[-1] = size
    return [int(n) for n in np.diff(ends, prepend=0)]


def _vary(values: Sequence[float]) -> bool:
    return bool(values) and max(values) > SPREAD * min(values)
