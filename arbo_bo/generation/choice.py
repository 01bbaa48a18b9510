"""The choice among the allowed degrees: acquisition, service levels, search rule, guard."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from arbo_bo.errors import ShapeError
from arbo_bo.experiment import (
    AmdahlLaw,
    Candidate,
    Context,
    Experiment,
    SearchRule,
    Trial,
    TrialStatus,
)
from arbo_bo.generation.surrogate import EXPECTED_COST, GPSurrogate, Surrogate, one_thread

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
    degrees = experiment.search_space.degrees
    candidates = surrogate.candidates(degrees, experiment.objective, context)
    candidates = _within_rule(candidates, experiment, context, law)
    if isinstance(surrogate, GPSurrogate):
        values = _values(experiment, surrogate, trials, context, candidates)
    else:
        values = [-c.log_score for c in candidates]
    candidates = [
        _under_slo(replace(c, value=value), experiment)
        for c, value in zip(candidates, values, strict=True)
    ]
    free = _best(candidates)
    if experiment.strategy.guard is None or not isinstance(surrogate, GPSurrogate):
        return Choice(free, tuple(candidates))
    return _guarded(candidates, experiment, surrogate, context, free)


def _best(candidates: Sequence[Candidate]) -> Candidate:
    """The highest value of those that are looked at; of equals the smallest degree."""
    return max(
        (c for c in candidates if c.excluded is None),
        key=lambda c: (c.value, -c.parallelism),
    )


def _values(
    experiment: Experiment,
    surrogate: GPSurrogate,
    trials: Sequence[Trial],
    context: Context,
    candidates: Sequence[Candidate],
) -> list[float]:
    """The acquisition function's value of each degree, more being better."""
    strategy, chooser = experiment.strategy, experiment.strategy.chooser
    if chooser == KNOWLEDGE_GRADIENT and not surrogate.identifies_law:
        # The other degrees have left the window: the law that it keeps is to be used, not doubted.
        chooser = DEADLINE if strategy.slo else EXPECTED_COST
    if chooser == EXPECTED_COST and not strategy.slo:
        return [-c.log_score for c in candidates]
    import torch

    from arbo_bo.acquisition import AcquisitionInputs, evaluate_degrees, make_acquisition
    from arbo_bo.acquisition.registry import named_failure
    from arbo_bo.acquisition.search import degree_inputs

    degrees, window = [c.parallelism for c in candidates], surrogate.window
    looked_at = [c.parallelism for c in candidates if c.excluded is None]
    pending = [
        (float(t.parallelism), *window.at(t.context))
        for t in trials
        if t.status is TrialStatus.RUNNING
    ]
    inputs = AcquisitionInputs(
        model=surrogate.model,
        choices=degree_inputs(looked_at, *window.at(context)),
        objective=experiment.objective,
        slo=strategy.slo,
        X_pending=torch.tensor(pending, dtype=torch.float64) if pending else None,
        seed=_seed(experiment, trials),
    )
    with one_thread(), named_failure(chooser):
        acquisition = make_acquisition(chooser, inputs)
        values = evaluate_degrees(acquisition, degrees, *window.at(context))
        if values.shape != (len(degrees),):
            raise ShapeError(
                f"the values of {len(degrees)} degrees need shape ({len(degrees)},), got "
                f"{tuple(values.shape)}; an acquisition function maps b x 1 x d to b"
            )
    # Another package's NaN is no reason to choose a degree.
    return values.nan_to_num(nan=-math.inf, neginf=-math.inf, posinf=math.inf).tolist()


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
    candidates: list[Candidate], experiment: Experiment, context: Context, law: AmdahlLaw
) -> list[Candidate]:
    """The candidates, those outside the search rule excluded."""
    strategy = experiment.strategy
    if strategy.search is SearchRule.ALL:
        return candidates
    gamma = context.gamma(experiment.model.base_input_size)
    bounds = strategy.search.bounds(law, experiment.objective, gamma, strategy.eta)
    within = strategy.search.degrees(bounds, experiment.search_space.degrees)
    reason = f"outside the search rule {strategy.search}, {bounds[0]:.3g} to {bounds[1]:.3g}"
    return [c if c.parallelism in within else replace(c, excluded=reason) for c in candidates]


def _guarded(
    candidates: list[Candidate],
    experiment: Experiment,
    surrogate: GPSurrogate,
    context: Context,
    free: Candidate,
) -> Choice:
    """The choice among the default degree and those that are hardly worse."""
    from arbo_bo.acquisition.search import probability_not_worse

    default, guard = experiment.probe_parallelism, experiment.strategy.guard
    assert guard is not None
    with one_thread():
        probabilities = probability_not_worse(
            surrogate.model,
            [c.parallelism for c in candidates],
            default,
            *surrogate.window.at(context),
            objective=experiment.objective,
            residual=surrogate.model.residual,
        )
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
