"""Writes how a stage ended, exactly once."""

from typing import TYPE_CHECKING

from arbo_bo._format import count
from arbo_bo.errors import TrialClosedError, TrialNotFoundError
from arbo_bo.integrations.airflow.evidence import Verdict

if TYPE_CHECKING:
    from arbo_bo.experiment import Trial
    from arbo_bo.service.optimizer import ArboOptimizer


def record(arbo: "ArboOptimizer", experiment: str, trial: int | str, verdict: Verdict) -> str:
    """Closes the trial, and returns what was done as one sentence.

    A trial is closed by one conditional update, so a second attempt changes nothing: neither after
    a crash between the write and the task's end, nor when the stage was cleared and ran again.

    Raises:
        StoreError: The store failed; the trial is as it was.
    """
    try:
        closed = _close(arbo, experiment, trial, verdict)
    except TrialClosedError as err:
        return f"nothing to do, {err}"
    except TrialNotFoundError as err:
        return f"nothing to do, the trial was removed: {err}"
    if verdict.status != "completed":
        return f"{closed} {verdict.status}: {verdict.reason}"
    text = f"{closed} completed: {verdict.execution_time_s:.3g} s"
    text += f" ({verdict.time_measure})"
    if verdict.queued_time_s is not None:
        text += f", started {verdict.queued_time_s:.3g} s after the decision"
    if verdict.exclusion_reason is not None:
        text += f"; it does not train, {verdict.exclusion_reason}"
    elif verdict.parallelism is not None:
        text += f"; it trains {count(verdict.parallelism)}, as many as ran side by side: "
        text += "give the stage max_parallelism where a pool or the executor is the limit"
    return text


def _close(arbo: "ArboOptimizer", experiment: str, trial: int | str, verdict: Verdict) -> "Trial":
    if verdict.status == "failed":
        return arbo.mark_trial_failed(
            experiment,
            trial,
            reason=verdict.reason,
            timed_out_after_s=verdict.timed_out_after_s,
        )
    if verdict.status == "abandoned":
        return arbo.mark_trial_abandoned(experiment, trial, reason=verdict.reason)
    assert verdict.execution_time_s is not None
    return arbo.complete_trial(
        experiment,
        trial,
        execution_time_s=verdict.execution_time_s,
        time_measure=verdict.time_measure,
        queued_time_s=verdict.queued_time_s,
        exclusion_reason=verdict.exclusion_reason,
        parallelism=verdict.parallelism,
    )
