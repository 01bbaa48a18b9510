"""Statements on runs that are under way: whose lease has expired, and what load they make.

Times are compared by one clock: the server's, or on SQLite this machine's.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    Update,
    and_,
    bindparam,
    case,
    extract,
    func,
    literal,
    not_,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from arbo_bo.experiment import TrialStatus
from arbo_bo.experiment.experiment import DEFAULT_LEASE_S
from arbo_bo.storage.rules import LARGEST_INDEX, LEASE_EXPIRED
from arbo_bo.storage.tables import IS_RUNNING, execution_history

_history = execution_history.c
_MOMENT = _history.created_at.type
_SECONDS_A_DAY = 86400.0
_UNDER_WAY = (_history.namespace == bindparam("namespace"), IS_RUNNING)


def definitions(on_server: bool) -> dict[str, Executable]:
    """The statements by name."""
    lapsed = (*_UNDER_WAY, _expired(on_server))
    return {
        "now": select(now(on_server).label("moment")),
        "running": _running(on_server),
        "lapsed": select(_history.task_name, _history.trial_index)
        .where(*lapsed)
        .order_by(_history.task_name, _history.trial_index),
        "abandon_lapsed": _abandon(lapsed, on_server),
        "supersede": _supersede(on_server),
        "mean_load": _mean_load(on_server),
    }


def now(on_server: bool) -> ColumnElement[Any]:
    """This moment."""
    return func.now(type_=_MOMENT) if on_server else bindparam("now", type_=_MOMENT)


def _running(on_server: bool) -> Select[Any]:
    """The degrees of all RUNNING trials with a lease, summed, and how many have none left."""
    expired = _expired(on_server)
    # A degree that no trial can have was written by another client: it is no load.
    is_odd = _history.parallelism > LARGEST_INDEX
    load = case((expired, 0), (is_odd, 0), else_=_history.parallelism)
    workers = func.coalesce(func.sum(load), 0)
    lapsed = func.count(case((expired, 1)))
    return select(workers.label("workers"), lapsed.label("lapsed")).where(*_UNDER_WAY)


def _abandon(lapsed: tuple[ColumnElement[bool], ...], on_server: bool) -> ReturningUpdate[Any]:
    """Abandons the trials whose lease has expired.

    Trials that another transaction holds are left to the next one, so that none deadlocks.
    """
    expired = select(_history.trial_id).where(*lapsed)
    return (
        update(execution_history)
        .where(_history.trial_id.in_(expired.with_for_update(skip_locked=True)))
        .values(
            status=TrialStatus.ABANDONED.value,
            failure_reason=LEASE_EXPIRED,
            finished_at=now(on_server),
            lease_expires_at=func.coalesce(_history.lease_expires_at, now(on_server)),
        )
        .returning(_history.task_name, _history.trial_index)
    )


def _supersede(on_server: bool) -> Update:
    """Abandons the older RUNNING trials of the same run, but for one that is just ending."""
    older = select(_history.trial_id).where(
        *_UNDER_WAY,
        _history.task_name == bindparam("name"),
        _history.run_key == bindparam("run_key"),
        _history.trial_index < bindparam("trial_index"),
    )
    return (
        update(execution_history)
        .where(_history.trial_id.in_(older.with_for_update(skip_locked=True)))
        .values(
            status=TrialStatus.ABANDONED.value,
            failure_reason=bindparam("reason"),
            finished_at=now(on_server),
            lease_expires_at=None,
        )
    )


def _mean_load(on_server: bool) -> Select[Any]:
    """Workers of the other runs, on average from a trial's `start` to its `end`.

    The trial is number `trial_index` of task `name`.

    The sum over the others of degree x overlap [s], divided by the trial's duration [s]. Runs
    that were abandoned are left out: when they ended is not known.
    """
    start, end = (bindparam(name, type_=_MOMENT) for name in ("start", "end"))
    other = or_(
        _history.task_name != bindparam("name"),
        _history.trial_index != bindparam("trial_index"),
    )
    columns = (_history.parallelism, _history.started_at)
    ended = select(*columns, _history.finished_at.label("ended_at")).where(
        _history.namespace == bindparam("namespace"),
        _history.status.in_(
            [literal(s.value) for s in (TrialStatus.COMPLETED, TrialStatus.FAILED)]
        ),
        _history.finished_at > start,
        _history.started_at < end,
        _history.started_at < _history.finished_at,  # not so where a clock was set back
        other,
    )
    under_way = select(*columns, end.label("ended_at")).where(
        *_UNDER_WAY, _history.started_at < end, not_(_expired(on_server)), other
    )
    runs = union_all(ended, under_way).subquery().c
    least, most = (func.least, func.greatest) if on_server else (func.min, func.max)

    def seconds(moment: ColumnElement[Any]) -> ColumnElement[Any]:
        return _seconds(moment, on_server)

    overlap = least(seconds(runs.ended_at), seconds(end)) - most(
        seconds(runs.started_at), seconds(start)
    )
    work = func.coalesce(func.sum(runs.parallelism * overlap), 0.0)
    return select((work / (seconds(end) - seconds(start))).label("workers"))


def _expired(on_server: bool) -> ColumnElement[bool]:
    # Trials from before there were leases have none, and get the usual one.
    old = _seconds(_history.created_at, on_server) < (
        _seconds(now(on_server), on_server) - DEFAULT_LEASE_S
    )
    return or_(
        _history.lease_expires_at <= now(on_server), and_(_history.lease_expires_at.is_(None), old)
    )


def _seconds(moment: ColumnElement[Any], on_server: bool) -> ColumnElement[Any]:
    if on_server:
        return extract("epoch", moment)
    return func.julianday(moment) * _SECONDS_A_DAY
