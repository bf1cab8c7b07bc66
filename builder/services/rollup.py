"""Keeping ``funnel_rollup`` exact: appending differences with each write, folding them in now and then."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import delete, text

from builder.db.ids import new_ids
from builder.db.ledger import ROLLUP_CELL, FunnelRollup
from builder.db.rows import insert_rows
from builder.domain.rollup import Cell, Sum
from builder.services.unit_of_work import UnitOfWork

NOBODY = -1
FOLD_EVERY = 64
FOLD_LOCK = 0x46574C  # advisory lock class of folding, arbitrary but fixed
MANY = 1000  # rows that one person's work never changes at once
CellKey: TypeAlias = tuple[Any, ...]
Place: TypeAlias = tuple[str, int, int]
_WHOLE = (0, 0)
_SUMS = ("n", "amount_minor", "weighted_minor")
_ADD = f"ON CONFLICT ({', '.join(ROLLUP_CELL)}) WHERE NOT is_delta DO UPDATE SET " + ", ".join(
    f"{name} = funnel_rollup.{name} + excluded.{name}" for name in _SUMS
)
_READ = (*ROLLUP_CELL, *_SUMS)


@dataclass(frozen=True, slots=True)
class Grain:
    """Where a record's cells are added up: its pipeline, owner and department, and the whole workspace."""

    pipeline_key: str
    owner_id: int | None
    department_id: int | None

    @property
    def place(self) -> Place:
        return self.pipeline_key, self.owner_id or NOBODY, self.department_id or NOBODY


class RollupChanges:
    """Differences collected over one transaction, written at its end."""

    def __init__(self) -> None:
        self._sums: dict[Place, dict[Cell, list[int]]] = defaultdict(dict)

    def add(self, grain: Grain, cells: Mapping[Cell, Sum], sign: int) -> None:
        """Add (sign 1) or take away (sign −1) what one record contributes."""
        _add_cells(self._sums[grain.place], cells, sign)

    def rows(self, workspace_id: int) -> list[dict[str, Any]]:
        """Rows of all cells that changed, as columns of FunnelRollup without id."""
        whole: dict[Place, dict[Cell, list[int]]] = defaultdict(dict)
        for (pipeline_key, _, _), cells in self._sums.items():
            _add_cells(whole[pipeline_key, *_WHOLE], cells, 1)
        return [
            {
                "workspace_id": workspace_id,
                "pipeline_key": place[0],
                "measure": cell.measure,
                "stage_key": cell.stage_key,
                "owner_id": place[1],
                "department_id": place[2],
                "currency": cell.currency,
                "month_from": cell.month_from,
                "month_to": cell.month_to,
                "n": sums[0],
                "amount_minor": sums[1],
                "weighted_minor": sums[2],
            }
            for grains in (whole, self._sums)
            for place, cells in grains.items()
            for cell, sums in cells.items()
            if sums[0] or sums[1] or sums[2]
        ]


def _add_cells(total: dict[Cell, list[int]], cells: Mapping[Cell, Sequence[int]], sign: int) -> None:
    for cell, (n, amount, weighted) in cells.items():
        sums = total.get(cell)
        if sums is None:
            total[cell] = [sign * n, sign * amount, sign * weighted]
        else:
            sums[0] += sign * n
            sums[1] += sign * amount
            sums[2] += sign * weighted


def append(uow: UnitOfWork, changes: RollupChanges) -> None:
    """Write the changes within the transaction that made them: as deltas, or at once when they are many.

    Many go into the base rows if nobody else is about to: what a bulk load appended would have to be folded.
    """
    rows = changes.rows(uow.workspace.id)
    if len(rows) > MANY and _take_turn(uow):
        add_to_base(uow, rows)
        return
    ids = new_ids(len(rows))
    deltas = [{**row, "id": row_id, "is_delta": True} for row, row_id in zip(rows, ids, strict=True)]
    insert_rows(uow.session, FunnelRollup, deltas)


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


def fold_when_due(uow: UnitOfWork, record_id: int, revision: int) -> int:
    """After a write to a record was committed: fold at every ``FOLD_EVERY``-th one; which one is decided by
    the record and its revision alone. Returns how many deltas were folded; the caller commits if any were.
    """
    turn = zlib.crc32(f"{record_id}:{revision}".encode())
    return fold(uow) if turn % FOLD_EVERY == 0 else 0


def add_to_base(uow: UnitOfWork, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add sums to the base rows, making those that are missing."""
    wanted = [row for row in rows if any(row[name] for name in _SUMS)]
    ids = new_ids(len(wanted))
    values = [{**row, "id": row_id, "is_delta": False} for row, row_id in zip(wanted, ids, strict=True)]
    insert_rows(uow.session, FunnelRollup, values, _ADD)


def _take_turn(uow: UnitOfWork) -> bool:
    """On PostgreSQL one transaction folds a workspace at a time; SQLite has one writer anyway."""
    if uow.session.get_bind().dialect.name != "postgresql":
        return True
    lock = text("SELECT pg_try_advisory_xact_lock(:class, :workspace)")
    workspace = uow.workspace.id % (1 << 31)
    return bool(uow.session.execute(lock, {"class": FOLD_LOCK, "workspace": workspace}).scalar())
