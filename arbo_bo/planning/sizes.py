"""Input sizes that follow from the parents': output over input, learned from runs."""

from collections.abc import Mapping
from statistics import median

from arbo_bo.planning.histories import Histories
from arbo_bo.planning.workflow import Stage, Workflow


def input_sizes(
    workflow: Workflow, histories: Histories, given: Mapping[str, float]
) -> dict[str, float | None]:
    """The input size of every stage.

    In this order: what is given; the parents' input times the ratio of the stage's own input to
    theirs, learned from runs; what the task's runs usually had. None: unknown.

    Args:
        workflow: The stages.
        histories: Their tasks' runs.
        given: Sizes that are known for this run, by stage.
    """
    found: dict[str, float | None] = {}
    for stage in workflow.ordered():
        if stage.name in given:
            found[stage.name] = given[stage.name]
            continue
        parents = [workflow[p] for p in stage.after]
        scale = _scale(stage, parents, histories, found)
        usual = histories[stage.experiment].typical_size
        found[stage.name] = usual if scale is None else scale
    return found


def _scale(
    stage: Stage,
    parents: list[Stage],
    histories: Histories,
    found: Mapping[str, float | None],
) -> float | None:
    """What the parents pass on; None: it is not known of each."""
    sizes = [found[p.name] for p in parents]
    if not parents or any(s is None for s in sizes):
        return None
    return _by_runs(stage, parents, histories, sum(s for s in sizes if s))


def _by_runs(
    stage: Stage, parents: list[Stage], histories: Histories, total: float
) -> float | None:
    """The parents' input times the stage's own input over theirs, in the runs that had both."""
    ratios = []
    for key, trials in histories[stage.experiment].by_run.items():
        before = [histories[p.experiment].by_run.get(key, []) for p in parents]
        sizes = [t.input_size for ts in before for t in ts[:1]]
        own = trials[0].input_size
        if own is not None and len(sizes) == len(parents) and None not in sizes:
            ratios.append(own / sum(s for s in sizes if s is not None))
    return total * median(ratios) if ratios else None
