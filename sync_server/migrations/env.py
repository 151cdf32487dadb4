"""What Alembic runs for each step: on the connection that it is handed."""

from alembic import context

from sync_server import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
