"""The tables of DBOS inside our database; they are its own, so Alembic leaves them alone."""

from __future__ import annotations

from dbos import DBOS

from builder.jobs.names import SCHEMA


def migrate(owner_url: str, app_role: str | None = None) -> None:
    """Create or upgrade them as the database's owner; on PostgreSQL, let the application's role use them."""
    DBOS.migrate(owner_url, schema=SCHEMA, application_role=app_role)
