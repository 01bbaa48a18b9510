"""Trials that the store has yet to number: a decision about to run, and runs from elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment.arm import Context
from arbo_bo.experiment.decision import Decision
from arbo_bo.experiment.decision_record import to_record
from arbo_bo.experiment.experiment import Experiment
from arbo_bo.experiment.outcome import Outcome
from arbo_bo.experiment.trial import Phase, Trial, TrialStatus

UNNUMBERED = 0
REQUIRED = ("parallelism", "execution_time_s")
OPTIONAL = ("input_size", "cluster_load", "startup_time_s", "worker_type")
KEY, RUN_KEY = "idempotency_key", "run_key"


def running_trial(
    decision: Decision,
    context: Context,
    lease: timedelta,
    given_load: float | None = None,
    idempotency_key: str | None = None,
    run_key: str | None = None,
) -> Trial:
    """The RUNNING trial of a decision; its index is the store's to give.

    Args:
        decision: What runs.
        context: What it was decided in.
        lease: After this the run counts as lost.
        given_load: The cluster load, where the caller knew it: it is what trains then.
        idempotency_key: See `Trial`.
        run_key: See `Trial`.
    """
    now = datetime.now(UTC)
    return Trial(
        task=decision.task,
        trial_index=UNNUMBERED,
        status=TrialStatus.RUNNING,
        arm=decision.arm,
        context=context,
        phase=decision.phase,
        acquisition=decision.acquisition,
        input_scale_factor=decision.input_scale_factor,
        predicted_time_s=decision.predicted_time_s,
        predicted_time_std_s=decision.predicted_time_std_s,
        created_at=now,
        started_at=now,
        idempotency_key=idempotency_key,
        run_key=run_key,
        recommended_parallelism=decision.recommended_parallelism,
        strategy=decision.strategy.to_json(),
        reason=decision.reason,
        decision=to_record(decision),
        lease_expires_at=now + lease,
        mean_cluster_load=given_load,
    )


def attached_trial(experiment: Experiment, row: Mapping[str, Any]) -> Trial:
    """A completed trial from one row of history; its index is the store's to give.

    Args:
        experiment: Whose run it was.
        row: parallelism and execution_time_s, and perhaps input_size, cluster_load (None: unknown),
            startup_time_s, worker_type, idempotency_key and run_key.

    Raises:
        InvalidValueError: A column is missing or unknown, or a value is outside its domain.
        DegreeNotAllowedError: The degree is outside the search space.
        UnknownWorkerTypeError: The task has no such worker type.
    """
    missing = [name for name in REQUIRED if row.get(name) is None]
    unknown = sorted(set(row) - {*REQUIRED, *OPTIONAL, KEY, RUN_KEY})
    if missing or unknown:
        problem = f"lacks {', '.join(missing)}" if missing else f"has unknown {', '.join(unknown)}"
        raise InvalidValueError(
            f"a run of history {problem}; it needs {', '.join(REQUIRED)}, "
            f"and may have {', '.join(OPTIONAL)}"
        )
    outcome = Outcome(row["execution_time_s"], row.get("startup_time_s"))
    now = datetime.now(UTC)
    return Trial(
        task=experiment.name,
        trial_index=UNNUMBERED,
        status=TrialStatus.COMPLETED,
        arm=experiment.require_arm(row["parallelism"], row.get("worker_type")),
        context=Context(row.get("input_size"), row.get("cluster_load")),
        phase=Phase.ATTACHED,
        execution_time_s=outcome.execution_time_s,
        startup_time_s=outcome.startup_time_s,
        created_at=now,
        finished_at=now,
        idempotency_key=row.get(KEY),
        run_key=row.get(RUN_KEY),
    )


def attached_trials(experiment: Experiment, rows: Sequence[Mapping[str, Any]]) -> list[Trial]:
    """Completed trials from many rows of history.

    Raises:
        InvalidValueError: A row is wrong; of several, the message says which.
    """
    trials = []
    for number, row in enumerate(rows, start=1):
        try:
            trials.append(attached_trial(experiment, row))
        except InvalidValueError as err:
            if len(rows) == 1:
                raise
            raise type(err)(f"row {number} of {len(rows)}: {err}") from err
    return trials
