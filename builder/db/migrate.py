"""Bring a database to the newest schema with Alembic, as its owner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from builder.db.base import Base
from builder.db.engine import make_engine
from builder.db.statistics import tell_planner

MIGRATIONS = Path(__file__).parent / "migrations"
# On SQLite the tables of DBOS stand beside ours; it migrates them itself (on PostgreSQL they have a schema).
JOB_TABLES = frozenset(
    {
        "application_versions",
        "dbos_migrations",
        "notifications",
        "operation_outputs",
        "queues",
        "streams",
        "workflow_events",
        "workflow_events_history",
        "workflow_input",
        "workflow_output",
        "workflow_schedules",
        "workflow_status",
    }
)


def _config(connection: Connection | None = None, app_role: str | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    config.attributes["app_role"] = app_role
    return config


def upgrade(owner_url: str, app_role: str | None = None) -> None:
    """Run all missing migrations on ``owner_url``, and tell its planner what our tables are like.

    ``app_role``: on PostgreSQL, the role that the application runs as when it differs from the owner;
    it is granted reading and writing of rows, nothing else.
    """
    engine = make_engine(owner_url)
    try:
        with engine.begin() as connection:
            command.upgrade(_config(connection, app_role), "head")
            tell_planner(connection)
    finally:
        engine.dispose()


def downgrade(owner_url: str, app_role: str | None = None) -> None:
    """Take every migration back: all tables go, with all that is in them."""
    engine = make_engine(owner_url)
    try:
        with engine.begin() as connection:
            command.downgrade(_config(connection, app_role), "base")
    finally:
        engine.dispose()


def comparison(connection: Connection) -> dict[str, Any]:
    """What Alembic needs in order to compare the database with the models (autogenerate)."""
    dialect = connection.dialect.name

    def is_ours(item: Any, name: str | None, kind: str, _reflected: bool, _compare: object) -> bool:
        if kind == "index":
            return item.info.get("dialect", dialect) == dialect
        return not (kind == "table" and name in JOB_TABLES)

    return {"target_metadata": Base.metadata, "include_object": is_ours, "render_as_batch": True}


def newest_revision() -> str | None:
    """The revision that this code expects."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current_revision(connection: Connection) -> str | None:
    """The revision that a database is at; ``None`` when it was never migrated."""
    from alembic.runtime.migration import MigrationContext

    if not inspect(connection).has_table("alembic_version"):
        return None
    return MigrationContext.configure(connection).get_current_revision()
