"""The first runs of a task, before two degrees say what its law is."""

from collections.abc import Sequence

from arbo_bo.experiment import Context, Experiment, Phase, Trial, TrialStatus
from arbo_bo.generation.outcomes import FailureEvidence


def opening_move(
    experiment: Experiment, trials: Sequence[Trial], context: Context
) -> tuple[int, Phase] | None:
    """The degree of an opening run, or None once the law can be learned.

    The baseline is the smallest allowed degree, the probe the default one; where the baseline is
    switched off, or the two are the same, a second probe takes another degree. A degree counts as
    tried while it runs, so that a request beside it gets another, and whoever asks while all of
    them run gets the default; a degree that has failed makes way for one that is likely to succeed;
    an abandoned or excluded run is repeated. Under a pin, a dry run or a guard nobody asked for
    other degrees: the opening is one run at the fixed or the default one. Where a sibling's law
    stands in, it is one run at the degree that is best by it.

    Args:
        experiment: Configuration and what was learned.
        trials: The task's history, abandoned trials left out or in.
        context: Input size and cluster load of the next run.
    """
    completed = {t.parallelism for t in trials if t.trains}
    only = _only_move(experiment)
    if only is not None:
        if completed:
            return None
        failures = FailureEvidence.of(experiment, trials, context)
        if failures is None or experiment.fixed_parallelism is not None:
            return only
        tried = {only[0], *(t.parallelism for t in failures.trials)}
        return _least_likely_to_fail(experiment, failures, tried), Phase.PROBE
    if len(completed) >= 2:
        return None
    return _next_move(experiment, trials, completed, context)


def _only_move(experiment: Experiment) -> tuple[int, Phase] | None:
    """The opening where it is one run; None where two degrees are to be seen."""
    fixed = experiment.fixed_parallelism
    if fixed is not None:
        return fixed, Phase.FIXED
    if experiment.strategy.guard is not None:
        return experiment.probe_parallelism, Phase.PROBE
    if experiment.model.hyperparameters:
        return best_by_law(experiment), Phase.PROBE
    return None


def _next_move(
    experiment: Experiment, trials: Sequence[Trial], completed: set[int], context: Context
) -> tuple[int, Phase] | None:
    tried = {
        t.parallelism
        for t in trials
        if (t.status is not TrialStatus.ABANDONED or t.is_lapsed) and t.exclusion_reason is None
    }
    space, probe = experiment.search_space, experiment.probe_parallelism
    if experiment.baseline and space.smallest not in tried:
        return space.smallest, Phase.BASELINE
    if completed and len(tried & set(space.degrees)) >= 2:
        return None
    openings = [s for s in _openings(experiment) if s not in tried]
    failures = FailureEvidence.of(experiment, trials, context)
    if failures is not None and not completed:
        return _least_likely_to_fail(experiment, failures, tried), Phase.PROBE
    if openings:
        return openings[0], Phase.PROBE
    return None if completed else (probe, Phase.PROBE)


def _openings(experiment: Experiment) -> list[int]:
    """The degrees that opening runs take, besides the baseline: the default, and one other.

    Whoever asks while these run gets the default degree.
    """
    space, probe = experiment.search_space, experiment.probe_parallelism
    if experiment.baseline and space.smallest != probe:
        return [probe]
    others = [space.nearest(2 * probe), space.nearest(probe / 2), *space.degrees]
    refused = space.smallest if not experiment.baseline else None
    second = [s for s in others if s not in (probe, refused)]
    return [probe, *second[:1]]


def _least_likely_to_fail(
    experiment: Experiment, failures: FailureEvidence, tried: set[int]
) -> int:
    """The first opening degree that is likely to succeed, else the likeliest of all to.

    A baseline that was refused stays refused. The default stands where everything fails, and where
    what is likeliest has been tried, too: no run has succeeded yet, so no degree is known to.
    """
    space, probe = experiment.search_space, experiment.probe_parallelism
    chance = dict(zip(space.degrees, failures.probability.tolist(), strict=True))
    if failures.falls_back_to(probe):
        return probe
    enough = failures.prior.hopeless * max(chance.values())
    for degree in (probe, space.nearest(probe / 2), space.nearest(2 * probe)):
        refused = degree == space.smallest and not experiment.baseline
        if degree not in tried and not refused and chance[degree] >= enough:
            return degree
    wanted = [s for s in space.degrees if experiment.baseline or s != space.smallest]
    likeliest = max(wanted or [probe], key=lambda s: (chance[s], -abs(s - probe)))
    return probe if likeliest in tried else likeliest


def best_by_law(experiment: Experiment) -> int:
    """The allowed degree of the lowest score by the stored law alone, at the base input size."""
    law, objective = experiment.model.law, experiment.objective
    if law is None:
        return experiment.probe_parallelism
    return min(
        experiment.search_space.degrees,
        key=lambda s: (objective.log_score(law.runtime_s(s), s), s),
    )
