"""Runs the migrations on the connection that the caller handed over, in its transaction."""

from alembic import context

from arbo_bo.storage.schema import VERSION_TABLE
from arbo_bo.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
