"""Searches against enumeration, coupled stages, and how time grows with the stages."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from arbo_bo.benchmarks.workflows.rows import Row
from arbo_bo.experiment import Experiment
from arbo_bo.experiment.drafts import attached_trial
from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.forecast import Forecast
from arbo_bo.planning.formats import load_workflow
from arbo_bo.planning.goals import Deadline, Mean, Target, upper_quantile
from arbo_bo.planning.histories import Histories, TaskHistory
from arbo_bo.planning.make import make_plan
from arbo_bo.planning.network import Numbers
from arbo_bo.planning.paths import around
from arbo_bo.planning.planners.relaxation import cheapest, fastest, relaxed_choices
from arbo_bo.planning.planners.search import best_of, improved, useful_options
from arbo_bo.planning.predicted import predicted
from arbo_bo.planning.workflow import Workflow

DEGREES = (1, 2, 3, 4, 6, 8)
GRAPHS, STRENGTHS = 200, (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)
LEARNING_RUNS, NOISE = 8, 0.03
SIZES = (10, 100, 1000, 10_000)
SAMPLES = 128


def _history(
    task: str, law: Callable[[int], float], degrees: tuple[int, ...], rng: np.random.Generator
) -> TaskHistory:
    experiment = Experiment(task)
    rows = [
        {"parallelism": s, "execution_time_s": law(s) * float(np.exp(NOISE * z))}
        for s in degrees
        for z in rng.standard_normal(2)
    ]
    return TaskHistory(experiment, [attached_trial(experiment, r) for r in rows])


def _law(serial: float, work: float) -> Callable[[int], float]:
    return lambda s: serial + work / s


def random_graph(rng: np.random.Generator) -> Forecast:
    """A workflow of two to six stages of six degrees, each learned from six runs."""
    workflow, histories = Workflow("random"), []
    for i in range(int(rng.integers(2, 7))):
        parents = rng.choice(i, min(i, int(rng.integers(0, 3))), replace=False)
        workflow.stage(f"s{i}", after=[f"s{p}" for p in parents], parallelism=DEGREES)
        law = _law(rng.uniform(1, 10), rng.uniform(20, 200))
        histories.append(_history(f"random.s{i}", law, (1, 4, 8), rng))
    return predicted(workflow, Histories(histories), samples=SAMPLES)


def against_enumeration(count: int = GRAPHS) -> Iterator[Row]:
    """The search without its own enumeration, against all choices."""
    lost, ratios = 0, []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        forecast = random_graph(rng)
        every = np.array(list(itertools.product(range(len(DEGREES)), repeat=len(forecast))))
        lowest = forecast.reached(np.stack([fastest(forecast), cheapest(forecast)]), 0.95)
        limit = lowest[0] * (lowest[1] / lowest[0]) ** rng.uniform(0.02, 0.9)
        target = Target.of(Deadline(float(limit)))
        optimum = best_of(forecast, target, every)
        start = best_of(forecast, target, relaxed_choices(forecast, target))
        found = improved(forecast, target, start, useful_options(forecast))
        if optimum.excess <= 0 < found.excess:
            lost += 1
        elif optimum.excess <= 0:
            ratios.append(found.value / optimum.value)
    worst = max(ratios)
    name = f"{count} random DAGs"
    yield Row(name, "chance, search alone", "largest cost over the optimum's", f"{worst:.4f}",
              "at most 1.02")  # fmt: skip
    yield Row(name, "chance, search alone", "infeasible where a plan is", str(lost), "0")


def coupled(strengths: tuple[float, ...] = STRENGTHS) -> Iterator[Row]:
    """A merge that grows with the parts of its parent: the plan after eight runs."""
    for planner in ("chance", "independent"):
        ratios = [_after_runs(c, planner) for c in strengths]
        text = ", ".join(f"{r:.2f}" for r in ratios)
        aim = "each at most 1.05" if planner == "chance" else ""
        yield Row("coupled stages", planner, "makespan over the joint optimum's", text, aim)


def _after_runs(strength: float, planner: str) -> float:
    workflow = Workflow("coupled")
    workflow.stage("split", parallelism=(1, 32))
    workflow.stage("merge", after=["split"], parallelism=[1])

    def times(s: int) -> tuple[float, float]:
        return 10 + 300 / s, 10 * (1 + strength * (s - 1))

    rng, runs = np.random.default_rng(3), list[tuple[int, float, float]]()
    for number in range(LEARNING_RUNS):
        degree = (2, 16)[number] if number < 2 else _split(workflow, runs, planner)
        split, merge = (t * float(np.exp(NOISE * rng.standard_normal())) for t in times(degree))
        runs.append((degree, split, merge))
    chosen = _split(workflow, runs, planner)
    return sum(times(chosen)) / min(sum(times(s)) for s in range(1, 33))


def _split(workflow: Workflow, runs: list[tuple[int, float, float]], planner: str) -> int:
    split, merge = (Experiment(f"coupled.{n}") for n in ("split", "merge"))

    def trials(experiment: Experiment, at: int) -> list[object]:
        return [
            attached_trial(experiment, {
                "parallelism": run[0] if at == 1 else 1,
                "execution_time_s": run[at],
                "run_key": f"run-{number}",
            })
            for number, run in enumerate(runs)
        ]  # fmt: skip

    known = Histories([TaskHistory(split, trials(split, 1)), TaskHistory(merge, trials(merge, 2))])  # type: ignore[arg-type]
    return make_plan(predicted(workflow, known), Mean(), planner)["split"].parallelism


def layered(stages: int) -> Forecast:
    """A workflow as wide as it is long, of twenty tasks."""
    rng, workflow = np.random.default_rng(0), Workflow("layered")
    width = max(int(stages**0.5), 1)
    for i in range(stages):
        first = (i // width - 1) * width
        picked = rng.choice(width, min(width, 3), replace=False)[: 3 * (first >= 0)]
        workflow.stage(
            f"s{i}",
            after=[f"s{first + int(p)}" for p in picked],
            experiment=f"t{i % 20}",
            parallelism=[1, 2, 4, 8, 16, 32],
        )
    laws = [_law(2.0 + k, 50.0 + 20 * k) for k in range(20)]
    return predicted(
        workflow,
        Histories([_history(f"t{k}", law, (1, 4, 16), rng) for k, law in enumerate(laws)]),
    )


def growth(sizes: tuple[int, ...] = SIZES) -> Iterator[Row]:
    """CPU time of prediction and plan."""
    for stages in sizes:
        began = time.process_time()
        forecast = layered(stages)
        ends = [forecast.evaluate(c(forecast)).makespan for c in (fastest, cheapest)]
        low, high = (float(upper_quantile(e, 0.95)[0]) for e in ends)
        make_plan(forecast, Deadline((low * high) ** 0.5))
        spent = time.process_time() - began
        aim = "under 5 s" if stages == 1000 else ""
        yield Row(f"{stages} stages", "chance", "prediction and plan, CPU", f"{spent:.2f} s", aim)


def incremental(folder: Path) -> Iterator[Row]:
    """One stage changed in recorded workflows: an update against the whole."""
    ratios: list[tuple[float, float]] = []
    for file in sorted(folder.glob("*.json")):
        forecast = predicted(load_workflow(file), Histories())
        ratios += _updates(forecast, np.zeros(len(forecast), int))
    names = ("all times", "the makespan, by tables")
    for name, found in zip(names, zip(*ratios, strict=True), strict=True):
        text = f"{np.median(found):.0f} times faster"
        measure = "an update against the whole, median"
        yield Row("recorded workflows", name, measure, text, "at least 20")


def _updates(forecast: Forecast, choice: Numbers) -> list[tuple[float, float]]:
    before = forecast.evaluate(choice)
    whole = _seconds(lambda: forecast.evaluate(choice))
    tables = around(forecast.network, before.timing, [d[0] for d in before.durations])
    found = []
    for i, own in enumerate(forecast.times):

        def update(changed: Sequence[int] = (i,)) -> object:
            return forecast.again(before, choice, changed)

        def by_tables(i: int = i, other: Vector = own.time[0]) -> object:
            return tables.makespan(i, other)

        found.append((whole / _seconds(update), whole / _seconds(by_tables)))
    return found


def _seconds(call: Callable[[], object]) -> float:
    found = []
    for _ in range(5):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return min(found)
