"""Profiles of serverless workflows: stage x memory x degree, measured in several epochs.

All stages of one profiled run shared memory and degree; a plan that mixes them assumes that stages
are separable. A serial stage's time depends on the degree of the parallel one before it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from arbo_bo.benchmarks.workflows.rows import read
from arbo_bo.experiment import Experiment, SearchSpace
from arbo_bo.experiment.drafts import attached_trial
from arbo_bo.experiment.worker_type import WorkerType
from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.histories import Histories, TaskHistory
from arbo_bo.planning.workflow import Workflow

PROFILES, DAGS = "jolteon_stage_profiles.csv", "jolteon_dags.csv"
MB_PER_CPU, USD_PER_S, USD_PER_REQUEST = 1792.0, 2.9225e-5, 0.02e-5
GRID_S = 0.05
"""Ends of stages within this are one to the oracle [s]."""

Configuration = tuple[int, int]
"""Memory [MB], degree."""


@dataclass(frozen=True, eq=False)
class Profile:
    """One workflow in one epoch.

    Attributes:
        name: The workflow.
        parents: By number of the stage.
        parallel: Which stages have a degree.
        times: Wall and billed time of (stage, memory, degree of the run) [s].
    """

    name: str
    parents: Sequence[Sequence[int]]
    parallel: Sequence[bool]
    times: Mapping[tuple[int, int, int], tuple[float, float]]

    @cached_property
    def configurations(self) -> list[Configuration]:
        """What was profiled."""
        return sorted({(m, d) for _, m, d in self.times})

    @cached_property
    def degrees(self) -> list[int]:
        """Every degree that was profiled."""
        return sorted({d for _, d in self.configurations})

    def time(self, i: int, memory: int, degree: int | None) -> tuple[float, float]:
        """Wall and billed time; the nearest degree's where that one was not profiled."""
        known = [d for d in self.degrees if (i, memory, d) in self.times]
        if degree is None:
            wall, billed = np.mean([self.times[i, memory, d] for d in known], 0)
            return float(wall), float(billed)
        return self.times[i, memory, min(known, key=lambda d: abs(np.log(d / degree)))]

    def degree_of(self, i: int, degrees: Mapping[int, int]) -> int | None:
        """The degree that a stage's time depends on."""
        if self.parallel[i]:
            return degrees[i]
        return max((degrees[p] for p in self.parents[i] if self.parallel[p]), default=None)

    def workers(self, i: int, degree: int) -> int:
        """How many functions a stage has."""
        return degree if self.parallel[i] else 1

    def cost(self, i: int, memory: int, degree: int, billed_s: float) -> float:
        """Of one stage [USD]."""
        n = self.workers(i, degree)
        return billed_s * n * memory / MB_PER_CPU * USD_PER_S + USD_PER_REQUEST * n

    def judge(self, chosen: Sequence[Configuration]) -> tuple[float, float, list[float]]:
        """Makespan [s], cost [USD] and each stage's wall time of a plan."""
        degrees = {i: d for i, (_, d) in enumerate(chosen)}
        ends: list[float] = []
        walls, cost = [], 0.0
        for i, (memory, degree) in enumerate(chosen):
            wall, billed = self.time(i, memory, self.degree_of(i, degrees))
            ends.append(max((ends[p] for p in self.parents[i]), default=0.0) + wall)
            walls.append(wall)
            cost += self.cost(i, memory, degree, billed)
        return max(ends), cost, walls

    def uniform(self) -> list[tuple[float, float]]:
        """Makespan and cost of every plan with one configuration for all stages."""
        every = [[c] * len(self.parents) for c in self.configurations]
        return [self.judge(chosen)[:2] for chosen in every]

    def oracle(self, deadlines: Sequence[float]) -> list[float]:
        """The least cost of any plan that keeps each deadline; infinite: there is none."""
        front = _front(self, max(deadlines))
        return [float(front[front[:, 0] <= d + 1e-9, 1].min(initial=np.inf)) for d in deadlines]


def load_profiles(folder: Path) -> dict[str, dict[str, Profile]]:
    """The profiles by workflow and epoch."""
    times: dict[tuple[str, str], dict[tuple[int, int, int], tuple[float, float]]]
    times = defaultdict(dict)
    for row in read(folder / PROFILES):
        parts = ("read_mean_s", "compute_mean_s", "write_mean_s")
        billed = sum(float(row[p]) for p in parts)
        key = (int(row["stage_idx"]), int(row["memory_mb"]), int(row["global_degree"]))
        times[row["workflow"], row["epoch"]][key] = (float(row["stage_wall_s"]), billed)
    shapes: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in read(folder / DAGS):
        shapes[row["workflow"]].append(row)
    found: dict[str, dict[str, Profile]] = defaultdict(dict)
    for (name, epoch), own in times.items():
        parents = [[int(p) for p in r["parents"].split()] for r in shapes[name]]
        parallel = [r["parallel"] == "1" for r in shapes[name]]
        found[name][epoch] = Profile(name, parents, parallel, own)
    return found


def workflow_of(profile: Profile) -> Workflow:
    """The workflow, with its memory sizes as worker types."""
    found = Workflow(profile.name)
    memories = sorted({m for m, _ in profile.configurations})
    for i, parents in enumerate(profile.parents):
        found.stage(
            f"s{i}",
            after=[f"s{p}" for p in parents],
            parallelism=profile.degrees if profile.parallel[i] else [1],
            worker_types={str(m): _type(profile, i, m) for m in memories},
        )
    return found


def _type(profile: Profile, i: int, memory: int) -> WorkerType:
    known = [d for d in profile.degrees if (i, memory, d) in profile.times]
    return WorkerType(
        cpus=memory / MB_PER_CPU,
        memory_gb=memory / 1024,
        price_per_hour=3600 * USD_PER_S * memory / MB_PER_CPU,
        parallelism=SearchSpace.of(known if profile.parallel[i] else [1]),
    )


def histories_of(
    profile: Profile, runs: Sequence[tuple[Sequence[Configuration], Sequence[float]]]
) -> Histories:
    """Whole runs as histories: each stage's configuration and wall time."""
    found = []
    for i in range(len(profile.parents)):
        degrees = profile.degrees if profile.parallel[i] else [1]
        experiment = Experiment(f"{profile.name}.s{i}", search_space=SearchSpace.of(degrees))
        trials, kinds = [], []
        for number, (chosen, walls) in enumerate(runs):
            memory, degree = chosen[i]
            row = {
                "parallelism": profile.workers(i, degree),
                "execution_time_s": walls[i],
                "run_key": f"run-{number}",
            }
            trials.append(attached_trial(experiment, row))
            kinds.append(_type(profile, i, memory))
        found.append(TaskHistory(experiment, trials, kinds))
    return Histories(found)


def spread(configurations: Sequence[Configuration], count: int) -> list[Configuration]:
    """Configurations that are far from each other, the smallest first."""
    x = np.log(np.array(configurations, dtype=float))
    x = (x - x.min(0)) / np.maximum(x.max(0) - x.min(0), 1e-9)
    chosen = [int(x.sum(1).argmin())]
    while len(chosen) < count:
        distance = np.min([((x - x[c]) ** 2).sum(1) for c in chosen], 0)
        distance[chosen] = -1
        chosen.append(int(distance.argmax()))
    return [configurations[c] for c in chosen]


def _front(profile: Profile, latest: float) -> Vector:
    """Makespan and cost of all plans that none beats, by stages: ends that still matter, and cost.

    Of two partial plans with the same degrees the one that is later everywhere and dearer goes.
    """
    children: list[list[int]] = [[] for _ in profile.parents]
    for i, parents in enumerate(profile.parents):
        for p in parents:
            children[p].append(i)
    live: list[int] = []
    states: dict[tuple[tuple[int, int], ...], Vector] = {(): np.zeros((1, 1))}
    for i, parents in enumerate(profile.parents):
        options = sorted({(m, profile.workers(i, d)) for j, m, d in profile.times if j == i})
        after = [*live, i]
        kept = [x for x in after if not children[x] or max(children[x]) > i]
        grown: dict[tuple[tuple[int, int], ...], list[Vector]] = defaultdict(list)
        for key, rows in states.items():
            for memory, degree in options:
                degrees = {**dict(key), i: degree}
                wall, billed = profile.time(i, memory, profile.degree_of(i, degrees))
                ends = np.max([rows[:, live.index(p)] for p in parents], 0) if parents else 0.0
                end = np.zeros(len(rows)) + ends + wall
                cost = rows[:, -1] + profile.cost(i, memory, degree, billed)
                every = np.column_stack([rows[:, :-1], end, cost])[end <= latest + 1e-9]
                columns = [after.index(x) for x in kept]
                grown[tuple((x, degrees[x]) for x in kept)].append(every[:, [*columns, -1]])
        live, states = kept, {k: _pruned(np.vstack(v)) for k, v in grown.items()}
    rows = np.vstack(list(states.values()))
    return np.column_stack([rows[:, :-1].max(1), rows[:, -1]])


def _pruned(rows: Vector) -> Vector:
    rows = rows[np.argsort(rows[:, -1], kind="stable")]
    _, first = np.unique(np.ceil(rows[:, :-1] / GRID_S), axis=0, return_index=True)
    rows = rows[np.sort(first)]
    kept = np.zeros(len(rows), bool)
    for i, row in enumerate(rows):
        kept[i] = not (rows[:i][kept[:i], :-1] <= row[:-1]).all(1).any()
    return rows[kept]
