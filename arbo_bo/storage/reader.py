"""What a store answers without changing anything."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Executable

from arbo_bo.errors import ExperimentNotFoundError, InvalidValueError, TrialNotFoundError
from arbo_bo.experiment import Experiment, Trial, validation
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE
from arbo_bo.storage import codec, patience
from arbo_bo.storage.codec import AnyRow
from arbo_bo.storage.database import Database
from arbo_bo.storage.protocol import Situation
from arbo_bo.storage.queries import LARGEST_INDEX, Queries
from arbo_bo.storage.schema import REVISIONS
from arbo_bo.storage.url import masked, resolve_url

DEFAULT_LOCK_TIMEOUT_S = 30.0
DEFAULT_RETRY_S = 30.0


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
        self._database = Database(
            resolve_url(url),
            lock_timeout_s=validation.positive("lock_timeout_s", lock_timeout_s),
            retry_s=validation.non_negative("retry_s", retry_s),
        )
        self._queries = Queries(namespace)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.masked_url!r}, namespace={self._namespace!r})"

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
        return masked(self._database.url)

    @property
    def head_version(self) -> str:
        """The revision of the schema that this version of arbo_bo works with."""
        return REVISIONS[-1]

    def schema_version(self) -> str | None:
        """The revision of the database's schema; None for an empty database."""
        return self._database.schema_version()

    def upgrade(self) -> tuple[str | None, str]:
        """Brings the schema to this version of arbo_bo; returns the revisions before and after.

        Raises:
            SchemaVersionError: A later version of arbo_bo made the schema.
        """
        return self._database.upgrade()

    def experiment(self, name: str) -> Experiment:
        """The experiment.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        query = self._queries.task(checked_name(name))
        row = self._database.read(lambda connection: connection.execute(query).one_or_none())
        return codec.experiment_of(self._found(row, name))

    def experiments(self) -> list[Experiment]:
        """Every experiment, by name."""
        query = self._queries.tasks()
        rows = self._database.read(lambda connection: connection.execute(query).all())
        return sorted(map(codec.experiment_of, rows), key=lambda experiment: experiment.name)

    def situation(self, name: str, idempotency_key: str | None = None) -> Situation:
        """What a decision looks at, read at one moment; see `Situation`.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        name, queries = checked_name(name), self._queries

        def work(connection: Connection) -> Situation:
            task = connection.execute(queries.situation, {"name": name})
            experiment, started = codec.experiment_of(self._found(task.one_or_none(), name)), None
            if idempotency_key is not None:
                started = connection.execute(queries.started(name, idempotency_key)).one_or_none()
            window = {"name": name, "window": experiment.window}
            trials = connection.execute(queries.history, window).all()
            workers, lapsed = self._running(connection)
            return Situation(
                experiment=experiment,
                trials=by_index(trials),
                running_workers=workers,
                lapsed=lapsed,
                started=None if started is None else codec.trial_of(started),
            )

        return self._database.read(work)

    def trial(self, name: str, trial_index: int) -> Trial:
        """One trial.

        Raises:
            ExperimentNotFoundError: There is none of that name.
            TrialNotFoundError: There is no such trial.
        """
        name, queries = checked_name(name), self._queries

        def work(connection: Connection) -> Trial:
            self._found(connection.execute(queries.task(name)).one_or_none(), name)
            query = queries.trial(name, checked_index(name, trial_index))
            return found_trial(connection.execute(query).one_or_none(), name, trial_index)

        return self._database.read(work)

    def trials(self, name: str) -> list[Trial]:
        """Every trial, by index.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        return self._trials(name, self._queries.trials(checked_name(name)))

    def history(self, name: str, window: int) -> list[Trial]:
        """What a decision looks at, by index.

        The `window` trials of the highest indices that train, as many failed ones, and all that
        run.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        values = {"name": checked_name(name), "window": validation.integer("window", window, 1)}
        return self._trials(name, self._queries.history, values)

    def running_workers(self) -> int:
        """The degrees of all RUNNING trials in the namespace, summed; not of expired leases."""

        def work(connection: Connection) -> int:
            return self._running(connection)[0]

        return self._database.read(work)

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Limits what the calls in a block may take in all, waiting and retrying included [s].

        Past it they raise `StoreTimeoutError`. Time between the calls is not counted.

        Raises:
            InvalidValueError: The limit is not above 0.
        """
        return patience.within(validation.positive("the deadline", seconds))

    def close(self) -> None:
        """Releases the connections; a later use opens new ones."""
        self._database.close()

    def _running(self, connection: Connection) -> tuple[int, int]:
        """The workers of running trials, and how many trials run past their lease."""
        leases = self._queries.leases(connection)
        workers, lapsed = connection.execute(leases.running, leases.moment()).one()
        return int(workers), int(lapsed)

    def _trials(
        self, name: str, query: Executable, values: dict[str, Any] | None = None
    ) -> list[Trial]:
        def work(connection: Connection) -> list[AnyRow]:
            rows = list(connection.execute(query, values or {}).all())
            if not rows:
                self._found(connection.execute(self._queries.task(name)).one_or_none(), name)
            return rows

        return by_index(self._database.read(work))

    def _found(self, row: AnyRow | None, name: str) -> AnyRow:
        if row is None:
            raise ExperimentNotFoundError(
                f"there is no task {name!r} in namespace {self._namespace!r} of {self.masked_url}; "
                "check both names, or configure the task first"
            )
        return row


def checked_name(name: str) -> str:
    """A task's name."""
    return validation.identifier("a task's name", name)


def checked_index(name: str, trial_index: int) -> int:
    """The index if a trial can have it; a database refuses larger numbers in its own words."""
    try:
        return validation.integer("a trial's index", trial_index, 0, LARGEST_INDEX)
    except InvalidValueError as err:
        raise TrialNotFoundError(f"task {name!r} has no such trial: {err}") from err


def found_trial(row: AnyRow | None, name: str, trial_index: int) -> Trial:
    """The trial of a row, which may be missing."""
    if row is None:
        raise TrialNotFoundError(f"task {name!r} has no trial {trial_index}; list its trials first")
    return codec.trial_of(row)


def by_index(rows: Sequence[AnyRow]) -> list[Trial]:
    """The trials of rows, in order."""
    return sorted(map(codec.trial_of, rows), key=lambda trial: trial.trial_index)
