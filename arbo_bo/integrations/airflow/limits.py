"""How many workers can run side by side: beyond that they queue, and queueing is no parallelism."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arbo_bo.experiment import Phase, Trial, TrialStatus

RECENT_RUNS, LIMITED_RUNS = 10, 2
"""How many runs are looked at, and in how many of them fewer workers ran than were asked for."""
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

    def key(self) -> float:
        """What limits are compared by."""
        return math.inf if self.parallelism is None else self.parallelism

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
    return min(found, key=Limit.key, default=Limit())


def seen_limit(trials: Sequence[Trial]) -> Limit:
    """Returns the most workers that ran side by side lately, where fewer did than were asked for.

    Airflow does not tell a task how many slots a pool has. Runs that kept to the limit push those
    that showed it out of the recent ones, and then more is asked for again.

    Args:
        trials: The stage's newest `RECENT_RUNS`.
    """
    fewer = [
        trial
        for trial in trials
        if trial.status is TrialStatus.COMPLETED
        and trial.phase is not Phase.FIXED
        and (trial.recommended_parallelism or 0) > trial.parallelism
    ]
    if len(fewer) < LIMITED_RUNS:
        return Limit()
    ran = [trial for trial in trials if trial.trains] + fewer
    return Limit(max(trial.parallelism for trial in ran), "what ran side by side lately")


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
