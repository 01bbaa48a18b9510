"""Experiments and trials in a database, SQLite or PostgreSQL."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import count

from arbo_bo.errors import InvalidValueError
from arbo_bo.experiment import Experiment, Learned, Trial
from arbo_bo.storage import codec
from arbo_bo.storage.batches import add_each, start_many
from arbo_bo.storage.protocol import Added, Change, Start
from arbo_bo.storage.reader import SQLTrialReader, checked_name
from arbo_bo.storage.rules import LEASE_EXPIRED
from arbo_bo.storage.samples import Samples
from arbo_bo.storage.steps import Steps, begun, ended, new_ids
from arbo_bo.storage.transaction import Row, Transaction

logger = logging.getLogger("arbo_bo")
SHOWN = 5


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
        return self.database.write(lambda t: Steps(self, t).configure(name, change))

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
        ids, earlier_attempts = new_ids(len(given)), count()

        def work(transaction: Transaction) -> list[Trial]:
            steps = Steps(self, transaction)
            if next(earlier_attempts) and (kept := steps.kept(name, ids)):
                return kept
            row = steps.allot(name, len(given), decided_at)
            return steps.insert(row, ids, given, learned)

        return self.database.write(work, retries=True)

    def add_each(self, name: str, trials: Callable[[Experiment], Iterable[Trial]]) -> Added:
        """Adds any number of trials, all or none, to a task that is made if it is not there.

        One whose idempotency key is the key or the id of a trial that the task had is left out.

        Args:
            name: The task's name.
            trials: Makes them anew for the task as it is stored; a transaction may be run again.
        """
        return add_each(self, checked_name(name), trials)

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
        name = checked_name(name)
        ids, earlier_attempts = new_ids(1), count()

        def work(transaction: Transaction) -> tuple[Trial, bool]:
            steps = Steps(self, transaction)
            if next(earlier_attempts) and (kept := steps.kept(name, ids)):
                return kept[0], True
            if change is not None:
                steps.require_version(name, decided_at)
            if trial.idempotency_key is not None:
                if change is None:
                    steps.locked(name)
                key = trial.idempotency_key
                started = transaction.row("trial_of_key", name=name, idempotency_key=key)
                if started is not None:
                    return codec.trial_of(started), False
            if change is not None:
                steps.configure(name, change)
            row = steps.allot(name, 1, decided_at if change is None else None)
            new = [begun(transaction, trial, row["moment"])]
            (added,) = steps.insert(row, ids, new, learned)
            if added.run_key is not None:
                transaction.run(
                    "supersede",
                    name=name,
                    run_key=added.run_key,
                    trial_index=added.trial_index,
                    reason=f"superseded by trial {added.trial_index}",
                )
            return added, True

        return self.database.write(work, retries=True)

    def start_many(self, starts: Sequence[Start]) -> list[Trial | None]:
        """Adds the RUNNING trials of several decisions in one transaction.

        None stands for a decision whose experiment has changed since: nothing was added for it.

        Raises:
            ExperimentNotFoundError: There is none of a name; nothing was added at all.
        """
        return start_many(self, starts)

    def change_many(self, changes: Sequence[Change]) -> list[Trial]:
        """`change` for several trials in one transaction, all or none.

        Raises:
            ExperimentNotFoundError: There is none of a name.
            TrialNotFoundError: There is no such trial.
        """
        order = sorted(range(len(changes)), key=lambda i: (changes[i][0], str(changes[i][1])))

        own = [trial for _, trial, _ in changes]

        def one(transaction: Transaction, i: int) -> Trial:
            name, _, change = changes[i]
            row = self._trial_row(transaction, checked_name(name), own[i], "_locked")
            own[i] = row["trial_id"]  # a second attempt finds this trial, or none
            return self._change(transaction, row, change)

        def work(transaction: Transaction) -> list[Trial]:
            found = {i: one(transaction, i) for i in order}
            return [found[i] for i in range(len(changes))]

        return self.database.write(work, retries=True)

    def abandon_lapsed(self) -> int:
        """Abandons every trial of the namespace whose lease has expired; returns how many."""
        lapsed = self.database.write(lambda t: t.rows("abandon_lapsed"), retries=True)
        if lapsed:
            named = ", ".join(f"{r['task_name']} {r['trial_index']}" for r in lapsed[:SHOWN])
            more = f" and {len(lapsed) - SHOWN} more" if len(lapsed) > SHOWN else ""
            logger.warning("trial %s%s: %s", named, more, LEASE_EXPIRED)
        return len(lapsed)

    def change(self, name: str, trial: int | str, change: Callable[[Trial], Trial]) -> Trial:
        """Replaces a trial by what `change` makes of it, and returns that.

        A trial's number may be another trial's by now; its `trial_id` never is, and leads to it
        even where the task has another name today.

        No other writer comes in between reading and writing; nothing is written if nothing changes.
        A trial that begins to train counts as a sample, as in `add`, and one that ends to does not.

        Raises:
            ExperimentNotFoundError: There is none of that name.
            TrialNotFoundError: There is no such trial.
            TrialGoneError: There is none of that identity.
        """
        name, own = checked_name(name), trial

        def work(transaction: Transaction) -> Trial:
            nonlocal own
            row = self._trial_row(transaction, name, own, "_locked")
            own = str(row["trial_id"])  # a second attempt finds this trial, or none
            return self._change(transaction, row, change)

        return self.database.write(work, retries=True)

    def rename(self, name: str, new_name: str) -> Experiment:
        """Gives an experiment another name, and returns it; its trials go with it.

        Nothing changes where that is its name already.

        Raises:
            ExperimentNotFoundError: There is none of that name.
            InvalidValueError: The new name is none, or is taken.
        """
        name, new = checked_name(name), checked_name(new_name)
        if name == new:
            return self.experiment(name)
        written: int | None = None

        def work(transaction: Transaction) -> Experiment:
            nonlocal written
            taken = transaction.row("task_locked", name=new)
            row = transaction.row("task_locked", name=name)
            if row is None and taken is not None and _is_since(taken, written):
                return codec.experiment_of(taken)  # by an earlier attempt, whose answer was lost
            self.found(row, name)
            if taken is not None:
                raise InvalidValueError(
                    f"there is a task {new!r} already, in namespace {self._namespace!r}; "
                    "give another name, or delete that one first"
                )
            renamed = self.found(transaction.row("rename_task", name=name, new_name=new), name)
            written = renamed["version"]
            return codec.experiment_of(renamed)

        return self.database.write(work)

    def delete(self, name: str) -> None:
        """Deletes an experiment with all its trials.

        Raises:
            ExperimentNotFoundError: There is none of that name.
        """
        name, deleted = checked_name(name), -1

        def work(transaction: Transaction) -> None:
            nonlocal deleted
            row = transaction.row("task_locked", name=name)
            if deleted >= 0 and (row is None or row["version"] < deleted):
                return  # an earlier attempt, whose answer was lost; what is there now is new
            deleted = self.found(row, name)["version"]
            transaction.run("delete_task", name=name)

        return self.database.write(work)

    def _change(
        self, transaction: Transaction, row: Row, change: Callable[[Trial], Trial]
    ) -> Trial:
        # The trial's lock first, and the task's as late as can be: others wait for that one until
        # this transaction is on the disk. `start` takes them the other way round, and therefore
        # waits for no trial.
        before, moment = codec.trial_of(row), row["moment"]
        name = before.task
        samples = Samples.of(self.found(transaction.row("task", name=name), name))
        changed = replace(change(before), trial_id=before.trial_id)
        changed = ended(transaction, before, changed, moment)
        after = codec.storable(changed, name, before.trial_index)
        if after == before:
            return before
        after = samples.count(Steps(self, transaction).with_load(before, after), before)
        transaction.run("save_trial", name=name, **codec.trial_values(after))
        samples.save(transaction, name)
        return after


def _is_since(row: Row, version: int | None) -> bool:
    """Whether a task's row is what an attempt wrote, or what has become of that."""
    return version is not None and bool(row["version"] >= version)
