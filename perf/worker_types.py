"""Chooses machine type and count on measured clusters, beside what people would use instead.

scout's jobs ran on nine EC2 types at several counts each. A policy chooses an arm for each of 20
runs, sees its measured time with 5 % of noise, and pays time x count x price; its regret is what it
pays over the cheapest arm's, less 1. Each job is played with the types in several orders.

    ARBO_BENCH_DATA=... python perf/worker_types.py --seeds 3
"""

import argparse
import csv
import math
import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist, fmean, median

import numpy as np

from arbo_bo.experiment import (
    Arm,
    Context,
    Experiment,
    Phase,
    SearchSpace,
    Trial,
    TrialStatus,
    WorkerType,
)
from arbo_bo.generation import generate

RUNS, NOISE, FEWEST_ARMS = 20, 0.05, 30
SIZES = {"large": 2, "xlarge": 4, "2xlarge": 8}
MEMORY_PER_CPU = {"c4": 1.875, "m4": 4.0, "r4": 7.625}
"""vCPUs and GB of the EC2 types that scout measured, as their maker lists them."""
Seen = Sequence[tuple[Arm, float]]


@dataclass(frozen=True)
class Job:
    """One job: the measured time of each arm [s], and its types."""

    name: str
    time_s: Mapping[Arm, float]
    types: Mapping[str, WorkerType]

    def cost(self, arm: Arm, time_s: float | None = None) -> float:
        """Money of a run times an hour's seconds."""
        price = self.types[arm.worker_type].price_per_hour
        return (self.time_s[arm] if time_s is None else time_s) * arm.parallelism * price


def jobs(path: Path) -> list[Job]:
    """Scout's jobs that were measured at 30 arms or more."""
    times: dict[str, dict[Arm, float]] = defaultdict(dict)
    price: dict[str, float] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            arm = Arm(int(row["parallelism"]), row["context"])
            times[f"{row['task']} {row['input_size']}"][arm] = float(row["execution_time_s"])
            price[row["context"]] = float(row["price_per_worker_hour"])
    return [Job(n, found, _types(found, price)) for n, found in times.items()
            if len(found) >= FEWEST_ARMS]  # fmt: skip


def _types(arms: Mapping[Arm, float], price: Mapping[str, float]) -> dict[str, WorkerType]:
    counts = defaultdict(list)
    for arm in arms:
        counts[arm.worker_type].append(arm.parallelism)
    found = {}
    for name, own in counts.items():
        family, size = name.split(".")
        cpus = SIZES[size]
        memory = cpus * MEMORY_PER_CPU[family]
        found[name] = WorkerType(cpus, memory, price[name], parallelism=own)
    return found


def arbo(job: Job, rng: random.Random) -> Iterator[Arm]:
    """The default, through `generate`."""
    task = Experiment("t", search_space=SearchSpace((4,)), worker_types=job.types)
    task = replace(task, default_parallelism=10)
    trials: list[Trial] = []
    while True:
        made = generate(task, trials, Context(None, 0.0))
        if made.learned is not None:
            law, known = made.learned.law, made.learned.hyperparameters
            task = replace(task, model=replace(task.model, law=law, hyperparameters=known))
        time_s = yield made.decision.arm
        trials.append(
            Trial("t", len(trials), TrialStatus.COMPLETED, made.decision.arm, Context(None, 0.0),
                  Phase.OPTIMIZE, execution_time_s=time_s)
        )  # fmt: skip


def cherrypick(job: Job, rng: random.Random) -> Iterator[Arm]:
    """A Gaussian process over machine features, expected improvement, and its stopping rule.

    Three random arms first; it stops exploring where the expected improvement is below 10 % and six
    arms were tried, and then runs the best.

    Source: O. Alipourfard et al., CherryPick, NSDI 2017.
    """
    arms = list(job.time_s)
    features = np.array([_features(job, arm) for arm in arms])
    features = (features - features.min(0)) / (np.ptp(features, 0) + 1e-9)
    at: list[int] = []
    y: list[float] = []
    while True:
        if len(at) < 3:
            chosen = rng.randrange(len(arms))
        else:
            gain = _improvement(features, at, np.array(y))
            settled = gain.max() < 0.1 and len(at) >= 6
            chosen = at[int(np.argmin(y))] if settled else int(gain.argmax())
        time_s = yield arms[chosen]
        at.append(chosen)
        y.append(math.log(job.cost(arms[chosen], time_s)))


def _features(job: Job, arm: Arm) -> tuple[float, ...]:
    one = job.types[arm.worker_type]
    return math.log(arm.parallelism), math.log(one.cpus), math.log(one.memory_gb / one.cpus)


def _matern(a: np.ndarray, b: np.ndarray, length: float) -> np.ndarray:
    r = 5**0.5 * np.sqrt(((a[:, None] - b) ** 2).sum(-1)) / length
    return (1 + r + r**2 / 3) * np.exp(-r)


def _improvement(features: np.ndarray, at: Sequence[int], y: np.ndarray) -> np.ndarray:
    """Expected improvement in log cost, at the likeliest of a grid of lengthscales and noises."""
    seen, scale = features[at], y.std() + 1e-6
    z = (y - y.mean()) / scale
    best = (-math.inf, 1.0, np.eye(len(z)))
    for length in (0.3, 0.5, 1.0, 2.0):
        for noise in (1e-3, 1e-2, 1e-1):
            covariance = _matern(seen, seen, length) + noise * np.eye(len(z))
            likelihood = -z @ np.linalg.solve(covariance, z) - np.linalg.slogdet(covariance)[1]
            best = max(best, (likelihood, length, covariance), key=lambda found: found[0])
    _, length, covariance = best
    cross = _matern(features, seen, length)
    weights = np.linalg.solve(covariance, cross.T).T
    std = np.sqrt(np.maximum(1 - (cross * weights).sum(1), 1e-9))
    u = (z.min() - weights @ z) / std
    normal = NormalDist()
    gain = [s * (v * normal.cdf(v) + normal.pdf(v)) for s, v in zip(std, u, strict=True)]
    return scale * np.array(gain)


def ernest(job: Job, rng: random.Random) -> Iterator[Arm]:
    """Ernest's law for each type: its smallest and largest count are run, then what is cheapest.

    Source: S. Venkataraman et al., Ernest, NSDI 2016.
    """
    from scipy.optimize import nnls

    runs: dict[str, list[tuple[int, float]]] = {name: [] for name in job.types}
    design = [Arm(s, n) for n, one in job.types.items()
              for s in (one.parallelism.largest, one.parallelism.smallest)]  # fmt: skip
    rng.shuffle(design)
    while True:
        arm = design.pop() if design else min(job.time_s, key=lambda a: job.cost(a, at(a)))
        time_s = yield arm
        runs[arm.worker_type].append((arm.parallelism, time_s))

        def at(asked: Arm) -> float:
            own = runs[asked.worker_type]
            rows = np.array([_ernest(s) for s, _ in own])
            theta = nnls(rows, np.array([t for _, t in own]))[0]
            return max(float(_ernest(asked.parallelism) @ theta), 1e-9)


def _ernest(s: int) -> np.ndarray:
    return np.array([1.0, 1 / s, math.log(s), s])


def tpe(job: Job, rng: random.Random) -> Iterator[Arm]:
    """Optuna's tree-structured Parzen estimator over type and count."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=rng.randrange(2**31)))
    while True:
        trial = study.ask()
        name = trial.suggest_categorical("type", sorted(job.types))
        counts = job.types[name].parallelism.degrees
        arm = Arm(counts[trial.suggest_int(f"count of {name}", 0, len(counts) - 1)], name)
        time_s = yield arm
        study.tell(trial, math.log(job.cost(arm, time_s)))


def at_random(job: Job, rng: random.Random) -> Iterator[Arm]:
    """Any arm."""
    while True:
        yield rng.choice(list(job.time_s))


POLICIES: Mapping[str, Callable[[Job, random.Random], Iterator[Arm]]] = {
    "arbo": arbo,
    "CherryPick": cherrypick,
    "Ernest per type": ernest,
    "Optuna TPE": tpe,
    "random": at_random,
}


def regrets(job: Job, policy: str, seed: int, runs: int = RUNS) -> list[float]:
    """The regret of each run."""
    rng = random.Random(seed)
    names = list(job.types)
    rng.shuffle(names)
    shuffled = replace(job, types={name: job.types[name] for name in names})
    best, found = min(map(job.cost, job.time_s)), []
    chooser = POLICIES[policy](shuffled, rng)
    arm = next(chooser)
    for run in range(runs):
        found.append(job.cost(arm) / best - 1)
        if run < runs - 1:
            arm = chooser.send(job.time_s[arm] * math.exp(rng.gauss(0, NOISE)))
    return found


def main() -> None:
    """Prints a line for each policy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    every = jobs(Path(os.environ["ARBO_BENCH_DATA"]) / "scout.csv")
    print(f"{len(every)} jobs, {seeds} seeds")
    print(f"{'policy':16} {'runs 3-20: mean':>16} {'median job':>11} {'run 12: median job':>19}")
    for policy in POLICIES:
        played = [[regrets(job, policy, seed) for seed in range(seeds)] for job in every]
        later = [fmean(fmean(r[2:]) for r in of) for of in played]
        twelfth = [median(r[11] for r in of) for of in played]
        print(f"{policy:16} {fmean(later):16.3f} {median(later):11.3f} {median(twelfth):19.3f}",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
