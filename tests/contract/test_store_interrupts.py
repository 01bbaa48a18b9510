"""An interrupt at any line of any verb leaves no lock, and nothing half-written."""

import sqlite3
import sys
from pathlib import Path

import psycopg2
import pytest

import arbo_bo.storage
from arbo_bo.experiment import Arm, Context, Experiment, Outcome, Phase, Trial, TrialStatus
from arbo_bo.storage.archive import import_lines
from arbo_bo.storage.export import export_lines
from arbo_bo.storage.pruning import prune
from arbo_bo.storage.store import SQLTrialStore

FOLDER = str(Path(arbo_bo.storage.__file__).parent)
RUNNING = Trial("a", 0, TrialStatus.RUNNING, Arm(4), Context(None, 1.0), Phase.ATTACHED)
STRIDE = {"sqlite": 5, "postgresql": 15}
"""Every line takes minutes, and lines beside each other are much alike; 1 for all of them."""


class Interrupter:
    """Raises KeyboardInterrupt at one line of the store's code, as Ctrl-C does."""

    def __init__(self, line):
        self.line, self.seen = line, 0

    def __call__(self, frame, event, _):
        if not frame.f_code.co_filename.startswith(FOLDER):
            return None
        if event == "line":
            self.seen += 1
            if self.seen == self.line:
                raise KeyboardInterrupt
        return self


def configure(store):
    store.configure("a", lambda e: Experiment("a", window=e.window + 1))


def start(store):
    store.start("a", RUNNING)


def complete(store):
    (running,) = (t for t in store.trials("a") if t.status is TrialStatus.RUNNING)
    store.change("a", running.trial_id, lambda t: t.complete(Outcome(2.0)))
    store.start("a", RUNNING)


def rename(store):
    store.rename("a", "b")
    store.rename("b", "a")


def take_in(store):
    lines = [line.replace('"a"', '"copy"') for line in export_lines(store, ["a"])]
    import_lines(store, lambda: lines)
    store.delete("copy")


def prune_old(store):
    prune(store, keep_last=0)


def read(store):
    store.situation("a", "key")


VERBS = [configure, start, complete, rename, take_in, prune_old, read]


def is_free(url):
    """Whether somebody else can write now, well before the server would end what is idle."""
    if url.startswith("sqlite"):
        other = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=0)
        other.execute("BEGIN IMMEDIATE")
    else:
        other = psycopg2.connect(url)
        # The server sees in a moment that a connection was closed.
        other.cursor().execute("SET lock_timeout = '9s'; SELECT * FROM task_models FOR UPDATE")
    other.close()
    return True


def interrupted(verb, store, line):
    """Runs the verb and interrupts it; returns whether it got as far as that line."""
    interrupter = Interrupter(line)
    sys.settrace(interrupter)
    try:
        verb(store)
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    return interrupter.seen >= line


def prepared(store):
    """A task called a, with one running trial, and nothing else."""
    for experiment in store.experiments():
        store.delete(experiment.name)
    store.configure("a", lambda _: Experiment("a"))
    store.start("a", RUNNING)


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_stays_locked_when_a_verb_is_interrupted_at_any_line(store_url, verb):
    kind = "sqlite" if store_url.startswith("sqlite") else "postgresql"
    with SQLTrialStore(store_url) as store:
        prepared(store)
        line = 1
        while interrupted(verb, store, line):
            assert is_free(store_url), f"locked by an interrupt at line {line}"
            if [e.name for e in store.experiments()] != ["a"]:
                prepared(store)
            trials = store.trials("a")
            assert store.experiment("a").model.sample_count == sum(t.trains for t in trials)
            if sum(t.status is TrialStatus.RUNNING for t in trials) != 1:
                prepared(store)
            line += STRIDE[kind]
        assert line > 20
