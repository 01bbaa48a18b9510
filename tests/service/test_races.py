"""Decisions that others overtake."""

import subprocess
import sys

from arbo_bo import ArboOptimizer

SUGGEST = """
import sys
from arbo_bo import ArboOptimizer
arbo = ArboOptimizer(sys.argv[1])
sys.stdin.readline()
decision = arbo.suggest("new")
print(decision.trial_index, decision.parallelism)
"""


def test_two_processes_that_ask_at_once_get_two_trials_and_two_degrees(store_url):
    command = [sys.executable, "-c", SUGGEST, store_url]
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **options) for _ in range(2)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = sorted(process.communicate(timeout=120)[0].split() for process in processes)
    assert [index for index, _ in answers] == ["0", "1"]
    assert sorted(degree for _, degree in answers) == ["1", "5"]


def test_decision_is_taken_anew_when_the_task_changes_meanwhile(arbo, monkeypatch):
    arbo.configure_experiment("t", parallelism=[16])
    situation, other = arbo.store.situation, ArboOptimizer(arbo.store)

    def changed_meanwhile(*arguments):
        monkeypatch.undo()
        trials = situation(*arguments)
        other.configure_experiment("t", parallelism=[3])
        return trials

    monkeypatch.setattr(arbo.store, "situation", changed_meanwhile)
    assert arbo.suggest("t").parallelism == 3


def test_decision_stands_at_last_when_the_task_changes_all_the_time(arbo, monkeypatch):
    situation, other = arbo.store.situation, ArboOptimizer(arbo.store)
    windows = iter(range(2, 99))

    def changed_meanwhile(*arguments):
        trials = situation(*arguments)
        other.configure_experiment("t", window=next(windows))
        return trials

    monkeypatch.setattr(arbo.store, "situation", changed_meanwhile)
    assert arbo.suggest("t").trial_index == 0
