"""Keeping ``funnel_rollup`` exact: appending differences with each write, folding them in now and then."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import delete, text

from builder.db.ids import new_ids
from builder.db.ledger import ROLLUP_CELL, FunnelRollup
from builder.db.rows import insert_rows
from builder.domain.rollup import Sums
from builder.services.unit_of_work import UnitOfWork

NOBODY = -1
FOLD_EVERY = 64
FOLD_LOCK = 0x46574C  # advisory lock class of folding, arbitrary but fixed
MANY = 1000  # rows that one person's work never changes at once
CellKey: TypeAlias = tuple[Any, ...]
_WHOLE = (0, 0)
_SUMS = ("n", "amount_minor", "weighted_minor")
_ADD = f"ON CONFLICT ({', '.join(ROLLUP_CELL)}) WHERE NOT is_delta DO UPDATE SET " + ", ".join(
    f"{name} = funnel_rollup.{name} + excluded.{name}" for name in _SUMS
)
_READ = (*ROLLUP_CELL, *_SUMS)


class Grain(NamedTuple):
    """Where a record's cells are added up: its pipeline, owner and department, and the whole workspace."""

    pipeline_key: str
    owner_id: int
    department_id: int

    @classmethod
    def of(cls, pipeline_key: str, owner_id: int | None, department_id: int | None) -> Grain:
        return cls(pipeline_key, owner_id or NOBODY, department_id or NOBODY)


class RollupChanges:
    """Differences collected over one transaction, written at its end."""

    def __init__(self) -> None:
        self._sums: dict[Grain, Sums] = defaultdict(dict)

    def of(self, grain: Grain) -> Sums:
        """The sums to which the records of a grain are added."""
        return self._sums[grain]

    def rows(self, workspace_id: int) -> list[dict[str, Any]]:
        """Rows of all cells that changed, as columns of FunnelRollup without id."""
        whole: dict[Grain, Sums] = defaultdict(dict)
        for grain, sums in self._sums.items():
            _add(whole[Grain(grain.pipeline_key, *_WHOLE)], sums)
        return [
            {
                "workspace_id": workspace_id,
                "pipeline_key": grain.pipeline_key,
                "measure": measure,
                "stage_key": stage_key,
                "owner_id": grain.owner_id,
                "department_id": grain.department_id,
                "currency": currency,
                "month_from": month_from,
                "month_to": month_to,
                "n": n,
                "amount_minor": amount,
                "weighted_minor": weighted,
            }
            for grains in (whole, self._sums)
            for grain, sums in grains.items()
            for (measure, stage_key, month_from, month_to, currency), (n, amount, weighted) in sums.items()
            if n or amount or weighted
        ]


def _add(total: Sums, sums: Sums) -> None:
    for cell, (n, amount, weighted) in sums.items():
        added = total.get(cell)
        if added is None:
            total[cell] = [n, amount, weighted]
        else:
            added[0] += n
            added[1] += amount
            added[2] += weighted


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
    wanted = [row for row in rows if row["n"] or row["amount_minor"] or row["weighted_minor"]]
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
