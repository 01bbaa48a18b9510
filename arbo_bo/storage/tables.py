"""The schema, the same on SQLite and on PostgreSQL; `migrations` creates it."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    literal_column,
)

from arbo_bo.experiment.validation import MAX_NAME_LENGTH

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}


class UTCDateTime(TypeDecorator[datetime]):
    """An instant: timezone-aware in Python, UTC in the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Converts to UTC; SQLite stores the text without an offset."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Marks SQLite's naive value as UTC, converts PostgreSQL's from the session's zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _positive(column: str) -> CheckConstraint:
    # PostgreSQL sorts NaN above every number, so the upper bound refuses NaN as well as infinity.
    return CheckConstraint(f"{column} > 0 AND {column} < 1e300", f"{column}_positive")


def _not_negative(column: str) -> CheckConstraint:
    return CheckConstraint(f"{column} >= 0 AND {column} < 1e300", f"{column}_not_negative")


metadata = MetaData(naming_convention=NAMING_CONVENTION)

task_models = Table(
    "task_models",
    metadata,
    Column("namespace", String(MAX_NAME_LENGTH), primary_key=True),
    Column("task_name", String(MAX_NAME_LENGTH), primary_key=True),
    # T1 + C of the law: wall time at s = 1 and gamma = 1, start-up included [s].
    Column("t_base_1", Double),
    Column("p_obs", Double),
    Column("c_startup", Double),
    Column("k_exponent", Double),
    Column("alpha", Double, nullable=False),
    Column("base_input_size", Double),
    Column("sample_count", Integer, nullable=False, server_default="0"),
    Column("last_updated", UTCDateTime),
    Column("configuration", JSON, nullable=False),
    Column("hyperparameters", JSON, nullable=False),
    Column("version", BigInteger, nullable=False, server_default="1"),
    Column("next_trial_index", Integer, nullable=False, server_default="0"),
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
    Column("id", String(36), primary_key=True),
    Column("namespace", String(MAX_NAME_LENGTH), nullable=False),
    Column("task_name", String(MAX_NAME_LENGTH), nullable=False),
    Column("trial_index", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("parallelism", Integer, nullable=False),
    Column("input_size", Double),
    Column("input_scale_factor", Double, nullable=False, server_default="1"),
    Column("cluster_load", Double),
    Column("execution_time", Double),
    Column("startup_time", Double),
    Column("residual", Double),
    Column("predicted_mean", Double),
    Column("predicted_std", Double),
    Column("acquisition", String(255)),
    Column("phase", String(16), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("started_at", UTCDateTime),
    Column("finished_at", UTCDateTime),
    Column("timed_out_after", Double),
    Column("failure_reason", Text),
    Column("idempotency_key", String(MAX_NAME_LENGTH)),
    Column("run_key", String(MAX_NAME_LENGTH)),
    Column("exclusion_reason", Text),
    Column("strategy", JSON(none_as_null=True)),
    Column("lease_expires_at", UTCDateTime),
    Column("time_measure", String(16)),
    Column("queued_time", Double),
    Column("mean_cluster_load", Double),
    Column("recommended_parallelism", Integer),
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
    _positive("execution_time"),
    _positive("timed_out_after"),
    _positive("input_size"),
    _positive("input_scale_factor"),
    _not_negative("startup_time"),
    _not_negative("cluster_load"),
    CheckConstraint("status <> 'COMPLETED' OR execution_time IS NOT NULL", "completed_has_time"),
    CheckConstraint("time_measure IN ('makespan', 'slowest')", "time_measure_known"),
    _not_negative("queued_time"),
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
    sqlite_where=IS_RUNNING,
    postgresql_where=IS_RUNNING,
)
