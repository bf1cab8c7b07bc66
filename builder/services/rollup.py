"""Keeping ``funnel_rollup`` exact: appending differences with each write, folding them in now and then."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import delete, text

from builder.db.ids import new_ids
from builder.db.ledger import ROLLUP_CELL, FunnelRollup
from builder.db.rows import insert_rows
from builder.domain.rollup import Sums
from builder.services.unit_of_work import UnitOfWork

NOBODY = -1
FOLD_EVERY = 64  # writes, on average
FOLD_LOCK = 0x46574C  # advisory lock class of folding, arbitrary but fixed
MANY = 1000  # rows that one person's work never changes at once
CellKey: TypeAlias = tuple[Any, ...]
_WHOLE = (0, 0)
_SUMS = ("n", "amount_minor", "weighted_minor")
_ADD = f"ON CONFLICT ({', '.join(ROLLUP_CELL)}) WHERE NOT is_delta DO UPDATE SET " + ", ".join(
    f"{name} = funnel_rollup.{name} + excluded.{name}" for name in _SUMS
)
_READ = (*ROLLUP_CELL, *_SUMS)
_cell_of = itemgetter(*ROLLUP_CELL)


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
    """Write the changes within the transaction that made them, as deltas.

    One write in ``FOLD_EVERY``, and one of many rows, folds: it adds its rows and all deltas to the base
    rows, if nobody else is about to.
    """
    rows = changes.rows(uow.workspace.id)
    if not rows:
        return
    ids = new_ids(len(rows))
    if (len(rows) > MANY or zlib.crc32(b"%d" % ids[0]) % FOLD_EVERY == 0) and _take_turn(uow):
        add_to_base(uow, (*rows, *_take_deltas(uow)))
        return
    deltas = [{**row, "id": row_id, "is_delta": True} for row, row_id in zip(rows, ids, strict=True)]
    insert_rows(uow.session, FunnelRollup, deltas)


def fold(uow: UnitOfWork) -> int:
    """Move all deltas into the base rows; returns how many. One folder at a time, nobody waits."""
    uow.begin()
    if not _take_turn(uow):
        return 0
    deltas = _take_deltas(uow)
    add_to_base(uow, deltas)
    return len(deltas)


def _take_deltas(uow: UnitOfWork) -> list[dict[str, Any]]:
    """Take away the deltas; those of others that are not committed yet stay."""
    columns = [getattr(FunnelRollup, name) for name in _READ]
    taken = uow.session.execute(delete(FunnelRollup).where(FunnelRollup.is_delta).returning(*columns))
    return [dict(row) for row in taken.mappings()]


def add_to_base(uow: UnitOfWork, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add sums to the base rows, making those that are missing. Several rows may be of one cell."""
    sums: dict[CellKey, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        total = sums[_cell_of(row)]
        for place, name in enumerate(_SUMS):
            total[place] += row[name]
    wanted = [(*key, *total) for key, total in sums.items() if any(total)]
    ids = new_ids(len(wanted))
    values = [
        {**dict(zip(_READ, row, strict=True)), "id": row_id, "is_delta": False}
        for row, row_id in zip(wanted, ids, strict=True)
    ]
    insert_rows(uow.session, FunnelRollup, values, _ADD)


def _take_turn(uow: UnitOfWork) -> bool:
    """On PostgreSQL one transaction folds a workspace at a time; SQLite has one writer anyway."""
    if uow.session.get_bind().dialect.name != "postgresql":
        return True
    lock = text("SELECT pg_try_advisory_xact_lock(:class, :workspace)")
    workspace = uow.workspace.id % (1 << 31)
    return bool(uow.session.execute(lock, {"class": FOLD_LOCK, "workspace": workspace}).scalar())
