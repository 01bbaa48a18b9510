"""How many workers can run side by side: beyond that they queue, and queueing is no parallelism."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_OF_TASKS = ("max_active_tis_per_dag", "max_active_tis_per_dagrun")


@dataclass(frozen=True)
class Limit:
    """The most workers that can run side by side, and what says so.

    Attributes:
        parallelism: The limit; None: none is known.
        source: The setting that it comes from.
    """

    parallelism: int | None = None
    source: str = "nothing"

    def __str__(self) -> str:
        return "no limit" if self.parallelism is None else f"{self.parallelism} by {self.source}"


def tightest(
    shared: Mapping[str, int | None], own: Mapping[str, int | None], stages: int = 1
) -> Limit:
    """Returns the smallest of the limits that are known.

    Args:
        shared: Limits on everything that a plan maps over; its stages share them evenly.
        own: Limits on each stage.
        stages: How many stages the plan decides.
    """
    found = [Limit(max(1, n // stages), source) for source, n in shared.items() if n is not None]
    found += [Limit(max(1, n), source) for source, n in own.items() if n is not None]
    return min(found, key=lambda limit: limit.parallelism or 0, default=Limit())


def limits_of(tasks: Iterable[Any]) -> dict[str, int | None]:
    """Returns how many instances of Airflow tasks may run at once, by the setting that says so."""
    return {
        f"{limit} of {task.task_id}": getattr(task, limit) for task in tasks for limit in _OF_TASKS
    }


def time_limits_of(tasks: Iterable[Any]) -> dict[str, float]:
    """Returns how long an instance of Airflow tasks may take, of those that have a limit [s]."""
    return {
        task.task_id: task.execution_timeout.total_seconds()
        for task in tasks
        if task.execution_timeout is not None
    }
