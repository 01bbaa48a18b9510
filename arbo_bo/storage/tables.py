"""The schema, the same on SQLite and on PostgreSQL; `migrations` creates it."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.types import TypeEngine

from arbo_bo.storage import columns
from arbo_bo.storage.columns import Kind

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}


def _base(column: str) -> str:
    """A column's name in a constraint's: those are older than the units in the columns' names."""
    return column.removesuffix("_s")


def _positive(column: str) -> CheckConstraint:
    # PostgreSQL sorts NaN above every number, so the upper bound refuses NaN as well as infinity.
    return CheckConstraint(f"{column} > 0 AND {column} < 1e300", f"{_base(column)}_positive")


def _not_negative(column: str) -> CheckConstraint:
    return CheckConstraint(f"{column} >= 0 AND {column} < 1e300", f"{_base(column)}_not_negative")


def _column(given: columns.Column) -> Column[Any]:
    types: dict[Kind, TypeEngine[Any]] = {
        Kind.TEXT: Text() if given.length is None else String(given.length),
        Kind.INTEGER: BigInteger() if given.is_large else Integer(),
        Kind.REAL: Double(),
        Kind.MOMENT: DateTime(timezone=True),
        Kind.OBJECT: JSON(none_as_null=True),
    }
    return Column(
        given.name,
        types[given.kind],
        primary_key=given.is_key,
        nullable=not given.required,
        server_default=None if given.default is None else str(given.default),
    )


metadata = MetaData(naming_convention=NAMING_CONVENTION)

task_models = Table(
    "task_models",
    metadata,
    *map(_column, columns.TASK_COLUMNS),
    CheckConstraint("t_base_1 > 0 AND t_base_1 < 2e300", "t_base_1_positive"),
    CheckConstraint("p_obs >= 0 AND p_obs <= 1", "p_obs_fraction"),
    _not_negative("c_startup"),
    CheckConstraint("k_exponent > -1e300 AND k_exponent < 1e300", "k_exponent_finite"),
    CheckConstraint("alpha > 0 AND alpha <= 1", "alpha_fraction"),
    _positive("base_input_size"),
    CheckConstraint("sample_count >= 0", "sample_count_not_negative"),
    CheckConstraint("next_trial_index >= 0", "next_trial_index_not_negative"),
)

execution_history = Table(
    "execution_history",
    metadata,
    *map(_column, columns.TRIAL_COLUMNS),
    UniqueConstraint("namespace", "task_name", "trial_index"),
    ForeignKeyConstraint(
        ["namespace", "task_name"],
        ["task_models.namespace", "task_models.task_name"],
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    CheckConstraint(
        "status IN ('CANDIDATE', 'RUNNING', 'COMPLETED', 'FAILED', 'ABANDONED')", "status_known"
    ),
    CheckConstraint("trial_index >= 0", "trial_index_not_negative"),
    CheckConstraint("parallelism >= 1", "parallelism_positive"),
    _positive("execution_time_s"),
    _positive("timed_out_after_s"),
    _positive("input_size"),
    _positive("input_scale_factor"),
    _not_negative("startup_time_s"),
    _not_negative("cluster_load"),
    CheckConstraint("status <> 'COMPLETED' OR execution_time_s IS NOT NULL", "completed_has_time"),
    CheckConstraint("time_measure IN ('makespan', 'slowest')", "time_measure_known"),
    _not_negative("queued_time_s"),
    _not_negative("mean_cluster_load"),
    CheckConstraint("recommended_parallelism >= 1", "recommended_parallelism_positive"),
    # The newest completed (or failed) trials of a task, read backwards.
    Index(None, "namespace", "task_name", "status", "trial_index"),
    # One trial a key; an index, because a constraint would need the table rebuilt on SQLite.
    Index(None, "namespace", "task_name", "idempotency_key", unique=True),
    # The runs that overlapped another one, for the load that it had.
    Index(None, "namespace", "finished_at"),
)

IS_RUNNING = execution_history.c.status == literal_column("'RUNNING'")
"""A literal: with a bound parameter SQLite would not use the partial index."""

# The workers in use are summed at every decision.
Index(
    "ix_execution_history_running",
    execution_history.c.namespace,
    execution_history.c.status,
    sqlite_where=IS_RUNNING,
    postgresql_where=IS_RUNNING,
)
