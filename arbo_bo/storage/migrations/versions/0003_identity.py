"""Adds why a trial was decided so, names its identity and the units of its columns."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

RENAMED = {
    "id": "trial_id",
    "execution_time": "execution_time_s",
    "startup_time": "startup_time_s",
    "residual": "residual_s",
    "predicted_mean": "predicted_time_s",
    "predicted_std": "predicted_time_std_s",
    "timed_out_after": "timed_out_after_s",
    "queued_time": "queued_time_s",
}


def upgrade() -> None:
    """Changes the columns in place: no table is rebuilt, however many trials it holds."""
    dialect = op.get_bind().dialect
    for old, new in RENAMED.items():
        op.execute(sa.text(f"ALTER TABLE execution_history RENAME COLUMN {old} TO {new}"))
    for name, kind in (("reason", sa.Text()), ("decision", sa.JSON())):
        column = f"{name} {kind.compile(dialect=dialect)}"
        op.execute(sa.text(f"ALTER TABLE execution_history ADD COLUMN {column}"))
    # With both columns SQLite prefers it to the other indexes, without statistics too.
    op.drop_index("ix_execution_history_running", "execution_history")
    running = sa.text("status = 'RUNNING'")
    op.create_index(
        "ix_execution_history_running",
        "execution_history",
        ["namespace", "status"],
        sqlite_where=running,
        postgresql_where=running,
    )
