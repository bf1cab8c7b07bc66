"""What SQLite's planner is told: of every index, the same in every company, and good plans from the first row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from builder.db import statistics
from builder.db.base import Base
from builder.db.engine import make_engine
from builder.db.migrate import upgrade

OURS = "w.workspace_id = 1 AND w.object_key = 'deal' AND w.deleted_at IS NULL"


@pytest.fixture
def company(tmp_path: Path, sqlite_template: Path) -> Iterator[Connection]:
    path = tmp_path / "company.db"
    path.write_bytes(sqlite_template.read_bytes())
    engine = make_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def told(connection: Connection) -> dict[str, str]:
    return dict(connection.execute(text("SELECT idx, stat FROM sqlite_stat1")).all())


def plan(connection: Connection, statement: str) -> str:
    return "\n".join(row[-1] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {statement}")))


def test_every_index_of_ours_is_told_of(company: Connection) -> None:
    indexes = {
        row[1]
        for table in Base.metadata.tables
        for row in company.execute(text(f"PRAGMA index_list({table})"))
    }
    assert set(told(company)) == indexes
    assert "ix_record_owner" in indexes


def test_each_column_of_an_index_narrows_and_a_unique_one_ends_with_one_row(company: Connection) -> None:
    for index, stat in told(company).items():
        rows, *alike = map(int, stat.split())
        columns = company.execute(text(f"PRAGMA index_info({index})")).all()
        assert len(alike) == len(columns), index
        assert [rows, *alike] == sorted([rows, *alike], reverse=True), index
        assert alike[-1] >= 1
    assert told(company)["uq_funnel_rollup_cell"].endswith(" 1")


def test_what_is_told_names_tables_and_columns_that_there_are() -> None:
    tables = Base.metadata.tables
    assert set(statistics._ROWS) <= set(tables)
    columns = {
        column.name for table in tables.values() for index in table.indexes for column in index.columns
    }
    columns |= {column.name for table in tables.values() for column in table.primary_key.columns}
    assert set(statistics._VALUES) <= columns


def test_what_somebody_analysed_is_replaced(company: Connection, tmp_path: Path) -> None:
    before = told(company)
    company.execute(text("ANALYZE"))
    assert told(company) != before
    company.commit()
    upgrade(f"sqlite:///{tmp_path / 'company.db'}")
    assert told(company) == before


@pytest.mark.parametrize(
    ("clauses", "index"),
    [
        ("w.owner_id = 7 ORDER BY w.updated_at DESC, w.id DESC", "ix_record_owner"),
        ("w.department_id = 7 ORDER BY w.updated_at DESC, w.id DESC", "ix_record_department"),
        ("w.n01 IS NOT NULL AND w.department_id = 7 ORDER BY w.n01 DESC, w.id DESC", "ix_record_n01"),
        ("w.n03 > 50 ORDER BY w.updated_at DESC, w.id DESC", "ix_record_updated_at"),
    ],
)
def test_a_list_is_read_in_its_order_before_there_is_a_record(
    company: Connection, clauses: str, index: str
) -> None:
    steps = plan(company, f"SELECT w.id, w.data FROM record AS w WHERE {OURS} AND {clauses} LIMIT 51")
    assert f"USING INDEX {index} " in steps
    assert "TEMP B-TREE" not in steps


def test_a_rare_value_is_sought_and_what_is_found_sorted(company: Connection) -> None:
    statement = (
        f"SELECT w.id, w.data FROM record AS w WHERE {OURS} AND w.n03 = 600 ORDER BY w.updated_at LIMIT 51"
    )
    assert "USING INDEX ix_record_n03 " in plan(company, statement)


@pytest.mark.parametrize(
    ("table", "clauses"),
    [
        ("record", "w.object_key = 'deal' AND w.deleted_at IS NULL"),
        ("record", "w.deleted_at IS NOT NULL ORDER BY w.deleted_at DESC, w.id DESC LIMIT 51"),
        ("record", "w.name = 'Ada'"),
        ("stay", "w.stage_key = 'won'"),
        ("stored_file", "w.record_id = 7"),
        ("member", "w.is_active = 1 ORDER BY w.name"),
    ],
)
def test_nothing_is_read_of_the_other_companies_of_a_file(
    company: Connection, table: str, clauses: str
) -> None:
    """A small one beside one of 60,000 records waited 300 ms for what takes 0.1 ms."""
    steps = plan(company, f"SELECT w.* FROM {table} AS w WHERE w.workspace_id = 1 AND {clauses}")
    assert "(workspace_id=?" in steps


def test_without_what_is_told_the_plans_would_be_others(company: Connection) -> None:
    """Otherwise this module would be for nothing."""
    statement: Any = f"SELECT w.id FROM record AS w WHERE {OURS} AND w.n03 > 50 ORDER BY w.updated_at DESC, w.id DESC LIMIT 51"
    company.execute(text("DELETE FROM sqlite_stat1"))
    company.commit()
    engine = make_engine(str(company.engine.url))
    with engine.connect() as fresh:
        assert "ix_record_updated_at" not in plan(fresh, statement)
    engine.dispose()
