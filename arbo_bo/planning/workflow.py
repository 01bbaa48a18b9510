"""Stages, what they depend on, and what may be chosen for each."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from arbo_bo.errors import WorkflowError
from arbo_bo.experiment import SearchSpace, validation
from arbo_bo.experiment.worker_type import WorkerType, WorkerTypes

InputSize = float | str | os.PathLike[str]
"""A size, or the path or URL of what has one."""


@dataclass(frozen=True)
class Stage:
    """One stage of a workflow.

    Attributes:
        name: Unique in the workflow.
        experiment: The task whose runs it is learned from. History belongs to the task, never to
            the shape of the workflow, so that a changed fan-out forgets nothing.
        after: The stages whose output it reads.
        parallelism: The allowed degrees; None: those of the task.
        worker_types: What its workers may be, by name; none: workers of one kind.
        input_size: The size of its input, or a path or URL of what has one; None: learned from the
            parents, or from the task's last runs.
        idempotent: Whether running it twice does no harm.
        known_time_s: A time that was measured elsewhere, at one worker; None: none.
        annotations: Optimizations that the user wants on it, such as "pre-load"; planners add none
            of their own there.
    """

    name: str
    experiment: str
    after: tuple[str, ...] = ()
    parallelism: SearchSpace | None = None
    worker_types: WorkerTypes = field(default_factory=WorkerTypes)
    input_size: InputSize | None = None
    idempotent: bool = False
    known_time_s: float | None = None
    annotations: tuple[str, ...] = ()


class Workflow:
    """Stages that run after each other and side by side.

    Args:
        name: The workflow's name; a stage's task is called ``name.stage`` unless it says otherwise.
        capacity: How many workers may run at once in all; None: as many as are wanted.
        bandwidth: What a worker reads of a stage that ran elsewhere, in units of input size per
            second; None: the stages' measured times hold their transfers.
        keep_warm_s: How long a worker stays warm after a stage [s]; None: as long as the run lasts.

    Raises:
        InvalidValueError: A value is outside its domain.
    """

    def __init__(
        self,
        name: str,
        *,
        capacity: int | None = None,
        bandwidth: float | None = None,
        keep_warm_s: float | None = None,
    ) -> None:
        self.name = validation.identifier("a workflow's name", name)
        self.capacity = None if capacity is None else validation.integer("capacity", capacity, 1)
        self.bandwidth = None if bandwidth is None else validation.positive("bandwidth", bandwidth)
        self.keep_warm_s = (
            None if keep_warm_s is None else validation.non_negative("keep_warm_s", keep_warm_s)
        )
        self._stages: dict[str, Stage] = {}

    def stage(
        self,
        name: str,
        *,
        after: Iterable[str] = (),
        parallelism: Any = None,
        worker_types: Mapping[str, WorkerType] | None = None,
        input_size: InputSize | None = None,
        experiment: str | None = None,
        idempotent: bool = False,
        known_time_s: float | None = None,
        annotations: Iterable[str] = (),
    ) -> Stage:
        """Adds a stage; parents may be added after it.

        Args:
            name: Unique in the workflow.
            after: The names of its parents.
            parallelism: A range ``(low, high)``, or a list of degrees; None: those of the task.
            worker_types: By name; None: workers of one kind.
            input_size: See `Stage`.
            experiment: The task that it is learned from; None: ``workflow.stage``.
            idempotent: See `Stage`.
            known_time_s: See `Stage`.
            annotations: See `Stage`.

        Raises:
            WorkflowError: The workflow has a stage of that name already, or the stage is its own
                parent.
            InvalidValueError: Another value is outside its domain.
        """
        validation.identifier("a stage's name", name)
        if name in self._stages:
            raise WorkflowError(f"workflow {self.name!r} has two stages {name!r}")
        parents = (after,) if isinstance(after, str) else tuple(after)
        wanted = (annotations,) if isinstance(annotations, str) else tuple(annotations)
        unknown = [a for a in wanted if a not in ANNOTATIONS]
        if unknown:
            raise WorkflowError(
                f"stage {name!r}: an annotation is one of {', '.join(ANNOTATIONS)}, got "
                f"{validation.short(unknown[0])}"
            )
        if "duplication" in wanted and not idempotent:
            raise WorkflowError(f"stage {name!r} is duplicated, and must be idempotent for that")
        if name in parents:
            raise WorkflowError(f"stage {name!r} cannot come after itself")
        task = f"{self.name}.{name}" if experiment is None else experiment
        added = Stage(
            name=name,
            experiment=validation.identifier(f"the experiment of stage {name!r}", task),
            after=tuple(dict.fromkeys(parents)),
            parallelism=None if parallelism is None else _space(name, parallelism),
            worker_types=_types(name, worker_types or {}),
            input_size=_size(name, input_size),
            idempotent=idempotent,
            known_time_s=known_time_s
            if known_time_s is None
            else validation.positive(f"known_time_s of stage {name!r}", known_time_s),
            annotations=wanted,
        )
        self._stages[name] = added
        return added

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Every stage, in the order in which they were added."""
        return tuple(self._stages.values())

    @property
    def tasks(self) -> tuple[str, ...]:
        """The experiments of the stages, each once."""
        return tuple(dict.fromkeys(s.experiment for s in self.stages))

    def __getitem__(self, name: str) -> Stage:
        try:
            return self._stages[name]
        except KeyError as err:
            raise WorkflowError(
                f"workflow {self.name!r} has no stage {name!r}; it has {_listed(self._stages)}"
            ) from err

    def __len__(self) -> int:
        return len(self._stages)

    def __repr__(self) -> str:
        return f"Workflow({self.name!r}, {len(self)} stages)"

    def ordered(self) -> tuple[Stage, ...]:
        """The stages, parents first; without recursion, so that a chain may be of any length.

        Raises:
            WorkflowError: There is no stage, a parent is unknown, or stages wait for each other.
        """
        if not self._stages:
            raise WorkflowError(f"workflow {self.name!r} has no stage: add one with stage()")
        children: dict[str, list[str]] = {name: [] for name in self._stages}
        missing = {}
        for stage in self.stages:
            for parent in stage.after:
                if parent not in children:
                    raise WorkflowError(
                        f"stage {stage.name!r} comes after {parent!r}, which workflow "
                        f"{self.name!r} does not have; it has {_listed(self._stages)}"
                    )
                children[parent].append(stage.name)
            missing[stage.name] = len(stage.after)
        ready = [name for name, count in missing.items() if not count]
        found = []
        for name in ready:  # grows while it is read
            found.append(self._stages[name])
            for child in children[name]:
                missing[child] -= 1
                if not missing[child]:
                    ready.append(child)
        if len(found) < len(self):
            raise WorkflowError(f"stages wait for each other: {self._circle(missing)}")
        return tuple(found)

    def _circle(self, missing: Mapping[str, int]) -> str:
        """A circle among the stages that wait: going from parent to parent must come back."""
        name, seen = next(n for n, count in missing.items() if count), list[str]()
        while name not in seen:
            seen.append(name)
            name = next(p for p in self._stages[name].after if missing[p])
        circle = [*seen[seen.index(name) :], name]
        shown = circle if len(circle) <= SHOWN else [*circle[:SHOWN], "..."]
        return " after ".join(shown)


SHOWN = 8
ANNOTATIONS = ("clustering", "pre-load", "pre-warm", "delayed-io", "duplication")
"""Names of the optimizations of `arbo_bo.planning.arrangements`."""


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more


def _space(name: str, parallelism: Any) -> SearchSpace:
    try:
        return SearchSpace.of(parallelism)
    except ValueError as err:
        raise WorkflowError(f"stage {name!r}: {err}") from err


def _types(name: str, given: Any) -> WorkerTypes:
    try:
        return WorkerTypes.of(given)
    except ValueError as err:
        raise WorkflowError(f"stage {name!r}: {err}") from err


def _size(name: str, given: InputSize | None) -> InputSize | None:
    if given is None or isinstance(given, (str, os.PathLike)):
        return given
    return validation.positive(f"input_size of stage {name!r}", given)
