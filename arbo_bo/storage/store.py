"""Experiments and trials in a database, SQLite or PostgreSQL."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType

from sqlalchemy import Connection, Executable, insert

from arbo_bo.errors import (
    ExperimentNotFoundError,
    InvalidValueError,
    StaleDecisionError,
    TrialNotFoundError,
)
from arbo_bo.experiment import Experiment, Learned, Trial, validation
from arbo_bo.experiment.experiment import DEFAULT_NAMESPACE
from arbo_bo.storage import codec
from arbo_bo.storage.codec import AnyRow
from arbo_bo.storage.database import Database
from arbo_bo.storage.queries import LARGEST_INDEX, Queries
from arbo_bo.storage.samples import Samples
from arbo_bo.storage.schema import REVISIONS
from arbo_bo.storage.tables import execution_history
from arbo_bo.storage.url import masked, resolve_url

DEFAULT_LOCK_TIMEOUT_S = 30.0


class SQLTrialStore:
    """The experiments and trials of one namespace, in SQLite or PostgreSQL; a `TrialStore`.

    Connections are opened at first use, and an empty database gets its schema then. Threads may
    share a store; a forked process uses connections of its own.

    Args:
        url: ``sqlite:///path.db``, ``sqlite://`` (in memory) or
            ``postgresql://user:password@host/database``; None: see `resolve_url`.
        namespace: Teams that share a database each have their own.
        lock_timeout_s: How long a writer waits for another one [s].

    Raises:
        StoreURLError: The URL cannot be understood.
        InvalidValueError: Another argument is outside its domain.
    """

    def __init__(
        self,
        url: str | None = None,
        namespace: str = DEFAULT_NAMESPACE,
        *,
        lock_timeout_s: float = DEFAULT_LOCK_TIMEOUT_S,
    ) -> None:
        self._namespace = validation.identifier("a namespace", namespace)
        timeout = validation.positive("lock_timeout_s", lock_timeout_s)
        self._database = Database(resolve_url(url), timeout)
        self._queries = Queries(namespace)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.masked_url!r}, namespace={self._namespace!r})"

    def __enter__(self) -> "SQLTrialStore":
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

    def configure(self, name: str, change: Callable[[Experiment | None], Experiment]) -> Experiment:
        """Stores what `change` makes of the stored experiment (None: there is none yet).

        Only the configuration is written; what was learned, and the trials, stay. The result's
        name and namespace are always the given name and the store's namespace. `change` may be
        called a second time if another process creates the experiment at the same moment.
        """
        name, queries = _name(name), self._queries

        def work(connection: Connection) -> Experiment:
            row = connection.execute(queries.task(name).with_for_update()).one_or_none()
            if row is None:
                row = queries.create(connection, self._placed(change(None), name))
                if row is not None:
                    return codec.experiment_of(row)
                row = self._locked(connection, name)
            before = codec.experiment_of(row)
            after = self._placed(change(before), name)
            if codec.configuration_of(after) == codec.configuration_of(before) and (
                after.alpha == before.alpha
            ):
                return before
            kept = codec.merged(row.configuration, codec.configuration_of(after))
            changes = {"configuration": kept, "alpha": after.alpha}
            return codec.experiment_of(connection.execute(queries.save(name, changes)).one())

        return self._database.write(work)

    def experiment(self, name: str) -> Experiment:
        """The experiment.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        query = self._queries.task(_name(name))
        row = self._database.read(lambda connection: connection.execute(query).one_or_none())
        return codec.experiment_of(self._found(row, name))

    def experiments(self) -> list[Experiment]:
        """Every experiment, by name."""
        query = self._queries.tasks()
        rows = self._database.read(lambda connection: connection.execute(query).all())
        return sorted(map(codec.experiment_of, rows), key=lambda experiment: experiment.name)

    def add(
        self,
        name: str,
        trials: Sequence[Trial],
        learned: Learned | None = None,
        decided_at: int | None = None,
    ) -> list[Trial]:
        """Adds trials, all or none, and returns them with the indices that they were given.

        Trials that train count as samples; residuals are taken from the law as it was before
        `learned`.

        Raises:
            ExperimentNotFoundError: There is none of that name.
            StaleDecisionError: The experiment's version is not `decided_at` any more.
            StoreError: A trial breaks a rule of the database, such as a completed one without time.
        """
        name, given = _name(name), list(trials)

        return self._database.write(
            lambda connection: self._insert(connection, name, given, learned, decided_at)
        )

    def start(
        self,
        name: str,
        trial: Trial,
        learned: Learned | None = None,
        decided_at: int | None = None,
    ) -> tuple[Trial, bool]:
        """Adds the RUNNING trial of a decision; returns it, and whether it is new.

        It is not where a trial with its idempotency key is there already: that one is returned, and
        nothing changes. Otherwise the task's older RUNNING trials of the same run become ABANDONED.

        Raises:
            ExperimentNotFoundError: There is none of that name.
            StaleDecisionError: The experiment's version is not `decided_at` any more.
        """
        name, queries = _name(name), self._queries

        def work(connection: Connection) -> tuple[Trial, bool]:
            if trial.idempotency_key is not None:
                self._locked(connection, name)
                query = queries.started(name, trial.idempotency_key)
                if (row := connection.execute(query).one_or_none()) is not None:
                    return codec.trial_of(row), False
            (added,) = self._insert(connection, name, [trial], learned, decided_at)
            if added.run_key is not None:
                connection.execute(queries.supersede(added))
            return added, True

        return self._database.write(work)

    def started(self, name: str, idempotency_key: str) -> Trial | None:
        """The trial that was started with this key, or None.

        Raises:
            InvalidValueError: The key is no name.
        """
        key = validation.identifier("idempotency_key", idempotency_key)
        query = self._queries.started(_name(name), key)
        row = self._database.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else codec.trial_of(row)

    def change(self, name: str, trial_index: int, change: Callable[[Trial], Trial]) -> Trial:
        """Replaces a trial by what `change` makes of it, and returns that.

        No other writer comes in between reading and writing; nothing is written if nothing changes.
        A trial that begins to train counts as a sample, as in `add`, and one that ends to does not.

        Raises:
            ExperimentNotFoundError: There is none of that name.
            TrialNotFoundError: There is no such trial.
        """
        name, queries = _name(name), self._queries

        def work(connection: Connection) -> Trial:
            # The task first, then the trial: the same order in every method, so none deadlocks.
            samples = Samples.of(self._locked(connection, name))
            query = queries.trial(name, _index(name, trial_index)).with_for_update()
            before = _trial(connection.execute(query).one_or_none(), name, trial_index)
            after = codec.storable(change(before), name, before.trial_index)
            if after == before:
                return before
            after = samples.count(after, before)
            if samples.changes:
                connection.execute(queries.save(name, samples.changes))
            connection.execute(queries.save_trial(after))
            return after

        return self._database.write(work)

    def trial(self, name: str, trial_index: int) -> Trial:
        """One trial.

        Raises:
            ExperimentNotFoundError: There is none of that name.
            TrialNotFoundError: There is no such trial.
        """
        name, queries = _name(name), self._queries

        def work(connection: Connection) -> Trial:
            self._found(connection.execute(queries.task(name)).one_or_none(), name)
            query = queries.trial(name, _index(name, trial_index))
            return _trial(connection.execute(query).one_or_none(), name, trial_index)

        return self._database.read(work)

    def trials(self, name: str) -> list[Trial]:
        """Every trial, by index.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        return self._trials(name, self._queries.trials(_name(name)))

    def history(self, name: str, window: int) -> list[Trial]:
        """What a decision looks at, by index.

        The `window` trials of the highest indices that train, as many failed ones, and all that
        run.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        window = validation.integer("window", window, 1)
        return self._trials(name, self._queries.history(_name(name), window))

    def running_workers(self) -> int:
        """The degrees of all RUNNING trials in the namespace, summed."""
        query = self._queries.running_workers()
        return int(self._database.read(lambda connection: connection.execute(query).scalar_one()))

    def close(self) -> None:
        """Releases the connections; a later use opens new ones."""
        self._database.close()

    def _placed(self, experiment: Experiment, name: str) -> Experiment:
        return replace(experiment, name=name, namespace=self._namespace)

    def _locked(self, connection: Connection, name: str) -> AnyRow:
        query = self._queries.task(name).with_for_update()
        return self._found(connection.execute(query).one_or_none(), name)

    def _insert(
        self,
        connection: Connection,
        name: str,
        given: Sequence[Trial],
        learned: Learned | None,
        decided_at: int | None,
    ) -> list[Trial]:
        row = self._allot(connection, name, len(given))
        if decided_at is not None and row.version != decided_at + bool(given):
            raise StaleDecisionError(f"task {name!r} was changed since its version {decided_at}")
        first, samples = row.next_trial_index - len(given), Samples.of(row)
        added = [
            samples.count(codec.storable(trial, name, first + place))
            for place, trial in enumerate(given)
        ]
        if added:
            connection.execute(insert(execution_history), list(map(self._queries.row, added)))
        if learned is not None:
            samples.learn(learned)
        if samples.changes:
            connection.execute(self._queries.save(name, samples.changes))
        return added

    def _allot(self, connection: Connection, name: str, count: int) -> AnyRow:
        """Locks the task's row and moves its next index on by `count`."""
        if not count:
            return self._locked(connection, name)
        row = connection.execute(self._queries.allot(name, count)).one_or_none()
        return self._found(row, name)

    def _trials(self, name: str, query: Executable) -> list[Trial]:
        def work(connection: Connection) -> list[AnyRow]:
            rows = list(connection.execute(query).all())
            if not rows:
                self._found(connection.execute(self._queries.task(name)).one_or_none(), name)
            return rows

        found = map(codec.trial_of, self._database.read(work))
        return sorted(found, key=lambda trial: trial.trial_index)

    def _found(self, row: AnyRow | None, name: str) -> AnyRow:
        if row is None:
            raise ExperimentNotFoundError(
                f"there is no task {name!r} in namespace {self._namespace!r} of {self.masked_url}; "
                "check both names, or configure the task first"
            )
        return row


def _name(name: str) -> str:
    return validation.identifier("a task's name", name)


def _index(name: str, trial_index: int) -> int:
    """The index if a trial can have it; a database refuses larger numbers in its own words."""
    try:
        return validation.integer("a trial's index", trial_index, 0, LARGEST_INDEX)
    except InvalidValueError as err:
        raise TrialNotFoundError(f"task {name!r} has no such trial: {err}") from err


def _trial(row: AnyRow | None, name: str, trial_index: int) -> Trial:
    if row is None:
        raise TrialNotFoundError(f"task {name!r} has no trial {trial_index}; list its trials first")
    return codec.trial_of(row)
