"""An `ax.core.Experiment` as arbo trials."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ax import core
from ax.core.base_trial import BaseTrial

from arbo_bo.errors import ExperimentNotFoundError, InvalidValueError
from arbo_bo.experiment import (
    Arm,
    Context,
    Experiment,
    Phase,
    SearchSpace,
    Trial,
    TrialStatus,
    validation,
)
from arbo_bo.integrations.ax.names import DEFAULT_NAMES, RECORD, AxNames
from arbo_bo.service.optimizer import ArboOptimizer
from arbo_bo.storage.records import experiment_of_values, trial_of_record

_STATUS = {
    "CANDIDATE": TrialStatus.CANDIDATE,
    "STAGED": TrialStatus.CANDIDATE,
    "RUNNING": TrialStatus.RUNNING,
    "COMPLETED": TrialStatus.COMPLETED,
    "FAILED": TrialStatus.FAILED,
    "ABANDONED": TrialStatus.ABANDONED,
    "EARLY_STOPPED": TrialStatus.ABANDONED,
    "STALE": TrialStatus.ABANDONED,
}
NO_TIME = "completed in Ax without an execution time"


def from_ax(
    experiment: core.Experiment,
    arbo: ArboOptimizer,
    task: str | None = None,
    *,
    names: AxNames = DEFAULT_NAMES,
) -> list[Trial]:
    """Adds an Ax experiment's trials to a task, all or none, in their order.

    A trial that `to_ax_experiment` made comes back with every field. Of any other, status, degree,
    context, times and the mean execution time are taken; one that is completed without a time
    becomes ABANDONED. The store numbers the trials anew. An unknown task is configured as it was,
    or with the search space of the degrees; a known one keeps its configuration.

    Args:
        experiment: With an integer parameter of degrees, and a metric of wall times [s].
        arbo: Where the trials go.
        task: The task's name; None: the experiment's.
        names: What parameters and metric are called.

    Returns:
        The trials as stored.

    Raises:
        InvalidValueError: There is no such parameter, a trial has several arms, or a value is
            outside its domain.
    """
    name = validation.identifier("a task's name", experiment._name if task is None else task)
    space = search_space_of(experiment, names)
    trials = arbo_trials(experiment, experiment.lookup_data(), name, names)
    try:
        arbo.store.experiment(name)
    except ExperimentNotFoundError:
        configured = _configuration(experiment, arbo.store.namespace, name)
        if configured is None:
            configured = Experiment(name, arbo.store.namespace, search_space=space)
        new = configured
        arbo.store.configure(name, lambda stored: stored or new)
    return arbo.store.add(name, trials)


def search_space_of(experiment: core.Experiment, names: AxNames = DEFAULT_NAMES) -> SearchSpace:
    """The degrees of an Ax experiment.

    Raises:
        InvalidValueError: It has no integer parameter of that name.
    """
    parameter: Any = experiment.search_space.parameters.get(names.parallelism)
    if parameter is not None and parameter.parameter_type is core.ParameterType.INT:
        if isinstance(parameter, core.RangeParameter):
            return SearchSpace.between(int(parameter.lower), int(parameter.upper))
        if isinstance(parameter, core.FixedParameter):
            return SearchSpace.of([parameter.value])
        return SearchSpace.of(list(parameter.values))
    raise InvalidValueError(
        f"the Ax experiment needs an integer parameter {names.parallelism!r}, "
        f"got {parameter!s}; name another one with AxNames(parallelism=...)"
    )


def arbo_trials(
    experiment: core.Experiment, data: core.Data, task: str, names: AxNames = DEFAULT_NAMES
) -> list[Trial]:
    """The trials of an Ax experiment, by index.

    Raises:
        InvalidValueError: A trial has several arms, or a value is outside its domain.
    """
    frame = data.df
    times = frame[frame["metric_name"] == names.execution_time]
    by_trial = dict(zip(times["trial_index"], times["mean"], strict=True))
    return [
        _trial(trial, by_trial.get(index), task, names)
        for index, trial in sorted(experiment.trials.items())
    ]


def _trial(trial: BaseTrial, time_s: float | None, task: str, names: AxNames) -> Trial:
    record = trial.run_metadata.get(RECORD)
    if isinstance(record, Mapping):
        return replace(trial_of_record(task, record), trial_index=trial.index)
    if len(trial.arms) != 1:
        raise InvalidValueError(
            f"trial {trial.index} must have one arm, as each run has one degree, "
            f"got {len(trial.arms)}"
        )
    parameters: Mapping[str, Any] = trial.arms[0].parameters
    status, reason = _STATUS[trial.status.name], trial.status_reason
    if status is TrialStatus.COMPLETED and time_s is None:
        status, reason = TrialStatus.ABANDONED, NO_TIME
    return Trial(
        task=task,
        trial_index=trial.index,
        status=status,
        arm=Arm(_value(parameters, names.parallelism, trial.index)),
        context=Context(parameters.get(names.input_size), parameters.get(names.cluster_load)),
        phase=Phase.ATTACHED,
        execution_time_s=float(time_s)
        if status is TrialStatus.COMPLETED and time_s is not None
        else None,
        failure_reason=reason,
        created_at=_aware(trial.time_created),
        started_at=_aware(trial.time_run_started),
        finished_at=_aware(trial.time_completed),
    )


def _value(parameters: Mapping[str, Any], name: str, index: int) -> Any:
    if name not in parameters:
        raise InvalidValueError(f"trial {index} has no {name}, it has {', '.join(parameters)}")
    return parameters[name]


def _aware(moment: datetime | None) -> datetime | None:
    """Ax's local time without a zone, in UTC."""
    return None if moment is None else moment.astimezone(UTC)


def _configuration(experiment: core.Experiment, namespace: str, task: str) -> Experiment | None:
    """The configuration that `to_ax_experiment` left; None: there is none."""
    stored = experiment._properties.get(RECORD)
    if not isinstance(stored, Mapping):
        return None
    unlearned = dict.fromkeys(
        ("t_base_1", "p_obs", "c_startup", "k_exponent", "base_input_size", "last_updated")
    )
    values = {**unlearned, "hyperparameters": {}, "sample_count": 0, "version": 1, **stored}
    return experiment_of_values(namespace, task, values)
