"""What a run is told apart by, how it was measured, and what it is not to teach."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS: tuple[tuple[str, sa.types.TypeEngine[Any], tuple[str, str] | None], ...] = (
    ("idempotency_key", sa.String(255), None),
    ("run_key", sa.String(255), None),
    ("exclusion_reason", sa.Text(), None),
    ("strategy", sa.JSON(), None),
    ("lease_expires_at", sa.DateTime(timezone=True), None),
    ("time_measure", sa.String(16), ("known", "time_measure IN ('makespan', 'slowest')")),
    ("queued_time", sa.Double(), ("not_negative", "queued_time >= 0 AND queued_time < 1e300")),
    (
        "mean_cluster_load",
        sa.Double(),
        ("not_negative", "mean_cluster_load >= 0 AND mean_cluster_load < 1e300"),
    ),
    ("recommended_parallelism", sa.Integer(), ("positive", "recommended_parallelism >= 1")),
)


def upgrade() -> None:
    """Adds the columns in place: no table is rebuilt, however many trials it holds."""
    dialect = op.get_bind().dialect
    for name, kind, check in COLUMNS:
        column = f"{name} {kind.compile(dialect=dialect)}"
        if check is not None:
            # On a line of its own: SQLAlchemy reads SQLite's constraints line by line.
            column += f"\nCONSTRAINT ck_execution_history_{name}_{check[0]} CHECK ({check[1]})"
        op.execute(sa.text(f"ALTER TABLE execution_history ADD COLUMN {column}"))
    op.create_index(
        "ix_execution_history_namespace_task_name_idempotency_key",
        "execution_history",
        ["namespace", "task_name", "idempotency_key"],
        unique=True,
    )
    op.create_index(
        "ix_execution_history_namespace_finished_at",
        "execution_history",
        ["namespace", "finished_at"],
    )
