"""Trials by the million: read and added a batch at a time, so that memory does not grow."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from arbo_bo.experiment import Experiment, Trial
from arbo_bo.storage import codec
from arbo_bo.storage.protocol import Added
from arbo_bo.storage.reader import BATCH
from arbo_bo.storage.steps import Steps
from arbo_bo.storage.transaction import Row, Transaction

if TYPE_CHECKING:
    from arbo_bo.storage.store import SQLTrialStore


def rows_from(transaction: Transaction, statement: str, name: str, first: int = 0) -> Iterator[Row]:
    """The rows of a task's trials from an index on, by index."""
    while True:
        rows = transaction.rows(statement, name=name, first=first, most=BATCH)
        yield from rows
        if len(rows) < BATCH:
            return
        first = rows[-1]["trial_index"] + 1


def add_each(
    store: "SQLTrialStore", name: str, trials: Callable[[Experiment], Iterable[Trial]]
) -> Added:
    """Adds trials to a task in one transaction; see `TrialStore.add_each`."""

    def work(transaction: Transaction) -> Added:
        steps = Steps(store, transaction)
        steps.create(Experiment(name, namespace=store.namespace))
        row = steps.locked(name)
        known = _identities(transaction, name) if row["next_trial_index"] else set[object]()
        first, added, left_out = row["next_trial_index"], 0, 0
        given = iter(trials(codec.experiment_of(row)))
        while batch := list(islice(given, BATCH)):
            new = [trial for trial in batch if _is_new(trial, known)]
            if new:
                place = steps.allot(name, len(new), None)
                steps.insert(place, [str(uuid.uuid4()) for _ in new], new, None)
            added, left_out = added + len(new), left_out + len(batch) - len(new)
        return Added(first, added, left_out)

    return store.database.write(work)


def _is_new(trial: Trial, known: set[object]) -> bool:
    """Whether no trial before has its key, which is known from here on."""
    if trial.idempotency_key is None:
        return True
    identity = _identity(trial.idempotency_key)
    if identity in known:
        return False
    known.add(identity)
    return True


def _identities(transaction: Transaction, name: str) -> set[object]:
    """What a task's trials are told apart by: their ids, and the keys that they were given."""
    found = set[object]()
    for row in rows_from(transaction, "identities_from", name):
        found.add(_identity(row["trial_id"]))
        if row["idempotency_key"] is not None:
            found.add(_identity(row["idempotency_key"]))
    return found


def _identity(text: str) -> object:
    """A UUID as a number, which takes half of the memory; another text as it is."""
    try:
        return uuid.UUID(text).int
    except ValueError:
        return text
