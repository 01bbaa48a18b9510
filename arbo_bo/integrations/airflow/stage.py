"""The author's side: `arbo_stage` before a mapped task, and `observe` after it."""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import TaskGroup, XComArg
from airflow.sdk.exceptions import DuplicateTaskIdFound

from arbo_bo.errors import ArboError, InvalidValueError
from arbo_bo.experiment import TimeMeasure, validation
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE
from arbo_bo.integrations.airflow import observed, spec
from arbo_bo.integrations.airflow.connection import DEFAULT_CONNECTION
from arbo_bo.integrations.airflow.operators import PlanOperator, RecordOperator
from arbo_bo.integrations.airflow.own import PLAN_ARGS, RECORD_ARGS
from arbo_bo.integrations.airflow.spec import StageSpec


def arbo_stage(
    name: str,
    *,
    experiment: str | None = None,
    arguments: Sequence[str] | str | None = None,
    kwargs: Mapping[str, Any] | None = None,
    input_size: Any = None,
    max_parallelism: int | None = None,
    time_measure: str = TimeMeasure.MAKESPAN,
    conn_id: str = DEFAULT_CONNECTION,
    namespace: str = DEFAULT_NAMESPACE,
    plan_args: Mapping[str, Any] | None = None,
    record_args: Mapping[str, Any] | None = None,
    **settings: Any,
) -> "Stages":
    """Adds a task that decides how many workers the next mapped task gets.

    Args:
        name: The stage's name, unique in the DAG. Its tasks are ``plan_<name>``, ``record_<name>``.
        experiment: The experiment that its runs belong to, to share it with other stages; None:
            ``dag_id.stage``.
        arguments: What one worker gets: a list of strings, or one string such as a shell command.
            ``{chunk_id}`` (from 0) and ``{chunks}`` are filled in, templates rendered.
        kwargs: Instead of `arguments`, an operator's keyword arguments for ``expand_kwargs``.
            With neither, each worker gets ``{"chunk_id": 2, "chunks": 8}``.
        input_size: The size of this run's input: a number above 0, or the path or URL of what has
            a size; or a template, another task's output or a callable of the context that gives
            either. None: unknown.
        max_parallelism: The most workers that can run side by side, where you know it (a pool's
            slots, a quota). ``max_map_length`` and the DAG's ``max_active_tasks`` are known anyway.
        time_measure: "makespan", from the first start to the last end, or "slowest" instance.
        conn_id: The Airflow connection to arbo's database.
        namespace: The namespace in it.
        plan_args: Further arguments of the plan task, such as ``queue`` or ``executor``.
        record_args: Further arguments of the record task; it has 5 retries, 30 s apart.
        settings: Whatever `ArboOptimizer.configure_experiment` takes, such as
            ``default_parallelism=4, parallelism=(1, 32)``.

    Raises:
        InvalidValueError: A value is wrong, or the DAG has a stage of this name.
        DegreeNotAllowedError: The default is not an allowed degree.
        MissingPlaceholderError: Every worker would be given the same.
    """
    stage = {
        "experiment": experiment,
        "arguments": arguments,
        "kwargs": kwargs,
        "input_size": input_size,
        "max_parallelism": max_parallelism,
    }
    return arbo_stages(
        name,
        {name: stage},
        time_measure=time_measure,
        conn_id=conn_id,
        namespace=namespace,
        plan_args=plan_args,
        record_args=record_args,
        **settings,
    )


def arbo_stages(
    name: str,
    stages: Mapping[str, Mapping[str, Any]],
    *,
    time_measure: str = TimeMeasure.MAKESPAN,
    conn_id: str = DEFAULT_CONNECTION,
    namespace: str = DEFAULT_NAMESPACE,
    plan_args: Mapping[str, Any] | None = None,
    record_args: Mapping[str, Any] | None = None,
    **settings: Any,
) -> "Stages":
    """Adds one task that decides several stages, which one mapped task runs side by side.

    The list that is mapped over holds the workers of all stages, one stage after another. Each has
    a trial of its own, and its time is that of its own instances.

    Args:
        name: Gives the tasks their names: ``plan_<name>`` and ``record_<name>``.
        stages: By the stage's name its ``experiment``, ``arguments`` or ``kwargs``, ``input_size``,
            ``max_parallelism`` and settings, as of `arbo_stage`.
        time_measure: As of `arbo_stage`.
        conn_id: As of `arbo_stage`.
        namespace: As of `arbo_stage`.
        plan_args: As of `arbo_stage`.
        record_args: As of `arbo_stage`.
        settings: Settings of all stages; a stage's own come first.

    Raises:
        InvalidValueError: A value is wrong, or the DAG has a stage of this name.
        DegreeNotAllowedError: A default is not an allowed degree.
        MissingPlaceholderError: Every worker of a stage would be given the same.
    """
    time_measure = validation.member("time_measure", time_measure, TimeMeasure)
    if not isinstance(stages, Mapping) or not stages:
        raise InvalidValueError(
            f"stages are a mapping of names to options, got {validation.short(stages)}"
        )
    specs, templates, sizes = [], {}, {}
    for stage, given in stages.items():
        try:
            added, templates[stage], sizes[stage] = _stage_of(stage, dict(settings) | dict(given))
        except ArboError as err:
            raise type(err)(f"stage {validation.short(stage)}: {err}") from err
        specs.append(added)
    if len({stage.shape for stage in specs}) > 1:
        raise InvalidValueError(
            "one mapped task runs all stages of a plan, so all give arguments, or all give kwargs"
        )
    place = {"conn_id": conn_id, "namespace": namespace}
    plan = _plan(name, specs, templates, sizes, {**place, **PLAN_ARGS, **(plan_args or {})})
    record = {**RECORD_ARGS, **(record_args or {})}
    return Stages(name, plan, place | {"time_measure": time_measure} | record)


class Stages:
    """One stage, or the several of one plan task.

    Args:
        name: As given to `arbo_stage`.
        plan: The task that decides.
        record_args: Arguments of the task that records.
    """

    def __init__(self, name: str, plan: PlanOperator, record_args: Mapping[str, Any]) -> None:
        self.name = name
        self.plan = plan
        self._record_args = dict(record_args)

    @property
    def arguments(self) -> XComArg:
        """The arguments of each worker: ``.expand(arguments=stage.arguments)``."""
        return self._list(spec.ARGUMENTS)

    @property
    def kwargs(self) -> XComArg:
        """The keyword arguments of each worker: ``.expand_kwargs(stage.kwargs)``."""
        return self._list(spec.KWARGS)

    @property
    def chunks(self) -> XComArg:
        """``{"chunk_id": 2, "chunks": 8}`` for each worker: ``.expand(chunk=stage.chunks)``.

        With several stages also ``"stage"``, the stage's name.
        """
        return self._list(spec.CHUNK_DICTS)

    @property
    def parallelism(self) -> XComArg:
        """The degree that was used, for a later task such as a merge."""
        if len(self.plan.stages) > 1:
            names = ", ".join(stage.name for stage in self.plan.stages)
            raise InvalidValueError(f"say of which stage: parallelism_of(name) of {names}")
        return self.parallelism_of(self.plan.stages[0].name)

    def parallelism_of(self, stage: str) -> XComArg:
        """The degree that one of several stages used.

        Raises:
            InvalidValueError: There is no such stage.
        """
        names = [each.name for each in self.plan.stages]
        if stage not in names:
            raise InvalidValueError(
                f"{validation.short(stage)} is none of the stages {', '.join(names)}"
            )
        return XComArg(self.plan, self.plan.parallelism_key(stage))

    def observe(self, work: observed.Task | TaskGroup | XComArg) -> RecordOperator:
        """Adds the task that records what the stage took: plan >> work >> record.

        Instances are labelled "chunk 3/8" in the UI unless the task has a ``map_index_template``,
        and mark when they ran; see `markers`.

        Args:
            work: What was mapped over the plan's list: an operator, the result of a ``@task``
                function, or a mapped task group.

        Returns:
            The record task, a teardown.

        Raises:
            InvalidValueError: It is not mapped over this plan's list, or the stage is observed.
        """
        if self.plan.observed is not None:
            raise InvalidValueError(f"stage {self.name!r} is observed already; observe it once")
        tasks = observed.tasks_mapped_over(self.plan, work)
        if not tasks:
            raise InvalidValueError(
                f"observe takes the task that is mapped over stage {self.name!r}, or its mapped "
                f"task group, as in work = Operator.partial(...).expand(arguments=stage.arguments);"
                f" got {validation.short(work)}"
            )
        for task in tasks:
            observed.instrument(task, self.plan.task_id)
        self.plan.observed = tuple(task.task_id for task in tasks)
        record = RecordOperator(
            task_id=f"record_{self.name}",
            plan_task_id=self.plan.task_id,
            observed=self.plan.observed,
            waited_for=any(task.wait_for_downstream for task in tasks),
            dag=self.plan.dag,
            task_group=self.plan.task_group,
            **self._record_args,
        )
        self.plan.recorded_by = record.task_id
        self.plan >> record
        for task in tasks:
            task >> record
        record.as_teardown(on_failure_fail_dagrun=False)
        return record

    def _list(self, shape: str) -> XComArg:
        actual = self.plan.stages[0].shape
        if shape != actual:
            raise InvalidValueError(
                f"stage {self.name!r} gives each worker its {actual}: use stage.{actual}, or give "
                f"arbo_stage other {spec.ARGUMENTS} or {spec.KWARGS}"
            )
        return self.plan.output


def _plan(
    name: str,
    specs: Sequence[StageSpec],
    templates: Mapping[str, Any],
    sizes: Mapping[str, Any],
    options: Mapping[str, Any],
) -> PlanOperator:
    twice = "a stage's name must be unique in its DAG; to share what is learned, give experiment="
    try:
        plan = PlanOperator(
            task_id=f"plan_{name}",
            stages=specs,
            templates=templates,
            input_sizes=sizes,
            **options,
        )
    except DuplicateTaskIdFound as err:
        raise InvalidValueError(
            f"there are two stages {name!r}, or a task 'plan_{name}' beside it: {twice}"
        ) from err
    for other in plan.dag.tasks if plan.dag else ():
        if isinstance(other, PlanOperator) and other is not plan:
            names = {stage.name for stage in specs} & {stage.name for stage in other.stages}
            if names:
                raise InvalidValueError(f"there are two stages {min(names)!r}: {twice}")
    return plan


def _stage_of(name: str, options: dict[str, Any]) -> tuple[StageSpec, Any, Any]:
    """Returns what was asked of a stage, the template of a worker, and the input size."""
    size = options.pop("input_size", None)
    _check_size(size)
    shape, template = spec.worker_template(
        options.pop("arguments", None), options.pop("kwargs", None)
    )
    experiment = options.pop("experiment", None) or None
    limit = options.pop("max_parallelism", None)
    return StageSpec(name, experiment, shape, options, limit), template, size


def _check_size(size: Any) -> None:
    """Checks a size that is known when the DAG is parsed."""
    if isinstance(size, str) and "{{" not in size and "{%" not in size:
        spec.parsed_size(size)
    elif not (size is None or isinstance(size, str | XComArg) or callable(size)):
        validation.positive("input_size", size)
