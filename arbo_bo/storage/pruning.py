"""Old trials leave the database; what a decision looks at stays."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import validation
from arbo_bo.storage import codec
from arbo_bo.storage.steps import Steps
from arbo_bo.storage.store import SQLTrialStore
from arbo_bo.storage.transaction import Transaction

_EARLIEST, _LATEST = (
    year.replace(tzinfo=UTC) for year in (datetime(1, 1, 2), datetime(9999, 1, 1))
)


def prune(
    store: SQLTrialStore,
    keep_last: int | None = None,
    older_than_s: float | None = None,
    dry_run: bool = False,
) -> Mapping[str, int]:
    """Deletes old closed trials of every task in the namespace, one transaction a task.

    A trial goes if it is older than `older_than_s` and not among the `keep_last` newest of its
    kind, where both are given. No decision changes: open trials stay, and so do of each task the
    newest `window` that train, as many failed ones, and all that was learned: law, hyperparameters,
    base size, count of samples and the next index.

    Args:
        store: Whose trials they are.
        keep_last: How many of the newest trials of each kind stay: of those that train, that are
            excluded, that failed, that were abandoned.
        older_than_s: Age of the youngest trial that goes, counted from its end [s].
        dry_run: Only count.

    Returns:
        Task -> how many trials went, or would; tasks of which none did are left out.

    Raises:
        InvalidValueError: Neither limit is given, or one is outside its domain.
    """
    if keep_last is None and older_than_s is None:
        raise InvalidValueError("say which trials may go: keep_last, older_than_s, or both")
    if keep_last is not None:
        keep_last = validation.integer("keep_last", keep_last, 0)
    if older_than_s is not None:
        older_than_s = validation.positive("older_than_s", older_than_s)
    found = {}
    for experiment in store.experiments():

        def work(transaction: Transaction, name: str = experiment.name) -> int:
            window = codec.experiment_of(Steps(store, transaction).locked(name)).window
            limit = _limit(transaction, older_than_s)
            return sum(
                _drop(transaction, name, kind, kept, limit, dry_run)
                for kind, kept in _kept(window, keep_last or 0).items()
            )

        if number := store.database.write(work):
            found[experiment.name] = number
    return found


def _kept(window: int, keep_last: int) -> dict[str, int]:
    """How many of each kind of closed trials stay; EXCLUDED: completed, and does not train."""
    newest = max(window, keep_last)
    return {
        "COMPLETED": newest,
        "EXCLUDED": keep_last,
        "FAILED": newest,
        "ABANDONED": keep_last,
    }


def _limit(transaction: Transaction, age_s: float | None) -> datetime:
    """The moment before which a trial must have ended to go, by the database's clock."""
    if age_s is None:
        return _LATEST
    now: datetime = transaction.rows("now")[0]["moment"]
    try:
        return max(_EARLIEST, now - timedelta(seconds=age_s))
    except OverflowError:  # older than the calendar
        return _EARLIEST


def _drop(
    transaction: Transaction, name: str, kind: str, kept: int, limit: datetime, dry_run: bool
) -> int:
    found = transaction.row("first_to_prune", name=name, kind=kind, kept=kept)
    if found is None:
        return 0
    going = {"name": name, "kind": kind, "first_to_go": found["trial_index"], "limit": limit}
    if dry_run:
        return int(transaction.rows("count_pruned", **going)[0]["count"])
    return transaction.run("prune", **going)
