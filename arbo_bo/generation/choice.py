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
from arbo_bo.generation.surrogate import GPSurrogate
from arbo_bo.generation.threads import one_thread
from arbo_bo.generation.window import Surrogate
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
    """

    best: Candidate
    candidates: tuple[Candidate, ...]
    held_back: Candidate | None = None
    guard_probability: float = 1.0


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
    looked_at, reason = _within_rule(experiment, context, law)
    if isinstance(surrogate, OnlineSurrogate):
        degrees = experiment.search_space.degrees
        found = surrogate.candidates(degrees, experiment.objective, context)
        candidates = [replace(c, value=-c.log_score) for c in found]
        return _chosen(_excluded(candidates, looked_at, reason))
    assert isinstance(surrogate, GPSurrogate)
    pending = [t for t in trials if t.status is TrialStatus.RUNNING]
    seed = _seed(experiment, trials)
    alternatives = surrogate.alternatives(experiment, context, looked_at, pending, seed)
    with one_thread():
        predictions = surrogate.predictions(alternatives.degrees, experiment.search_space.degrees)
        values = _values(experiment, surrogate, alternatives)
        candidates = [
            _under_slo(Candidate(p, -cost, value=value), experiment)
            for p, cost, value in zip(
                predictions, alternatives.expected_cost.tolist(), values, strict=True
            )
        ]
        candidates = _excluded(candidates, looked_at, reason)
        choice = _chosen(candidates)
        if experiment.strategy.guard is None:
            return choice
        return _guarded(candidates, experiment, alternatives, choice.best)


def _chosen(candidates: Sequence[Candidate]) -> Choice:
    return Choice(_best(candidates), tuple(candidates))


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


def _under_slo(candidate: Candidate, experiment: Experiment) -> Candidate:
    """The candidate with the probability that it keeps every service level."""
    slo, prediction = experiment.strategy.slo, candidate.prediction
    if not slo:
        return candidate
    kept = [prediction.probability_within(x.limit_s(candidate.parallelism)) for x in slo]
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


def _guarded(
    candidates: list[Candidate],
    experiment: Experiment,
    alternatives: Alternatives,
    free: Candidate,
) -> Choice:
    """The choice among the default degree and those that are hardly worse."""
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
    if best.parallelism == free.parallelism:
        return Choice(best, tuple(candidates))
    return Choice(best, tuple(candidates), free, found[free.parallelism])
