"""Amdahl's law with start-up and input scaling, in plain arithmetic.

The functions use operators only, so that they work alike on floats, numpy arrays and torch tensors;
`arbo_bo.numerics` builds on them. Source: G. M. Amdahl, "Validity of the single processor approach
to achieving large scale computing capabilities", AFIPS 1967; the scaling gamma^k and the start-up C
are ARBO's.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import validation


class MeanFunction(StrEnum):
    """The law that the Gaussian process stands on.

    AMDAHL: C + gamma^k T1 ((1 - p) + p / s). USL: the Universal Scalability Law, slower again past
    its best degree. ERNEST: theta0 + theta1 gamma^k / s + theta2 log s + theta3 s. AUTO: Amdahl's
    law beside what else explains the task's window, weighed at every decision anew.
    """

    AMDAHL = "amdahl"
    USL = "usl"
    ERNEST = "ernest"
    AUTO = "auto"


DEFAULT_MEAN = MeanFunction.AMDAHL


def runtime(s: Any, gamma: Any, t1: Any, p: Any, c: Any, k: Any) -> Any:
    """T(s, gamma) = C + gamma^k T1 ((1 - p) + p / s).

    Args:
        s: Degree of parallelism, at least 1.
        gamma: Input size over the base input size, above 0.
        t1: Work time at s = 1 and gamma = 1, without start-up [s].
        p: Parallelizable fraction in [0, 1].
        c: Start-up time [s].
        k: Complexity exponent.

    Returns:
        Execution time, start-up included [s]; the arguments broadcast.
    """
    return c + gamma**k * t1 * ((1 - p) + p / s)


def parallel_fraction(s: Any, time: Any, gamma: Any, t1: Any, c: Any, k: Any) -> Any:
    """The inverse law: p = s / (s - 1) (1 - (t - C) / (gamma^k T1)), not clipped.

    Args:
        s: Degree of parallelism, at least 2; undefined at 1.
        time: Observed execution time [s].
        gamma: Input scaling, above 0.
        t1: Work time at s = 1 and gamma = 1 [s].
        c: Start-up time [s].
        k: Complexity exponent.
    """
    return s / (s - 1) * (1 - (time - c) / (gamma**k * t1))


@dataclass(frozen=True, slots=True)
class AmdahlLaw:
    """The four parameters of one task's law.

    Attributes:
        t1_s: Work time T1 at s = 1 and gamma = 1, without start-up [s], above 0.
        p: Parallelizable fraction, in [0, 1].
        c_s: Start-up time C [s], 0 or more.
        k: Complexity exponent: T1 grows as gamma^k.
    """

    t1_s: float
    p: float
    c_s: float = 0.0
    k: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "t1_s", validation.positive("t1_s", self.t1_s))
        object.__setattr__(self, "p", validation.fraction("p", self.p))
        object.__setattr__(self, "c_s", validation.non_negative("c_s", self.c_s))
        object.__setattr__(self, "k", validation.real("k", self.k))

    def runtime_s(self, parallelism: float, gamma: float = 1.0) -> float:
        """T(s, gamma) [s].

        Raises:
            InvalidValueError: s < 1, gamma <= 0, or a time beyond what a float holds.
        """
        s, gamma = _degree(parallelism), validation.positive("gamma", gamma)
        try:
            return float(runtime(s, gamma, self.t1_s, self.p, self.c_s, self.k))
        except OverflowError as err:
            raise InvalidValueError(f"gamma^k overflows: {gamma:g}^{self.k:g}") from err

    def split(self, gamma: float = 1.0) -> tuple[float, float]:
        """(A, B) of T = A + B / s: A = C + gamma^k T1 (1 - p) and B = gamma^k T1 p [s]."""
        whole = self.runtime_s(1, gamma)
        parallel = (whole - self.c_s) * self.p
        return whole - parallel, parallel

    def optimum(self, urgency: float, cost_exponent: float, gamma: float = 1.0) -> float:
        """The continuous minimiser s* = (B / A)(a / c - 1) of (A + B / s)^a s^c on [1, inf).

        For a <= c the score rises with s everywhere, and s* = 1. With A = 0 and a > c it falls
        everywhere, and s* is infinite.

        Args:
            urgency: a, above 0.
            cost_exponent: c, above 0.
            gamma: Input scaling.
        """
        a = validation.positive("urgency", urgency)
        c = validation.positive("cost_exponent", cost_exponent)
        return self._where(a / c - 1, gamma)

    def efficiency_degree(self, eta: float, gamma: float = 1.0) -> float:
        """The degree that reaches the fraction eta of the largest speed-up.

        With T = A + B / s the largest speed-up is (A + B) / A, and s = (B / A) eta / (1 - eta);
        for C = 0 this is p / (1 - p) eta / (1 - eta).

        Args:
            eta: Fraction of the largest speed-up, in (0, 1).
            gamma: Input scaling.
        """
        eta = validation.fraction("eta", eta)
        if not 0 < eta < 1:
            raise InvalidValueError(f"eta must lie strictly between 0 and 1, got {eta:g}")
        return self._where(eta / (1 - eta), gamma)

    def max_speedup(self, gamma: float = 1.0) -> float:
        """(A + B) / A, the speed-up at infinitely many workers; 1 / (1 - p) for C = 0."""
        serial, parallel = self.split(gamma)
        return math.inf if serial <= 0 else (serial + parallel) / serial

    def parallel_fraction_from(
        self, parallelism: float, execution_time_s: float, gamma: float = 1.0
    ) -> float:
        """The fraction p from one observed time under this law's T1, C and k, clipped into [0, 1].

        Raises:
            InvalidValueError: s < 2, where the time says nothing about p.
        """
        s = _degree(parallelism)
        if s < 2:
            raise InvalidValueError(f"p is undefined below 2 workers, got parallelism {s:g}")
        time = validation.positive("execution_time_s", execution_time_s)
        gamma = validation.positive("gamma", gamma)
        p = parallel_fraction(s, time, gamma, self.t1_s, self.c_s, self.k)
        return float(min(1.0, max(0.0, p)))

    def _where(self, ratio: float, gamma: float) -> float:
        serial, parallel = self.split(gamma)
        if ratio <= 0 or parallel <= 0:
            return 1.0
        return math.inf if serial <= 0 else max(1.0, parallel / serial * ratio)


def _degree(parallelism: float) -> float:
    s = validation.real("parallelism", parallelism)
    if s < 1:
        raise InvalidValueError(f"parallelism must be at least 1, got {s:g}")
    return s
