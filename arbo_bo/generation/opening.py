"""The first runs of a task, before two degrees say what its law is."""

from collections.abc import Sequence

from arbo_bo.experiment import Experiment, Phase, Trial, TrialStatus


def opening_move(experiment: Experiment, trials: Sequence[Trial]) -> tuple[int, Phase] | None:
    """The degree of an opening run, or None once the law can be learned.

    The baseline is the smallest allowed degree, the probe the default one; where the baseline is
    switched off, or the two are the same, a second probe takes another degree. A degree counts as
    tried while it runs, so that a request beside it gets another, and after it has failed, so that
    a task that cannot run serially is not made to every day; an abandoned or excluded run is
    repeated.

    Args:
        experiment: Configuration and what was learned.
        trials: The task's history, abandoned trials left out or in.
    """
    completed = {t.parallelism for t in trials if t.trains}
    if experiment.model.hyperparameters or len(completed) >= 2:
        return None
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
