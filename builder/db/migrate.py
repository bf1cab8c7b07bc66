"""Bring a database to the newest schema with Alembic, as its owner."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from builder.db.engine import make_engine

MIGRATIONS = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None, app_role: str | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    config.attributes["app_role"] = app_role
    return config


def upgrade(owner_url: str, app_role: str | None = None) -> None:
    """Run all missing migrations on ``owner_url``.

    ``app_role``: on PostgreSQL, the role that the application runs as when it differs from the owner;
    it is granted reading and writing of rows, nothing else.
    """
    engine = make_engine(owner_url)
    try:
        with engine.begin() as connection:
            command.upgrade(_config(connection, app_role), "head")
    finally:
        engine.dispose()


def newest_revision() -> str | None:
    """The revision that this code expects."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current_revision(connection: Connection) -> str | None:
    """The revision that a database is at; ``None`` when it was never migrated."""
    from alembic.runtime.migration import MigrationContext

    if not inspect(connection).has_table("alembic_version"):
        return None
    return MigrationContext.configure(connection).get_current_revision()
