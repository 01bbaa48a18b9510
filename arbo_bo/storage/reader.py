"""What a store answers without changing anything."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

from arbo_bo.errors import (
    ExperimentNotFoundError,
    InvalidValueError,
    StoreError,
    TrialGoneError,
    TrialNotFoundError,
)
from arbo_bo.experiment import Experiment, Trial, validation
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE
from arbo_bo.storage import codec, patience
from arbo_bo.storage.database import Database
from arbo_bo.storage.protocol import Situation
from arbo_bo.storage.rules import LARGEST_INDEX
from arbo_bo.storage.schema import REVISIONS
from arbo_bo.storage.transaction import Row, Transaction
from arbo_bo.storage.url import in_memory, masked, resolve_url, with_secrets, without_secrets

DEFAULT_LOCK_TIMEOUT_S = 30.0
DEFAULT_RETRY_S = 30.0
BATCH = 1000


class SQLTrialReader:
    """The half of `SQLTrialStore` that opens the database and reads."""

    def __init__(
        self,
        url: str | None = None,
        namespace: str = DEFAULT_NAMESPACE,
        *,
        lock_timeout_s: float = DEFAULT_LOCK_TIMEOUT_S,
        retry_s: float = DEFAULT_RETRY_S,
    ) -> None:
        self._namespace = validation.identifier("a namespace", namespace)
        self.database = Database(
            resolve_url(url),
            self._namespace,
            lock_timeout_s=validation.positive("lock_timeout_s", lock_timeout_s),
            retry_s=validation.non_negative("retry_s", retry_s),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.masked_url!r}, namespace={self._namespace!r})"

    def __getstate__(self) -> dict[str, Any]:
        """What another process opens the store by: no connection, and no secret.

        Raises:
            StoreError: The database is in memory.
        """
        if in_memory(self.database.url):
            raise StoreError(
                "a database in memory lives in the process that opened it, and cannot be pickled; "
                "give a file: sqlite:///path.db"
            )
        return {
            "url": without_secrets(self.database.url).render(),
            "namespace": self._namespace,
            "lock_timeout_s": self.database.lock_timeout_s,
            "retry_s": self.database.retry_s,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Opens the store anew, with the secrets that this process's environment knows."""
        self._namespace = state["namespace"]
        url = with_secrets(resolve_url(state["url"]))
        self.database = Database(url, self._namespace, state["lock_timeout_s"], state["retry_s"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def namespace(self) -> str:
        """The namespace that every method works in."""
        return self._namespace

    @property
    def masked_url(self) -> str:
        """Where the store is, without secrets."""
        return masked(self.database.url)

    @property
    def head_version(self) -> str:
        """The revision of the schema that this version of arbo_bo works with."""
        return REVISIONS[-1]

    def schema_version(self) -> str | None:
        """The revision of the database's schema; None for an empty database."""
        return self.database.schema_version()

    def upgrade(self) -> tuple[str | None, str]:
        """Brings the schema to this version of arbo_bo; returns the revisions before and after.

        Raises:
            SchemaVersionError: A later version of arbo_bo made the schema.
        """
        return self.database.upgrade()

    def experiment(self, name: str) -> Experiment:
        """The experiment.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        checked_name(name)
        row = self.database.read(lambda transaction: transaction.row("task", name=name))
        return codec.experiment_of(self.found(row, name))

    def experiments(self) -> list[Experiment]:
        """Every experiment, by name; the log names those that cannot be read."""
        rows = self.database.read(lambda transaction: transaction.rows("tasks"))
        found = codec.all_readable(codec.experiment_of, rows)
        return sorted(found, key=lambda experiment: experiment.name)

    def situation(self, name: str, idempotency_key: str | None = None) -> Situation:
        """What a decision looks at, read at one moment; see `Situation`.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        checked_name(name)
        return self.database.read(lambda t: self._situation(t, name, idempotency_key))

    def situations(self, names: Sequence[str]) -> list[Situation | None]:
        """What decisions on several tasks look at, in one transaction; None: no such task."""
        checked = [checked_name(name) for name in names]

        def work(transaction: Transaction) -> list[Situation | None]:
            found: list[Situation | None] = []
            for name in checked:
                try:
                    found.append(self._situation(transaction, name, None))
                except ExperimentNotFoundError:
                    found.append(None)
            return found

        return self.database.read(work)

    def trial(self, name: str, trial: int | str) -> Trial:
        """One trial, by its number or its identity.

        Raises:
            ExperimentNotFoundError: There is none of that name.
            TrialNotFoundError: There is no such trial.
            TrialGoneError: There is none of that identity.
        """
        checked_name(name)
        return codec.trial_of(self.database.read(lambda t: self._trial_row(t, name, trial)))

    def trials(self, name: str) -> list[Trial]:
        """Every trial, by index; the log names those that cannot be read.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        return self._trials("trials", checked_name(name))

    def each_trial(self, name: str, first: int = 0) -> Iterator[Trial]:
        """The trials from an index on, by index, read a thousand at a time as they are asked for.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        self.experiment(name)
        while rows := self._rows_from(name, first):
            yield from codec.all_readable(codec.trial_of, rows)
            first = rows[-1]["trial_index"] + 1

    def history(self, name: str, window: int) -> list[Trial]:
        """What a decision looks at, by index.

        The `window` trials of the highest indices that train, as many failed ones, and those that
        run, the newest 500 at most.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        checked_name(name)
        return self._trials("history", name, window=validation.integer("window", window, 1))

    def latest(self, name: str, window: int) -> list[Trial]:
        """The `window` trials of the highest indices, whatever became of them, by index.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        checked_name(name)
        return self._trials("latest", name, window=validation.integer("window", window, 1))

    def running_workers(self) -> int:
        """The degrees of all RUNNING trials in the namespace, summed; not of expired leases."""
        return self.database.read(_running)[0]

    def under_way(self) -> list[Trial]:
        """What runs in the namespace, whichever the task: the longest first, 500 at most."""
        rows = self.database.read(lambda transaction: transaction.rows("under_way"))
        rows = sorted(rows, key=lambda row: row["created_at"])
        return codec.all_readable(codec.trial_of, rows)

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Limits what the calls in a block may take in all, waiting and retrying included [s].

        Past it they raise `StoreTimeoutError`. Time between the calls is not counted.

        Raises:
            InvalidValueError: The limit is not above 0.
        """
        return patience.within(validation.positive("the deadline", seconds))

    def close(self) -> None:
        """Releases the connections; a later use opens new ones."""
        self.database.close()

    def found(self, row: Row | None, name: str) -> Row:
        """The row of a task, which may be missing.

        Raises:
            ExperimentNotFoundError: It is.
        """
        if row is None:
            raise ExperimentNotFoundError(
                f"there is no task {name!r} in namespace {self._namespace!r} of {self.masked_url}; "
                "check both names, or configure the task first"
            )
        return row

    def _situation(self, transaction: Transaction, name: str, key: str | None) -> Situation:
        experiment = codec.experiment_of(self.found(transaction.row("task", name=name), name))
        started = None
        if key is not None:
            started = transaction.row("trial_of_key", name=name, idempotency_key=key)
        trials = transaction.rows("history", name=name, window=experiment.window)
        workers, lapsed = _running(transaction)
        return Situation(
            experiment=experiment,
            trials=codec.by_index(trials),
            running_workers=workers,
            lapsed=lapsed,
            started=None if started is None else codec.trial_of(started),
        )

    def _trial_row(
        self, transaction: Transaction, name: str, trial: int | str, locked: str = ""
    ) -> Row:
        if isinstance(trial, str):
            row = transaction.row(f"trial_of_id{locked}", trial_id=trial)
            if row is None:
                raise TrialGoneError(
                    f"task {name!r} has no trial {validation.short(trial)} any more: it was "
                    "deleted, or the database is of an earlier moment; what may have its number "
                    "now is another trial, and stays as it is"
                )
            return row
        self.found(transaction.row("task", name=name), name)
        index = checked_index(name, trial)
        row = transaction.row(f"trial{locked}", name=name, trial_index=index)
        return found_row(row, name, index)

    def _rows_from(self, name: str, first: int) -> list[Row]:
        return self.database.read(
            lambda transaction: transaction.rows("trials_from", name=name, first=first, most=BATCH)
        )

    def _trials(self, statement: str, name: str, **values: int) -> list[Trial]:
        def work(transaction: Transaction) -> list[Row]:
            rows = transaction.rows(statement, name=name, **values)
            if not rows:
                self.found(transaction.row("task", name=name), name)
            return rows

        return codec.by_index(self.database.read(work))


def _running(transaction: Transaction) -> tuple[int, int]:
    """The workers of running trials, and how many trials run past their lease."""
    row = transaction.row("running")
    assert row is not None
    return int(row["workers"]), int(row["lapsed"])


def checked_name(name: str) -> str:
    """A task's name."""
    return validation.identifier("a task's name", name)


def checked_index(name: str, trial_index: int) -> int:
    """The index if a trial can have it; a database refuses larger numbers in its own words."""
    try:
        return validation.integer("a trial's index", trial_index, 0, LARGEST_INDEX)
    except InvalidValueError as err:
        raise TrialNotFoundError(f"task {name!r} has no such trial: {err}") from err


def found_row(row: Row | None, name: str, trial_index: int) -> Row:
    """The row of a trial, which may be missing."""
    if row is None:
        raise TrialNotFoundError(f"task {name!r} has no trial {trial_index}; list its trials first")
    return row
