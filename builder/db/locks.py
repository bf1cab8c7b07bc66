"""Locks that die with their holder: who runs the jobs of a database, and which workers are alive.

On PostgreSQL an advisory lock of a connection kept open, on SQLite a lock on a file beside the data. Both are
freed by the system when the process ends in whatever way, so nothing has to be tidied up after a crash.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO, Any, Protocol

from sqlalchemy import Engine, text


class HeldLock(Protocol):
    """A lock that is held until released, or until the process ends."""

    def release(self) -> None: ...


class _FileLock:
    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def release(self) -> None:
        self._file.close()


class _AdvisoryLock:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def release(self) -> None:
        # Closing the session frees its locks; back in the pool it would keep them.
        self._connection.invalidate()
        self._connection.close()


def lock_file(path: Path) -> HeldLock | None:
    """Lock ``path`` (created when missing); ``None`` when another process holds it."""
    import fcntl

    file = path.open("a", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return _FileLock(file)


def advisory_lock(engine: Engine, name: str) -> HeldLock | None:
    """Take the named lock on PostgreSQL; ``None`` when another session holds it."""
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    taken = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _number(name)}).scalar_one()
    if taken:
        return _AdvisoryLock(connection)
    connection.close()
    return None


def is_free(engine: Engine, name: str) -> bool:
    """Whether nobody holds the named lock on PostgreSQL at this moment."""
    held = advisory_lock(engine, name)
    if held is None:
        return False
    held.release()
    return True


def _number(name: str) -> int:
    digest = hashlib.sha256(f"funnelwright:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
