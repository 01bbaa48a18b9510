"""What one command or decision costs a fresh process: ``make bench-cold``.

Processor time and peak memory, medians of several runs in turns, the time over that of importing
torch in the same run, so that a busy or slow machine shows in both. Each program finds a task of
fifty completed runs, in its own copy of an SQLite file or in a PostgreSQL database that is up, and
its modules' bytecode on the disk, as an installed package has it.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from cold_peers import PEERS
from measuring import Cost, cost_of, postgresql, python

REPEATS, TASKS = 7, 10_000
PYTHON_DECISION = "import sys, arbo_bo; arbo_bo.ArboOptimizer(sys.argv[1]).suggest('nightly')"
PREPARE = """
import sys
sys.path.insert(0, sys.argv[2])
from measuring import history
from arbo_bo import ArboOptimizer
with ArboOptimizer(sys.argv[1]) as arbo:
    arbo.attach_trials("nightly", history(seed=1))
    arbo.suggest("nightly")  # what was learned is stored, as after any decision
    arbo.mark_trial_abandoned("nightly", 50)
    arbo.suggest("other", cluster_load=0)
"""
TIDY = """
import sys, arbo_bo
with arbo_bo.ArboOptimizer(sys.argv[1]) as arbo:
    for trial in arbo.trials("nightly"):
        if trial.is_open:
            arbo.mark_trial_abandoned("nightly", trial.trial_index)
"""
HISTORY = """
import json, sys
sys.path.insert(0, sys.argv[1])
from measuring import history
print(json.dumps(history(seed=1)), file=open(sys.argv[2], "w"))
"""


@dataclass(frozen=True)
class Case:
    """One program of the table.

    Attributes:
        name: What it is called there.
        command: What is run.
        target: Its most time over that of importing torch; None: there is none.
        target_s: Its most time [s].
        target_mb: Its most memory [MB].
        before: What is done before each run, outside of the clock.
    """

    name: str
    command: list[str]
    target: float | None = None
    target_s: float | None = None
    target_mb: float | None = None
    before: Callable[[], object] = lambda: None


def cases(folder: Path, server: str) -> list[Case]:
    """The programs, and what they work on."""
    here, template, copy = str(Path(__file__).parent), folder / "template.db", folder / "arbo.db"
    for url in (f"sqlite:///{template}", server):
        cost_of(python(PREPARE, url, here))
    many = f"sqlite:///{many_tasks(folder, template)}"
    runs = str(folder / "runs.json")
    cost_of(python(HISTORY, here, runs))
    sqlite = f"sqlite:///{copy}"

    def fresh() -> None:
        shutil.copy(template, copy)

    def tidy() -> None:
        cost_of(python(TIDY, server))

    complete = ["complete", "other", "0", "--time", "9", "--store", sqlite]
    found = [
        Case("import torch", python("import torch")),
        Case("decision in Python, SQLite", python(PYTHON_DECISION, sqlite), 0.25, None, 65, fresh),
        Case(
            "decision in Python, PostgreSQL",
            python(PYTHON_DECISION, server),
            target=0.28,
            target_mb=65,
            before=tidy,
        ),
        Case("arbo suggest", arbo("suggest", "nightly", "--store", sqlite), 0.32, before=fresh),
        Case("arbo complete", arbo(*complete), 0.22, before=fresh),
        Case("arbo tasks", arbo("tasks", "--store", sqlite), 0.24, before=fresh),
        Case("arbo --help", arbo("--help"), 0.12),
        Case(f"arbo tasks of {TASKS} tasks", arbo("tasks", "--store", many), target_s=1.2),
    ]
    for name, (package, program) in PEERS.items():
        if find_spec(package) is not None:
            found.append(Case(name, python(program, runs)))
    return found


def arbo(*arguments: str) -> list[str]:
    """The command line."""
    return [sys.executable, "-W", "ignore", "-m", "arbo_bo", *arguments]


def many_tasks(folder: Path, template: Path) -> Path:
    """Makes a store of many tasks, each as the template's own."""
    one, all_of_them, store = folder / "one.jsonl", folder / "all.jsonl", folder / "many.db"
    where = ("--store", f"sqlite:///{template}")
    cost_of(arbo("export", "nightly", "--output", str(one), *where))
    header, task, *_ = one.read_text().splitlines()
    record = json.loads(task) | {"trials": 0}
    with all_of_them.open("w") as file:
        print(header, file=file)
        for number in range(TASKS):
            print(json.dumps(record | {"task": f"team.job_{number:05}"}), file=file)
    cost_of(arbo("import", str(all_of_them), "--store", f"sqlite:///{store}"))
    return store


def line(case: Case, cost: Cost, torch_s: float) -> tuple[str, bool]:
    """One line of the table, and whether the targets are met."""
    ratio = cost.cpu_s / torch_s
    limits = ((ratio, case.target), (cost.cpu_s, case.target_s), (cost.peak_mb, case.target_mb))
    met = all(limit is None or found <= limit for found, limit in limits)
    targets = [f"{case.target:.2f}"] if case.target is not None else []
    targets += [f"{case.target_s:g} s"] if case.target_s is not None else []
    targets += [f"{case.target_mb:g} MB"] if case.target_mb is not None else []
    told = f"{', '.join(targets)}{'' if met else '  missed'}"
    return f"{case.name:<46}{cost.cpu_s:>9.3f}{ratio:>8.2f}{cost.peak_mb:>8.0f}  {told}", met


def main() -> None:
    """Prints the table; the exit status says whether all targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory(prefix="arbo-") as folder, postgresql() as server:
        found = cases(Path(folder), server)
        costs: dict[str, list[Cost]] = {case.name: [] for case in found}
        for repeat in range(repeats + 1):
            for case in found:
                case.before()
                cost = cost_of(case.command)
                if repeat:  # the first one writes bytecode and warms the disk's cache
                    costs[case.name].append(cost)
    torch_s = Cost.median(costs["import torch"]).cpu_s
    print(
        f"{f'median of {repeats} fresh processes':<46}{'CPU [s]':>9}{'/ torch':>8}{'MB':>8}  target"
    )
    lines = [line(case, Cost.median(costs[case.name]), torch_s) for case in found]
    for text, _ in lines:
        print(text.rstrip())
    sys.exit(0 if all(met for _, met in lines) else 1)


if __name__ == "__main__":
    main()
