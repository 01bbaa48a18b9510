"""Tasks that obey a known law, with multiplicative lognormal noise and several input sizes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from statistics import NormalDist

import numpy as np

from arbo_bo.benchmarks.seeds import generator
from arbo_bo.experiment import Context, SearchSpace
from arbo_bo.experiment.law import runtime

SPACES = (
    tuple(range(1, 17)),
    tuple(range(1, 33)),
    (1, 2, 4, 8, 16, 32, 64),
    (2, 4, 6, 8, 12, 16, 24, 32, 48),
)
CLIFF_FACTOR = 10.0


class Shape(StrEnum):
    """How a task's time depends on its degree s and its input scaling gamma.

    AMDAHL: C + gamma^k T1 ((1 - p) + p / s).
    USL: C + gamma^k T1 / s (1 + sigma (s - 1) + kappa s (s - 1)), slower again past its minimum;
    N. J. Gunther, "Guerrilla Capacity Planning", 2007.
    SUPERLINEAR: C + gamma^k T1 / s^e with e > 1: no p in [0, 1] fits.
    CLIFF: Amdahl, ten times as slow on the degrees whose memory the input outgrows.
    SIZE_INDEPENDENT: Amdahl with k = 0.
    """

    AMDAHL = "amdahl"
    USL = "usl"
    SUPERLINEAR = "superlinear"
    CLIFF = "memory-cliff"
    SIZE_INDEPENDENT = "size-independent"


@dataclass(frozen=True)
class SyntheticTask:
    """One task of a law; a function of its shape and number alone.

    Attributes:
        shape: The law.
        index: Seeds its parameters.
        sizes: Input sizes, drawn with the same probability.
        sigma: Standard deviation of log T around the law; None: drawn too.
    """

    shape: Shape
    index: int
    sizes: tuple[float, ...] = (50.0, 100.0, 200.0, 400.0)
    sigma: float | None = None
    parameters: "Parameters" = field(init=False)

    def __post_init__(self) -> None:
        drawn = _draw(self.shape, self.index, self.sigma)
        object.__setattr__(self, "parameters", drawn)

    @property
    def name(self) -> str:
        """The shape and the number."""
        return f"{self.shape}-{self.index}"

    @property
    def space(self) -> SearchSpace:
        """The allowed degrees."""
        return SearchSpace(self.parameters.degrees)

    def problem(self, seed: int) -> "SyntheticProblem":
        """The task with one random sequence of sizes."""
        return SyntheticProblem(self, seed)

    def achievable_s(self) -> list[float]:
        """The law at every size and degree [s]."""
        return [self.law_s(s, size) for size in self.sizes for s in self.parameters.degrees]

    def law_s(self, s: int, size: float) -> float:
        """The expected time [s]."""
        q, gamma = self.parameters, size / self.sizes[0]
        work = q.t1_s * math.pow(gamma, q.k)
        if self.shape is Shape.USL:
            contention = 1 + q.usl_sigma * (s - 1) + q.usl_kappa * s * (s - 1)
            return q.c_s + work / s * contention
        if self.shape is Shape.SUPERLINEAR:
            return q.c_s + work / math.pow(s, q.speedup_exponent)
        time = float(runtime(s, gamma, q.t1_s, q.p, q.c_s, q.k))
        if self.shape is Shape.CLIFF and s < q.cliff_degree * gamma**0.5:
            return time * CLIFF_FACTOR
        return time


@dataclass(frozen=True)
class Parameters:
    """What a synthetic task's law is made of.

    Attributes:
        degrees: The allowed degrees.
        t1_s: Work time at s = 1 on the smallest input [s].
        p: Parallelizable fraction.
        c_s: Start-up time [s].
        k: Complexity exponent.
        sigma: Standard deviation of log T around the law.
        usl_sigma: Contention of the Universal Scalability Law.
        usl_kappa: Its coherency cost.
        speedup_exponent: Of the superlinear law.
        cliff_degree: The smallest input needs at least this degree to fit into memory.
    """

    degrees: tuple[int, ...]
    t1_s: float
    p: float
    c_s: float
    k: float
    sigma: float
    usl_sigma: float
    usl_kappa: float
    speedup_exponent: float
    cliff_degree: int


class SyntheticProblem:
    """A synthetic task with its sequence of sizes.

    Args:
        task: The law.
        seed: Fixes the sequence.
    """

    def __init__(self, task: SyntheticTask, seed: int) -> None:
        self.task = task
        self._seed = seed
        self._sizes: dict[int, float] = {}

    @property
    def name(self) -> str:
        """The task's name."""
        return self.task.name

    def degrees(self, run: int) -> Sequence[int]:
        """The same degrees in every run."""
        return self.task.parameters.degrees

    def context(self, run: int) -> Context:
        """A random one of the task's sizes."""
        if run not in self._sizes:
            rng = generator("context", self.name, self._seed, run)
            self._sizes[run] = self.task.sizes[int(rng.integers(len(self.task.sizes)))]
        return Context(self._sizes[run])

    def draw_s(self, run: int, parallelism: int, rng: np.random.Generator) -> float:
        """The law with lognormal noise [s]."""
        mean, sigma = self.expected_s(run, parallelism), self.task.parameters.sigma
        return mean * math.exp(sigma * rng.standard_normal() - sigma**2 / 2)

    def expected_s(self, run: int, parallelism: int) -> float:
        """The law [s]; the noise has mean 1."""
        size = self.context(run).input_size
        assert size is not None
        return self.task.law_s(parallelism, size)

    def probability_within(self, run: int, parallelism: int, limit_s: float) -> float:
        """Phi((ln limit - mu) / sigma)."""
        mean, sigma = self.expected_s(run, parallelism), self.task.parameters.sigma
        if sigma == 0:
            return float(mean <= limit_s)
        return self._standard.cdf((math.log(limit_s / mean) + sigma**2 / 2) / sigma)

    @cached_property
    def _standard(self) -> NormalDist:
        return NormalDist()


def synthetic_tasks(count: int) -> list[SyntheticTask]:
    """The first `count` tasks, the shapes taking turns."""
    shapes = list(Shape)
    return [SyntheticTask(shapes[i % len(shapes)], i // len(shapes)) for i in range(count)]


def _draw(shape: Shape, index: int, sigma: float | None) -> Parameters:
    rng = generator("synthetic", str(shape), index)
    degrees = SPACES[int(rng.integers(len(SPACES)))]
    t1 = float(np.exp(rng.uniform(np.log(60.0), np.log(7200.0))))
    peak = rng.uniform(0.25, 0.8) * degrees[-1]
    usl_sigma = float(rng.uniform(0.01, 0.1))
    drawn_sigma = float(rng.choice([0.03, 0.1, 0.2]))
    return Parameters(
        degrees=degrees,
        t1_s=t1,
        p=float(rng.uniform(0.7, 0.995)),
        c_s=float(t1 * rng.uniform(0.0, 0.03)),
        k=0.0 if shape is Shape.SIZE_INDEPENDENT else float(rng.uniform(0.7, 1.4)),
        sigma=drawn_sigma if sigma is None else sigma,
        usl_sigma=usl_sigma,
        usl_kappa=float((1 - usl_sigma) / peak**2),
        speedup_exponent=float(rng.uniform(1.05, 1.4)),
        cliff_degree=int(degrees[int(rng.integers(1, max(2, len(degrees) // 3)))]),
    )
