"""Old trials leave the database; what a decision looks at stays."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, false, func, select, true

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import TrialStatus, validation
from arbo_bo.storage import codec
from arbo_bo.storage.steps import Steps
from arbo_bo.storage.store import SQLTrialStore
from arbo_bo.storage.tables import execution_history

_history = execution_history.c


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

        def work(connection: Connection, name: str = experiment.name) -> int:
            window = codec.experiment_of(Steps(store, connection).locked(name)).window
            old = _older(store, connection, older_than_s)
            return sum(
                _drop(connection, [*store._queries._of(name), kind], kept, old, dry_run)
                for kind, kept in _kinds(window, keep_last or 0)
            )

        if number := store._database.write(work):
            found[experiment.name] = number
    return found


def _kinds(window: int, keep_last: int) -> list[tuple[ColumnElement[bool], int]]:
    """Conditions that tell closed trials apart, and how many of each stay."""
    status, excluded = _history.status, _history.exclusion_reason
    completed = status == TrialStatus.COMPLETED.value
    return [
        (and_(completed, excluded.is_(None)), max(window, keep_last)),
        (and_(completed, excluded.is_not(None)), keep_last),
        (status == TrialStatus.FAILED.value, max(window, keep_last)),
        (status == TrialStatus.ABANDONED.value, keep_last),
    ]


def _older(
    store: SQLTrialStore, connection: Connection, age_s: float | None
) -> ColumnElement[bool]:
    """Whether a trial ended longer ago than that, by the database's clock."""
    if age_s is None:
        return true()
    leases = store._queries.leases(connection)
    now = connection.execute(select(leases.now), leases.moment()).scalar_one()
    try:
        limit = now - timedelta(seconds=age_s)
    except OverflowError:  # older than the calendar
        return false()
    return func.coalesce(_history.finished_at, _history.created_at) < limit


def _drop(
    connection: Connection,
    kind: Sequence[ColumnElement[bool]],
    kept: int,
    old: ColumnElement[bool],
    dry_run: bool,
) -> int:
    newest_first = select(_history.trial_index).where(*kind).order_by(_history.trial_index.desc())
    first_to_go = connection.execute(newest_first.offset(kept).limit(1)).scalar_one_or_none()
    if first_to_go is None:
        return 0
    going = (*kind, _history.trial_index <= first_to_go, old)
    if dry_run:
        counted = select(func.count()).select_from(execution_history).where(*going)
        return int(connection.execute(counted).scalar_one())
    return connection.execute(delete(execution_history).where(*going)).rowcount
