"""Tasks and their runs as a page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from arbo_bo.experiment import Experiment, Trial, TrialStatus

if TYPE_CHECKING:
    from arbo_bo.service.optimizer import ArboOptimizer

SHOWN_RUNS = 50
"""The newest runs of a task that a page holds: the default window."""


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task with its newest runs.

    Attributes:
        experiment: The task.
        trials: Its newest runs, oldest first.
    """

    experiment: Experiment
    trials: tuple[Trial, ...]

    @property
    def last(self) -> Trial | None:
        """The newest run that has ended, however; None: none has."""
        return next((t for t in reversed(self.trials) if not t.status.is_open), None)

    @property
    def slowdown(self) -> float | None:
        """The last run's time over what was expected of it; None: one of them is unknown."""
        return None if self.last is None else slowdown(self.last)

    @property
    def last_moment(self) -> datetime | None:
        """When the last run ended."""
        return None if self.last is None else self.last.finished_at


def slowdown(trial: Trial) -> float | None:
    """A run's time over what was expected of it; None: one of them is unknown."""
    if trial.execution_time_s is None or not trial.predicted_time_s:
        return None
    return trial.execution_time_s / trial.predicted_time_s


def tasks(arbo: "ArboOptimizer", names: Sequence[str] = ()) -> list[TaskView]:
    """Tasks with their newest runs: whose last run failed first, then the latest over expectation.

    Args:
        arbo: Whose store is read.
        names: The tasks; none: every task of the namespace.

    Raises:
        ExperimentNotFoundError: There is no such task.
    """
    experiments = [arbo.experiment(name) for name in names] or arbo.experiments()
    views = [TaskView(e, tuple(arbo.store.latest(e.name, SHOWN_RUNS))) for e in experiments]
    return sorted(views, key=_goodness)


def _goodness(view: TaskView) -> tuple[bool, float, str]:
    failed = view.last is not None and view.last.status is TrialStatus.FAILED
    return not failed, -(view.slowdown or 0.0), view.experiment.name
