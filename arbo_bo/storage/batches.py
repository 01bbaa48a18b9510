"""Many trials at once: the million of a history, and those of a night's decisions."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, islice
from typing import TYPE_CHECKING, TypeVar

from arbo_bo.errors import StaleDecisionError
from arbo_bo.experiment import Experiment, Trial
from arbo_bo.storage import codec
from arbo_bo.storage.protocol import Added, Start
from arbo_bo.storage.reader import BATCH, checked_name
from arbo_bo.storage.steps import Steps, begun, new_ids
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
                steps.insert(place, new_ids(len(new)), new, None)
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


def start_many(store: "SQLTrialStore", starts: Sequence[Start]) -> list[Trial | None]:
    """See `SQLTrialStore.start_many`; every process takes the locks of tasks in one order."""
    ids, earlier_attempts = new_ids(len(starts)), count()
    order = sorted(range(len(starts)), key=lambda i: starts[i].name)

    def one(transaction: Transaction, start: Start, trial_id: str, again: bool) -> Trial | None:
        steps, name = Steps(store, transaction), checked_name(start.name)
        if again and (kept := steps.kept(name, [trial_id])):
            return kept[0]
        try:
            steps.require_version(name, start.decided_at)
        except StaleDecisionError:
            return None
        row = steps.allot(name, 1, None)
        new = [begun(transaction, start.trial, row["moment"])]
        return steps.insert(row, [trial_id], new, start.learned)[0]

    def work(transaction: Transaction) -> list[Trial | None]:
        again = bool(next(earlier_attempts))
        found = {i: one(transaction, starts[i], ids[i], again) for i in order}
        return [found[i] for i in range(len(starts))]

    return store.database.write(work, retries=True)
