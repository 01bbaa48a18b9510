"""The choice among the allowed degrees: acquisition, service levels, search rule, guard."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from arbo_bo.errors import AcquisitionError
from arbo_bo.experiment import (
    AmdahlLaw,
    Arm,
    Candidate,
    Context,
    Experiment,
    Prediction,
    SearchRule,
    Trial,
    TrialStatus,
)
from arbo_bo.experiment.arm import short_name
from arbo_bo.generation.online import OnlineSurrogate
from arbo_bo.generation.outcomes import LEAST_PROBABILITY, FailureEvidence
from arbo_bo.generation.surrogate import GPSurrogate, Weighed
from arbo_bo.generation.threads import one_thread
from arbo_bo.generation.window import Surrogate
from arbo_bo.numerics.arrays import Vector
from arbo_bo.numerics.choosers import CHOOSERS, Alternatives, probability_not_worse

EXPECTED_COST = "expected_cost"
KNOWLEDGE_GRADIENT = "knowledge_gradient"
DEADLINE = "deadline"


@dataclass(frozen=True)
class Choice:
    """What was chosen, and what it was chosen from.

    Attributes:
        best: The chosen candidate.
        candidates: Every allowed degree, ascending.
        held_back: What would have been chosen without the guard; None: the same.
        guard_probability: The probability that it is not worse than the default degree.
        failures: What failed runs say; None: none has failed.
        risky: The degree of the lowest score, where it is left out for its failures; None: it is
            not.
        chooser: The acquisition function that really chose; None: none did.
        weighed: What was weighed; None: one law alone.
    """

    best: Candidate
    candidates: tuple[Candidate, ...]
    held_back: Candidate | None = None
    guard_probability: float = 1.0
    failures: FailureEvidence | None = None
    risky: Candidate | None = None
    chooser: str | None = None
    weighed: Weighed | None = None


def choose(
    experiment: Experiment,
    surrogate: Surrogate,
    trials: Sequence[Trial],
    context: Context,
    law: AmdahlLaw,
) -> Choice:
    """Chooses among the allowed degrees.

    Args:
        experiment: Search space, objective and strategy.
        surrogate: What was learned.
        trials: The task's history; its RUNNING trials are pending.
        context: Input size and cluster load of the next run.
        law: The law as fitted, which a search rule is about.
    """
    failures = FailureEvidence.of(experiment, trials, context)
    if isinstance(surrogate, GPSurrogate) and failures is not None:
        failures = _with_time_limit(failures, experiment, surrogate, context)
    looked_at, reason = _within_rule(experiment, context, law)
    if isinstance(surrogate, OnlineSurrogate):
        found = surrogate.candidates(experiment.arms, experiment.objective, context)
        scores = np.array([c.log_score for c in found])
        candidates = _weighed([replace(c, value=-c.log_score) for c in found], failures)
        return _safe(_excluded(candidates, looked_at, reason), experiment, failures, scores)
    assert isinstance(surrogate, GPSurrogate)
    pending = [t for t in trials if t.status is TrialStatus.RUNNING]
    seed = _seed(experiment, trials)
    alternatives = surrogate.alternatives(experiment, context, looked_at, pending, seed)
    log_scores: Vector | None = None
    with one_thread():
        beliefs = [a.degrees for a in alternatives.each]
        predictions = surrogate.predictions(beliefs, experiment.arms)
        if failures is not None:
            log_scores = -alternatives.expected_cost
            alternatives = replace(
                alternatives,
                log_success=np.log(failures.relative),
                log_repeat=failures.log_repeat(log_scores),
            )
        values = _values(experiment, surrogate, alternatives)
        candidates = [
            _candidate(experiment, p, -cost, value)
            for p, cost, value in zip(
                predictions, alternatives.expected_cost.tolist(), values, strict=True
            )
        ]
        if failures is not None:
            told = failures.probability.tolist()
            candidates = [
                replace(c, success_probability=p) for c, p in zip(candidates, told, strict=True)
            ]
        candidates = [_under_slo(c, experiment, failures) for c in candidates]
        choice = _safe(_excluded(candidates, looked_at, reason), experiment, failures, log_scores)
        fallen_back = failures is not None and failures.falls_back_to(choice.best.arm)
        chooser = None if fallen_back else _chooser(experiment, surrogate)
        choice = replace(choice, chooser=chooser, weighed=surrogate.weighed)
        if experiment.strategy.guard is None or _default_is_left_out(choice, experiment):
            return choice
        return _guarded(choice, experiment, alternatives)


def _candidate(
    experiment: Experiment, prediction: Prediction, log_score: float, value: float
) -> Candidate:
    one = experiment.worker_types.get(prediction.worker_type or "")
    price = None if one is None else one.price_per_hour
    return Candidate(prediction, log_score, value, worker_price_per_hour=price)


def _with_time_limit(
    failures: FailureEvidence, experiment: Experiment, surrogate: GPSurrogate, context: Context
) -> FailureEvidence:
    """The evidence with the probability that a run stays within the limit that ended others."""
    limit = failures.time_limit_s
    if limit is None:
        return failures
    predictions = surrogate.predict(experiment.arms, context)
    within = np.array([p.probability_within(limit) for p in predictions])
    return failures.with_time_limit(np.maximum(within, LEAST_PROBABILITY))


def _weighed(candidates: Sequence[Candidate], failures: FailureEvidence | None) -> list[Candidate]:
    """Candidates with the repeats of failed runs in their score and value."""
    if failures is None:
        return list(candidates)
    repeat = failures.log_repeat(np.array([c.log_score for c in candidates]))
    told = zip(candidates, repeat.tolist(), failures.probability.tolist(), strict=True)
    return [
        replace(
            c,
            log_score=c.log_score + r,
            value=(c.value or 0.0) - r,
            success_probability=p,
        )
        for c, r, p in told
    ]


def _safe(
    candidates: list[Candidate],
    experiment: Experiment,
    failures: FailureEvidence | None,
    log_scores: Vector | None,
) -> Choice:
    """The choice among the degrees that may be tried; the default one where all are failing.

    Args:
        candidates: Every degree, those outside the search rule excluded.
        experiment: Search space and default.
        failures: What failed runs say.
        log_scores: Logarithm of the score that a run of each degree has if it succeeds.
    """
    if failures is None or log_scores is None:
        return Choice(_best(candidates), tuple(candidates))
    default = experiment.probe_arm
    if failures.falls_back_to(default):
        best = next(c for c in candidates if c.arm == default)
        return Choice(best, tuple(candidates), failures=failures)
    looked_at = np.array([c.excluded is None for c in candidates])
    # A degree that keeps every service level in spite of its failures is safe enough.
    kept = [bool(experiment.strategy.slo) and c.keeps_slo for c in candidates]
    allowed = failures.may_run(log_scores, looked_at) | np.array(kept)
    if not (allowed & looked_at).any():
        # The search rule leaves only degrees that fail: those beyond it are looked at, too.
        candidates = [replace(c, excluded=None) for c in candidates]
        looked_at = np.ones_like(looked_at)
        allowed = failures.may_run(log_scores, looked_at)
    found = [
        c if a or not b else replace(c, excluded=f"likely to fail: {failures.why(c.arm)}")
        for c, a, b in zip(candidates, allowed, looked_at, strict=True)
    ]
    rival = found[min(np.flatnonzero(looked_at), key=lambda i: (log_scores[i], i))]
    risky = rival if rival.excluded is not None else None
    return Choice(_best(found), tuple(found), failures=failures, risky=risky)


def _best(candidates: Sequence[Candidate]) -> Candidate:
    """The highest value of those that are looked at; of equals the smallest degree."""
    return max(
        (c for c in candidates if c.excluded is None),
        key=lambda c: (c.value, -c.parallelism),
    )


def _chooser(experiment: Experiment, surrogate: GPSurrogate) -> str:
    """The acquisition function that chooses now."""
    strategy = experiment.strategy
    doubts = surrogate.identifies_law or len(surrogate.mixture.hypotheses) > 1
    if strategy.chooser == KNOWLEDGE_GRADIENT and not doubts:
        # The other degrees have left the window: the law that it keeps is to be used, not doubted.
        return DEADLINE if strategy.slo else EXPECTED_COST
    return strategy.chooser


def _values(
    experiment: Experiment, surrogate: GPSurrogate, alternatives: Alternatives
) -> list[float]:
    """The acquisition function's value of each degree, more being better."""
    chooser = _chooser(experiment, surrogate)
    if chooser in CHOOSERS:
        values = CHOOSERS[chooser](alternatives)
    elif experiment.worker_types:
        raise AcquisitionError(
            f"acquisition {chooser!r} is of another package, which cannot choose among worker "
            f"types; take one of {', '.join(CHOOSERS)}"
        )
    else:
        from arbo_bo.acquisition.plugins import values_of

        values = values_of(chooser, alternatives)
    # Another package's NaN is no reason to choose a degree.
    known = np.nan_to_num(values, nan=-math.inf, neginf=-math.inf, posinf=math.inf)
    return [float(v) for v in known]


def _seed(experiment: Experiment, trials: Sequence[Trial]) -> int:
    """The same for the same task and the same next trial, whatever process decides."""
    following = max((t.trial_index for t in trials), default=-1) + 1
    return zlib.crc32(f"{experiment.namespace}/{experiment.name}/{following}".encode())


def _under_slo(
    candidate: Candidate, experiment: Experiment, failures: FailureEvidence | None
) -> Candidate:
    """The candidate with the probability that it keeps every service level: a failed run does not.

    What fails at every degree alike is no matter of the choice, and is left aside.
    """
    slo, prediction = experiment.strategy.slo, candidate.prediction
    if not slo:
        return candidate
    success = 1.0
    if failures is not None and candidate.success_probability is not None:
        success = float(candidate.success_probability / failures.probability.max())
    paid = experiment.paid_for(candidate.arm)
    kept = [success * prediction.probability_within(x.limit_s(paid)) for x in slo]
    return replace(
        candidate,
        slo_probability=min(kept),
        keeps_slo=all(p >= x.confidence for p, x in zip(kept, slo, strict=True)),
    )


def _within_rule(
    experiment: Experiment, context: Context, law: AmdahlLaw
) -> tuple[Sequence[Arm], str]:
    """The arms within the search rule, which is about what the law divides, and why no others."""
    strategy, arms = experiment.strategy, experiment.arms
    if strategy.search is SearchRule.ALL:
        return arms, ""
    gamma = context.gamma(experiment.model.base_input_size)
    bounds = strategy.search.bounds(law, experiment.objective, gamma, strategy.eta)
    reason = f"outside the search rule {strategy.search}, {bounds[0]:.3g} to {bounds[1]:.3g}"
    capacities = [experiment.capacity_of(arm) for arm in arms]
    within = set(strategy.search.degrees(bounds, capacities))
    return [arm for arm, c in zip(arms, capacities, strict=True) if c in within], reason


def _excluded(
    candidates: Sequence[Candidate], looked_at: Sequence[Arm], reason: str
) -> list[Candidate]:
    within = set(looked_at)
    return [c if c.arm in within else replace(c, excluded=reason) for c in candidates]


def _default_is_left_out(choice: Choice, experiment: Experiment) -> bool:
    """Whether runs at the default degree fail, so that nothing is to be guarded by it."""
    default = experiment.probe_arm
    failing = choice.failures is not None
    return failing and any(c.arm == default and c.excluded is not None for c in choice.candidates)


def _guarded(choice: Choice, experiment: Experiment, alternatives: Alternatives) -> Choice:
    """The choice among the default degree and those that are hardly worse."""
    free, candidates = choice.best, list(choice.candidates)
    default, guard = experiment.probe_arm, experiment.strategy.guard
    assert guard is not None
    probabilities = probability_not_worse(alternatives).tolist()
    found = dict(zip((c.arm for c in candidates), probabilities, strict=True))

    def held(c: Candidate) -> Candidate:
        if c.excluded is not None or c.arm == default or found[c.arm] >= guard:
            return c
        reason = (
            f"guard: not worse than {short_name(default)} with probability {found[c.arm]:.3f} only"
        )
        return replace(c, excluded=reason)

    candidates = [held(c) for c in candidates]
    looked_at = any(c.excluded is None for c in candidates)
    at_default = next(c for c in candidates if c.arm == default)
    best = _best(candidates) if looked_at else at_default
    kept = replace(choice, best=best, candidates=tuple(candidates))
    if best.arm == free.arm:
        return kept
    return replace(kept, held_back=free, guard_probability=found[free.arm])
