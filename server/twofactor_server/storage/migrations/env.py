"""Alembic's entry point: runs the revisions on the connection that ``storage.migrate`` passes."""

from alembic import context

from twofactor_server.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
