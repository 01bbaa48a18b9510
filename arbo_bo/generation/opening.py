"""The first runs of a task, before two degrees say what its law is."""

from collections.abc import Sequence

from arbo_bo.experiment import Experiment, Phase, Trial, TrialStatus


def opening_move(experiment: Experiment, trials: Sequence[Trial]) -> tuple[int, Phase] | None:
    """The degree of an opening run, or None once the law can be learned.

    The baseline is the smallest allowed degree, the probe the default one; where the baseline is
    switched off, or the two are the same, a second probe takes another degree. A degree counts as
    tried while it runs, so that a request beside it gets another, and after it has failed, so that
    a task that cannot run serially is not made to every day; an abandoned or excluded run is
    repeated. Under a pin, a dry run or a guard nobody asked for other degrees: the opening is one
    run at the fixed or the default one. Where a sibling's law stands in, it is one run at the
    degree that is best by it.

    Args:
        experiment: Configuration and what was learned.
        trials: The task's history, abandoned trials left out or in.
    """
    completed = {t.parallelism for t in trials if t.trains}
    only = _only_move(experiment)
    if only is not None:
        return None if completed else only
    if len(completed) >= 2:
        return None
    return _next_move(experiment, trials, completed)


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
    experiment: Experiment, trials: Sequence[Trial], completed: set[int]
) -> tuple[int, Phase] | None:
    tried = {
        t.parallelism
        for t in trials
        if t.status is not TrialStatus.ABANDONED and t.exclusion_reason is None
    }
    space, probe = experiment.search_space, experiment.probe_parallelism
    if experiment.baseline and space.smallest not in tried:
        return space.smallest, Phase.BASELINE
    if completed and len(tried & set(space.degrees)) >= 2:
        return None
    candidates = (probe, space.nearest(2 * probe), space.nearest(probe / 2), *space.degrees)
    untried = [degree for degree in candidates if degree not in tried]
    if untried:
        return untried[0], Phase.PROBE
    return None if completed else (probe, Phase.PROBE)


def best_by_law(experiment: Experiment) -> int:
    """The allowed degree of the lowest score by the stored law alone, at the base input size."""
    law, objective = experiment.model.law, experiment.objective
    if law is None:
        return experiment.probe_parallelism
    return min(
        experiment.search_space.degrees,
        key=lambda s: (objective.log_score(law.runtime_s(s), s), s),
    )
