"""Statements on runs that are under way: whose lease has expired, and what load they make."""

from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Update,
    and_,
    bindparam,
    case,
    extract,
    func,
    not_,
    or_,
    select,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from arbo_bo.experiment import Trial, TrialStatus
from arbo_bo.experiment.experiment import DEFAULT_LEASE_S
from arbo_bo.storage.tables import IS_RUNNING, UTCDateTime, execution_history

_history = execution_history.c
_SECONDS_A_DAY = 86400.0
LEASE_EXPIRED = "the lease expired, and no outcome had come"


class Leases:
    """Statements on one namespace, for the kind of database that a connection leads to.

    Times are compared by one clock: the server's, or on SQLite this machine's. Every statement is
    built once, and executed with `moment` and what it says it needs.
    """

    def __init__(self, namespace: str, on_server: bool) -> None:
        self._namespace = namespace
        self._on_server = on_server

    def moment(self) -> dict[str, datetime]:
        """The values of every statement here: the time, where the database has no clock."""
        return {} if self._on_server else {"now": datetime.now(UTC)}

    @cached_property
    def now(self) -> ColumnElement[datetime]:
        """This moment."""
        if self._on_server:
            return type_coerce(func.now(), UTCDateTime())
        return bindparam("now", type_=UTCDateTime())

    @cached_property
    def running(self) -> Select[Any]:
        """The degrees of all RUNNING trials with a lease, summed, and how many have none left."""
        expired = self._expired()
        workers = func.coalesce(func.sum(case((expired, 0), else_=_history.parallelism)), 0)
        lapsed = func.count(case((expired, 1)))
        return select(workers.label("workers"), lapsed.label("lapsed")).where(*self._under_way())

    @cached_property
    def lapse(self) -> ReturningUpdate[Any]:
        """Abandons the trials whose lease has expired.

        Trials that another transaction holds are left to the next one, so that none deadlocks.
        """
        expired = select(_history.id).where(*self.lapsed())
        return (
            update(execution_history)
            .where(_history.id.in_(expired.with_for_update(skip_locked=True)))
            .values(
                status=TrialStatus.ABANDONED.value,
                failure_reason=LEASE_EXPIRED,
                finished_at=self.now,
                lease_expires_at=func.coalesce(_history.lease_expires_at, self.now),
            )
            .returning(_history.task_name, _history.trial_index)
        )

    def supersede(self, trial: Trial) -> Update:
        """Abandons the older RUNNING trials of the same run, but for one that is just ending."""
        older = select(_history.id).where(
            *self._under_way(),
            _history.task_name == trial.task,
            _history.run_key == trial.run_key,
            _history.trial_index < trial.trial_index,
        )
        return (
            update(execution_history)
            .where(_history.id.in_(older.with_for_update(skip_locked=True)))
            .values(
                status=TrialStatus.ABANDONED.value,
                failure_reason=f"superseded by trial {trial.trial_index}",
                finished_at=self.now,
                lease_expires_at=None,
            )
        )

    @cached_property
    def mean_load(self) -> Select[Any]:
        """Workers of the other runs, on average from a trial's `start` to its `end`.

        The trial is number `trial_index` of `task_name`.

        The sum over the others of degree x overlap [s], divided by the trial's duration [s]. Runs
        that were abandoned are left out: when they ended is not known.
        """
        start, end = (bindparam(name, type_=UTCDateTime()) for name in ("start", "end"))
        other = or_(
            _history.task_name != bindparam("task_name"),
            _history.trial_index != bindparam("trial_index"),
        )
        columns = (_history.parallelism, _history.started_at)
        ended = select(*columns, _history.finished_at.label("ended_at")).where(
            _history.namespace == self._namespace,
            _history.status.in_([TrialStatus.COMPLETED.value, TrialStatus.FAILED.value]),
            _history.finished_at > start,
            _history.started_at < end,
            _history.started_at < _history.finished_at,  # not so where a clock was set back
            other,
        )
        under_way = select(*columns, end.label("ended_at")).where(
            *self._under_way(), _history.started_at < end, not_(self._expired()), other
        )
        runs = union_all(ended, under_way).subquery().c
        least, most = ("least", "greatest") if self._on_server else ("min", "max")
        overlap = getattr(func, least)(self._seconds(runs.ended_at), self._seconds(end)) - getattr(
            func, most
        )(self._seconds(runs.started_at), self._seconds(start))
        work = func.coalesce(func.sum(runs.parallelism * overlap), 0.0)
        return select(work / (self._seconds(end) - self._seconds(start)))

    def lapsed(self) -> tuple[ColumnElement[bool], ...]:
        """Whether a trial is RUNNING past its lease."""
        return *self._under_way(), self._expired()

    def _under_way(self) -> tuple[ColumnElement[bool], ...]:
        return _history.namespace == self._namespace, IS_RUNNING

    def _expired(self) -> ColumnElement[bool]:
        # Trials from before there were leases have none, and get the usual one.
        old = self._seconds(_history.created_at) < self._seconds(self.now) - DEFAULT_LEASE_S
        return or_(
            _history.lease_expires_at <= self.now, and_(_history.lease_expires_at.is_(None), old)
        )

    def _seconds(self, moment: ColumnElement[Any]) -> ColumnElement[Any]:
        if self._on_server:
            return extract("epoch", moment)
        return func.julianday(moment) * _SECONDS_A_DAY
