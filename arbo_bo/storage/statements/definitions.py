"""Every statement of the store, made from the tables; compiled to text, see `compilation`.

Each works in one namespace, `namespace`, and takes what it names: ``bindparam("name")`` is the
value called `name`. SQLite has no clock that the store trusts, and gets the time as `now`.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    ColumnElement,
    Executable,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    false,
    func,
    insert,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningUpdate

from arbo_bo.experiment import TrialStatus
from arbo_bo.experiment.outcome import RETRIED
from arbo_bo.storage.columns import DECIDED, PLACE, TRIAL_COLUMNS
from arbo_bo.storage.statements import runs
from arbo_bo.storage.tables import IS_RUNNING, execution_history, task_models

_tasks, _history = task_models.c, execution_history.c
_NAMESPACE: BindParameter[Any] = bindparam("namespace")
_EXCLUDED = "EXCLUDED"
_FROM = _history.trial_index >= bindparam("first", type_=_history.trial_index.type)
_MOST: BindParameter[Any] = bindparam("most", type_=_history.trial_index.type)
MOST_RUNNING = 500
"""Runs under way that a decision looks at: the work of a fit grows with their number's cube."""
_FIXED = (*PLACE, *DECIDED, "trial_id", "trial_index")
_WRITTEN = [column.name for column in TRIAL_COLUMNS if column.name not in _FIXED]


def definitions(on_server: bool) -> dict[str, Executable]:
    """The statements by name.

    Args:
        on_server: For PostgreSQL; else for SQLite.
    """
    return {
        **_reading_tasks(),
        **_writing_tasks(on_server),
        **_reading_trials(on_server),
        **_writing_trials(),
        **runs.definitions(on_server),
        **_pruning(),
        **_attempts(),
    }


def _reading_tasks() -> dict[str, Executable]:
    tasks = select(task_models).where(_tasks.namespace == _NAMESPACE)
    task = tasks.where(_tasks.task_name == bindparam("name"))
    return {
        "tasks": tasks.order_by(_tasks.task_name),
        "task": task,
        "task_locked": task.with_for_update(),
    }


def _writing_tasks(on_server: bool) -> dict[str, Executable]:
    dialect = postgresql if on_server else sqlite
    of_task = (_tasks.namespace == _NAMESPACE, _tasks.task_name == bindparam("name"))
    changed = update(task_models).where(*of_task).values(version=_tasks.version + 1)

    def returned(**values: ColumnElement[Any]) -> ReturningUpdate[Any]:
        return changed.values(values).returning(task_models)

    configured: dict[str, BindParameter[Any]] = {
        name: bindparam(name)
        for name in ("namespace", "task_name", "alpha", "configuration", "hyperparameters")
    }
    learned = ("t_base_1", "p_obs", "c_startup", "k_exponent", "hyperparameters", "last_updated")
    return {
        "create_task": dialect.insert(task_models)
        .values(configured)
        .on_conflict_do_nothing()
        .returning(task_models),
        "restore_task": insert(task_models),
        "configure_task": returned(
            configuration=bindparam("configuration"), alpha=bindparam("alpha")
        ),
        "rename_task": returned(task_name=bindparam("new_name")),
        "count_samples": returned(
            sample_count=_tasks.sample_count + bindparam("added"),
            base_input_size=func.coalesce(_tasks.base_input_size, bindparam("first_size")),
            **{name: func.coalesce(bindparam(name), _tasks[name]) for name in learned},
        ),
        "delete_task": delete(task_models).where(*of_task),
        "allot_indices": changed.values(
            next_trial_index=_tasks.next_trial_index + bindparam("count")
        ).returning(task_models, runs.now(on_server).label("moment")),
    }


def _reading_trials(on_server: bool) -> dict[str, Executable]:
    trials = _of_task()
    trial = trials.where(_history.trial_index == bindparam("trial_index"))
    of_id = select(execution_history).where(
        _history.namespace == _NAMESPACE, _history.trial_id == bindparam("trial_id")
    )
    moment = runs.now(on_server).label("moment")
    # The newest that train, that failed, that were retried or lost, and all running ones: short
    # index scans.
    trained = _newest(TrialStatus.COMPLETED).where(_history.exclusion_reason.is_(None))
    running = trials.where(IS_RUNNING).order_by(_history.trial_index.desc()).limit(MOST_RUNNING)
    # Among the newest that ended: there may be none, and then a search would look at them all.
    ended = _newest(TrialStatus.COMPLETED).subquery()
    retried = select(ended).where(ended.c.exclusion_reason.like(literal_column(f"'{RETRIED}%'")))
    gone = _newest(TrialStatus.ABANDONED).subquery()
    lapsed = select(gone).where(gone.c.lease_expires_at.is_not(None))
    parts = (trained, _newest(TrialStatus.FAILED), retried, lapsed, running)
    # Without what was stored of their decisions: that is some kilobytes each.
    light = [_light(part.subquery()) for part in parts]
    return {
        "trials": trials.order_by(_history.trial_index),
        "trials_from": trials.where(_FROM).order_by(_history.trial_index).limit(_MOST),
        "identities_from": select(_history.trial_index, _history.trial_id, _history.idempotency_key)
        .where(_history.namespace == _NAMESPACE, _history.task_name == bindparam("name"), _FROM)
        .order_by(_history.trial_index)
        .limit(_MOST),
        "trial": trial,
        "trial_locked": trial.add_columns(moment).with_for_update(),
        "trial_of_id": of_id,
        "trial_of_id_locked": of_id.add_columns(moment).with_for_update(),
        "trials_of_ids": select(execution_history).where(_history.trial_id.in_(_ids(on_server))),
        "trial_of_key": trials.where(_history.idempotency_key == bindparam("idempotency_key")),
        "history": union_all(*light),
        "latest": _light(trials.order_by(_history.trial_index.desc()).limit(_window()).subquery()),
        "under_way": _light(_under_way().subquery()),
    }


def _under_way() -> Select[Any]:
    """What runs in the namespace, the longest first."""
    return (
        select(execution_history)
        .where(_history.namespace == _NAMESPACE, IS_RUNNING)
        .order_by(_history.created_at)
        .limit(MOST_RUNNING)
    )


def _writing_trials() -> dict[str, Executable]:
    return {
        "add_trial": insert(execution_history),
        "save_trial": update(execution_history)
        .where(
            _history.namespace == _NAMESPACE,
            _history.task_name == bindparam("name"),
            _history.trial_index == bindparam("trial_index"),
        )
        .values({name: bindparam(name) for name in _WRITTEN}),
    }


def _pruning() -> dict[str, Executable]:
    """Closed trials of one `kind`: a status, or EXCLUDED for those that do not train."""
    excluded = and_(
        _history.status == TrialStatus.COMPLETED.value, _history.exclusion_reason.is_not(None)
    )
    kind = case((excluded, _EXCLUDED), else_=_history.status) == bindparam("kind")
    of_kind = (
        _history.namespace == _NAMESPACE,
        _history.task_name == bindparam("name"),
        kind,
    )
    ended = func.coalesce(_history.finished_at, _history.created_at)
    going = (
        *of_kind,
        _history.trial_index <= bindparam("first_to_go"),
        ended < bindparam("limit", type_=_history.created_at.type),
    )
    return {
        "first_to_prune": select(_history.trial_index)
        .where(*of_kind)
        .order_by(_history.trial_index.desc())
        .limit(1)
        .offset(bindparam("kept", type_=_history.trial_index.type)),
        "count_pruned": select(func.count().label("count"))
        .select_from(execution_history)
        .where(*going),
        "prune": delete(execution_history).where(*going),
    }


def _attempts() -> dict[str, Executable]:
    """Statements that need a right and touch no row."""
    found: dict[str, Executable] = {}
    for table in (task_models, execution_history):
        nothing = select(table).where(false())
        found |= {
            f"may_add_to_{table.name}": insert(table).from_select(list(table.c), nothing),
            f"may_change_{table.name}": update(table).where(false()).values(task_name="none"),
            f"may_delete_from_{table.name}": delete(table).where(false()),
        }
    return found


def _of_task() -> Select[Any]:
    return select(execution_history).where(
        _history.namespace == _NAMESPACE, _history.task_name == bindparam("name")
    )


def _light(trials: Subquery) -> Select[Any]:
    return select(*(column for column in trials.c if column.name != "decision"))


def _ids(on_server: bool) -> Select[Any]:
    """The elements of `ids`, which is a list as JSON."""
    given = bindparam("ids", type_=Text)
    if on_server:
        return select(func.json_array_elements_text(cast(given, JSON)))
    return select(func.json_each(given).table_valued("value").c.value)


def _newest(status: TrialStatus) -> Select[Any]:
    return (
        _of_task()
        .where(_history.status == literal_column(f"'{status.value}'"))
        .order_by(_history.trial_index.desc())
        .limit(_window())
    )


def _window() -> BindParameter[Any]:
    return bindparam("window", type_=_history.trial_index.type)
