"""The statements of the store, for one namespace."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Delete,
    Integer,
    Select,
    Update,
    bindparam,
    delete,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningUpdate

from arbo_bo.experiment import Experiment, Trial, TrialStatus
from arbo_bo.storage import codec
from arbo_bo.storage.codec import AnyRow, Json
from arbo_bo.storage.leases import Leases
from arbo_bo.storage.tables import IS_RUNNING, execution_history, task_models

LARGEST_INDEX = 2**31 - 1
_tasks, _history = task_models.c, execution_history.c


class Queries:
    """Statements on the experiments and trials of one namespace."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self._leases = [Leases(namespace, on_server) for on_server in (False, True)]

    def tasks(self) -> Select[Any]:
        """Every row of `task_models`."""
        return select(task_models).where(_tasks.namespace == self.namespace)

    def task(self, name: str) -> Select[Any]:
        """The row of one task."""
        return self.tasks().where(_tasks.task_name == name)

    def create(self, connection: Connection, experiment: Experiment) -> AnyRow | None:
        """Inserts a task and returns its row; None if another process was faster."""
        values = {
            "namespace": self.namespace,
            "task_name": experiment.name,
            "alpha": experiment.alpha,
            "configuration": codec.configuration_of(experiment),
            "hyperparameters": {},
        }
        if connection.dialect.name == "postgresql":
            statement = (
                postgresql.insert(task_models)
                .values(values)
                .on_conflict_do_nothing()
                .returning(task_models)
            )
        else:
            statement = (
                sqlite.insert(task_models)
                .values(values)
                .on_conflict_do_nothing()
                .returning(task_models)
            )
        return connection.execute(statement).one_or_none()

    def save(self, name: str, changes: Json) -> ReturningUpdate[Any]:
        """Writes columns of a task's row, and returns the row."""
        return self._update(name).values(changes).returning(task_models)

    def rename(self, name: str, new_name: str) -> ReturningUpdate[Any]:
        """Gives a task another name, and returns its row; the trials follow by their key."""
        return self.save(name, {"task_name": new_name})

    def delete(self, name: str) -> Delete:
        """Deletes a task; the trials go by their key."""
        return delete(task_models).where(
            _tasks.namespace == self.namespace, _tasks.task_name == name
        )

    def allot(self, connection: Connection, name: str, count: int) -> ReturningUpdate[Any]:
        """Moves a task's next index on by `count`, and returns the row and the `moment`."""
        moved = _tasks.next_trial_index + count
        moment = self.leases(connection).now.label("moment")
        return self._update(name).values(next_trial_index=moved).returning(task_models, moment)

    def row(self, trial: Trial, trial_id: str) -> Json:
        """The columns of a new trial."""
        place = {"namespace": self.namespace, "task_name": trial.task}
        return {"id": trial_id, **place, **codec.trial_values(trial)}

    def save_trial(self, trial: Trial) -> Update:
        """Writes a trial that is there already."""
        return (
            update(execution_history)
            .where(*self._of(trial.task), _history.trial_index == trial.trial_index)
            .values(codec.trial_values(trial))
        )

    def trials(self, name: str) -> Select[Any]:
        """Every trial of a task."""
        return select(execution_history).where(*self._of(name))

    def trial(self, name: str, trial_index: int) -> Select[Any]:
        """One trial of a task."""
        return self.trials(name).where(_history.trial_index == trial_index)

    @cached_property
    def history(self) -> CompoundSelect[Any]:
        """The newest that train, the newest failed and all running trials; short index scans.

        Built once, and executed with the `name` of the task and the `window`.
        """
        completed = self._newest(TrialStatus.COMPLETED)
        trained = completed.where(_history.exclusion_reason.is_(None))
        failed = self._newest(TrialStatus.FAILED)
        newest = (select(query.subquery()) for query in (trained, failed))
        return union_all(*newest, self._of_name.where(IS_RUNNING))

    @cached_property
    def situation(self) -> Select[Any]:
        """The row of the task called `name`."""
        return self.tasks().where(_tasks.task_name == bindparam("name"))

    def started(self, name: str, idempotency_key: str) -> Select[Any]:
        """The trial that was started with this key."""
        return self.trials(name).where(_history.idempotency_key == idempotency_key)

    def leases(self, connection: Connection) -> Leases:
        """The statements on runs that are under way."""
        return self._leases[connection.dialect.name == "postgresql"]

    def kept(self, ids: Sequence[str]) -> Select[Any]:
        """The trials with these ids."""
        return select(execution_history).where(_history.id.in_(ids))

    def _update(self, name: str) -> Update:
        return (
            update(task_models)
            .where(_tasks.namespace == self.namespace, _tasks.task_name == name)
            .values(version=_tasks.version + 1)
        )

    @property
    def _of_name(self) -> Select[Any]:
        of_task = _history.task_name == bindparam("name")
        return select(execution_history).where(_history.namespace == self.namespace, of_task)

    def _newest(self, status: TrialStatus) -> Select[Any]:
        return (
            self._of_name.where(_history.status == literal_column(f"'{status.value}'"))
            .order_by(_history.trial_index.desc())
            .limit(bindparam("window", type_=Integer))
        )

    def _of(self, name: str) -> tuple[ColumnElement[bool], ...]:
        return _history.namespace == self.namespace, _history.task_name == name
