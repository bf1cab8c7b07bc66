"""Migrations make what the models say, behind walls, and take all of it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text

from builder.db import Base
from builder.db.engine import make_engine
from builder.db.migrate import comparison, current_revision, downgrade, newest_revision, upgrade
from builder.jobs.tables import migrate as migrate_job_tables
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.postgres import APP_ROLE, OWNER_ROLE, PostgresServer

pytestmark = pytest.mark.usefixtures("own_database")

SCOPED = {table.name for table in Base.metadata.sorted_tables if "workspace_id" in table.c}


@pytest.fixture
def owned(database_url: FreshDatabase) -> Iterator[Engine]:
    """The migrated database, as its owner."""
    engine = make_engine(database_url.owner_url)
    yield engine
    engine.dispose()


@pytest.fixture
def empty_database(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[str], tuple[str, str | None]]]:
    """empty_database(system): the owner's address of a database without any table, and the app's role."""
    made: list[tuple[PostgresServer, str]] = []

    def make(system: str) -> tuple[str, str | None]:
        if system == "sqlite":
            return f"sqlite:///{tmp_path / f'{uuid4().hex}.db'}", None
        server: PostgresServer = request.getfixturevalue("postgres_server")
        name = f"fw_{uuid4().hex[:16]}"
        with server.superuser() as connection:
            connection.execute(f"create database {name} owner {OWNER_ROLE}")
        made.append((server, name))
        return server.url(name, OWNER_ROLE), APP_ROLE

    yield make
    for server, name in made:
        with server.superuser() as connection:
            connection.execute(f"drop database {name} with (force)")


def differences(connection: Connection) -> list[Any]:
    options = comparison(connection)
    options["compare_type"] = True
    options["compare_server_default"] = True
    return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)


def catalog(connection: Connection) -> dict[str, Any]:
    """Tables, columns with collation, constraints and indexes, as the database itself writes them."""
    found: dict[str, Any]
    if connection.dialect.name == "sqlite":
        statement = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        rows = connection.execute(text(statement))
        # Constraints of a table come in any order.
        found = {name: sorted(_parts(sql)) for name, sql in rows}
    else:
        found = {}
        for kind, statement in _POSTGRESQL.items():
            for name, said in connection.execute(text(statement)):
                found[f"{kind} {name}"] = said
    return {name: said for name, said in found.items() if "alembic_version" not in name}


def _parts(sql: str) -> list[str]:
    return [part.rstrip(", )") for part in " ".join(sql.split()).split("CONSTRAINT ")]


_POSTGRESQL = {
    "column": (
        "SELECT c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull"
        " || ' ' || coalesce(l.collname, '-') FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " LEFT JOIN pg_collation l ON l.oid = a.attcollation"
        " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0"
    ),
    "index": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraint": (
        "SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace"
    ),
}


def test_the_newest_migration_leaves_nothing_to_generate(owned: Engine) -> None:
    with owned.connect() as connection:
        assert differences(connection) == []
        assert current_revision(connection) == newest_revision()


def test_a_forgotten_column_would_be_found(owned: Engine) -> None:
    with owned.begin() as connection:
        connection.execute(text("ALTER TABLE link ADD COLUMN surplus INTEGER"))
        connection.execute(text("DROP INDEX ix_link_target"))
        found = {change[0] for change in differences(connection)}
    assert found == {"remove_column", "add_index"}


@pytest.mark.parametrize("system", ["sqlite", "postgresql"])
def test_the_migrated_database_is_word_for_word_what_the_models_would_make(
    system: str, empty_database: Callable[[str], tuple[str, str | None]]
) -> None:
    catalogs = []
    for make in (upgrade, _create_all):
        url, role = empty_database(system)
        make(url, role)
        engine = make_engine(url)
        with engine.connect() as connection:
            catalogs.append(catalog(connection))
        engine.dispose()
    migrated, made = catalogs
    assert migrated == made
    assert len(migrated) > 90


def _create_all(url: str, _role: str | None) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
    engine.dispose()


def test_tables_of_the_job_engine_are_not_taken_for_ours(sqlite_database: FreshDatabase) -> None:
    migrate_job_tables(sqlite_database.owner_url)
    engine = make_engine(sqlite_database.owner_url)
    with engine.connect() as connection:
        assert len(inspect(connection).get_table_names()) > len(Base.metadata.tables) + 1
        assert differences(connection) == []
    engine.dispose()


def test_every_table_of_a_workspace_stands_behind_a_forced_wall(postgres_database: FreshDatabase) -> None:
    engine = make_engine(postgres_database.owner_url)
    with engine.connect() as connection:
        walls = connection.execute(
            text(
                "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, p.polname, p.polcmd,"
                " pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)"
                " FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid"
                " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
                " AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid"
                " AND a.attname = 'workspace_id')"
            )
        ).all()
    engine.dispose()
    # Beside its wall, a sign-in may read its memberships and its packs everywhere; it may write them nowhere
    # else.
    own = [row for row in walls if row[2] in ("own_memberships", "own_packs")]
    assert {(row[0], row[1], row[3], row[5]) for row in own} == {
        ("member", True, "r", None),
        ("library_pack", True, "r", None),
    }
    assert all("app.user_id" in row[4] for row in own)
    walls = [row for row in walls if row not in own]
    assert {row[0] for row in walls} == SCOPED
    assert len(walls) == len(SCOPED)
    for table, is_forced, policy, command, readable, writable in walls:
        assert (is_forced, policy, command) == (True, "workspace_wall", "*"), table
        assert "app.workspace_id" in readable, table
        assert "app.workspace_id" in writable, table
        assert "app.user_id" not in readable + writable, table


def test_the_application_may_read_and_write_rows_and_nothing_else(postgres_database: FreshDatabase) -> None:
    engine = make_engine(postgres_database.owner_url)
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT table_name, string_agg(privilege_type, ' ' ORDER BY privilege_type)"
                " FROM information_schema.role_table_grants"
                " WHERE grantee = :role AND table_schema = 'public' GROUP BY table_name"
            ),
            {"role": APP_ROLE},
        )
        granted = {row[0]: row[1] for row in rows}
    engine.dispose()
    assert set(granted) == {*Base.metadata.tables, "alembic_version"}
    assert set(granted.values()) == {"DELETE INSERT SELECT UPDATE"}


@pytest.mark.parametrize("system", ["sqlite", "postgresql"])
def test_going_back_to_the_beginning_leaves_nothing_of_ours(
    system: str, empty_database: Callable[[str], tuple[str, str | None]]
) -> None:
    url, role = empty_database(system)
    for _ in range(2):
        upgrade(url, role)
        downgrade(url, role)
        engine = make_engine(url)
        with engine.connect() as connection:
            assert inspect(connection).get_table_names() == ["alembic_version"]
            assert current_revision(connection) is None
            assert catalog(connection) == {}
            if system == "postgresql":
                for left in ("pg_policy", "pg_default_acl"):
                    assert connection.execute(text(f"SELECT count(*) FROM {left}")).scalar() == 0
        engine.dispose()
