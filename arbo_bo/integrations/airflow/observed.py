"""The author's own tasks: finding those that are mapped over a plan, and having them observed."""

from collections.abc import Mapping
from typing import Any

from airflow.sdk import BaseOperator, TaskGroup, XComArg
from airflow.sdk.definitions.mappedoperator import MappedOperator

from arbo_bo.errors import InvalidValueError
from arbo_bo.integrations.airflow import markers
from arbo_bo.integrations.airflow.operators import LABELS

Task = BaseOperator | MappedOperator


def tasks_mapped_over(plan: BaseOperator, work: object) -> list[Task]:
    """Returns the tasks of which a plan's list decides how many instances there are.

    Args:
        plan: The task that returns the list.
        work: An operator, the result of a ``@task`` function, or a task group: a mapped one, or one
            with mapped tasks in it.

    Returns:
        Several tasks for a group; none where the work is not mapped over the list.

    Raises:
        InvalidValueError: A task is mapped over something else besides.
    """
    tasks = [task for task in _tasks_of(work) if _comes_from(plan, task)]
    for task in tasks:
        over = _expand_input(task).value
        if isinstance(over, Mapping) and len(over) > 1:
            raise InvalidValueError(
                f"task {task.task_id!r} is mapped over {' and '.join(over)}, which makes an "
                "instance of every combination; map it over the stage's list alone, and give the "
                "rest with partial(...), or with kwargs= of the stage and expand_kwargs"
            )
    return tasks


def instrument(task: Task, plan_task_id: str) -> None:
    """Has each instance mark when it ran, and label itself as the plan says."""
    label = (
        f"{{{{ {markers.LABEL} if {markers.LABEL} is defined else "
        f"(ti.xcom_pull(task_ids={plan_task_id!r}, key={LABELS!r}) or [])[ti.map_index] }}}}"
    )
    if isinstance(task, MappedOperator):
        options = task.partial_kwargs
        callbacks = options.get("on_execute_callback") or []
        callbacks = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
        options["on_execute_callback"] = [*callbacks, markers.mark_begin]
        options["post_execute"] = markers.followed_by_mark_end(options.get("post_execute"))
        if not options.get("map_index_template"):
            options["map_index_template"] = label
    else:
        task.on_execute_callback = [*task.on_execute_callback, markers.mark_begin]
        task._post_execute_hook = markers.followed_by_mark_end(task._post_execute_hook)
        task.map_index_template = task.map_index_template or label


def _tasks_of(work: object) -> list[Task]:
    if isinstance(work, XComArg):
        operators = [operator for operator, _ in work.iter_references()]
        work = operators[0] if len(operators) == 1 else None
    if isinstance(work, MappedOperator):
        return [work]
    if isinstance(work, BaseOperator):
        work = work.get_closest_mapped_task_group()
    if isinstance(work, TaskGroup):
        return [task for task in work.iter_tasks() if isinstance(task, Task)]
    return []


def _comes_from(plan: BaseOperator, task: Task) -> bool:
    """Whether what the task is mapped over is the plan's list, or made of it."""
    over = _expand_input(task)
    sources = [] if over is None else [operator for operator, _ in over.iter_references()]
    return any(
        source is plan or plan.task_id in source.get_flat_relative_ids(upstream=True)
        for source in sources
    )


def _expand_input(task: Task) -> Any:
    """What says how many instances there are; None: nothing."""
    if isinstance(task, MappedOperator):
        return task._get_specified_expand_input()
    group = task.get_closest_mapped_task_group()
    return None if group is None else group._expand_input
