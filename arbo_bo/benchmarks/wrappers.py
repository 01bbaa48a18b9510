"""Problems around problems: noise, drift, stragglers and load."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np

from arbo_bo.benchmarks.problems import Source, TimedProblem
from arbo_bo.benchmarks.seeds import generator
from arbo_bo.experiment import Context, SearchSpace

NODES = 64
"""Equally likely values that stand for a standard normal."""


@dataclass(frozen=True)
class Wrapped:
    """A source whose problems are wrapped: ``Wrapped(source, Drifting, {"factor": 3.0}, "x3")``.

    Attributes:
        inner: The task itself.
        wrapper: A class of this module; its first argument is the problem.
        options: Its other arguments.
        label: Follows the task's name.
    """

    inner: Source
    wrapper: Callable[..., TimedProblem]
    options: dict[str, Any]
    label: str

    @property
    def name(self) -> str:
        """The task's name and the label."""
        return f"{self.inner.name} {self.label}"

    @property
    def space(self) -> SearchSpace:
        """The task's degrees."""
        return self.inner.space

    def problem(self, seed: int) -> TimedProblem:
        """The task's problem of this seed, wrapped."""
        return self.wrapper(self.inner.problem(seed), **self.options, seed=seed)

    def achievable_s(self) -> Sequence[float]:
        """The expected times of the task as it is without the wrapper [s]."""
        return self.inner.achievable_s()


class Wrapper:
    """A problem that passes everything on; subclasses change times or contexts.

    Args:
        inner: The problem inside.
        seed: Seeds what the wrapper draws once for a run, such as its load.
    """

    def __init__(self, inner: TimedProblem, seed: int = 0) -> None:
        self.inner = inner
        self.seed = seed

    @property
    def name(self) -> str:
        """The inner problem's name."""
        return self.inner.name

    def degrees(self, run: int) -> Sequence[int]:
        """The inner problem's degrees."""
        return self.inner.degrees(run)

    def context(self, run: int) -> Context:
        """The inner problem's context."""
        return self.inner.context(run)

    def draw_s(self, run: int, parallelism: int, rng: np.random.Generator) -> float:
        """The inner problem's time, `factor` times [s]."""
        return self.inner.draw_s(run, parallelism, rng) * self.factor(run)

    def expected_s(self, run: int, parallelism: int) -> float:
        """The inner problem's mean time, `factor` times [s]."""
        return self.inner.expected_s(run, parallelism) * self.factor(run)

    def probability_within(self, run: int, parallelism: int, limit_s: float) -> float:
        """The inner problem's probability of the limit over the `factor`."""
        return self.inner.probability_within(run, parallelism, limit_s / self.factor(run))

    def factor(self, run: int) -> float:
        """What every time of this run is multiplied by."""
        return 1.0


class Noisy(Wrapper):
    """Multiplies each time by exp(sigma Z - sigma^2 / 2), Z standard normal: the mean stays.

    Args:
        inner: The problem inside.
        sigma: Standard deviation of the logarithm, 0 or more.
        seed: Unused: noise is drawn for each time.
    """

    def __init__(self, inner: TimedProblem, sigma: float, seed: int = 0) -> None:
        super().__init__(inner, seed)
        self.sigma = sigma

    def draw_s(self, run: int, parallelism: int, rng: np.random.Generator) -> float:
        """The inner problem's time with noise [s]."""
        time = self.inner.draw_s(run, parallelism, rng)
        return time * math.exp(self.sigma * rng.standard_normal() - self.sigma**2 / 2)

    def probability_within(self, run: int, parallelism: int, limit_s: float) -> float:
        """The mean over equally likely values of the noise."""
        within = (
            self.inner.probability_within(run, parallelism, limit_s / noise)
            for noise in self._noises
        )
        return sum(within) / NODES

    @cached_property
    def _noises(self) -> list[float]:
        standard = NormalDist()
        values = (standard.inv_cdf((i + 0.5) / NODES) for i in range(NODES))
        return [math.exp(self.sigma * z - self.sigma**2 / 2) for z in values]


class Drifting(Wrapper):
    """From one run on, every time is `factor_after` times what it was, for good.

    Args:
        inner: The problem inside.
        at_run: The first run that is changed, from 1.
        factor_after: Above 1: slower.
        seed: Unused.
    """

    def __init__(
        self, inner: TimedProblem, at_run: int, factor_after: float, seed: int = 0
    ) -> None:
        super().__init__(inner, seed)
        self.at_run = at_run
        self.factor_after = factor_after

    def factor(self, run: int) -> float:
        """1 before the drift, `factor_after` from then on."""
        return self.factor_after if run >= self.at_run else 1.0


class Straggling(Wrapper):
    """Now and then a run takes `slowdown` times as long.

    The truth that a score is made of stays the mean without stragglers: they happen to every
    degree alike, and nobody wants a choice that follows them.

    Args:
        inner: The problem inside.
        probability: How often, in [0, 1].
        slowdown: How much longer a straggler takes.
        seed: Unused: each run is drawn.
    """

    def __init__(
        self, inner: TimedProblem, probability: float, slowdown: float = 10.0, seed: int = 0
    ) -> None:
        super().__init__(inner, seed)
        self.probability = probability
        self.slowdown = slowdown

    def draw_s(self, run: int, parallelism: int, rng: np.random.Generator) -> float:
        """The inner problem's time, or a straggler's [s]."""
        time = self.inner.draw_s(run, parallelism, rng)
        return time * (self.slowdown if rng.random() < self.probability else 1.0)

    def probability_within(self, run: int, parallelism: int, limit_s: float) -> float:
        """The mixture of both."""
        usual = self.inner.probability_within(run, parallelism, limit_s)
        late = self.inner.probability_within(run, parallelism, limit_s / self.slowdown)
        return (1 - self.probability) * usual + self.probability * late


class Steep(Wrapper):
    """A cliff: every run at a degree below `above` takes `slowdown` times as long.

    Args:
        inner: The problem inside.
        above: The smallest degree without the slowdown.
        slowdown: Above 1.
        seed: Unused.
    """

    def __init__(self, inner: TimedProblem, above: int, slowdown: float, seed: int = 0) -> None:
        super().__init__(inner, seed)
        self.above = above
        self.slowdown = slowdown

    def draw_s(self, run: int, parallelism: int, rng: np.random.Generator) -> float:
        """The inner problem's time, or `slowdown` times that [s]."""
        return self.inner.draw_s(run, parallelism, rng) * self._at(parallelism)

    def expected_s(self, run: int, parallelism: int) -> float:
        """The inner problem's mean time, or `slowdown` times that [s]."""
        return self.inner.expected_s(run, parallelism) * self._at(parallelism)

    def probability_within(self, run: int, parallelism: int, limit_s: float) -> float:
        """The inner problem's probability of the limit over the slowdown."""
        return self.inner.probability_within(run, parallelism, limit_s / self._at(parallelism))

    def _at(self, parallelism: int) -> float:
        return self.slowdown if parallelism < self.above else 1.0


class HeavyTailed(Wrapper):
    """At some degrees a run in so many takes two, three, four or five times as long.

    The truth that a score is made of stays the mean without such runs.

    Args:
        inner: The problem inside.
        probability: How often, in [0, 1], at the degrees that have a tail.
        share: How many of the degrees have one, in [0, 1]; which, the problem's name fixes.
        seed: Unused: each run is drawn.
    """

    SLOWDOWNS = (2.0, 3.0, 4.0, 5.0)

    def __init__(
        self, inner: TimedProblem, probability: float, share: float, seed: int = 0
    ) -> None:
        super().__init__(inner, seed)
        self.probability = probability
        self.share = share

    def has_tail(self, parallelism: int) -> bool:
        """Whether runs of this degree have a tail."""
        return bool(generator("tail", self.name, parallelism).random() < self.share)

    def draw_s(self, run: int, parallelism: int, rng: np.random.Generator) -> float:
        """The inner problem's time, now and then a multiple of it [s]."""
        time = self.inner.draw_s(run, parallelism, rng)
        slow = rng.random() < self.probability and self.has_tail(parallelism)
        return time * float(rng.choice(self.SLOWDOWNS)) if slow else time

    def probability_within(self, run: int, parallelism: int, limit_s: float) -> float:
        """The mixture of all."""
        usual = self.inner.probability_within(run, parallelism, limit_s)
        if not self.has_tail(parallelism):
            return usual
        late = [
            self.inner.probability_within(run, parallelism, limit_s / x) for x in self.SLOWDOWNS
        ]
        return (1 - self.probability) * usual + self.probability * sum(late) / len(late)


class Loaded(Wrapper):
    """Other work on the cluster slows every run: times 1 + slowdown_per_worker L.

    Args:
        inner: The problem inside.
        loads: The values of L, drawn with the same probability for each run [workers].
        slowdown_per_worker: How much each busy worker costs.
        seed: Fixes the sequence of loads.
    """

    def __init__(
        self,
        inner: TimedProblem,
        loads: Sequence[float],
        slowdown_per_worker: float,
        seed: int = 0,
    ) -> None:
        super().__init__(inner, seed)
        self.loads = tuple(loads)
        self.slowdown_per_worker = slowdown_per_worker

    def context(self, run: int) -> Context:
        """The inner problem's context, with this run's load."""
        rng = generator("load", self.name, self.seed, run)
        load = self.loads[int(rng.integers(len(self.loads)))]
        return replace(self.inner.context(run), cluster_load=load)

    def factor(self, run: int) -> float:
        """1 + slowdown_per_worker L."""
        load = self.context(run).cluster_load
        assert load is not None
        return 1.0 + self.slowdown_per_worker * load
