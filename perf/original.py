"""What each departure of ``estimator="online"`` from the study changes: ``make bench-original``.

Random sequences of runs, the same for all: after each run from the second on, the study's algorithm
(``estimator="original"``) and one that takes a single step as ``online`` does choose the degree of
the next run. Printed is in how many sequences any decision differs, and how many decisions in all.
docs/original.md says what each step is.
"""

import argparse
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from arbo_bo.experiment import AmdahlLaw, Objective
from arbo_bo.generation.threads import one_thread
from arbo_bo.numerics.online import OnlineAmdahlEstimator
from arbo_bo.numerics.steps import ONLINE, STUDY, Steps

SEQUENCES, RUNS, WINDOW = 200, 16, 10
DEGREES = range(1, 33)
NAMES: Mapping[str, str] = {
    "smooths_first_p": "the first probe's p smoothed with p = 1",
    "recomputes_residuals": "residuals recomputed at each fit",
    "keeps_baseline": "the baseline in the window",
    "extra_runs": "a window of W runs, not of W + 1",
    "smallest_log_gamma": "k not learned near gamma = 1, within 0.1 of its logarithm",
    "k_bounds": "k clipped into [0, 4]",
    "smallest_fraction": "a scored time of at least 1 % of the law's",
}
"""The departures, by the field of `Steps`."""


@dataclass(frozen=True)
class Run:
    """One run of a sequence, and where the next one is decided."""

    s: int
    gamma: float
    load: float
    time_s: float


def sequence(seed: int) -> list[Run]:
    """A task by Amdahl's law with 5 to 20 % noise; half of the tasks have one size of input."""
    rng = random.Random(seed)
    law = AmdahlLaw(300.0, rng.uniform(0.5, 0.99), 0.0, rng.uniform(0.7, 1.3))
    noise, varies = rng.uniform(0.05, 0.2), rng.random() < 0.5
    slowing = rng.uniform(0.0, 0.05)
    runs = []
    for index in range(RUNS):
        s = (1, 5)[index] if index < 2 else rng.choice([1, 2, 4, 6, 8, 12, 16, 24])
        gamma = rng.uniform(0.5, 2) if varies and index else 1.0
        load = float(rng.choice([0, 4, 8]))
        time_s = law.runtime_s(s, gamma) * (1 + slowing * load) * rng.lognormvariate(0, noise)
        runs.append(Run(s, gamma, load, time_s))
    return runs


def decisions(runs: list[Run], steps: Steps) -> Iterator[int]:
    """The degree that is chosen for each run from the third on."""
    estimator, objective = OnlineAmdahlEstimator(window=WINDOW, steps=steps), Objective()
    for index, run in enumerate(runs):
        if index >= 2:
            times = estimator.scored_time(list(DEGREES), run.gamma, run.load).tolist()
            scores = [objective.log_score(t, s) for t, s in zip(times, DEGREES, strict=True)]
            yield min(zip(scores, DEGREES, strict=True))[1]
        estimator.observe(run.s, run.gamma, run.load, run.time_s)


def variants() -> dict[str, Steps]:
    """The study's steps with one as `online` takes it, all of them, and a second reading."""
    single = {
        name: replace(STUDY, **{field: getattr(ONLINE, field)}) for field, name in NAMES.items()
    }
    return single | {
        'all of these, estimator="online"': ONLINE,
        "gamma^k left out of p, as one place of the study has it": replace(STUDY, scales_p=False),
    }


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=SEQUENCES)
    sequences = parser.parse_args().sequences
    found = variants()
    changed = {name: [0] * sequences for name in found}
    with one_thread():
        for seed in range(sequences):
            runs = sequence(seed)
            written = list(decisions(runs, STUDY))
            for name, steps in found.items():
                pairs = zip(decisions(runs, steps), written, strict=True)
                changed[name][seed] = sum(a != b for a, b in pairs)
    total = sequences * (RUNS - 2)
    print(f"| in place of the study's step | sequences of {sequences} | decisions of {total} |")
    print("|---|--:|--:|")
    for name, counts in changed.items():
        print(f"| {name} | {sum(c > 0 for c in counts)} | {sum(counts)} |")


if __name__ == "__main__":
    main()
