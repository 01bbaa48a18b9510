"""The method's original estimator: exponential smoothing of the law, a process on what is left."""

import math
import sys
from collections import deque
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from arbo_bo.errors import NotEnoughObservationsError
from arbo_bo.experiment import AmdahlLaw, validation
from arbo_bo.experiment import law as formulas
from arbo_bo.experiment.experiment import DEFAULT_WINDOW, MAX_WINDOW
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.residual_process import ResidualProcess
from arbo_bo.numerics.steps import ONLINE, Steps

DEFAULT_ALPHA = 0.3
INITIAL_P = 1.0
INITIAL_K = 1.0
SMALLEST_WORK = 1e-3
"""T1 is at least this fraction of the first time, however long a start-up is claimed."""


class Observation(NamedTuple):
    """One run as it was measured.

    Attributes:
        s: Degree of parallelism.
        gamma: Input scaling.
        load: L [workers].
        time_s: Its time [s].
        residual_s: What the law left of it, once it had learned the run [s].
    """

    s: float
    gamma: float
    load: float
    time_s: float
    residual_s: float = 0.0

    @classmethod
    def checked(cls, s: float, gamma: float, load: float, time_s: float) -> "Observation":
        """An observation whose values lie in their domains."""
        return cls(
            float(validation.integer("parallelism", s, 1)),
            validation.positive("gamma", gamma),
            validation.non_negative("cluster_load", load),
            validation.positive("execution_time_s", time_s),
        )


class OnlineAmdahlEstimator:
    """Amdahl's law by exponential smoothing, with a Gaussian process on the additive residual.

    T(s, gamma, L) = C + gamma^k T1 ((1 - p) + p / s) + R(s, gamma, L)   [s]

    The first run gives T1 = (t - C) / (gamma^k ((1 - p) + p / s)), that is t - C for a baseline at
    one worker. From then on each run moves p and k, and T1 and C stay:

        p_current = s / (s - 1) (1 - (t - C) / (gamma^k T1)), clipped into [0, 1]; not at s = 1
        k_current = (ln(t - C - R) - ln(T1 ((1 - p) + p / s))) / ln gamma, clipped into [0, 4]; not
                    while |ln gamma| < 0.1 or t - C - R <= 0; R was predicted before the run
        value <- alpha value + (1 - alpha) current

    Both are taken from the law as it was before the run. R has mean zero and a Matern-5/2 ARD
    covariance over (s, gamma, L), each scaled to the window's range. The window keeps the newest
    raw observations: residuals are taken from the law as it is now, at every fit. `Steps` holds
    where this departs from the study, step by step.

    Args:
        alpha: Weight of the old value, in (0, 1].
        window: How many of the newest runs the process sees, at least 1.
        startup_time_s: C, a known start-up that every time includes [s].
        initial_p: p before the first run that tells it.
        law: A law to go on from, instead of one from the first run; its C replaces
            `startup_time_s`.
        steps: How the steps are taken that can be taken in two ways.
        knows_p: Whether `law` has learned p from a run; else the first one tells it.

    Raises:
        InvalidValueError: A value is outside its domain.

    Source: ARBO, the online form of the method.
    """

    def __init__(
        self,
        alpha: float = DEFAULT_ALPHA,
        window: int = DEFAULT_WINDOW,
        startup_time_s: float = 0.0,
        initial_p: float = INITIAL_P,
        law: AmdahlLaw | None = None,
        steps: Steps = ONLINE,
        knows_p: bool = True,
    ) -> None:
        self.alpha = validation.fraction("alpha", alpha)
        validation.positive("alpha", alpha)
        self.startup_time_s = validation.non_negative("startup_time_s", startup_time_s)
        self.initial_p = validation.fraction("initial_p", initial_p)
        size = validation.integer("window", window, 1, MAX_WINDOW)
        self._window: deque[Observation] = deque(maxlen=size + steps.extra_runs)
        self._law = law
        self.steps = steps
        self.knows_p = knows_p and law is not None
        self._process: ResidualProcess | None = None

    @property
    def law(self) -> AmdahlLaw:
        """The law as it is now.

        Raises:
            NotEnoughObservationsError: Nothing was observed, and no law was given.
        """
        if self._law is None:
            raise NotEnoughObservationsError(
                "the law starts at the first run: observe one before asking for it"
            )
        return self._law

    @property
    def observations(self) -> tuple[Observation, ...]:
        """The window, oldest first."""
        return tuple(self._window)

    @property
    def residuals_s(self) -> Vector:
        """Measured time minus the law's, over the window [s], shape (n,)."""
        s, gamma, _, time, kept = np.array(self._window, dtype=float).reshape(-1, 5).T
        if not self.steps.recomputes_residuals:
            return np.asarray(kept)
        return np.asarray(time - self._runtime(s, gamma))

    def observe(self, s: float, gamma: float, load: float, time_s: float) -> None:
        """Learns from one run.

        Args:
            s: Degree of parallelism, at least 1.
            gamma: Input size over the base input size, above 0.
            load: L [workers], 0 or more.
            time_s: Execution time, start-up included, above 0 [s].

        Raises:
            InvalidValueError: A value is outside its domain.
        """
        run = Observation.checked(s, gamma, load, time_s)
        is_first = self._law is None
        self._law = self._first_law(run) if self._law is None else self._moved(self._law, run)
        if not is_first or self.steps.keeps_baseline:
            left_s = time_s - float(self._runtime(np.array(run.s), np.array(run.gamma)))
            self._keep(run._replace(residual_s=left_s))

    def recall(
        self, s: float, gamma: float, load: float, time_s: float, residual_s: float = 0.0
    ) -> None:
        """Takes a run into the window that the law has learned from before.

        Args:
            s: As in `observe`.
            gamma: As in `observe`.
            load: As in `observe`.
            time_s: As in `observe`.
            residual_s: As the window held it; for steps that keep it.

        Raises:
            NotEnoughObservationsError: There is no law yet that could have learned from it.
        """
        _ = self.law  # there has to be one
        run = Observation.checked(s, gamma, load, time_s)
        self._keep(run._replace(residual_s=validation.real("residual_s", residual_s)))

    def scored_time(self, s: ArrayLike, gamma: float = 1.0, load: float = 0.0) -> Vector:
        """The mean that a score is made of [s], shape (m,), above 0.

        An additive residual can make a mean negative, where a score has no meaning: it is at least
        1 % of the law's time, or for the study's steps the smallest number above 0.

        Args:
            s: As in `predict`.
            gamma: As in `predict`.
            load: As in `predict`.
        """
        degrees = np.atleast_1d(np.asarray(s, dtype=float))
        law_s = self._runtime(degrees, np.full_like(degrees, gamma))
        floor = np.maximum(self.steps.smallest_fraction * law_s, sys.float_info.min)
        return np.asarray(np.maximum(self.predict(s, gamma, load)[0], floor))

    def predict(self, s: ArrayLike, gamma: float = 1.0, load: float = 0.0) -> tuple[Vector, Vector]:
        """The next run's time at each degree, its noise included.

        Args:
            s: Degrees of parallelism, at least 1, shape (m,).
            gamma: Input scaling, above 0.
            load: L [workers], 0 or more.

        Returns:
            Mean and standard deviation [s], shape (m,) each. The mean is the law's time plus the
            residual's mean; an additive residual can make it negative. Where the baseline is all
            that was observed and is not in the window, the law's time and 0.

        Raises:
            NotEnoughObservationsError: Nothing was observed.
        """
        degrees = np.atleast_1d(np.asarray(s, dtype=float))
        law_s = self._runtime(degrees, np.full_like(degrees, gamma))
        if not self._window and not self.steps.keeps_baseline:
            return law_s, np.zeros_like(law_s)
        if not self._window:
            raise NotEnoughObservationsError("a prediction needs at least one observed run")
        inputs = np.stack(
            (degrees, np.full_like(degrees, gamma), np.full_like(degrees, load)), axis=-1
        )
        mean, std = self._residual_process().predict(inputs)
        return law_s + mean, std

    def _keep(self, run: Observation) -> None:
        self._window.append(run)
        self._process = None

    def _first_law(self, run: Observation) -> AmdahlLaw:
        work = max(run.time_s - self.startup_time_s, SMALLEST_WORK * run.time_s)
        p, k = self.initial_p, INITIAL_K
        relative = run.gamma**k * ((1 - p) + p / run.s)
        return AmdahlLaw(work / relative, p, self.startup_time_s, k)

    def _moved(self, law: AmdahlLaw, run: Observation) -> AmdahlLaw:
        p, k = law.p, law.k
        if run.s > 1:
            gamma = run.gamma if self.steps.scales_p else 1.0
            current_p = law.parallel_fraction_from(run.s, run.time_s, gamma)
            is_smoothed = self.knows_p or self.steps.smooths_first_p
            p = self._smoothed(p, current_p) if is_smoothed else current_p
            self.knows_p = True
        if run.gamma != 1 and abs(math.log(run.gamma)) >= self.steps.smallest_log_gamma:
            current = self._exponent(law, run)
            k = k if current is None else self._smoothed(k, current)
        return replace(law, p=p, k=k)

    def _exponent(self, law: AmdahlLaw, run: Observation) -> float | None:
        residual = 0.0
        if self._window:
            at = np.array([[run.s, run.gamma, run.load]])
            residual = float(self._residual_process().predict(at)[0][0])
        scaled = run.time_s - law.c_s - residual
        if scaled <= 0:
            return None
        theory = law.t1_s * ((1 - law.p) + law.p / run.s)
        k = (math.log(scaled) - math.log(theory)) / math.log(run.gamma)
        low, high = self.steps.k_bounds
        return min(max(k, low), high)

    def _smoothed(self, old: float, current: float) -> float:
        return self.alpha * old + (1 - self.alpha) * current

    def _runtime(self, s: Vector, gamma: Vector) -> Vector:
        law = self.law
        time = formulas.runtime(s, gamma, law.t1_s, law.p, law.c_s, law.k)
        return np.asarray(time, dtype=float)

    def _residual_process(self) -> ResidualProcess:
        if self._process is None:
            inputs = np.array(self._window, dtype=float)[:, :3]
            self._process = ResidualProcess.fitted(inputs, self.residuals_s)
        return self._process
