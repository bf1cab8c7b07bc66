"""Whether the database answers, and which one it is."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError


@dataclass(frozen=True)
class DatabaseHealth:
    """`milliseconds` is the time of one round trip, None when there was no answer."""

    reachable: bool
    system: str
    version: str
    milliseconds: float | None


def database_health(engine: Engine) -> DatabaseHealth:
    """Ask the database for its version. An unreachable database is an answer here, not an error."""
    query = "select sqlite_version()" if engine.dialect.name == "sqlite" else "show server_version"
    began = time.perf_counter()
    try:
        with engine.connect() as connection:
            version = str(connection.execute(text(query)).scalar_one())
    except SQLAlchemyError:
        return DatabaseHealth(False, engine.dialect.name, "", None)
    return DatabaseHealth(True, engine.dialect.name, version, round((time.perf_counter() - began) * 1000, 2))
