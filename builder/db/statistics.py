"""What SQLite's planner believes of our tables: four companies of 100,000 records and twenty people, always.

SQLite collects no statistics by itself. Without any it reads a whole index where fifty rows in the order of a
list would do: pages of a company of 100,000 took three to twenty times as long. ``ANALYZE`` would hold the
lock for writing while it reads every index, again and again as a company grows, and a plan could change from
one day to the next. So every database is told the same: plans that serve the large company serve the small
one, whose tables are in memory whatever the plan. Several companies, because a file may hold them: told of
one alone, the planner reads the records of all of them for what a small one beside a large one asks.
PostgreSQL keeps statistics of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, text

from builder.db.base import Base
from builder.db.records import NUMBER_SLOTS, TEXT_SLOTS

_COMPANIES = 4
# Rows of a company by table; a table that is not named is one of few rows.
_ROWS: Mapping[str, int] = {
    "record": 100_000,
    "stay": 500_000,
    "slice": 500_000,
    "event": 700_000,
    "search_token": 700_000,
    "link": 100_000,
    "funnel_rollup": 100_000,
    "rollup_delta": 1_000,
    "note": 50_000,
    "given_number": 50_000,
    "stored_file": 20_000,
    "duplicate_pair": 5_000,
}
_FEW = 100
# Rows of a company in a partial index that holds few of its table.
_ROWS_OF_INDEX: Mapping[str, int] = {"ix_funnel_rollup_all_time": 2_500, "ix_record_ended": 50_000}
# How many values a column has; one that is not named has a value of its own in nearly every row.
_VALUES: Mapping[str, int] = {
    "workspace_id": _COMPANIES,
    "object_key": 1,
    "pipeline_key": 1,
    "stage_key": 9,
    "outcome": 4,
    "owner_id": 20,
    "department_id": 5,
    "measure": 15,
    "currency": 2,
    "month_from": 20,
    "month_to": 20,
    "field_key": 3,
    "target_id": 2_000,
    "record_id": 100_000,
    "external_key": 2,
    "state": 3,
    "member_id": 20,
    "batch_id": 50,
    **dict.fromkeys(TEXT_SLOTS, 10),
    **dict.fromkeys(NUMBER_SLOTS, 500),
}


def tell_planner(connection: Connection) -> None:
    """Put the statistics in place of whatever was there; connections that are opened later know them."""
    if connection.dialect.name != "sqlite":
        return
    connection.execute(text("ANALYZE alembic_version"))  # makes the table that no statement may create
    connection.execute(text("DELETE FROM sqlite_stat1"))
    rows = [{"table": table, "index": index, "stat": stat} for table, index, stat in _told(connection)]
    connection.execute(text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:table, :index, :stat)"), rows)


def _told(connection: Connection) -> Iterator[tuple[str, str, str]]:
    """Table, index and what is told of it, of every index of ours, also those behind constraints."""
    for table in sorted(Base.metadata.tables):
        for _, index, is_unique, *_rest in connection.execute(text(f"PRAGMA index_list({table})")):
            columns = [row[2] for row in connection.execute(text(f"PRAGMA index_info({index})"))]
            rows = _COMPANIES * _ROWS_OF_INDEX.get(index, _ROWS.get(table, _FEW))
            yield table, index, _stat(rows, columns, is_unique=bool(is_unique))


def _stat(rows: int, columns: Sequence[str], *, is_unique: bool) -> str:
    """Rows of the index, then how many of them agree in the first column, in the first two, and so on."""
    alike = list(_alike(rows, columns))
    if is_unique:
        alike[-1] = 1
    return " ".join(map(str, (rows, *alike)))


def _alike(rows: int, columns: Iterable[str]) -> Iterator[int]:
    left = rows
    for column in columns:
        left = max(1, left // _VALUES.get(column, left))
        yield left
