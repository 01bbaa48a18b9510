"""Everything that is known of a workflow's stages as one forecast."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from arbo_bo.errors import WorkflowError
from arbo_bo.experiment import Context, SearchSpace
from arbo_bo.experiment.objective import SECONDS_PER_HOUR
from arbo_bo.experiment.worker_type import WorkerType
from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.beliefs import Point
from arbo_bo.planning.forecast import Forecast
from arbo_bo.planning.histories import Histories
from arbo_bo.planning.network import Network
from arbo_bo.planning.options import Option, StageTimes
from arbo_bo.planning.sizes import input_sizes
from arbo_bo.planning.slow_days import shared_variance
from arbo_bo.planning.stage_model import Asked, Drawn, TaskModel, learn
from arbo_bo.planning.workflow import Stage, Workflow

MOST_SAMPLES, FEWEST_SAMPLES = 1024, 128
"""N: at 1024 a probability of 0.95 is known to 0.7 %, at 128 to 2 %."""
IN_SLOTS = 256
"""N under a limit on workers: events cost more than sums."""
EVALUATED = 256_000
"""Stages x samples of one evaluation: 256 samples for a thousand stages."""
SAMPLE_BUDGET = 4_000_000
"""Durations that are held at once, stages x options x samples."""
FEWEST_OPTIONS = 8
"""Degrees that a stage of a very large workflow keeps, spread evenly by ratio."""
SAME_SIZE = 0.01
"""Sizes within one per cent are one."""


def predicted(
    workflow: Workflow,
    histories: Histories,
    *,
    sizes: Mapping[str, float] | None = None,
    cluster_load: float | None = None,
    samples: int | None = None,
    seed: int = 0,
) -> Forecast:
    """Learns every stage's time, and draws joint samples of it.

    Args:
        workflow: The stages.
        histories: Their tasks' runs.
        sizes: Input sizes of this run, by stage, beside those that the workflow names as numbers.
        cluster_load: Workers that other workflows keep busy: they are missing in the capacity.
        samples: N; None: by the workflow's size.
        seed: For what is drawn.

    Raises:
        WorkflowError: The workflow is not sound, or a stage does not fit the capacity.
    """
    stages = workflow.ordered()
    histories = histories.with_known_times(workflow)
    named = {s.name: float(s.input_size) for s in stages if isinstance(s.input_size, (int, float))}
    known = input_sizes(workflow, histories, {**named, **(sizes or {})})
    capacity = _capacity(workflow, cluster_load)
    options = [_options(s, histories, capacity) for s in stages]
    most = SAMPLE_BUDGET // (sum(map(len, options)) or 1)
    if most < FEWEST_SAMPLES:
        options = [_thinned(o) for o in options]
        most = SAMPLE_BUDGET // sum(map(len, options))
    most = min(most, EVALUATED // len(stages), MOST_SAMPLES if capacity is None else IN_SLOTS)
    size = samples or max(most, FEWEST_SAMPLES)
    learned = _learned(workflow, stages, histories, known)

    def draw(seed: int) -> list[StageTimes]:
        return _times(learned, stages, options, histories, known, cluster_load, size, seed)

    place = {s.name: i for i, s in enumerate(stages)}
    parents = [tuple(place[p] for p in s.after) for s in stages]
    transfer = [[_transfer_s(workflow, known[s.name], len(s.after))] * len(s.after) for s in stages]
    keep = np.inf if workflow.keep_warm_s is None else workflow.keep_warm_s
    priced = any(_price(s, histories) is not None or _typed_price(s) for s in stages)
    unit = "usd" if priced else "worker-seconds"
    network = Network(parents, transfer, keep, capacity)
    return Forecast(workflow, draw(seed), network, unit, draw)


@dataclass(frozen=True, eq=False)
class _Learned:
    """What is believed of the tasks.

    Attributes:
        models: A task's each.
        numbers: The stages of each task.
        shared: The share of the run noise that a run's stages have in common.
    """

    models: Sequence[TaskModel]
    numbers: Sequence[Sequence[int]]
    shared: float


def _learned(
    workflow: Workflow,
    stages: Sequence[Stage],
    histories: Histories,
    sizes: Mapping[str, float | None],
) -> _Learned:
    of_task: dict[str, list[int]] = {}
    for i, stage in enumerate(stages):
        of_task.setdefault(stage.experiment, []).append(i)
    asked = [
        Asked(
            histories[task],
            histories.parts(workflow, stages[numbers[0]]),
            [s for i in numbers if (s := sizes[stages[i].name]) is not None],
        )
        for task, numbers in of_task.items()
    ]
    models = learn(asked)
    return _Learned(models, list(of_task.values()), shared_variance(models, asked))


def _times(
    learned: _Learned,
    stages: Sequence[Stage],
    options: Sequence[Sequence[Option]],
    histories: Histories,
    sizes: Mapping[str, float | None],
    cluster_load: float | None,
    size: int,
    seed: int,
) -> list[StageTimes]:
    rng = np.random.default_rng(seed)
    day = rng.standard_normal(size)
    found: dict[int, StageTimes] = {}
    for model, numbers in zip(learned.models, learned.numbers, strict=True):
        points = [
            Point(o.parallelism, Context(sizes[stages[i].name], cluster_load), o.worker_type)
            for i in numbers
            for o in options[i]
        ]
        drawn = _distinct(model, points, size, rng)
        first = 0
        for i in numbers:
            rows = slice(first, first + len(options[i]))
            first = rows.stop
            own, other = rng.standard_normal((2, size))
            normal = (day, own, other)
            experiment = histories[stages[i].experiment].experiment
            time, again = _with_noise(drawn, rows, normal, learned.shared)
            cost = drawn.part_cost if drawn.part_cost.any() and stages[i].after else None
            own_size = sizes[stages[i].name]
            found[i] = StageTimes(stages[i], options[i], time, cost, again, experiment, own_size)
    return [found[i] for i in range(len(stages))]


def _with_noise(
    drawn: Drawn, rows: slice, normal: tuple[Vector, Vector, Vector], shared: float
) -> tuple[Vector, Vector]:
    """A run's time in samples, and a second run's over it."""
    day, own, other = normal
    noise = drawn.noise[rows]
    common, alone = math.sqrt(shared), math.sqrt(1 - shared)
    time = np.exp(drawn.log_time[rows] + noise * (common * day + alone * own))
    return time, np.exp(noise[0] * alone * (other - own))


def _distinct(
    model: TaskModel, points: Sequence[Point], size: int, rng: np.random.Generator
) -> Drawn:
    """Draws at points of which many may be one: a task's stages often have inputs of one size."""
    position: dict[Any, int] = {}
    where = [position.setdefault(_key(p), len(position)) for p in points]
    first = {at: p for p, at in zip(reversed(points), reversed(where), strict=True)}
    drawn = model.draw([first[i] for i in range(len(position))], size, rng)
    return Drawn(drawn.log_time[where], drawn.noise[where], drawn.part_cost)


def _key(point: Point) -> tuple[Any, ...]:
    size = point.context.input_size
    return (
        point.parallelism,
        point.worker_type,
        None if size is None else round(math.log(size) / SAME_SIZE),
    )


def _capacity(workflow: Workflow, cluster_load: float | None) -> int | None:
    if workflow.capacity is None:
        return None
    free = workflow.capacity - math.ceil(cluster_load or 0)
    if free < 1:
        raise WorkflowError(
            f"other workflows keep {cluster_load:g} of {workflow.capacity} workers busy: none is "
            f"left for workflow {workflow.name!r}"
        )
    return free


def _options(stage: Stage, histories: Histories, capacity: int | None) -> list[Option]:
    experiment = histories[stage.experiment].experiment
    space = stage.parallelism or experiment.search_space
    price = _price(stage, histories)
    found = []
    kinds: list[tuple[str | None, WorkerType | None]] = [*stage.worker_types.items()]
    for name, kind in kinds or [(None, None)]:
        own = None if kind is None else kind.parallelism
        allowed = space if own is None else SearchSpace.of(own)
        per_hour = price if kind is None or kind.price_per_hour is None else kind.price_per_hour
        per_s = 1.0 if per_hour is None else per_hour / SECONDS_PER_HOUR
        found += [
            Option(s, name, kind, per_s)
            for s in allowed.degrees
            if capacity is None or s <= capacity
        ]
    if not found:
        raise WorkflowError(
            f"stage {stage.name!r} needs {space.smallest} workers or more, and there are {capacity}"
        )
    return found


def _thinned(options: Sequence[Option]) -> list[Option]:
    """Fewer degrees of each type, spread evenly by ratio."""
    found: list[Option] = []
    for name in dict.fromkeys(o.type_name for o in options):
        own = [o for o in options if o.type_name == name]
        wanted = np.geomspace(own[0].parallelism, own[-1].parallelism, FEWEST_OPTIONS)
        kept = {min(range(len(own)), key=lambda i: abs(own[i].parallelism - w)) for w in wanted}
        found += [own[i] for i in sorted(kept)]
    return found


def _price(stage: Stage, histories: Histories) -> float | None:
    return histories[stage.experiment].experiment.objective.price_per_worker_hour


def _typed_price(stage: Stage) -> bool:
    return any(t.price_per_hour is not None for t in stage.worker_types.values())


def _transfer_s(workflow: Workflow, size: float | None, parents: int) -> float:
    if workflow.bandwidth is None or size is None or not parents:
        return 0.0
    return size / parents / workflow.bandwidth
