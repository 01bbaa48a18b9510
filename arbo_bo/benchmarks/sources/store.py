"""Recurring tasks from an arbo store: would another strategy have done better on my own history?

Only what was measured can be replayed. In a live history hardly two runs have the same input size
or the same load, so that runs count as the same context where their sizes lie within 10 % and their
loads, plus one, within a factor of two; the notes say how many runs had no partner, and how many
allowed degrees never ran at all.
"""

import math
from collections.abc import Callable, Sequence

from arbo_bo.benchmarks.replay import Recording
from arbo_bo.benchmarks.sources.table import Recordings
from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Context, Experiment, SearchSpace, Trial, TrialStatus
from arbo_bo.service.optimizer import ArboOptimizer

SIZE_RATIO = 1.1
LOAD_RATIO = 2.0


def recordings_of(arbo: ArboOptimizer) -> Recordings:
    """The tasks of a store's namespace, as far as they can be replayed.

    Raises:
        InvalidValueError: None can.
    """
    tasks, notes = [], []
    for experiment in arbo.experiments():
        recording, note = recording_of(experiment, arbo.trials(experiment.name))
        notes.append(note)
        if recording is not None:
            tasks.append(recording)
    if not tasks:
        raise InvalidValueError(
            f"the namespace {arbo.store.namespace!a} holds no task with completed runs at two "
            "degrees in one context, so there is no choice to replay"
        )
    return Recordings(tuple(tasks), tuple(notes))


def recording_of(experiment: Experiment, trials: Sequence[Trial]) -> tuple[Recording | None, str]:
    """One task's history, and what it can and cannot tell."""
    completed = [t for t in trials if t.status is TrialStatus.COMPLETED]
    alike = [
        group
        for same_load in _groups(completed, _load, LOAD_RATIO)
        for group in _groups(same_load, _size, SIZE_RATIO)
    ]
    usable = [group for group in alike if len({t.parallelism for t in group}) >= 2]
    note = _note(experiment, completed, [t for group in usable for t in group])
    if not usable:
        return None, note
    contexts = tuple(_typical(group) for group in usable)
    times = tuple(_by_degree(group) for group in usable)
    return Recording(experiment.name, contexts, times), note


def _size(trial: Trial) -> float | None:
    return trial.input_size


def _load(trial: Trial) -> float | None:
    return None if trial.cluster_load is None else 1 + trial.cluster_load


def _groups(
    trials: Sequence[Trial], value: Callable[[Trial], float | None], ratio: float
) -> list[list[Trial]]:
    """Trials whose values lie within a factor of their group's smallest; the unknown together."""
    groups: dict[float | None, list[Trial]] = {}
    smallest: float | None = None
    for trial in sorted(trials, key=lambda t: (value(t) or 0.0, t.trial_index)):
        found = value(trial)
        if found is not None and (smallest is None or found > ratio * smallest):
            smallest = found
        groups.setdefault(None if found is None else smallest, []).append(trial)
    return list(groups.values())


def _typical(group: Sequence[Trial]) -> Context:
    """The geometric mean of the sizes, and the mean load."""
    sizes = [t.input_size for t in group if t.input_size is not None]
    loads = [t.cluster_load for t in group if t.cluster_load is not None]
    size = math.exp(math.fsum(map(math.log, sizes)) / len(sizes)) if sizes else None
    return Context(size, math.fsum(loads) / len(loads) if loads else None)


def _by_degree(group: Sequence[Trial]) -> dict[int, tuple[float, ...]]:
    times: dict[int, list[float]] = {}
    for trial in group:
        assert trial.execution_time_s is not None
        times.setdefault(trial.parallelism, []).append(trial.execution_time_s)
    return {degree: tuple(times[degree]) for degree in sorted(times)}


def _note(experiment: Experiment, completed: Sequence[Trial], usable: Sequence[Trial]) -> str:
    allowed = experiment.search_space.degrees
    measured = sorted({t.parallelism for t in usable})
    never = sorted(set(allowed) - {t.parallelism for t in completed})
    if not usable:
        return (
            f"{experiment.name}: skipped, its {len(completed)} completed runs hold no two degrees "
            "in one context"
        )
    text = (
        f"{experiment.name}: {len(usable)} of {len(completed)} completed runs can be replayed, at "
        f"{SearchSpace(tuple(measured))} workers"
    )
    if never:
        text += (
            f"; {len(never)} of {len(allowed)} allowed degrees never ran "
            f"({SearchSpace(tuple(never))}), and whether one of them is better cannot be known"
        )
    return text
