"""The choice among the allowed degrees: acquisition, service levels, search rule, guard."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from arbo_bo.experiment import (
    AmdahlLaw,
    Candidate,
    Context,
    Experiment,
    SearchRule,
    Trial,
    TrialStatus,
)
from arbo_bo.generation.online import OnlineSurrogate
from arbo_bo.generation.outcomes import FailureEvidence
from arbo_bo.generation.surrogate import GPSurrogate
from arbo_bo.generation.threads import one_thread
from arbo_bo.generation.window import Surrogate
from arbo_bo.numerics.choosers import CHOOSERS, Alternatives, probability_not_worse

EXPECTED_COST = "expected_cost"
LEAST_PROBABILITY = 1e-9
"""Of success, so that its logarithm is finite."""
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
        risky: What would have been chosen if it did not fail; None: the same.
    """

    best: Candidate
    candidates: tuple[Candidate, ...]
    held_back: Candidate | None = None
    guard_probability: float = 1.0
    failures: FailureEvidence | None = None
    risky: Candidate | None = None


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
        degrees = experiment.search_space.degrees
        found = surrogate.candidates(degrees, experiment.objective, context)
        candidates = _weighed([replace(c, value=-c.log_score) for c in found], failures)
        return _safe(_excluded(candidates, looked_at, reason), experiment, failures)
    assert isinstance(surrogate, GPSurrogate)
    pending = [t for t in trials if t.status is TrialStatus.RUNNING]
    seed = _seed(experiment, trials)
    log_success = None if failures is None else np.log(failures.relative)
    allowed = _allowed(looked_at, experiment, failures)
    alternatives = surrogate.alternatives(experiment, context, allowed, pending, seed, log_success)
    with one_thread():
        predictions = surrogate.predictions(alternatives.degrees, experiment.search_space.degrees)
        values = _values(experiment, surrogate, alternatives)
        candidates = [
            Candidate(p, -cost, value=value)
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
        choice = _safe(_excluded(candidates, looked_at, reason), experiment, failures)
        if experiment.strategy.guard is None or (failures is not None and failures.is_hopeless):
            return choice
        return _guarded(choice, experiment, alternatives)


def _with_time_limit(
    failures: FailureEvidence, experiment: Experiment, surrogate: GPSurrogate, context: Context
) -> FailureEvidence:
    """The evidence with the probability that a run stays within the limit that ended others."""
    limit = failures.time_limit_s
    if limit is None:
        return failures
    predictions = surrogate.predict(experiment.search_space.degrees, context)
    within = np.array([p.probability_within(limit) for p in predictions])
    return failures.with_time_limit(np.maximum(within, LEAST_PROBABILITY))


def _allowed(
    looked_at: Sequence[int], experiment: Experiment, failures: FailureEvidence | None
) -> Sequence[int]:
    """Those of the degrees that may be tried; all of them where none may."""
    if failures is None:
        return looked_at
    may_run = dict(zip(experiment.search_space.degrees, failures.may_run(), strict=True))
    return [s for s in looked_at if may_run[s]] or looked_at


def _weighed(candidates: Sequence[Candidate], failures: FailureEvidence | None) -> list[Candidate]:
    """Candidates with the repeats of failed runs in their score and value."""
    if failures is None:
        return list(candidates)
    told = zip(candidates, failures.relative.tolist(), failures.probability.tolist(), strict=True)
    return [
        replace(
            c,
            log_score=c.log_score - math.log(r),
            value=(c.value or 0.0) + math.log(r),
            success_probability=p,
        )
        for c, r, p in told
    ]


def _safe(
    candidates: list[Candidate], experiment: Experiment, failures: FailureEvidence | None
) -> Choice:
    """The choice among the degrees that may be tried; the default one where all are failing."""
    if failures is None:
        return Choice(_best(candidates), tuple(candidates))
    default = experiment.probe_parallelism
    if failures.is_hopeless:
        best = next(c for c in candidates if c.parallelism == default)
        return Choice(best, tuple(candidates), failures=failures)
    looked_at = [c.parallelism for c in candidates if c.excluded is None]
    allowed = set(_allowed(looked_at, experiment, failures))
    found = [
        c
        if c.excluded is not None or c.parallelism in allowed
        else replace(c, excluded=f"likely to fail: {failures.why(c.parallelism)}")
        for c in candidates
    ]
    best = _best(found)
    # By the score that it would have if it did not fail.
    if_it_ran = {c.parallelism: c.log_score for c in candidates if c.excluded is None}
    for c in candidates:
        if c.parallelism in if_it_ran and c.success_probability is not None:
            if_it_ran[c.parallelism] += math.log(
                max(c.success_probability / failures.probability.max(), LEAST_PROBABILITY)
            )
    rival = min(if_it_ran, key=lambda s: (if_it_ran[s], s))
    risky = next(c for c in found if c.parallelism == rival)
    return Choice(
        best, tuple(found), failures=failures, risky=risky if risky.excluded is not None else None
    )


def _best(candidates: Sequence[Candidate]) -> Candidate:
    """The highest value of those that are looked at; of equals the smallest degree."""
    return max(
        (c for c in candidates if c.excluded is None),
        key=lambda c: (c.value, -c.parallelism),
    )


def _values(
    experiment: Experiment, surrogate: GPSurrogate, alternatives: Alternatives
) -> list[float]:
    """The acquisition function's value of each degree, more being better."""
    strategy, chooser = experiment.strategy, experiment.strategy.chooser
    if chooser == KNOWLEDGE_GRADIENT and not surrogate.identifies_law:
        # The other degrees have left the window: the law that it keeps is to be used, not doubted.
        chooser = DEADLINE if strategy.slo else EXPECTED_COST
    if chooser in CHOOSERS:
        values = CHOOSERS[chooser](alternatives)
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
    kept = [success * prediction.probability_within(x.limit_s(candidate.parallelism)) for x in slo]
    return replace(
        candidate,
        slo_probability=min(kept),
        keeps_slo=all(p >= x.confidence for p, x in zip(kept, slo, strict=True)),
    )


def _within_rule(
    experiment: Experiment, context: Context, law: AmdahlLaw
) -> tuple[Sequence[int], str]:
    """The degrees within the search rule, and why the others are not."""
    strategy, degrees = experiment.strategy, experiment.search_space.degrees
    if strategy.search is SearchRule.ALL:
        return degrees, ""
    gamma = context.gamma(experiment.model.base_input_size)
    bounds = strategy.search.bounds(law, experiment.objective, gamma, strategy.eta)
    reason = f"outside the search rule {strategy.search}, {bounds[0]:.3g} to {bounds[1]:.3g}"
    return strategy.search.degrees(bounds, degrees), reason


def _excluded(
    candidates: Sequence[Candidate], looked_at: Sequence[int], reason: str
) -> list[Candidate]:
    within = set(looked_at)
    return [c if c.parallelism in within else replace(c, excluded=reason) for c in candidates]


def _guarded(choice: Choice, experiment: Experiment, alternatives: Alternatives) -> Choice:
    """The choice among the default degree and those that are hardly worse."""
    free, candidates = choice.best, list(choice.candidates)
    default, guard = experiment.probe_parallelism, experiment.strategy.guard
    assert guard is not None
    probabilities = probability_not_worse(alternatives).tolist()
    found = dict(zip((c.parallelism for c in candidates), probabilities, strict=True))

    def held(c: Candidate) -> Candidate:
        if c.excluded is not None or c.parallelism == default or found[c.parallelism] >= guard:
            return c
        reason = f"guard: not worse than {default} with probability {found[c.parallelism]:.3f} only"
        return replace(c, excluded=reason)

    candidates = [held(c) for c in candidates]
    looked_at = any(c.excluded is None for c in candidates)
    at_default = next(c for c in candidates if c.parallelism == default)
    best = _best(candidates) if looked_at else at_default
    kept = replace(choice, best=best, candidates=tuple(candidates))
    if best.parallelism == free.parallelism:
        return kept
    return replace(kept, held_back=free, guard_probability=found[free.parallelism])
