"""The tables of DBOS inside our database; they are its own, so Alembic leaves them alone."""

from __future__ import annotations

import logging

from dbos import DBOS

from builder.jobs.names import SCHEMA

_THEIR_LOG = logging.getLogger("dbos")


def migrate(owner_url: str, app_role: str | None = None) -> None:
    """Create or upgrade them as the database's owner; on PostgreSQL, let the application's role use them."""
    _THEIR_LOG.setLevel(logging.WARNING)  # it would tell of each of its hundred steps
    DBOS.migrate(owner_url, schema=SCHEMA, application_role=app_role)
