"""Keeping ``funnel_rollup`` exact: appending differences with each write, folding them in now and then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import delete, insert, text
from sqlalchemy.dialects import postgresql, sqlite

from builder.db.ids import new_id
from builder.db.ledger import ROLLUP_CELL, FunnelRollup
from builder.domain.rollup import Cell, Sum
from builder.services.unit_of_work import UnitOfWork

NOBODY = -1
FOLD_LOCK = 0x46574C  # advisory lock class of folding, arbitrary but fixed
CellKey: TypeAlias = tuple[Any, ...]
_SUMS = ("n", "amount_minor", "weighted_minor")
_READ = (*ROLLUP_CELL, *_SUMS)


@dataclass(frozen=True, slots=True)
class Grain:
    """Where a record's cells are added up: its pipeline, owner and department."""

    pipeline_key: str
    owner_id: int | None
    department_id: int | None

    def places(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The two (owner, department) grains that every cell is kept at."""
        return (0, 0), (self.owner_id or NOBODY, self.department_id or NOBODY)


class RollupChanges:
    """Differences collected over one transaction, written as delta rows at its end."""

    def __init__(self) -> None:
        self._sums: dict[CellKey, list[int]] = defaultdict(lambda: [0, 0, 0])

    def add(self, grain: Grain, cells: Mapping[Cell, Sum], sign: int) -> None:
        """Add (sign 1) or take away (sign −1) what one record contributes."""
        for cell, amount in cells.items():
            for owner_id, department_id in grain.places():
                key = (
                    grain.pipeline_key,
                    cell.measure,
                    cell.stage_key,
                    owner_id,
                    department_id,
                    cell.currency,
                    cell.month_from,
                    cell.month_to,
                )
                sums = self._sums[key]
                sums[0] += sign * amount.n
                sums[1] += sign * amount.amount_minor
                sums[2] += sign * amount.weighted_minor

    def rows(self, workspace_id: int) -> list[dict[str, Any]]:
        """Rows of all cells that changed, as columns of FunnelRollup without id."""
        return [
            dict(zip(_READ, (workspace_id, *key, *sums), strict=True))
            for key, sums in self._sums.items()
            if any(sums)
        ]


def append(uow: UnitOfWork, changes: RollupChanges) -> None:
    """Write the changes as delta rows, within the transaction that made them."""
    rows = [{**row, "id": new_id(), "is_delta": True} for row in changes.rows(uow.workspace.id)]
    if rows:
        uow.session.execute(insert(FunnelRollup), rows)


def fold(uow: UnitOfWork) -> int:
    """Move all deltas into the base rows; returns how many. One folder at a time, nobody waits.

    Runs in a transaction of its own: the caller commits.
    """
    uow.begin()
    if not _take_turn(uow):
        return 0
    removed = uow.session.execute(
        delete(FunnelRollup)
        .where(FunnelRollup.is_delta)
        .returning(*(getattr(FunnelRollup, name) for name in _READ))
    ).all()
    sums: dict[CellKey, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in removed:
        total = sums[tuple(row[: len(ROLLUP_CELL)])]
        for position, value in enumerate(row[len(ROLLUP_CELL) :]):
            total[position] += value
    add_to_base(uow, (dict(zip(_READ, (*key, *total), strict=True)) for key, total in sums.items()))
    return len(removed)


def add_to_base(uow: UnitOfWork, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add sums to the base rows, making those that are missing."""
    values = [{**row, "id": new_id(), "is_delta": False} for row in rows if any(row[name] for name in _SUMS)]
    if not values:
        return
    dialect = postgresql if uow.session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(FunnelRollup.__table__)
    table = FunnelRollup.__table__.c
    upsert = statement.on_conflict_do_update(
        index_elements=list(ROLLUP_CELL),
        index_where=text("NOT is_delta"),
        set_={name: table[name] + statement.excluded[name] for name in _SUMS},
    )
    uow.session.connection().execute(upsert, values)


def _take_turn(uow: UnitOfWork) -> bool:
    """On PostgreSQL one transaction folds a workspace at a time; SQLite has one writer anyway."""
    if uow.session.get_bind().dialect.name != "postgresql":
        return True
    lock = text("SELECT pg_try_advisory_xact_lock(:class, :workspace)")
    workspace = uow.workspace.id % (1 << 31)
    return bool(uow.session.execute(lock, {"class": FOLD_LOCK, "workspace": workspace}).scalar())
