"""What the writing transactions of a store are made of."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, insert

from arbo_bo.errors import StaleDecisionError
from arbo_bo.experiment import Experiment, Learned, Trial, TrialStatus
from arbo_bo.storage import codec
from arbo_bo.storage.codec import AnyRow
from arbo_bo.storage.reader import SQLTrialReader, by_index
from arbo_bo.storage.samples import Samples
from arbo_bo.storage.tables import execution_history


class Steps:
    """The steps of one transaction.

    Args:
        store: Whose namespace it works in.
        connection: The transaction's.
    """

    def __init__(self, store: SQLTrialReader, connection: Connection) -> None:
        self._store, self._connection = store, connection

    def configure(self, name: str, change: Callable[[Experiment | None], Experiment]) -> Experiment:
        """Writes the configuration that `change` makes of the stored one; see `SQLTrialStore`."""
        queries = self._store._queries
        row = self._connection.execute(queries.task(name).with_for_update()).one_or_none()
        if row is None:
            row = queries.create(self._connection, self._placed(change(None), name))
            if row is not None:
                return codec.experiment_of(row)
            row = self.locked(name)
        before = codec.experiment_of(row)
        after = self._placed(change(before), name)
        if codec.configuration_of(after) == codec.configuration_of(before) and (
            after.alpha == before.alpha
        ):
            return before
        kept = codec.merged(row.configuration, codec.configuration_of(after))
        changes = {"configuration": kept, "alpha": after.alpha}
        return codec.experiment_of(self._connection.execute(queries.save(name, changes)).one())

    def require_version(self, name: str, decided_at: int | None) -> None:
        """Locks the task's row, if there is one, and refuses a decision that was overtaken."""
        query = self._store._queries.task(name).with_for_update()
        row = self._connection.execute(query).one_or_none()
        version = 0 if row is None else row.version
        if decided_at is not None and version != decided_at:
            raise _overtaken(name, decided_at)

    def locked(self, name: str) -> AnyRow:
        """The task's row; nobody else changes it until the transaction ends.

        Raises:
            ExperimentNotFoundError: There is none.
        """
        query = self._store._queries.task(name).with_for_update()
        return self._store._found(self._connection.execute(query).one_or_none(), name)

    def kept(self, name: str, ids: Sequence[str]) -> list[Trial]:
        """What an earlier attempt has committed, though its answer was lost."""
        # Under the lock: the earlier attempt's transaction may be about to end.
        self._connection.execute(self._store._queries.task(name).with_for_update()).one_or_none()
        return by_index(self._connection.execute(self._store._queries.kept(ids)).all())

    def with_load(self, before: Trial, after: Trial) -> Trial:
        """A trial that was completed now, with the load that other runs made meanwhile."""
        if after.status is not TrialStatus.COMPLETED or before.status is TrialStatus.COMPLETED:
            return after
        if after.mean_cluster_load is not None or after.cluster_load is None:
            return after  # the caller's own quantity: known, or unknown to its source
        start, end = after.started_at, after.finished_at
        if start is None or end is None or end <= start:
            return after
        leases = self._store._queries.leases(self._connection)
        run = {
            "task_name": after.task,
            "trial_index": after.trial_index,
            "start": start,
            "end": end,
        }
        load = self._connection.execute(leases.mean_load, run | leases.moment()).scalar_one()
        return replace(after, mean_cluster_load=max(0.0, float(load)))

    def insert(
        self,
        row: AnyRow,
        ids: Sequence[str],
        given: Sequence[Trial],
        learned: Learned | None,
    ) -> list[Trial]:
        """Writes new trials under the lock of their task's row, which `allot` gave."""
        name, first, samples = row.task_name, row.next_trial_index - len(given), Samples.of(row)
        added = [
            samples.count(codec.storable(trial, name, first + place))
            for place, trial in enumerate(given)
        ]
        if added:
            rows = list(map(self._store._queries.row, added, ids))
            self._connection.execute(insert(execution_history), rows)
        if learned is not None:
            samples.learn(learned)
        if samples.changes:
            self._connection.execute(self._store._queries.save(name, samples.changes))
        return added

    def allot(self, name: str, new_trials: int, decided_at: int | None) -> AnyRow:
        """Locks the task's row and moves its next index on."""
        if new_trials:
            query = self._store._queries.allot(self._connection, name, new_trials)
            values = self._store._queries.leases(self._connection).moment()
            row = self._store._found(self._connection.execute(query, values).one_or_none(), name)
        else:
            row = self.locked(name)
        if decided_at is not None and row.version != decided_at + bool(new_trials):
            raise _overtaken(name, decided_at)
        return row

    def _placed(self, experiment: Experiment, name: str) -> Experiment:
        return replace(experiment, name=name, namespace=self._store.namespace)


def _overtaken(name: str, decided_at: int) -> StaleDecisionError:
    return StaleDecisionError(f"task {name!r} was changed since its version {decided_at}")
