"""What the writing transactions of a store are made of."""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from arbo_bo.errors import StaleDecisionError
from arbo_bo.experiment import Experiment, Learned, Trial, TrialStatus
from arbo_bo.storage import codec
from arbo_bo.storage.reader import SQLTrialReader
from arbo_bo.storage.samples import Samples
from arbo_bo.storage.transaction import Row, Transaction


class Steps:
    """The steps of one transaction.

    Args:
        store: Whose namespace it works in.
        transaction: The statements.
    """

    def __init__(self, store: SQLTrialReader, transaction: Transaction) -> None:
        self._store, self._transaction = store, transaction

    def configure(self, name: str, change: Callable[[Experiment | None], Experiment]) -> Experiment:
        """Writes the configuration that `change` makes of the stored one; see `SQLTrialStore`."""
        transaction = self._transaction
        row = transaction.row("task_locked", name=name)
        if row is None:
            row = self.create(self._placed(change(None), name))
            if row is not None:
                return codec.experiment_of(row)
            row = self.locked(name)
        before = codec.experiment_of(row)
        after = self._placed(change(before), name)
        if codec.configuration_of(after) == codec.configuration_of(before) and (
            after.alpha == before.alpha
        ):
            return before
        kept = codec.merged(row["configuration"], codec.configuration_of(after))
        changed = transaction.row(
            "configure_task", name=name, configuration=kept, alpha=after.alpha
        )
        return codec.experiment_of(self._store.found(changed, name))

    def create(self, experiment: Experiment) -> Row | None:
        """Inserts a task and returns its row; None if another process was faster."""
        return self._transaction.row(
            "create_task",
            task_name=experiment.name,
            alpha=experiment.alpha,
            configuration=codec.configuration_of(experiment),
            hyperparameters={},
        )

    def require_version(self, name: str, decided_at: int | None) -> None:
        """Locks the task's row, if there is one, and refuses a decision that was overtaken."""
        row = self._transaction.row("task_locked", name=name)
        version = 0 if row is None else row["version"]
        if decided_at is not None and version != decided_at:
            raise _overtaken(name, decided_at)

    def locked(self, name: str) -> Row:
        """The task's row; nobody else changes it until the transaction ends.

        Raises:
            ExperimentNotFoundError: There is none.
        """
        return self._store.found(self._transaction.row("task_locked", name=name), name)

    def kept(self, name: str, ids: Sequence[str]) -> list[Trial]:
        """What an earlier attempt has committed, though its answer was lost."""
        # Under the lock: the earlier attempt's transaction may be about to end.
        self._transaction.row("task_locked", name=name)
        rows = self._transaction.rows("trials_of_ids", ids=json.dumps(list(ids)))
        return codec.by_index(rows)

    def with_load(self, before: Trial, after: Trial) -> Trial:
        """A trial that was completed now, with the load that other runs made meanwhile."""
        if after.status is not TrialStatus.COMPLETED or before.status is TrialStatus.COMPLETED:
            return after
        if after.mean_cluster_load is not None or after.cluster_load is None:
            return after  # the caller's own quantity: known, or unknown to its source
        start, end = after.started_at, after.finished_at
        if start is None or end is None or end <= start:
            return after
        found = self._transaction.row(
            "mean_load", name=after.task, trial_index=after.trial_index, start=start, end=end
        )
        # A run shorter than the clock's step has no mean.
        workers = 0.0 if found is None or found["workers"] is None else float(found["workers"])
        return replace(after, mean_cluster_load=max(0.0, workers))

    def insert(
        self,
        row: Row,
        ids: Sequence[str],
        given: Sequence[Trial],
        learned: Learned | None,
    ) -> list[Trial]:
        """Writes new trials under the lock of their task's row, which `allot` gave."""
        name, first = row["task_name"], row["next_trial_index"] - len(given)
        samples = Samples.of(row)
        added = [
            samples.count(codec.storable(replace(trial, trial_id=trial_id), name, first + place))
            for place, (trial, trial_id) in enumerate(zip(given, ids, strict=True))
        ]
        place = {"namespace": self._store.namespace, "task_name": name}
        rows = [{**place, **codec.trial_values(trial)} for trial in added]
        if len(rows) == 1:
            self._transaction.run("add_trial", **rows[0])
        else:
            self._transaction.run_many("add_trial", rows)
        if learned is not None:
            samples.learn(learned)
        samples.save(self._transaction, name)
        return added

    def allot(self, name: str, new_trials: int, decided_at: int | None) -> Row:
        """Locks the task's row and moves its next index on."""
        if new_trials:
            moved = self._transaction.row("allot_indices", name=name, count=new_trials)
            row = self._store.found(moved, name)
        else:
            row = self.locked(name)
        if decided_at is not None and row["version"] != decided_at + bool(new_trials):
            raise _overtaken(name, decided_at)
        return row

    def _placed(self, experiment: Experiment, name: str) -> Experiment:
        return replace(experiment, name=name, namespace=self._store.namespace)


def _overtaken(name: str, decided_at: int) -> StaleDecisionError:
    return StaleDecisionError(f"task {name!r} was changed since its version {decided_at}")


def new_ids(number: int) -> list[str]:
    """Made here and not by the database, so that a second attempt finds what a first one wrote."""
    return [str(uuid.uuid4()) for _ in range(number)]


def begun(transaction: Transaction, trial: Trial, moment: datetime) -> Trial:
    """A trial that begins, by the database's clock; its lease counts from `moment`."""
    ahead = transaction.ahead(moment)
    start, end = trial.started_at, trial.lease_expires_at
    if start is not None and end is not None:
        trial = replace(trial, lease_expires_at=moment + (end - start))
    if start is not None and ahead:
        trial = replace(trial, started_at=start + ahead, created_at=start + ahead)
    return trial


def ended(transaction: Transaction, before: Trial, after: Trial, moment: datetime) -> Trial:
    """What became of a trial; where it ended now, by the database's clock."""
    if before.finished_at == after.finished_at or after.finished_at is None:
        return after
    return replace(after, finished_at=after.finished_at + transaction.ahead(moment))
