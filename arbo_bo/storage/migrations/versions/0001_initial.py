"""Experiments with what was learned of them, and their trials."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates both tables and their indexes."""
    _create_task_models()
    _create_execution_history()
    op.create_index(
        "ix_execution_history_namespace_task_name_status_trial_index",
        "execution_history",
        ["namespace", "task_name", "status", "trial_index"],
    )
    running = sa.text("status = 'RUNNING'")
    op.create_index(
        "ix_execution_history_running",
        "execution_history",
        ["namespace"],
        sqlite_where=running,
        postgresql_where=running,
    )


def _create_task_models() -> None:
    op.create_table(
        "task_models",
        sa.Column("namespace", sa.String(255), nullable=False),
        sa.Column("task_name", sa.String(255), nullable=False),
        sa.Column("t_base_1", sa.Double()),
        sa.Column("p_obs", sa.Double()),
        sa.Column("c_startup", sa.Double()),
        sa.Column("k_exponent", sa.Double()),
        sa.Column("alpha", sa.Double(), nullable=False),
        sa.Column("base_input_size", sa.Double()),
        sa.Column("sample_count", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("last_updated", sa.DateTime(timezone=True)),
        sa.Column("configuration", sa.JSON(), nullable=False),
        sa.Column("hyperparameters", sa.JSON(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, server_default="1"),
        sa.Column("next_trial_index", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("namespace", "task_name", name=op.f("pk_task_models")),
        *(
            sa.CheckConstraint(condition, name=op.f(f"ck_task_models_{name}"))
            for name, condition in (
                ("t_base_1_positive", "t_base_1 > 0 AND t_base_1 < 2e300"),
                ("p_obs_fraction", "p_obs >= 0 AND p_obs <= 1"),
                ("c_startup_not_negative", "c_startup >= 0 AND c_startup < 1e300"),
                ("k_exponent_finite", "k_exponent > -1e300 AND k_exponent < 1e300"),
                ("alpha_fraction", "alpha > 0 AND alpha <= 1"),
                ("base_input_size_positive", "base_input_size > 0 AND base_input_size < 1e300"),
                ("sample_count_not_negative", "sample_count >= 0"),
                ("next_trial_index_not_negative", "next_trial_index >= 0"),
            )
        ),
    )


def _create_execution_history() -> None:
    op.create_table(
        "execution_history",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("namespace", sa.String(255), nullable=False),
        sa.Column("task_name", sa.String(255), nullable=False),
        sa.Column("trial_index", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("parallelism", sa.Integer(), nullable=False),
        sa.Column("input_size", sa.Double()),
        sa.Column("input_scale_factor", sa.Double(), nullable=False, server_default="1"),
        sa.Column("cluster_load", sa.Double()),
        sa.Column("execution_time", sa.Double()),
        sa.Column("startup_time", sa.Double()),
        sa.Column("residual", sa.Double()),
        sa.Column("predicted_mean", sa.Double()),
        sa.Column("predicted_std", sa.Double()),
        sa.Column("acquisition", sa.String(255)),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("timed_out_after", sa.Double()),
        sa.Column("failure_reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_execution_history")),
        sa.UniqueConstraint(
            "namespace",
            "task_name",
            "trial_index",
            name=op.f("uq_execution_history_namespace_task_name_trial_index"),
        ),
        sa.ForeignKeyConstraint(
            ["namespace", "task_name"],
            ["task_models.namespace", "task_models.task_name"],
            name=op.f("fk_execution_history_task_models"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        *_history_checks(),
    )


def _history_checks() -> list[sa.CheckConstraint]:
    known = "status IN ('CANDIDATE', 'RUNNING', 'COMPLETED', 'FAILED', 'ABANDONED')"
    timed = "status <> 'COMPLETED' OR execution_time IS NOT NULL"
    conditions = {
        "status_known": known,
        "trial_index_not_negative": "trial_index >= 0",
        "parallelism_positive": "parallelism >= 1",
        "execution_time_positive": "execution_time > 0 AND execution_time < 1e300",
        "timed_out_after_positive": "timed_out_after > 0 AND timed_out_after < 1e300",
        "input_size_positive": "input_size > 0 AND input_size < 1e300",
        "input_scale_factor_positive": "input_scale_factor > 0 AND input_scale_factor < 1e300",
        "startup_time_not_negative": "startup_time >= 0 AND startup_time < 1e300",
        "cluster_load_not_negative": "cluster_load >= 0 AND cluster_load < 1e300",
        "completed_has_time": timed,
    }
    return [
        sa.CheckConstraint(condition, name=op.f(f"ck_execution_history_{name}"))
        for name, condition in conditions.items()
    ]
