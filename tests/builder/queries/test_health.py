"""Health is an answer on both databases, and an answer when there is none."""

from __future__ import annotations

from pathlib import Path

from builder.db.engine import make_engine
from builder.queries.health import database_health
from tests.fixtures.databases import FreshDatabase


def test_a_reachable_database_tells_its_system_and_version(database_url: FreshDatabase) -> None:
    health = database_health(make_engine(database_url.url))

    assert health.reachable
    assert health.system == database_url.system
    assert health.version[0].isdigit()
    assert health.milliseconds is not None


def test_an_unreachable_database_is_told_and_not_raised(tmp_path: Path) -> None:
    health = database_health(make_engine(f"sqlite:///{tmp_path}/missing/folder/x.db"))

    assert not health.reachable
    assert health.milliseconds is None
