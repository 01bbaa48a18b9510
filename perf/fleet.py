"""A night of tasks decided and completed in one process: ``make bench-fleet``.

1,000 tasks with 50 runs each in an SQLite file; all of them are decided by `suggest_many` and
completed by `complete_many`. The peer in the same process is the same work one task at a time.
Printed are CPU milliseconds a task, and their ratio.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from arbo_bo import AmdahlLaw, ArboOptimizer

TASKS, RUNS, ALONE = 1000, 50, 50


def filled(arbo: ArboOptimizer, tasks: int, runs: int) -> dict[str, AmdahlLaw]:
    """Tasks of an Amdahl law each, with 5 % noise, over sizes and degrees; the laws by task."""
    rng, laws = random.Random(0), {}
    for number in range(tasks):
        law = AmdahlLaw(rng.uniform(30, 3000), rng.uniform(0.7, 0.99), rng.uniform(0, 10))
        rows = []
        for _ in range(runs):
            s, size = rng.choice([1, 2, 4, 8, 12, 16]), rng.uniform(0.5, 2)
            time_s = law.runtime_s(s, size) * rng.lognormvariate(0, 0.05)
            rows.append({"parallelism": s, "input_size": size, "execution_time_s": time_s})
        laws[f"task{number}"] = law
        arbo.attach_trials(f"task{number}", rows)
    return laws


def cpu_ms(action: Callable[[], object]) -> float:
    """CPU milliseconds of an action."""
    started = time.process_time()
    action()
    return 1e3 * (time.process_time() - started)


def main() -> None:
    """Prints CPU a task, together and one by one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=TASKS)
    parser.add_argument("--runs", type=int, default=RUNS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        arbo = ArboOptimizer(f"sqlite:///{Path(folder) / 'arbo.db'}")
        laws = filled(arbo, given.tasks, given.runs)
        names = list(laws)

        def together() -> None:
            decisions = arbo.suggest_many(dict.fromkeys(names, 1.0), deadline_s=600)
            arbo.complete_many(
                (d, laws[d.task].runtime_s(d.parallelism)) for d in decisions.values()
            )

        def alone() -> None:
            for name in names[:ALONE]:
                decision = arbo.suggest(name, input_size=1.0)
                assert decision.trial_index is not None
                time_s = laws[name].runtime_s(decision.parallelism)
                arbo.complete_trial(name, decision, execution_time_s=time_s)

        first = cpu_ms(together) / len(names)  # every fit is a cold one
        warm = cpu_ms(together) / len(names)
        single = cpu_ms(alone) / len(names[:ALONE])
        print(f"{len(names)} tasks of {given.runs} runs, CPU ms a task, decided and completed")
        print(f"  together, cold fits  {first:6.1f}")
        print(f"  together, warm fits  {warm:6.1f}   {warm / single:.2f} of one by one")
        print(f"  one by one, warm     {single:6.1f}")


if __name__ == "__main__":
    main()
