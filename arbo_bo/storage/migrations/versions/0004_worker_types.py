"""Adds the type of worker that a trial runs on."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column in place; trials of before have no worker type."""
    kind = sa.String(255).compile(dialect=op.get_bind().dialect)
    op.execute(sa.text(f"ALTER TABLE execution_history ADD COLUMN worker_type {kind}"))
