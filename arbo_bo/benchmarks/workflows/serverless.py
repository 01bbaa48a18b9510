"""Three serverless workflows: planned from one epoch and judged on the other, and from nothing."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from arbo_bo.benchmarks.workflows.profiles import (
    Configuration,
    Profile,
    histories_of,
    load_profiles,
    spread,
    workflow_of,
)
from arbo_bo.benchmarks.workflows.rows import Row
from arbo_bo.planning.forecast import Forecast
from arbo_bo.planning.goals import Deadline
from arbo_bo.planning.make import make_plan
from arbo_bo.planning.plan import Plan
from arbo_bo.planning.predicted import predicted

EPOCHS = (("1", "2"), ("2", "1"))
DEADLINES, LATEST = 7, 2.5
"""Deadlines from the fastest plan of one configuration to 2.5 times as long, by ratio."""
PROBABILITY = 0.9
SHARES = (1.0, 1 / 3)
"""Of an epoch's runs: all of one, which is a third of the campaign's three, and a third of one."""
PLANNERS = ("chance", "jolteon", "uniform", "independent")
RUNS, FIRST_JUDGED, MARGIN, SETTLED = 40, 8, 1.2, 15
FROM_NOTHING = 0.95
SAMPLES = 256


def replayed(folder: Path) -> Iterator[Row]:
    """Planned from one epoch, judged on the other."""
    missed = {(p, s): 0 for p in PLANNERS for s in SHARES}
    for name, epochs in load_profiles(folder).items():
        ratios: dict[tuple[str, float], list[float]] = {key: [] for key in missed}
        uniform: list[float] = []
        unsure = dict.fromkeys(missed, 0)
        for train, test in EPOCHS:
            truth = epochs[test]
            known = truth.uniform()
            deadlines = min(t for t, _ in known) * np.geomspace(1, LATEST, DEADLINES)
            oracle = truth.oracle(list(deadlines))
            best = [min(c for t, c in known if t <= d + 1e-9) for d in deadlines]
            uniform.append(best[0] / oracle[0])
            for share in SHARES:
                forecast = _known(epochs[train], share)
                for planner in PLANNERS:
                    for deadline, least in zip(deadlines, oracle, strict=True):
                        plan = make_plan(forecast, Deadline(float(deadline), PROBABILITY), planner)
                        time, cost, _ = truth.judge(_configurations(plan))
                        if time > deadline * (1 + 1e-9):
                            missed[planner, share] += 1
                        else:
                            ratios[planner, share].append(cost / least)
                        unsure[planner, share] += not plan.feasible
        yield Row(
            name, "best uniform", "cost over the oracle's, tightest", f"{np.mean(uniform):.2f}"
        )
        for (planner, share), found in ratios.items():
            aim = "at most 1.10" if planner == "chance" and share == 1 else ""
            text = f"{np.mean(found):.2f}, said not to be likely {unsure[planner, share]} of 14"
            yield Row(name, planner, f"cost where kept, {_runs(share)}", text, aim)
    for (planner, share), count in missed.items():
        aim = "at most 2" if planner == "chance" and share == 1 else ""
        yield Row("all three", planner, f"missed of 42, {_runs(share)}", str(count), aim)


def _runs(share: float) -> str:
    return "one epoch's runs" if share == 1 else "a third of them"


def _known(profile: Profile, share: float) -> Forecast:
    chosen = spread(profile.configurations, round(len(profile.configurations) * share))
    runs = [_run(profile, [c] * len(profile.parents)) for c in chosen]
    return predicted(workflow_of(profile), histories_of(profile, runs))


def _run(
    profile: Profile, chosen: Sequence[Configuration]
) -> tuple[Sequence[Configuration], list[float]]:
    return chosen, profile.judge(chosen)[2]


def _configurations(plan: Plan) -> list[Configuration]:
    ordered = sorted(plan.stages, key=lambda s: int(s.name[1:]))
    return [(int(s.worker_type or 0), s.parallelism) for s in ordered]


def from_nothing(folder: Path, runs: int = RUNS) -> Iterator[Row]:
    """Run after run, no profile before; each run is of one epoch or the other."""
    for name, epochs in load_profiles(folder).items():
        both = [epochs[e] for e, _ in EPOCHS]
        deadline = MARGIN * max(_fastest(p) for p in both)
        least = np.mean([p.oracle([deadline])[0] for p in both])
        for planner in PLANNERS:
            rng, done = (
                np.random.default_rng(0),
                list[tuple[Sequence[Configuration], list[float]]](),
            )
            times, costs = [], []
            for _ in range(runs):
                truth = both[int(rng.integers(2))]
                forecast = predicted(workflow_of(truth), histories_of(truth, done), samples=SAMPLES)
                plan = make_plan(forecast, Deadline(deadline, FROM_NOTHING), planner)
                chosen = _configurations(plan)
                time, cost, walls = truth.judge(chosen)
                done.append((chosen, walls))
                times.append(time)
                costs.append(cost)
            late = np.mean(np.array(times[FIRST_JUDGED - 1 :]) > deadline)
            settled = np.mean(costs[SETTLED - 1 :]) / least
            ours = planner == "chance"
            yield Row(
                f"{name} from nothing", planner, "missed, runs 8 to 40", f"{late:.0%}",
                "at most 8 %" if ours else "",
            )  # fmt: skip
            yield Row(
                f"{name} from nothing", planner, "cost over the oracle's from run 15",
                f"{settled:.2f}", "at most 1.15" if ours else "",
            )  # fmt: skip


def _fastest(profile: Profile) -> float:
    return min(t for t, _ in profile.uniform())
