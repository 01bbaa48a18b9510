"""The first runs of a task, before two degrees say what its law is."""

from collections.abc import Sequence

from arbo_bo.experiment import Arm, Context, Experiment, Phase, Trial, TrialStatus
from arbo_bo.generation.outcomes import FailureEvidence


def opening_move(
    experiment: Experiment, trials: Sequence[Trial], context: Context
) -> tuple[Arm, Phase] | None:
    """The arm of an opening run, or None once the law can be learned.

    The baseline is the smallest allowed degree, the probe the default one; where the baseline is
    switched off, or the two are the same, a second probe takes another degree. A degree counts as
    tried while it runs, so that a request beside it gets another, and whoever asks while all of
    them run gets the default; a degree that has failed makes way for one that is likely to succeed;
    an abandoned or excluded run is repeated. Under a pin, a dry run or a guard nobody asked for
    other degrees: the opening is one run at the fixed or the default one. Where a sibling's law
    stands in, it is one run at the degree that is best by it. With worker types the baseline is on
    the first one, and the probe on the one with the most memory beside it.

    Args:
        experiment: Configuration and what was learned.
        trials: The task's history, abandoned trials left out or in.
        context: Input size and cluster load of the next run.
    """
    completed = {t.arm for t in trials if t.trains}
    only = _only_move(experiment)
    if only is not None:
        if completed:
            return None
        failures = FailureEvidence.of(experiment, trials, context)
        if failures is None or experiment.fixed_arm is not None:
            return only
        tried = {only[0], *(t.arm for t in failures.trials)}
        return _least_likely_to_fail(experiment, failures, tried), Phase.PROBE
    if len(completed) >= 2:
        return None
    return _next_move(experiment, trials, completed, context)


def _only_move(experiment: Experiment) -> tuple[Arm, Phase] | None:
    """The opening where it is one run; None where two degrees are to be seen."""
    fixed = experiment.fixed_arm
    if fixed is not None:
        return fixed, Phase.FIXED
    if experiment.strategy.guard is not None:
        return experiment.probe_arm, Phase.PROBE
    if experiment.model.hyperparameters:
        return best_by_law(experiment), Phase.PROBE
    return None


def _next_move(
    experiment: Experiment, trials: Sequence[Trial], completed: set[Arm], context: Context
) -> tuple[Arm, Phase] | None:
    tried = {
        t.arm
        for t in trials
        if (t.status is not TrialStatus.ABANDONED or t.is_lapsed) and t.exclusion_reason is None
    }
    arms, probe = experiment.arms, experiment.probe_arm
    if experiment.baseline and arms[0] not in tried:
        return arms[0], Phase.BASELINE
    if completed and len(tried & set(arms)) >= 2:
        return None
    openings = [s for s in _openings(experiment) if s not in tried]
    failures = FailureEvidence.of(experiment, trials, context)
    if failures is not None and not completed:
        return _least_likely_to_fail(experiment, failures, tried), Phase.PROBE
    if openings:
        return openings[0], Phase.PROBE
    return None if completed else (probe, Phase.PROBE)


def _openings(experiment: Experiment) -> list[Arm]:
    """The arms that opening runs take, besides the baseline: the default, and one other.

    Whoever asks while these run gets the default degree.
    """
    arms, probe = experiment.arms, experiment.probe_arm
    if experiment.baseline and len(experiment.worker_types) > 1:
        return [_other_type(experiment)]
    if experiment.baseline and arms[0] != probe:
        return [probe]
    wide, narrow = (experiment.nearest_arm(f * probe.parallelism) for f in (2, 0.5))
    others = [wide, narrow, *arms]
    refused = arms[0] if not experiment.baseline else None
    second = [s for s in others if s not in (probe, refused)]
    return [probe, *second[:1]]


def _other_type(experiment: Experiment) -> Arm:
    """The arm nearest to the default degree on the type of the most memory, beside the first one.

    What a job keeps in memory may make it several times faster, at once, where all of it fits: two
    runs of little memory would not show that.
    """
    _, *others = experiment.worker_types
    name = max(others, key=lambda other: experiment.worker_types[other].memory_gb)
    own = [arm for arm in experiment.arms if arm.worker_type == name]
    return min(own, key=lambda arm: abs(arm.parallelism - experiment.default_parallelism))


def _least_likely_to_fail(
    experiment: Experiment, failures: FailureEvidence, tried: set[Arm]
) -> Arm:
    """The first opening degree that is likely to succeed, else the likeliest of all to.

    A baseline that was refused stays refused. The default stands where everything fails, and where
    what is likeliest has been tried, too: no run has succeeded yet, so no degree is known to.
    """
    arms, probe = experiment.arms, experiment.probe_arm
    chance = dict(zip(arms, failures.probability.tolist(), strict=True))
    if failures.falls_back_to(probe):
        return probe
    enough = failures.prior.hopeless * max(chance.values())
    narrow, wide = (experiment.nearest_arm(f * probe.parallelism) for f in (0.5, 2))
    for arm in (probe, narrow, wide):
        refused = arm == arms[0] and not experiment.baseline
        if arm not in tried and not refused and chance[arm] >= enough:
            return arm
    wanted = [arm for arm in arms if experiment.baseline or arm != arms[0]]
    likeliest = max(
        wanted or [probe], key=lambda arm: (chance[arm], -abs(arm.parallelism - probe.parallelism))
    )
    return probe if likeliest in tried else likeliest


def best_by_law(experiment: Experiment) -> Arm:
    """The allowed arm of the lowest score by the stored law alone, at the base input size."""
    law, objective = experiment.model.law, experiment.cost_objective
    if law is None:
        return experiment.probe_arm

    def log_score(arm: Arm) -> float:
        time_s = law.runtime_s(experiment.capacity_of(arm))
        return objective.log_score(time_s, experiment.paid_for(arm))

    return min(experiment.arms, key=lambda arm: (log_score(arm), arm.parallelism))
