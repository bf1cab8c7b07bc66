"""Alembic's environment: always online, on the connection that ``builder.db.migrate`` hands in."""

from alembic import context

from builder.db.migrate import comparison

_connection = context.config.attributes["connection"]
context.configure(connection=_connection, **comparison(_connection))
with context.begin_transaction():
    context.run_migrations()
