"""Whether predictions and deadlines hold what they promise: ``make bench-calibration``.

Simulated tasks of three laws with lognormal noise, each played by `generate` as `ArboOptimizer`
would, the truth known: the chance that the next run's time falls into its 90 % interval after ten
runs, the expected regret of that choice, and the chance that a run between 8 and 40 misses a
feasible deadline that it shall keep with 95 %. Chances are computed from the truth, not counted.
"""

import argparse
import itertools
import math
from dataclasses import dataclass
from statistics import fmean

from joblib import Parallel, delayed

from arbo_bo.benchmarks.policies.arbo import ArboPolicy
from arbo_bo.benchmarks.protocol import Setting
from arbo_bo.benchmarks.seeds import generator
from arbo_bo.benchmarks.synthetic import Shape, SyntheticProblem, SyntheticTask
from arbo_bo.experiment import Objective
from arbo_bo.experiment.law import DEFAULT_MEAN

SHAPES = (Shape.AMDAHL, Shape.USL, Shape.SUPERLINEAR)
NOISES = (0.03, 0.1, 0.3)
RUNS, DEADLINE_RUNS, FIRST_JUDGED = 10, 40, 8
COVERAGE, CONFIDENCE, SLACK = 0.9, 0.95, 1.1


@dataclass(frozen=True)
class Outcome:
    """What one task came to: coverage, regret, and the chance of a late run; None: not played."""

    coverage: float
    regret: float
    missed: float | None


def setting(task: SyntheticTask, seed: int, deadline_s: float | None = None) -> Setting:
    """What the policy is told."""
    return Setting(
        space=task.space,
        objective=Objective(),
        default_parallelism=task.space.nearest(5),
        seed=seed,
        deadline_s=deadline_s,
        confidence=CONFIDENCE,
    )


def tell(policy: ArboPolicy, problem: SyntheticProblem, run: int, degree: int) -> None:
    """Runs, with a time drawn for this run and degree."""
    rng = generator("calibration", problem.name, run, degree)
    policy.tell(problem.context(run), degree, problem.draw_s(run, degree, rng))


def predicted(task: SyntheticTask, seed: int, mean: str) -> tuple[float, float]:
    """Coverage and regret of the run after `RUNS`."""
    problem, policy = task.problem(seed), ArboPolicy(setting(task, seed), mean=mean)
    for run in range(1, RUNS + 1):
        tell(policy, problem, run, policy.ask(problem.context(run), problem.degrees(run)))
    run = RUNS + 1
    chosen = policy.ask(problem.context(run), problem.degrees(run))
    (prediction,) = (c.prediction for c in policy.candidates if c.parallelism == chosen)
    low, high = (prediction.quantile_s(q) for q in ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2))
    within = (problem.probability_within(run, chosen, limit) for limit in (high, low))
    objective = policy.setting.objective
    scores = {s: objective.score(problem.expected_s(run, s), s) for s in problem.degrees(run)}
    return next(within) - next(within), scores[chosen] / min(scores.values()) - 1


def missed(task: SyntheticTask, seed: int, mean: str) -> float:
    """The chance that a run is late, the deadline being feasible for the largest input."""
    spread = task.parameters.sigma
    late = math.exp(1.6449 * spread - spread**2 / 2)
    fastest = min(task.law_s(s, max(task.sizes)) for s in task.parameters.degrees)
    limit = SLACK * late * fastest
    problem, policy = task.problem(seed), ArboPolicy(setting(task, seed, limit), mean=mean)
    chances = []
    for run in range(1, DEADLINE_RUNS + 1):
        chosen = policy.ask(problem.context(run), problem.degrees(run))
        tell(policy, problem, run, chosen)
        if run >= FIRST_JUDGED:
            chances.append(1 - problem.probability_within(run, chosen, limit))
    return fmean(chances)


def play(shape: Shape, noise: float, index: int, mean: str, deadlines: bool) -> Outcome:
    """One task, twice: without and with a deadline."""
    task = SyntheticTask(shape, index, sigma=noise)
    coverage, regret = predicted(task, index, mean)
    return Outcome(coverage, regret, missed(task, index, mean) if deadlines else None)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=20, help="tasks a row  [default: 20]")
    parser.add_argument("--jobs", type=int, default=-1, help="processes  [default: one a core]")
    parser.add_argument("--mean", default=str(DEFAULT_MEAN), help="the law under the process")
    parser.add_argument("--no-deadlines", action="store_true", help="leave the slow column out")
    options = parser.parse_args()
    cells = list(itertools.product(SHAPES, NOISES))
    work = [(shape, noise, i) for shape, noise in cells for i in range(options.tasks)]
    with_deadlines = not options.no_deadlines
    outcomes = Parallel(n_jobs=options.jobs)(
        delayed(play)(*unit, options.mean, with_deadlines) for unit in work
    )
    print(f"mean={options.mean}, {options.tasks} tasks a row")
    print(f"{'truth':<12} {'noise':>6} {'coverage':>9} {'regret':>8} {'missed':>8}")
    for row, (shape, noise) in enumerate(cells):
        found = outcomes[row * options.tasks : (row + 1) * options.tasks]
        coverage, regret = fmean(o.coverage for o in found), fmean(o.regret for o in found)
        late = [o.missed for o in found if o.missed is not None]
        shown = f"{100 * fmean(late):6.1f} %" if late else f"{'-':>8}"
        print(f"{shape:<12} {noise:6.2f} {100 * coverage:7.1f} % {100 * regret:6.1f} % {shown}")


if __name__ == "__main__":
    main()
