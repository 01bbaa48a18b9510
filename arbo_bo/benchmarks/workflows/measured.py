"""Predictions alone: recurring Spark jobs stage by stage, and functions over memory sizes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from arbo_bo.benchmarks.workflows.rows import Row, read
from arbo_bo.experiment import Context, Experiment, SearchSpace
from arbo_bo.experiment.drafts import attached_trial
from arbo_bo.experiment.experiment import MAX_WINDOW
from arbo_bo.experiment.worker_type import WorkerType
from arbo_bo.numerics.arrays import Vector
from arbo_bo.planning.beliefs import Point
from arbo_bo.planning.histories import Histories, TaskHistory
from arbo_bo.planning.predicted import predicted
from arbo_bo.planning.stage_model import Asked, learn
from arbo_bo.planning.workflow import Workflow

FIRST, BEFORE_FAILURES, STEP = 6, 21, 3
"""Runs that are predicted: the sixth to the 21st, every third; failures begin after that in the
source's experiments (Enel, D. Scheinert et al., 2021)."""
MOVING = 5
SAMPLES = 512
MOST_SIZES = 8

Run = Mapping[int, tuple[float, int]]
"""Seconds and executors by stage."""


def spark(folder: Path) -> Iterator[Row]:
    """Run by run: each stage from the runs before, at the executors that it had."""
    jobs: dict[str, dict[int, dict[int, tuple[float, int]]]] = defaultdict(dict)
    for row in read(folder / "ellis_spark_stages.csv"):
        stage = (max(float(row["stage_s"]), 1e-3), int(float(row["executors_at_stage_end"])))
        jobs[row["job"]].setdefault(int(row["run"]), {})[int(row["stage_idx"])] = stage
    inside, errors = [], defaultdict(list)
    for runs in jobs.values():
        numbers = sorted(runs)
        for at in range(FIRST - 1, min(BEFORE_FAILURES, len(numbers)), STEP):
            before, now = [runs[n] for n in numbers[:at]], runs[numbers[at]]
            truth = sum(t for t, _ in now.values())
            makespan = _predicted(before, now)
            low, high = np.quantile(makespan, (0.05, 0.95))
            inside.append(low <= truth <= high)
            totals = [sum(t for t, _ in r.values()) for r in before]
            for name, guess in (
                ("arbo", float(np.median(makespan))),
                ("last run", totals[-1]),
                ("moving average", float(np.mean(totals[-MOVING:]))),
            ):
                errors[name].append(abs(guess / truth - 1))
    yield Row("Spark jobs", "arbo", "90 % band holds", f"{np.mean(inside):.0%} of {len(inside)}",
              "80 to 95 %")  # fmt: skip
    for name, found in errors.items():
        yield Row("Spark jobs", name, "mean error of the makespan", f"{np.mean(found):.1%}")


def _predicted(before: Sequence[Run], now: Run) -> Vector:
    workflow, histories = Workflow("spark"), []
    for number, i in enumerate(sorted(now)):
        after = [f"s{j}" for j in sorted(now)[number - 1 : number]] if number else []
        workflow.stage(f"s{i}", after=after, parallelism=[now[i][1]])
        experiment = Experiment(f"spark.s{i}", search_space=SearchSpace.between(1, 64))
        trials = [
            attached_trial(experiment, {
                "parallelism": run[i][1], "execution_time_s": run[i][0], "run_key": f"run-{n}"
            })
            for n, run in enumerate(before)
            if i in run
        ]  # fmt: skip
        histories.append(TaskHistory(experiment, trials))
    known = predicted(workflow, Histories(histories), samples=SAMPLES)
    return np.asarray(known.evaluate(np.zeros(len(known), int)).makespan[0])


def memory(folder: Path) -> Iterator[Row]:
    """Each memory size left out, predicted from the others at the same inputs."""
    times: dict[tuple[str, str], dict[tuple[int, float], list[float]]] = defaultdict(dict)
    for row in read(folder / "chunkfunc_profiles.csv"):
        key = (int(row["memory_mib"]), float(row["input_bytes"]))
        own = times[row["cloud"], row["function"]]
        own.setdefault(key, []).append(float(row["exec_ms"]) / 1000)
    ours, theirs = [], []
    for known in times.values():
        mean = {k: float(np.mean(v)) for k, v in known.items() if np.mean(v) > 0}
        sizes = sorted({m for m, _ in mean})
        at = np.unique(np.linspace(0, len(sizes) - 1, MOST_SIZES).astype(int))
        sizes = [sizes[i] for i in at]
        for left_out in sizes[1:-1]:
            model, line = _left_out(mean, sizes, left_out)
            ours += model
            theirs += line
    for name, found, aim in (
        ("arbo", ours, "below the line's"),
        ("linear in log space", theirs, ""),
    ):
        text = f"{np.mean(found):.1%}, median {np.median(found):.1%}"
        yield Row("functions over memory", name, "mean error, a size left out", text, aim)


def _left_out(
    mean: Mapping[tuple[int, float], float], sizes: Sequence[int], left_out: int
) -> tuple[list[float], list[float]]:
    kept = {k: t for k, t in mean.items() if k[0] in sizes and k[0] != left_out}
    asked = [(k, t) for k, t in mean.items() if k[0] == left_out]
    if not asked or len(kept) < 3:
        return [], []
    experiment = Experiment("function", search_space=SearchSpace.of([1]))
    rows = [
        {"parallelism": 1, "execution_time_s": t, "input_size": size}
        for (_, size), t in kept.items()
    ]
    trials = [attached_trial(experiment, row) for row in rows]
    model = replace(experiment.model, base_input_size=rows[0]["input_size"])
    kinds = [_kind(m) for m, _ in kept]
    history = TaskHistory(replace(experiment, model=model, window=MAX_WINDOW), trials, kinds)
    (learned,) = learn([Asked(history, [None] * len(trials), [s for (_, s), _ in asked])])
    points = [Point(1, Context(size), _kind(m)) for (m, size), _ in asked]
    drawn = learned.draw(points, SAMPLES, np.random.default_rng(0))
    found = np.exp(np.median(drawn.log_time, axis=1))
    ours = [abs(f / t - 1) for f, (_, t) in zip(found, asked, strict=True)]
    theirs = []
    for (m, size), t in asked:
        line = sorted((k[0], v) for k, v in kept.items() if k[1] == size)
        if len(line) < 2:
            continue
        x, y = np.log(np.array(line)).T
        theirs.append(abs(float(np.exp(np.interp(np.log(m), x, y))) / t - 1))
    return ours, theirs


def _kind(memory_mib: int) -> WorkerType:
    return WorkerType(cpus=1, memory_gb=memory_mib / 1024)
