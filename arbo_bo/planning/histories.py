"""What the tasks' own runs say of each other: which parts a stage found, and what it was given."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean, median

from arbo_bo.experiment import Arm, Experiment, Strategy, Trial, WorkerType, WorkerTypes
from arbo_bo.planning.workflow import Stage, Workflow


@dataclass(frozen=True, eq=False)
class TaskHistory:
    """A task and its trials.

    Attributes:
        experiment: Its configuration, and what was learned before.
        trials: Of any status, by index.
        types: What each trial's workers were; none: what the trials and the experiment say.
    """

    experiment: Experiment
    trials: Sequence[Trial] = ()
    types: Sequence[WorkerType | None] = ()

    @cached_property
    def trained(self) -> list[Trial]:
        """The newest window of runs that train, oldest first."""
        return [t for t in self.trials if t.trains][-self.experiment.window :]

    @cached_property
    def trained_types(self) -> list[WorkerType | None]:
        """What the workers of each of those were."""
        known = self.experiment.worker_types
        types = self.types or [known.get(t.arm.worker_type or "") for t in self.trials]
        found = [kind for t, kind in zip(self.trials, types, strict=True) if t.trains]
        return found[-self.experiment.window :]

    @cached_property
    def by_run(self) -> dict[str, list[Trial]]:
        """The trials that train by the workflow run that they belong to."""
        found: dict[str, list[Trial]] = {}
        for trial in self.trained:
            if trial.run_key is not None:
                found.setdefault(trial.run_key, []).append(trial)
        return found

    @cached_property
    def typical_size(self) -> float | None:
        """The median of the known input sizes; None: none is known."""
        known = [t.input_size for t in self.trained if t.input_size is not None]
        return median(known) if known else None


def history_of(experiment: Experiment, trials: Sequence[Trial]) -> TaskHistory:
    """A task's history, its own worker types as `TaskHistory` has them."""
    if not experiment.worker_types:
        return TaskHistory(experiment, trials)
    workers = [experiment.worker_of(t.arm) for t in trials]
    return TaskHistory(
        replace(experiment, worker_types=WorkerTypes(), strategy=Strategy()),
        [replace(t, arm=Arm(t.parallelism)) for t in trials],
        [None if worker is None else worker[1] for worker in workers],
    )


class Histories(Mapping[str, TaskHistory]):
    """The histories of a workflow's tasks, by task.

    Args:
        given: They; a task that is not among them has no history.
        namespace: Of tasks without one.
    """

    def __init__(self, given: Iterable[TaskHistory] = (), namespace: str = "default") -> None:
        self._of = {h.experiment.name: h for h in given}
        self._namespace = namespace

    def __getitem__(self, task: str) -> TaskHistory:
        if task not in self._of:
            self._of[task] = TaskHistory(Experiment(task, namespace=self._namespace))
        return self._of[task]

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def __len__(self) -> int:
        return len(self._of)

    def parts(self, workflow: Workflow, stage: Stage) -> list[float | None]:
        """How many parts the stage's parents had made for each run of its task that trains.

        Every worker of a parent makes one. None: the run, or what came before it, is unknown.
        """
        parents = [self[workflow[p].experiment] for p in stage.after]

        def found(trial: Trial) -> float | None:
            if trial.run_key is None or not parents:
                return None
            before = [h.by_run.get(trial.run_key) for h in parents]
            degrees = [fmean(t.parallelism for t in ts) for ts in before if ts]
            return float(sum(degrees)) if len(degrees) == len(parents) else None

        return [found(t) for t in self[stage.experiment].trained]

    def with_known_times(self, workflow: Workflow) -> "Histories":
        """The histories, where a stage's task has none its stages' known times in their place."""
        from arbo_bo.experiment.drafts import attached_trial

        found: dict[str, list[Trial]] = {}
        for stage in workflow.stages:
            if stage.known_time_s is None or self[stage.experiment].trained:
                continue
            experiment = self[stage.experiment].experiment
            space = stage.parallelism or experiment.search_space
            size = stage.input_size if isinstance(stage.input_size, (int, float)) else None
            row = {
                "parallelism": space.smallest,
                "execution_time_s": stage.known_time_s,
                "input_size": size,
            }
            trial = attached_trial(replace(experiment, search_space=space), row)
            found.setdefault(stage.experiment, []).append(trial)
        known = [
            TaskHistory(_with_base(self[task].experiment, trials), trials)
            for task, trials in found.items()
        ]
        return Histories([*self._of.values(), *known], self._namespace)


def _with_base(experiment: Experiment, trials: Sequence[Trial]) -> Experiment:
    size = next((t.input_size for t in trials if t.input_size is not None), None)
    model = replace(experiment.model, base_input_size=size, sample_count=len(trials))
    return replace(experiment, model=model)
