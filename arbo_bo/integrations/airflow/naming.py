"""Which experiment a stage's runs belong to, and what becomes of one with an older name.

Experiments were named by the stage alone, so that two DAGs with a stage "transform" shared one.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from arbo_bo.errors import ExperimentNotFoundError, InvalidValueError
from arbo_bo.experiment import Trial, TrialStatus
from arbo_bo.experiment.experiment import MAX_WINDOW
from arbo_bo.integrations.airflow.spec import StageSpec, experiment_name

if TYPE_CHECKING:
    from arbo_bo.service.optimizer import ArboOptimizer

logger = logging.getLogger(__name__)

RUN_KEY_SEPARATOR = "/"
"""Neither a DAG's id nor a run's may hold it."""


def parts_of(run_key: str | None) -> tuple[str, str, str] | None:
    """Returns the DAG's id, the run's and the stage's name; None where the key is no such one."""
    parts = (run_key or "").split(RUN_KEY_SEPARATOR)
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def experiment_of(arbo: "ArboOptimizer", spec: StageSpec, dag_id: str, run_key: str) -> str:
    """Returns the name of the stage's experiment: the given one, or ``dag_id.stage``.

    Where there is none of that name yet, one that is named by the stage alone and holds runs of
    this stage and no other is renamed, once none of its runs is under way.

    Raises:
        StoreError: The store failed.
    """
    name = spec.experiment_in(dag_id)
    if spec.experiment is not None or _exists(arbo, name):
        return name
    try:
        trials = arbo.store.history(spec.name, MAX_WINDOW)
    except ExperimentNotFoundError:
        return name
    return _taken_over(arbo, spec.name, name, dag_id, run_key, trials)


def sibling_of(arbo: "ArboOptimizer", like: str, dag_id: str) -> str:
    """Returns the experiment that a stage is like: the one of that name, or this DAG's stage."""
    stage = experiment_name(dag_id, like)
    return stage if not _exists(arbo, like) and _exists(arbo, stage) else like


def _taken_over(
    arbo: "ArboOptimizer",
    old: str,
    name: str,
    dag_id: str,
    run_key: str,
    trials: Sequence[Trial],
) -> str:
    """Renames the old experiment if it is this stage's alone; returns the name to use now."""
    keys = [parts for trial in trials if (parts := parts_of(trial.run_key)) is not None]
    owners = {(dag, stage) for dag, _, stage in keys}
    if owners != {(dag_id, old)}:
        stages = ", ".join(f"{stage} of DAG {dag}" for dag, stage in sorted(owners))
        whose = f"of stage {stages}" if owners else "of no DAG"
        logger.warning(
            "experiment %r begins without history; there is one %r, with runs %s: to go on with "
            "it, give experiment=%r, or run: arbo delete %s; arbo rename %s %s",
            name, old, whose, old, name, old, name,
        )  # fmt: skip
        return name
    under_way = [t for t in trials if t.status is TrialStatus.RUNNING and t.run_key != run_key]
    if under_way:
        logger.warning(
            "experiment %r becomes %r once none of its runs is under way; now: %s",
            old, name, ", ".join(map(str, under_way[:3])),
        )  # fmt: skip
        return old
    try:
        arbo.rename_experiment(old, name)
    except (ExperimentNotFoundError, InvalidValueError):  # another plan was faster
        return name
    logger.warning("experiment %r is called %r from now on, with all its runs", old, name)
    return name


def _exists(arbo: "ArboOptimizer", name: str) -> bool:
    try:
        arbo.experiment(name)
    except ExperimentNotFoundError:
        return False
    return True
