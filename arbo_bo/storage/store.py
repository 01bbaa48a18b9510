"""Experiments and trials in a database, SQLite or PostgreSQL."""

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count

from sqlalchemy import Connection

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Experiment, Learned, Trial
from arbo_bo.storage import codec
from arbo_bo.storage.codec import AnyRow
from arbo_bo.storage.leases import LEASE_EXPIRED
from arbo_bo.storage.reader import (
    SQLTrialReader,
    checked_index,
    checked_name,
    found_trial,
)
from arbo_bo.storage.samples import Samples
from arbo_bo.storage.steps import Steps

logger = logging.getLogger("arbo_bo")


class SQLTrialStore(SQLTrialReader):
    """The experiments and trials of one namespace, in SQLite or PostgreSQL; a `TrialStore`.

    Connections are opened at first use, and an empty database gets its schema then. Threads may
    share a store; a forked process uses connections of its own.

    Args:
        url: ``sqlite:///path.db``, ``sqlite://`` (in memory) or
            ``postgresql://user:password@host/database``; None: see `resolve_url`.
        namespace: Teams that share a database each have their own.
        lock_timeout_s: How long a writer waits for another one [s].
        retry_s: How long a trial's change is tried again after a failure that may pass, such as a
            server that restarts [s].

    Raises:
        StoreURLError: The URL cannot be understood.
        InvalidValueError: Another argument is outside its domain.
    """

    def configure(self, name: str, change: Callable[[Experiment | None], Experiment]) -> Experiment:
        """Stores what `change` makes of the stored experiment (None: there is none yet).

        Only the configuration is written; what was learned, and the trials, stay. The result's
        name and namespace are always the given name and the store's namespace. `change` may be
        called a second time if another process creates the experiment at the same moment.
        """
        name = checked_name(name)
        return self._database.write(lambda c: Steps(self, c).configure(name, change))

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
        name, given = checked_name(name), list(trials)
        ids, earlier_attempts = _new_ids(len(given)), count()

        def work(connection: Connection) -> list[Trial]:
            steps = Steps(self, connection)
            if next(earlier_attempts) and (kept := steps.kept(name, ids)):
                return kept
            row = steps.allot(name, len(given), decided_at)
            return steps.insert(row, ids, given, learned)

        return self._database.write(work, retries=True)

    def start(
        self,
        name: str,
        trial: Trial,
        learned: Learned | None = None,
        decided_at: int | None = None,
        change: Callable[[Experiment | None], Experiment] | None = None,
    ) -> tuple[Trial, bool]:
        """Adds the RUNNING trial of a decision; returns it, and whether it is new.

        It is not where a trial with its idempotency key is there already: that one is returned, and
        nothing changes. Otherwise the task's older RUNNING trials of the same run become ABANDONED.
        A `change` of the configuration, as in `configure`, is written with the trial.

        Raises:
            ExperimentNotFoundError: There is none of that name, and no `change`.
            StaleDecisionError: The experiment's version is not `decided_at` any more.
        """
        name, queries = checked_name(name), self._queries
        ids, earlier_attempts = _new_ids(1), count()

        def work(connection: Connection) -> tuple[Trial, bool]:
            steps = Steps(self, connection)
            if next(earlier_attempts) and (kept := steps.kept(name, ids)):
                return kept[0], True
            if change is not None:
                steps.require_version(name, decided_at)
            if trial.idempotency_key is not None:
                if change is None:
                    steps.locked(name)
                query = queries.started(name, trial.idempotency_key)
                if (row := connection.execute(query).one_or_none()) is not None:
                    return codec.trial_of(row), False
            if change is not None:
                steps.configure(name, change)
            row = steps.allot(name, 1, decided_at if change is None else None)
            (added,) = steps.insert(row, ids, [_leased(trial, row.moment)], learned)
            if added.run_key is not None:
                leases = queries.leases(connection)
                connection.execute(leases.supersede(added), leases.moment())
            return added, True

        return self._database.write(work, retries=True)

    def abandon_lapsed(self) -> int:
        """Abandons every trial of the namespace whose lease has expired; returns how many."""

        def work(connection: Connection) -> Sequence[AnyRow]:
            leases = self._queries.leases(connection)
            return connection.execute(leases.lapse, leases.moment()).all()

        lapsed = self._database.write(work, retries=True)
        for row in lapsed:
            logger.warning("%s, trial %d: %s", row.task_name, row.trial_index, LEASE_EXPIRED)
        return len(lapsed)

    def change(self, name: str, trial_index: int, change: Callable[[Trial], Trial]) -> Trial:
        """Replaces a trial by what `change` makes of it, and returns that.

        No other writer comes in between reading and writing; nothing is written if nothing changes.
        A trial that begins to train counts as a sample, as in `add`, and one that ends to does not.

        Raises:
            ExperimentNotFoundError: There is none of that name.
            TrialNotFoundError: There is no such trial.
        """
        name, queries = checked_name(name), self._queries

        def work(connection: Connection) -> Trial:
            # The trial's lock first, and the task's as late as can be: others wait for that one
            # until this transaction is on the disk. `start` takes them the other way round, and
            # therefore waits for no trial.
            row = self._found(connection.execute(queries.task(name)).one_or_none(), name)
            samples = Samples.of(row)
            query = queries.trial(name, checked_index(name, trial_index)).with_for_update()
            before = found_trial(connection.execute(query).one_or_none(), name, trial_index)
            after = codec.storable(change(before), name, before.trial_index)
            if after == before:
                return before
            after = samples.count(Steps(self, connection).with_load(before, after), before)
            connection.execute(queries.save_trial(after))
            if samples.changes:
                connection.execute(queries.save(name, samples.changes))
            return after

        return self._database.write(work, retries=True)

    def rename(self, name: str, new_name: str) -> Experiment:
        """Gives an experiment another name, and returns it; its trials go with it.

        Nothing changes where that is its name already.

        Raises:
            ExperimentNotFoundError: There is none of that name.
            InvalidValueError: The new name is none, or is taken.
        """
        name, new, queries = checked_name(name), checked_name(new_name), self._queries
        if name == new:
            return self.experiment(name)
        earlier_attempts = count()

        def work(connection: Connection) -> Experiment:
            taken = connection.execute(queries.task(new).with_for_update()).one_or_none()
            if next(earlier_attempts) and taken is not None:
                return codec.experiment_of(taken)
            Steps(self, connection).locked(name)
            if taken is not None:
                raise InvalidValueError(
                    f"there is a task {new!r} already, in namespace {self._namespace!r}; "
                    "give another name, or delete that one first"
                )
            return codec.experiment_of(connection.execute(queries.rename(name, new)).one())

        return self._database.write(work)

    def delete(self, name: str) -> None:
        """Deletes an experiment with all its trials.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        name, earlier_attempts = checked_name(name), count()

        def work(connection: Connection) -> None:
            gone = connection.execute(self._queries.delete(name)).rowcount == 0
            if not next(earlier_attempts) and gone:
                self._found(None, name)

        return self._database.write(work)


def _new_ids(number: int) -> list[str]:
    """Made here and not by the database, so that a second attempt finds what a first one wrote."""
    return [str(uuid.uuid4()) for _ in range(number)]


def _leased(trial: Trial, moment: datetime) -> Trial:
    """The trial with its lease counted from `moment`, by the database's clock."""
    start, end = trial.started_at, trial.lease_expires_at
    return (
        trial
        if start is None or end is None
        else replace(trial, lease_expires_at=moment + (end - start))
    )
