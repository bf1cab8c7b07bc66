"""Many generated records, written past the services, for tests that ask which index a statement uses."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from typing import Any

from sqlalchemy.engine import make_url

from builder.db.base import to_micros
from builder.db.records import NUMBER_SLOTS, TEXT_SLOTS
from builder.domain.search import record_tokens
from tests.builder.queries.world import NOON, PATH

KINDS = {stage["key"]: stage["kind"] for stage in PATH["stages"]}
STAGES = list(KINDS)
OWNERS = range(1001, 1021)
DEPARTMENTS = range(2001, 2011)
SOURCES = ("web", "fair", "mail")
WORDS = ("solar", "relay", "northern", "supply", "harbour", "granite", "meadow", "华为", "李明", "pipeline")
ACCOUNTS = 500
FIRST_ID = 10_000_000
SECOND = 1_000_000
WORKSPACE = 7


def rows(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """(table, row) of ``ACCOUNTS`` accounts and ``count`` opportunities with tokens and links."""
    chance = random.Random(20261121)
    start = to_micros(NOON) - count * SECOND
    for number in range(ACCOUNTS):
        yield from _record(FIRST_ID + number, "account", f"Account {number}", start + number, {}, {})
    for number in range(count):
        record_id = FIRST_ID + ACCOUNTS + number
        title = f"{chance.choice(WORDS)} {chance.choice(WORDS)} {number}"
        account = FIRST_ID + chance.randrange(ACCOUNTS)
        amount = chance.randrange(1, 1_000_000)
        stage = chance.choice(STAGES)
        owner = chance.choice(OWNERS)
        source, due = chance.choice(SOURCES), 739_000 + chance.randrange(700)
        data = {"title": title, "account": str(account), "amount": str(amount), "source": source}
        typed = {
            "t01": str(account),
            "t02": source,
            "t03": chance.choice(WORDS) if number % 3 else None,
            "n01": float(amount) if number % 10 else None,
            "n02": float(due),
            "owner_id": owner,
            "department_id": DEPARTMENTS[owner % len(DEPARTMENTS)],
            "pipeline_key": "path",
            "stage_key": stage,
            "stage_entered_at": start + chance.randrange(count * SECOND) if number % 20 else None,
            "amount_minor": amount * 100,
            "currency": "CNY",
            "probability": 50,
            "outcome": KINDS[stage],
            "cycle": chance.randrange(10**13) if KINDS[stage] == "won" else None,
            "closed_at": start + number if stage in ("done", "gone", "void") else None,
        }
        updated = start + chance.randrange(count * SECOND)
        yield from _record(record_id, "opportunity", title, updated, typed, data)
        yield (
            "link",
            {"workspace_id": WORKSPACE, "id": record_id, "record_id": record_id, "field_key": "account"}
            | {"target_id": account},
        )


def _record(
    record_id: int, object_key: str, name: str, updated_at: int, typed: dict[str, Any], data: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    empty = dict.fromkeys(TEXT_SLOTS + NUMBER_SLOTS)
    if object_key == "account":
        typed = {"t01": name.lower(), **typed}
    yield (
        "record",
        {"workspace_id": WORKSPACE, "id": record_id, "object_key": object_key, "name": name, "journey": ""}
        | {"definition_version_id": 1, "is_loaded": False, "revision": 1, "data": json.dumps(data)}
        | {"created_at": updated_at, "updated_at": updated_at}
        | empty
        | typed,
    )
    for token in record_tokens([name], name):
        yield (
            "search_token",
            {"workspace_id": WORKSPACE, "object_key": object_key, "token": token, "record_id": record_id}
            | {"field_key": ""},
        )


def fill(url: str, superuser: Any, count: int) -> None:
    """Write the crowd and collect statistics: SQLite by its driver, PostgreSQL by COPY as superuser."""
    by_table: dict[str, list[dict[str, Any]]] = {}
    for table, row in rows(count):
        by_table.setdefault(table, []).append(row)
    if url.startswith("sqlite"):
        _fill_sqlite(url, by_table)
    else:
        _fill_postgres(superuser, by_table)


def _fill_sqlite(url: str, by_table: dict[str, list[dict[str, Any]]]) -> None:
    with sqlite3.connect(str(make_url(url).database)) as connection:
        for name, found in by_table.items():
            columns = sorted({key for row in found for key in row})
            marks = ", ".join("?" * len(columns))
            connection.executemany(
                f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})",
                ([row.get(column) for column in columns] for row in found),
            )
        connection.execute("ANALYZE")
    connection.close()


def _fill_postgres(connection: Any, by_table: dict[str, list[dict[str, Any]]]) -> None:
    for name, found in by_table.items():
        columns = sorted({key for row in found for key in row})
        with connection.cursor().copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in found:
                copy.write_row([row.get(column) for column in columns])
        connection.execute(f"VACUUM ANALYZE {name}")
