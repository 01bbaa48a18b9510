"""What one of several processes does with a store; run as a script.

Usage: storage_process.py ACTION URL TIMES. It says that it is ready, waits for a line, and begins:
that is how several of them begin at the same moment.
"""

import json
import sys

from arbo_bo.experiment import (
    Arm,
    Context,
    Experiment,
    Learned,
    Outcome,
    Phase,
    Trial,
    TrialStatus,
)
from arbo_bo.experiment.law import AmdahlLaw
from arbo_bo.storage.store import SQLTrialStore

TASK = "load_sales"
TRIAL = Trial(TASK, 0, TrialStatus.RUNNING, Arm(4), Context(), Phase.ATTACHED)


def add(store: SQLTrialStore, times: int) -> list[int]:
    """Adds trials one by one and returns their indices."""
    return [store.add(TASK, [TRIAL])[0].trial_index for _ in range(times)]


def add_and_complete(store: SQLTrialStore, times: int) -> list[int]:
    """Adds and completes trials, and stores a law each time."""
    found = []
    for number in range(times):
        learned = Learned(AmdahlLaw(t1_s=1.0 + number, p=0.5), {})
        (trial,) = store.add(TASK, [TRIAL], learned)
        store.change(TASK, trial.trial_index, lambda t: t.complete(Outcome(3.0)))
        found.append(trial.trial_index)
    return found


def configure(store: SQLTrialStore, times: int) -> list[int]:
    """Configures the task, which may be new; returns the number of trials added after that."""
    for _ in range(times):
        store.configure(TASK, lambda stored: stored or Experiment(TASK))
    return add(store, 1)


def main() -> None:
    action, url, times = sys.argv[1:]
    work = {"add": add, "add_and_complete": add_and_complete, "configure": configure}[action]
    print("ready", flush=True)
    sys.stdin.readline()
    with SQLTrialStore(url) as store:
        print(json.dumps(work(store, int(times))))


if __name__ == "__main__":
    main()
