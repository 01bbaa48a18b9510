"""Closes trials whose DAG run is over and which nobody recorded: they are no load any more."""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from arbo_bo.errors import TrialClosedError, TrialNotFoundError
from arbo_bo.experiment import Trial
from arbo_bo.integrations.airflow.naming import parts_of

if TYPE_CHECKING:
    from arbo_bo.service.optimizer import ArboOptimizer

logger = logging.getLogger(__name__)

RunHasEnded = Callable[[str, str], bool]
"""Whether a DAG run, by its DAG's id and its own, is over and will record nothing more."""
RanFor = Callable[[Trial], float | None]
"""How long a stage ran at least that ended with its DAG run [s]; None: not known."""
RUNS_AT_MOST = 50
"""Each DAG run costs a request to Airflow's API server, tens of milliseconds."""


def unknown(trial: Trial) -> float | None:
    """Nothing is known of how long a trial ran."""
    return None


def reap(
    arbo: "ArboOptimizer",
    experiments: Sequence[str],
    own_runs: Sequence[str],
    run_has_ended: RunHasEnded,
    ran_for: RanFor = unknown,
) -> None:
    """Closes every such trial in the namespace.

    One that was ended with its DAG run is FAILED, with the time that it ran at least; any other is
    ABANDONED. A run of which nothing can be learned keeps its trial, which its lease ends.

    Args:
        arbo: Where the trials are.
        experiments: Those that are looked at first.
        own_runs: Run keys that are about to begin.
        run_has_ended: Asks Airflow.
        ran_for: Asks Airflow.
    """
    known: dict[tuple[str, str], bool] = {}
    running = arbo.store.under_way()
    running.sort(key=lambda trial: trial.task not in experiments)  # the others as long as before
    for trial in running:
        parts = parts_of(trial.run_key)
        if parts is None or trial.run_key in own_runs:
            continue
        run = parts[:2]
        if run not in known and len(known) < RUNS_AT_MOST:
            known[run] = _has_ended(trial, run, run_has_ended, trial.task in experiments)
        if known.get(run):
            _close(arbo, trial, ran_for)


def _has_ended(
    trial: Trial, run: tuple[str, str], run_has_ended: RunHasEnded, is_own: bool
) -> bool:
    try:
        return run_has_ended(*run)
    except Exception as err:  # tidying up must not cost this run its advice
        level = logging.WARNING if is_own else logging.INFO  # may be another Airflow's
        logger.log(level, "the state of DAG run %s cannot be had: %s", trial.run_key, err)
        return False


def _close(arbo: "ArboOptimizer", trial: Trial, ran_for: RanFor) -> None:
    cut_off_s = None
    try:
        cut_off_s = ran_for(trial)
    except Exception as err:
        logger.info("how long %s ran cannot be had: %s", trial, err)
    try:
        if cut_off_s is None:
            reason = "its DAG run ended, and its outcome was never recorded"
            arbo.mark_trial_abandoned(trial.task, trial.trial_index, reason=reason)
        else:
            reason = f"its DAG run was ended when the stage had run for {cut_off_s:.6g} s"
            arbo.mark_trial_failed(
                trial.task, trial.trial_index, reason=reason, timed_out_after_s=cut_off_s
            )
    except (TrialClosedError, TrialNotFoundError):  # another plan was faster
        return
    logger.warning("%s is closed: %s", trial, reason)
