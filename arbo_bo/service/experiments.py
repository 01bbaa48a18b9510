"""The part of `ArboOptimizer` that keeps the configuration of experiments."""

import logging
from typing import TYPE_CHECKING, Self, Unpack

from arbo_bo.acquisition.registry import require as require_acquisition
from arbo_bo.experiment import Experiment, MaxExecutionTime, SearchSpace
from arbo_bo.experiment.callers import asked_by
from arbo_bo.experiment.keywords import UNSET, Settings, as_fields
from arbo_bo.experiment.strategy import AUTO

if TYPE_CHECKING:
    from arbo_bo.storage import TrialStore

logger = logging.getLogger("arbo_bo")

CLOSE = 0.8
"""How alike a mistyped name and the one that was meant are: difflib's ratio, of 1."""


class Configuration:
    """Configures, lists, renames and deletes experiments.

    Args:
        store: Where experiments and trials are kept.
    """

    def __init__(self, store: "TrialStore") -> None:
        self.store = store

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.store!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Releases the database connections; the next call opens new ones."""
        self.store.close()

    def configure_experiment(
        self, task: str, *, caller: str | None = None, **settings: Unpack[Settings]
    ) -> Experiment:
        """Creates a task's experiment, or changes its configuration and keeps its trials.

        Args:
            task: The task's name.
            caller: Who asks, where it is a program that asks again and again: what somebody else
                has changed since it asked last stays, with a warning in the log. None: a person,
                who is obeyed.
            settings: Of `arbo_bo.experiment.keywords.Settings`. One that is left out, or `UNSET`,
                stays as it is stored, or starts at its default; None puts it back to its default.

        Raises:
            InvalidValueError: A value is outside its domain.
            UnknownAcquisitionError: No acquisition function has that name.
            DegreeNotAllowedError: The given default or pin is not an allowed degree.
            ExperimentNotFoundError: The task to be like does not exist.
        """
        configured, notes = self.configured(task, caller, settings)
        for note in notes:
            logger.warning("%s", note)
        return configured

    def configured(
        self, task: str, caller: str | None, settings: Settings
    ) -> tuple[Experiment, list[str]]:
        """Does as `configure_experiment` does, and returns what that would log."""
        given = as_fields(settings)
        acquisition, like = given.get("acquisition"), given.get("like")
        if acquisition not in (None, UNSET, AUTO):
            require_acquisition(acquisition)
        if like not in (None, UNSET):
            self.store.experiment(like)

        new, notes = Experiment(task, namespace=self.store.namespace), list[str]()

        def change(stored: Experiment | None) -> Experiment:
            if caller is None:
                return (stored or new).changed(given)
            changed, notes[:] = asked_by(caller, stored, new, given)
            return changed

        configured = self.store.configure(task, change)
        if caller is None and not given.keys().isdisjoint(("objective", "slo")):
            notes += _fewest_workers(configured)
        return configured, notes

    def rename_experiment(self, task: str, name: str) -> Experiment:
        """Gives a task another name; its trials go with it.

        Raises:
            ExperimentNotFoundError: There is no such task.
            InvalidValueError: The name is none, or is taken.
        """
        return self.store.rename(task, name)

    def delete_experiment(self, task: str) -> None:
        """Deletes a task with all its trials, for good.

        Raises:
            ExperimentNotFoundError: There is no such task.
        """
        self.store.delete(task)

    def experiments(self) -> list[Experiment]:
        """Every experiment in the namespace, by name."""
        return self.store.experiments()

    def experiment(self, task: str) -> Experiment:
        """One experiment.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        return self.store.experiment(task)

    def introduction(self, experiment: Experiment, was_told: bool) -> list[str]:
        """What there is to tell of a new task: what it may take, and which name may be meant.

        Args:
            experiment: The task.
            was_told: Whether its allowed degrees were given; else they are this machine's cores.
        """
        from difflib import get_close_matches

        names = [other.name for other in self.store.experiments() if other.name != experiment.name]
        close, new = (
            get_close_matches(experiment.name, names, 1, CLOSE),
            f"{experiment.name} is new",
        )
        told = (
            []
            if was_told
            else [f"allowed are {experiment.search_space} workers, by this machine's cores"]
        )
        told += [f"there is a task {close[0]!r}, if that was meant"] if close else []
        return [f"{new}: {'; '.join(told)}"] if told else []

    def _stored(self, experiment: Experiment) -> Experiment:
        return self.store.configure(experiment.name, lambda stored: stored or experiment)


def _fewest_workers(experiment: Experiment) -> list[str]:
    """That an objective saves money alone, where nobody has said how late is too late."""
    objective = experiment.objective
    has_deadline = any(isinstance(x, MaxExecutionTime) for x in experiment.strategy.slo)
    if has_deadline or experiment.worker_types or not objective.favours_fewest_workers:
        return []
    return [
        f"{experiment.name}: minimising {objective} chooses the smallest degree, "
        f"{experiment.search_space.smallest}, wherever Amdahl's law holds; say how late is too "
        f"late (--max-time), or what time is worth (--urgency above {objective.exponent:g})"
    ]


def allowed_default(task: str, default: int, space: SearchSpace) -> tuple[int, list[str]]:
    """The allowed degree that stands for a default one, and what there is to tell of that."""
    nearest = space.nearest(default)
    if nearest == default:
        return default, []
    return nearest, [f"{task}: the default is {nearest}, not {default}: allowed are {space}"]
