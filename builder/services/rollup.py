"""Keeping ``funnel_rollup`` exact: appending differences with each write, folding them in now and then."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import structlog
from sqlalchemy import delete, text
from sqlalchemy.exc import SQLAlchemyError

from builder.db.ids import new_id, new_ids
from builder.db.ledger import ROLLUP_CELL, FunnelRollup
from builder.db.rows import insert_columns
from builder.domain.rollup import Sums
from builder.errors import FunnelwrightError
from builder.services.unit_of_work import UnitOfWork

_log = structlog.get_logger("funnelwright.errors")
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

    def cells(self, workspace_id: int, of_pipeline: str | None = None) -> dict[CellKey, list[int]]:
        """The sums of all cells that changed, or of one pipeline's, by the columns of ``ROLLUP_CELL`` in
        their order.
        """
        whole: dict[Grain, Sums] = defaultdict(dict)
        for grain, sums in self._sums.items():
            _add(whole[Grain(grain.pipeline_key, *_WHOLE)], sums)
        return {
            (workspace_id, pipeline, measure, stage, owner, department, currency, since, until): [*added]
            for grains in (whole, self._sums)
            for (pipeline, owner, department), sums in grains.items()
            if of_pipeline in (None, pipeline)
            for (measure, stage, since, until, currency), added in sums.items()
            if any(added)
        }


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
    rows, if nobody else is about to. Where somebody waits for the answer, it is folded after that.
    """
    cells = changes.cells(uow.workspace.id)
    if not cells:
        return
    is_many = len(cells) > MANY
    is_due = zlib.crc32(b"%d" % new_id()) % FOLD_EVERY == 0
    if is_due and uow.folds_later and not is_many:
        uow.is_fold_due = True
    elif (is_many or is_due) and _take_turn(uow):
        for cell, added in _take_deltas(uow):
            _add_to(cells, cell, added)
        add_to_base(uow, cells)
        return
    _insert(uow, cells, is_delta=True)


def fold(uow: UnitOfWork) -> int:
    """Move all deltas into the base rows; returns how many. One folder at a time, nobody waits."""
    uow.begin()
    if not _take_turn(uow):
        return 0
    deltas = _take_deltas(uow)
    cells: dict[CellKey, list[int]] = {}
    for cell, added in deltas:
        _add_to(cells, cell, added)
    add_to_base(uow, cells)
    return len(deltas)


def fold_beside(uow: UnitOfWork) -> None:
    """Fold in a transaction of its own, whatever became of ``uow``'s. Where it cannot be done (the database
    refuses, or lets go of it for another one), nothing is lost and nobody waits: a later write will fold.
    """
    try:
        with uow.beside() as other:
            fold(other)
            other.commit()
    except (SQLAlchemyError, FunnelwrightError):
        _log.exception("folding failed")


def _take_deltas(uow: UnitOfWork) -> list[tuple[CellKey, list[int]]]:
    """Take away the deltas; those of others that are not committed yet stay."""
    columns = [getattr(FunnelRollup, name) for name in _READ]
    taken = uow.session.execute(delete(FunnelRollup).where(FunnelRollup.is_delta).returning(*columns))
    places = len(ROLLUP_CELL)
    return [(tuple(row[:places]), list(row[places:])) for row in taken]


def _add_to(cells: dict[CellKey, list[int]], cell: CellKey, added: Sequence[int]) -> None:
    total = cells.setdefault(cell, [0, 0, 0])
    for place, number in enumerate(added):
        total[place] += number


def add_to_base(uow: UnitOfWork, cells: Mapping[CellKey, Sequence[int]]) -> None:
    """Add sums to the base rows, making those that are missing; ``cells`` as of ``RollupChanges.cells``."""
    _insert(uow, {cell: added for cell, added in cells.items() if any(added)}, is_delta=False)


def _insert(uow: UnitOfWork, cells: Mapping[CellKey, Sequence[int]], *, is_delta: bool) -> None:
    if not cells:
        return
    values = (*zip(*cells, strict=True), *zip(*cells.values(), strict=True))
    columns: dict[str, Sequence[Any]] = dict(zip(_READ, values, strict=True))
    columns |= {"id": new_ids(len(cells)), "is_delta": [is_delta] * len(cells)}
    insert_columns(uow.session, FunnelRollup, columns, "" if is_delta else _ADD)


def _take_turn(uow: UnitOfWork) -> bool:
    """On PostgreSQL one transaction folds a workspace at a time; SQLite has one writer anyway."""
    if uow.session.get_bind().dialect.name != "postgresql":
        return True
    lock = text("SELECT pg_try_advisory_xact_lock(:class, :workspace)")
    workspace = uow.workspace.id % (1 << 31)
    return bool(uow.session.execute(lock, {"class": FOLD_LOCK, "workspace": workspace}).scalar())
