"""Trials by the million: read and added a batch at a time, so that memory does not grow."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from arbo_bo.experiment import Experiment, Trial
from arbo_bo.storage import codec
from arbo_bo.storage.protocol import Added
from arbo_bo.storage.reader import BATCH
from arbo_bo.storage.steps import Steps
from arbo_bo.storage.transaction import Row, Transaction

if TYPE_CHECKING:
    from arbo_bo.storage.store import SQLTrialStore

T = TypeVar("T")


def rows_from(transaction: Transaction, statement: str, name: str, first: int = 0) -> Iterator[Row]:
    """The rows of a task's trials from an index on, by index."""
    while True:
        rows = transaction.rows(statement, name=name, first=first, most=BATCH)
        yield from rows
        if len(rows) < BATCH:
            return
        first = rows[-1]["trial_index"] + 1


def in_batches(items: Iterable[T]) -> Iterator[list[T]]:
    """The items, a thousand at a time."""
    given = iter(items)
    while batch := list(islice(given, BATCH)):
        yield batch


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
        for batch in in_batches(trials(codec.experiment_of(row))):
            new = [trial for trial in batch if _identity(trial.idempotency_key) not in known]
            if new:
                place = steps.allot(name, len(new), None)
                steps.insert(place, [str(uuid.uuid4()) for _ in new], new, None)
            added, left_out = added + len(new), left_out + len(batch) - len(new)
        return Added(first, added, left_out)

    return store.database.write(work)


def _identities(transaction: Transaction, name: str) -> set[object]:
    """What a task's trials are told apart by: their ids, and the keys that they were given."""
    found = set[object]()
    for row in rows_from(transaction, "identities_from", name):
        found |= {_identity(row["trial_id"]), _identity(row["idempotency_key"])}
    return found - {None}


def _identity(text: str | None) -> object:
    """A UUID as a number, which takes half of the memory; another text as it is."""
    if text is None:
        return text
    try:
        return uuid.UUID(text).int
    except ValueError:
        return text
