"""Twenty jobs that fail in the ways that jobs do: ``make bench-troubled``.

Each is played for 40 nights through `generate`, as the optimizer would. Printed are, after the
first three nights, the share of nights that failed, and the cost of the nights over that of an
oracle that knows the truth and takes the best degree that is safe; a failed night costs its time
and a run of the oracle. The peer in the same run is the default degree every night.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from arbo_bo.experiment import (
    AmdahlLaw,
    Arm,
    Context,
    Experiment,
    Objective,
    Phase,
    SearchSpace,
    Trial,
    TrialStatus,
)
from arbo_bo.generation import generate

NIGHTS, FREE, DEFAULT = 40, 3, 4
DEGREES = (1, 2, 4, 6, 8, 12, 16, 24, 32)
OBJECTIVE = Objective(2.0)
LAW = AmdahlLaw(1000.0, 0.95, 10.0)


@dataclass(frozen=True)
class Job:
    """A recurring job.

    Attributes:
        name: What troubles it.
        fails: (night, degree, gamma) -> whether a run fails for sure.
        chance: Probability that any run fails.
        slower: (night, degree) -> what its time is multiplied by.
        gamma: night -> the input's size.
        limit_s: A run is ended at this time [s]; None: there is no limit.
        safe: Whether some degree is safe on every night.
    """

    name: str
    fails: Callable[[int, int, float], bool] = lambda night, s, gamma: False
    chance: float = 0.0
    slower: Callable[[int, int], float] = lambda night, s: 1.0
    gamma: Callable[[int], float] = lambda night: 1.0
    limit_s: float | None = None
    safe: bool = True

    def time_s(self, night: int, s: int) -> float:
        """The time of a run that nothing ends, without noise."""
        return LAW.runtime_s(s, self.gamma(night)) * self.slower(night, s)

    def is_safe(self, night: int, s: int) -> bool:
        """Whether a run does not fail for sure."""
        late = self.limit_s is not None and self.time_s(night, s) > self.limit_s
        return not late and not self.fails(night, s, self.gamma(night))


JOBS = (
    *(Job(f"out of memory above {c}", lambda n, s, g, c=c: s > c) for c in (4, 8, 12, 16)),
    *(Job(f"out of memory below {c}", lambda n, s, g, c=c: s < c) for c in (2, 4, 6)),
    Job("memory grows with the input", lambda n, s, g: s * g > 16, gamma=lambda n: 1 + n / 20),
    Job("memory a worker needs", lambda n, s, g: g / s > 0.6, gamma=lambda n: 1 + n % 7 / 3),
    Job("licence for 8", lambda n, s, g: s > 8),
    Job("one degree crashes", lambda n, s, g: s == 16),
    Job("flaky, 5 %", chance=0.05),
    Job("flaky, 10 %", chance=0.10),
    Job("outage of five nights", lambda n, s, g: 15 <= n < 20, safe=False),
    Job("two outages", lambda n, s, g: n in (8, 9, 25, 26, 27), safe=False),
    Job("cold first run", slower=lambda n, s: 4.0 if n == 0 else 1.0),
    Job("Mondays are slow", slower=lambda n, s: 1.8 if n % 7 == 0 else 1.0),
    Job("cliff above 12", slower=lambda n, s: 5.0 if s > 12 else 1.0),
    Job("input that grows into a time limit", gamma=lambda n: 1 + n / 10, limit_s=700.0),
    Job("limit that begins on night 12", lambda n, s, g: n >= 12 and s > 6),
)


Choose = Callable[[Experiment, list[Trial], Context], int]


def played(job: Job, seed: int, choose: Choose) -> "Play":
    """One job's nights, each degree chosen by `choose`."""
    rng = np.random.default_rng(seed)
    experiment = Experiment(
        "job",
        search_space=SearchSpace.of(DEGREES),
        default_parallelism=DEFAULT,
        objective=OBJECTIVE,
    )
    experiment = replace(experiment, model=replace(experiment.model, base_input_size=1.0))
    trials: list[Trial] = []
    costs, failed = [], []
    for night in range(NIGHTS):
        noise, bad_luck = np.exp(0.05 * rng.standard_normal()), rng.random() < job.chance
        context = Context(job.gamma(night), 0.0)  # the base size is 1
        s = choose(experiment, trials, context)
        time_s = job.time_s(night, s) * noise
        safe = [d for d in DEGREES if job.is_safe(night, d)]
        best = min(OBJECTIVE.score(job.time_s(night, d), d) for d in safe or DEGREES)
        ran = not job.fails(night, s, job.gamma(night)) and not bad_luck
        late = job.limit_s is not None and time_s > job.limit_s
        trials.append(ended(night, s, context, time_s, ran, job.limit_s if late else None))
        failed.append(not ran or late)
        cost = OBJECTIVE.score(min(time_s / noise, job.limit_s or np.inf), s)
        costs.append((cost + best * failed[-1]) / best)
    return Play(float(np.mean(failed[FREE:])), float(np.mean(costs[FREE:])))


@dataclass(frozen=True)
class Play:
    """What came of a job's nights: the share that failed, and cost over the oracle's."""

    failed: float
    cost: float


def ended(
    night: int, s: int, context: Context, time_s: float, ran: bool, limit_s: float | None
) -> Trial:
    """The trial of a night."""
    arm, phase = Arm(s), Phase.OPTIMIZE
    if ran and limit_s is None:
        done = TrialStatus.COMPLETED
        return Trial("job", night, done, arm, context, phase, execution_time_s=time_s)
    reason = "killed" if limit_s is None else "timed out"
    gone = TrialStatus.FAILED
    return Trial(
        "job", night, gone, arm, context, phase, timed_out_after_s=limit_s, failure_reason=reason
    )


def by_arbo() -> Choose:
    """Decides as the optimizer does, what was learned carried on."""
    learned: dict[str, Experiment] = {}

    def choose(experiment: Experiment, trials: list[Trial], context: Context) -> int:
        known = learned.get("job", experiment)
        generated = generate(known, trials, context)
        if generated.learned is not None:
            found = generated.learned
            model = replace(known.model, law=found.law, hyperparameters=found.hyperparameters)
            learned["job"] = replace(known, model=model)
        return generated.decision.parallelism

    return choose


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(parser.parse_args().seeds)
    print(f"{'job':38} {'failed':>8} {'cost':>6}   default: {'failed':>7} {'cost':>6}")
    safe_failed, safe_cost = [], []
    for job in JOBS:
        ours = [played(job, seed, by_arbo()) for seed in seeds]
        fixed = [played(job, seed, lambda *_: DEFAULT) for seed in seeds]
        failed, cost = (np.mean([getattr(p, n) for p in ours]) for n in ("failed", "cost"))
        other, dear = (np.mean([getattr(p, n) for p in fixed]) for n in ("failed", "cost"))
        print(f"{job.name:38} {failed:8.1%} {cost:6.2f} {other:17.1%} {dear:6.2f}")
        if job.safe:
            safe_failed.append(failed - job.chance)
            safe_cost.append(cost)
    print(
        f"where a degree is safe: {np.mean(safe_failed):.1%} failed beyond chance, "
        f"cost {np.mean(safe_cost):.2f} of the oracle's"
    )


if __name__ == "__main__":
    main()
