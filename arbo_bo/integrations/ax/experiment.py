"""An arbo experiment as an `ax.core.Experiment`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ax import core
from ax.core.data import DataRow
from ax.core.generator_run import GeneratorRun

from arbo_bo.experiment import Experiment, Trial, TrialStatus, validation
from arbo_bo.experiment.objective import SECONDS_PER_HOUR
from arbo_bo.experiment.slo import SLO, MaxCost
from arbo_bo.integrations.ax.names import COST, DEFAULT_NAMES, RECORD, SCORE, AxNames
from arbo_bo.service.optimizer import ArboOptimizer
from arbo_bo.storage.codec import configuration_of
from arbo_bo.storage.records import trial_record

Values = dict[str, float]
GAMMA_MARGIN = 2.0


def to_ax_experiment(
    arbo: ArboOptimizer,
    task: str,
    window: int | None = None,
    *,
    contexts: bool = False,
    names: AxNames = DEFAULT_NAMES,
) -> core.Experiment:
    """A faithful copy of a task and its trials, for Ax's analyses, plots and models.

    - Search space: the degrees, an ordered integer choice. With `contexts`, the input size and the
      cluster load are range parameters too, of the bounds seen; an unknown size is the base size
      there, and an unknown load the mean of the known ones, as arbo's own model takes them.
    - Objective: the metric "score", T^a Cost(s) of each run, minimised; "execution_time_s" is
      tracked, and "cost" too where a price is known.
    - Outcome constraints: the service levels, on the mean; Ax knows no probability of a run, which
      stays in the experiment's properties.
    - Trials: index, status, arm (a repeated degree is one arm), times, reason, and data where the
      run trains. Every field of the trial is in ``run_metadata["arbo_bo"]``, the context included.

    Ax keeps times in local time without a zone; the exact ones are in that record.

    Args:
        arbo: Whose task it is.
        task: The task's name.
        window: Only the newest trials, this many; None: all. Ax takes milliseconds a trial.
        contexts: Whether what a run met is a parameter, for models to learn from.
        names: What to call things.

    Raises:
        ExperimentNotFoundError: There is no such task.
        InvalidValueError: The window is none.
    """
    if window is not None:
        window = validation.integer("window", window, 1)
    experiment, trials = arbo.experiment(task), arbo.trials(task)
    shown = trials if window is None else trials[-window:]
    context_of = _contexts(experiment, trials)
    service_levels = experiment.strategy.slo
    price = _price(experiment, service_levels)
    metrics = [
        core.Metric(SCORE, lower_is_better=True),
        core.Metric(names.execution_time, lower_is_better=True),
    ]
    if price is not None:
        metrics.append(core.Metric(COST, lower_is_better=True))
    result = core.Experiment(
        name=task,
        search_space=_search_space(experiment, list(map(context_of, shown)), contexts, names),
        optimization_config=_optimization_config(service_levels, names),
        metrics=metrics,
        properties={
            RECORD: {"configuration": configuration_of(experiment), "alpha": experiment.alpha}
        },
    )
    rows: list[DataRow] = []
    for trial in shown:
        parameters: dict[str, Any] = {names.parallelism: trial.parallelism}
        if contexts:
            size, load = context_of(trial)
            parameters |= {names.input_size: size, names.cluster_load: load}
        copy = _add(result, trial, parameters)
        rows += _rows(copy, trial, _outcomes(experiment, trial, price, names))
    if rows:
        result.attach_data(core.Data(data_rows=rows))
    return result


def _contexts(
    experiment: Experiment, trials: Sequence[Trial]
) -> Callable[[Trial], tuple[float, float]]:
    """Size and load of each trial, the unknown ones as the model takes them."""
    base = experiment.model.base_input_size or 1.0
    known = [t.training_context.cluster_load for t in trials if t.trains]
    loads = [load for load in known if load is not None]
    typical = sum(loads) / len(loads) if loads else 0.0

    def of(trial: Trial) -> tuple[float, float]:
        context = trial.training_context
        load = context.cluster_load
        return context.input_size or base, typical if load is None else load

    return of


def _search_space(
    experiment: Experiment,
    seen: Sequence[tuple[float, float]],
    contexts: bool,
    names: AxNames,
) -> core.SearchSpace:
    parameters = [_degrees(names.parallelism, experiment.search_space.degrees)]
    if contexts:
        sizes, loads = zip(*seen or [(1.0, 0.0)], strict=True)
        # A parameter that never varied would be left out of a model, which needs all three.
        parameters += [
            _range(names.input_size, min(sizes) / GAMMA_MARGIN, max(sizes) * GAMMA_MARGIN),
            _range(names.cluster_load, 0.0, max(1.0, GAMMA_MARGIN * max(loads))),
        ]
    return core.SearchSpace(parameters=parameters)


def _degrees(name: str, degrees: tuple[int, ...]) -> core.Parameter:
    if len(degrees) == 1:  # Ax wants a choice to have two values or more
        return core.FixedParameter(name, core.ParameterType.INT, degrees[0])
    return core.ChoiceParameter(
        name,
        core.ParameterType.INT,
        list(degrees),
        is_ordered=True,
        sort_values=True,
        bypass_cardinality_check=True,  # a search space of arbo's may have 10,000 degrees
    )


def _range(name: str, low: float, high: float) -> core.RangeParameter:
    return core.RangeParameter(name, core.ParameterType.FLOAT, lower=low, upper=high)


def _optimization_config(levels: Sequence[SLO], names: AxNames) -> core.OptimizationConfig:
    signatures = {name: name for name in (SCORE, COST, names.execution_time)}
    return core.OptimizationConfig(
        objective=core.Objective(expression=f"-{SCORE}", metric_name_to_signature=signatures),
        outcome_constraints=[
            core.OutcomeConstraint(
                expression=f"{COST} <= {level.cost!r}"
                if isinstance(level, MaxCost)
                else f"{names.execution_time} <= {level.time_s!r}",
                metric_name_to_signature=signatures,
            )
            for level in levels
        ],
    )


def _price(experiment: Experiment, levels: Sequence[SLO]) -> float | None:
    """Money per worker and hour, where somebody named it."""
    prices = [level.price_per_worker_hour for level in levels if isinstance(level, MaxCost)]
    return prices[0] if prices else experiment.objective.price_per_worker_hour


def _add(experiment: core.Experiment, trial: Trial, parameters: dict[str, Any]) -> core.Trial:
    arm = core.Arm(parameters=parameters)
    run = GeneratorRun(arms=[arm], generator_key=trial.acquisition or str(trial.phase))
    copy = core.Trial(experiment, generator_run=run, index=trial.trial_index)
    copy.update_run_metadata({RECORD: trial_record(trial)})
    mark = {
        TrialStatus.RUNNING: lambda: copy.mark_running(no_runner_required=True),
        TrialStatus.COMPLETED: lambda: copy.mark_completed(unsafe=True),
        TrialStatus.FAILED: lambda: copy.mark_failed(reason=trial.failure_reason, unsafe=True),
        TrialStatus.ABANDONED: lambda: copy.mark_abandoned(
            reason=trial.failure_reason, unsafe=True
        ),
    }
    if trial.status in mark:
        mark[trial.status]()
    # Ax offers no way to say when; its own storage sets the same fields when it loads.
    copy._time_created = _local(trial.created_at) or copy._time_created
    copy._time_run_started = _local(trial.started_at)
    if trial.finished_at is not None:
        copy._time_completed = _local(trial.finished_at)
    return copy


def _local(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone().replace(tzinfo=None)


def _outcomes(experiment: Experiment, trial: Trial, price: float | None, names: AxNames) -> Values:
    time, degree = trial.execution_time_s, trial.parallelism
    if time is None or not trial.trains:
        return {}
    values = {SCORE: experiment.objective.score(time, degree), names.execution_time: time}
    if price is not None:
        values[COST] = time * degree * price / SECONDS_PER_HOUR
    return values


def _rows(copy: core.Trial, trial: Trial, values: Values) -> list[DataRow]:
    """One row a metric, its noise unknown (NaN): Ax then learns it."""
    assert copy.arm is not None
    moments = [
        None if moment is None else round(moment.timestamp() * 1e9)
        for moment in (trial.started_at, trial.finished_at)
    ]
    return [
        DataRow(
            trial_index=trial.trial_index,
            arm_name=copy.arm.name,
            metric_name=name,
            metric_signature=name,
            mean=value,
            se=float("nan"),
            start_time=moments[0],
            end_time=moments[1],
        )
        for name, value in values.items()
    ]
