"""What was decided, and what the decision saw."""

import math
from dataclasses import dataclass, field

from arbo_bo.experiment import validation
from arbo_bo.experiment.arm import Arm
from arbo_bo.experiment.explanation import Explanation, ExplanationRow
from arbo_bo.experiment.law import AmdahlLaw
from arbo_bo.experiment.objective import SECONDS_PER_HOUR, Objective
from arbo_bo.experiment.prediction import Prediction
from arbo_bo.experiment.slo import cost_objective
from arbo_bo.experiment.strategy import Strategy
from arbo_bo.experiment.trial import Phase


@dataclass(frozen=True, slots=True)
class Candidate:
    """One allowed degree as the decision saw it.

    Attributes:
        prediction: The next run's time at this degree.
        log_score: Natural logarithm of its score, less is better; a score may leave a float's range
            where its logarithm does not.
        value: What the acquisition function gave it, more is better; None: it was not asked.
        slo_probability: Probability that the next run keeps every service level; None: there are
            none.
        keeps_slo: Whether each level is kept with its own confidence.
        excluded: Why it was not looked at, by a search rule, the guard or failures; None: it was.
        success_probability: Probability that the next run does not fail; None: none has failed.
        worker_price_per_hour: What a worker of its type costs an hour; None: no type has a price.
    """

    prediction: Prediction
    log_score: float
    value: float | None = None
    slo_probability: float | None = None
    keeps_slo: bool = True
    excluded: str | None = None
    success_probability: float | None = None
    worker_price_per_hour: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "log_score", validation.real("log_score", self.log_score))

    @property
    def score(self) -> float:
        """E[T]^a Cost(s), at most 1e304."""
        return math.exp(min(self.log_score, 700.0))

    @property
    def parallelism(self) -> int:
        """The degree."""
        return self.prediction.parallelism

    @property
    def worker_type(self) -> str | None:
        """The worker type's name; None: the task has none."""
        return self.prediction.worker_type

    @property
    def arm(self) -> Arm:
        """Degree and worker type."""
        return Arm(self.parallelism, self.worker_type)


@dataclass(frozen=True, slots=True)
class Decision:
    """The degree for the next run, and why.

    Attributes:
        task: The experiment's name.
        parallelism: The degree to run with.
        phase: baseline, probe or optimize.
        reason: One sentence that a person understands.
        trial_index: The trial that is RUNNING from here; None if none was made. Its identity, which
            no other trial ever has, is `trial_id`.
        acquisition: What chose it; None outside of optimize.
        input_scale_factor: gamma at the decision.
        cluster_load: L at the decision.
        prediction: What is expected of this degree; None before the first completed run.
        candidates: Every allowed degree with its prediction and score, by degree; with worker
            types every pair of both, by type.
        law: The law as fitted for this decision; None outside of optimize.
        recommended_parallelism: What would have been chosen, where a pin or a dry run decided.
        objective: What was minimised.
        strategy: How it was chosen.
        trial_id: See `trial_index`.
        default_parallelism: The task's default degree at the decision; None: not kept.
        anomalies: What in the window did not fit, in words: stragglers and changes of speed.
        was_kept: Whether this is all that the decision saw; False for a repeated answer of a trial
            that an earlier version started.
        worker_type: The type of worker to run on; None: the task has none.
        recommended_worker_type: The type that would have been chosen, where a pin or a dry run
            decided.
        hypotheses: What was weighed, each explanation with its probability; empty: one law alone.
    """

    task: str
    parallelism: int
    phase: Phase
    reason: str
    trial_index: int | None = None
    acquisition: str | None = None
    input_scale_factor: float = 1.0
    cluster_load: float | None = None
    prediction: Prediction | None = None
    candidates: tuple[Candidate, ...] = ()
    law: AmdahlLaw | None = None
    recommended_parallelism: int | None = None
    objective: Objective = field(default_factory=Objective)
    strategy: Strategy = field(default_factory=Strategy)
    trial_id: str | None = None
    default_parallelism: int | None = None
    anomalies: tuple[str, ...] = ()
    was_kept: bool = True
    worker_type: str | None = None
    recommended_worker_type: str | None = None
    hypotheses: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        validation.identifier("a task's name", self.task)
        degree = validation.integer("parallelism", self.parallelism, 1)
        object.__setattr__(self, "parallelism", degree)
        object.__setattr__(self, "phase", validation.member("phase", self.phase, Phase))

    @property
    def arm(self) -> Arm:
        """Degree and worker type."""
        return Arm(self.parallelism, self.worker_type)

    @property
    def predicted_time_s(self) -> float | None:
        """Expected execution time [s]."""
        return None if self.prediction is None else self.prediction.mean_s

    @property
    def predicted_time_std_s(self) -> float | None:
        """Its standard deviation, the noise of a run included [s]."""
        return None if self.prediction is None else self.prediction.std_s

    def explain(self) -> Explanation:
        """Every allowed degree with what was believed of it, and why it was not chosen."""
        objective = cost_objective(self.objective, self.strategy.slo)
        price: float | None = objective.price_per_worker_hour
        rows = []
        for c in self.candidates:
            p, chosen = c.prediction, c.arm == self.arm
            price = c.worker_price_per_hour or price
            per_second = 1.0 if price is None else price / SECONDS_PER_HOUR
            row = ExplanationRow(
                parallelism=c.parallelism,
                mean_s=p.mean_s,
                std_s=p.std_s,
                quantile_05_s=p.quantile_s(0.05),
                median_s=p.quantile_s(0.5),
                quantile_95_s=p.quantile_s(0.95),
                cost=c.parallelism * p.mean_s * per_second,
                slo_probability=c.slo_probability,
                score=c.score,
                value=c.value,
                chosen=chosen,
                why_not="" if chosen else self._why_not(c),
                worker_type=c.worker_type,
            )
            rows.append(row)
        unit = "worker-seconds" if price is None else "money"
        return Explanation(self.reason, tuple(rows), unit, self.hypotheses)

    def _why_not(self, candidate: Candidate) -> str:
        if self.strategy.is_fixed:
            recommended = (candidate.parallelism, candidate.worker_type) == (
                self.recommended_parallelism,
                self.recommended_worker_type,
            )
            return "recommended" if recommended else "the degree is fixed"
        if candidate.excluded is not None:
            return candidate.excluded
        chosen = next((c for c in self.candidates if c.arm == self.arm), None)
        if not candidate.keeps_slo:
            if not any(c.keeps_slo and c.excluded is None for c in self.candidates):
                return "less likely to keep the service level"
            return f"keeps the service level with probability {candidate.slo_probability:.3f} only"
        if chosen is None or chosen.log_score >= candidate.log_score:
            return f"{self.acquisition} gives it a lower value"
        return f"score {worse_by(candidate.log_score - chosen.log_score)}"


def worse_by(log_ratio: float) -> str:
    """How much higher a score is, in words."""
    worse = 100 * math.expm1(min(log_ratio, 700.0))
    return f"{worse:.1f} % higher" if worse < 1e4 else "far higher"
