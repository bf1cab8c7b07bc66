"""Keeping the roll-up exact: appending differences with each write, folding them in now and then."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import structlog
from sqlalchemy import delete, select, text
from sqlalchemy.exc import SQLAlchemyError

from builder.db.base import Base
from builder.db.ids import new_id, new_ids
from builder.db.ledger import ROLLUP_CELL, FunnelRollup, RollupDelta
from builder.db.rows import insert_columns
from builder.domain.rollup import Sums
from builder.errors import FunnelwrightError
from builder.services.unit_of_work import UnitOfWork

_log = structlog.get_logger("funnelwright.errors")
NOBODY = -1
FOLD_EVERY = 32  # writes, on average
FOLD_LOCK = 0x46574C  # advisory lock class of folding, arbitrary but fixed
MANY = 500  # cells that one person's work never changes at once
CellKey: TypeAlias = tuple[Any, ...]
_WHOLE = (0, 0)
_SUMS = ("n", "amount_minor", "weighted_minor")
_ADD = f"ON CONFLICT ({', '.join(ROLLUP_CELL)}) DO UPDATE SET " + ", ".join(
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

    def add(self, cell: CellKey, numbers: Sequence[int]) -> None:
        """Add numbers to the sums of one cell of an owner and department."""
        _workspace, pipeline, measure, stage, owner, department, currency, since, until = cell
        sums: Sums = {(measure, stage, since, until, currency): [*numbers]}
        _add(self._sums[Grain(pipeline, owner, department)], sums)

    def parts(self, workspace_id: int, of_pipeline: str | None = None) -> dict[CellKey, list[int]]:
        """The sums of all cells of owner × department that changed, or of one pipeline's, by the columns of
        ``ROLLUP_CELL`` in their order.
        """
        return _changed(workspace_id, self._sums, of_pipeline)

    def cells(self, workspace_id: int, of_pipeline: str | None = None) -> dict[CellKey, list[int]]:
        """The same with the cells of the whole workspace."""
        whole: dict[Grain, Sums] = defaultdict(dict)
        for grain, sums in self._sums.items():
            _add(whole[Grain(grain.pipeline_key, *_WHOLE)], sums)
        return _changed(workspace_id, whole, of_pipeline) | self.parts(workspace_id, of_pipeline)


def _changed(
    workspace_id: int, grains: Mapping[Grain, Sums], of_pipeline: str | None
) -> dict[CellKey, list[int]]:
    return {
        (workspace_id, pipeline, measure, stage, owner, department, currency, since, until): [*added]
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

    One write in ``FOLD_EVERY``, and one of many cells, folds: it adds its own and all deltas to the sums, if
    nobody else is about to. Where somebody waits for the answer, it is folded after that.
    """
    parts = changes.parts(uow.workspace.id)
    if not parts:
        return
    is_many = len(parts) > MANY
    is_due = zlib.crc32(b"%d" % new_id()) % FOLD_EVERY == 0
    if is_due and uow.folds_later and not is_many:
        uow.is_fold_due = True
    elif (is_many or is_due) and _take_turn(uow):
        _fold_with(uow, parts)
        return
    _insert(uow, RollupDelta, parts)


def fold(uow: UnitOfWork) -> int:
    """Add all deltas to the sums; returns how many. One folder at a time, nobody waits."""
    uow.begin()
    return _fold_with(uow, {}) if _take_turn(uow) else 0


def _fold_with(uow: UnitOfWork, parts: Mapping[CellKey, Sequence[int]]) -> int:
    """Those of others that are not committed yet stay."""
    columns = [getattr(RollupDelta, name) for name in _READ]
    deltas = uow.session.execute(delete(RollupDelta).returning(*columns)).all()
    changes = _changes_of(deltas)
    for cell, numbers in parts.items():
        changes.add(cell, numbers)
    add_to_base(uow, changes.cells(uow.workspace.id))
    return len(deltas)


def pending(uow: UnitOfWork) -> RollupChanges:
    """What is not folded yet."""
    return _changes_of(uow.session.execute(select(*(getattr(RollupDelta, name) for name in _READ))))


def _changes_of(rows: Iterable[Sequence[Any]]) -> RollupChanges:
    """Rows of the columns of a cell and its numbers, added up."""
    changes = RollupChanges()
    for row in rows:
        changes.add(tuple(row[: len(ROLLUP_CELL)]), row[len(ROLLUP_CELL) :])
    return changes


def forget(uow: UnitOfWork, pipeline_key: str | None = None) -> None:
    """Take away all sums, or those of a pipeline, to make them anew."""
    for cells in (FunnelRollup, RollupDelta):
        every = delete(cells).execution_options(synchronize_session=False)
        uow.session.execute(
            every if pipeline_key is None else every.where(cells.pipeline_key == pipeline_key)
        )


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


def add_to_base(uow: UnitOfWork, cells: Mapping[CellKey, Sequence[int]]) -> None:
    """Add to the sums, making those that are missing; ``cells`` as of ``RollupChanges.cells``."""
    if cells:
        _insert(uow, FunnelRollup, cells, _ADD)


def _insert(
    uow: UnitOfWork, entity: type[Base], cells: Mapping[CellKey, Sequence[int]], conflict: str = ""
) -> None:
    values = (*zip(*cells, strict=True), *zip(*cells.values(), strict=True))
    columns: dict[str, Sequence[Any]] = dict(zip(_READ, values, strict=True))
    columns["id"] = new_ids(len(cells))
    insert_columns(uow.session, entity, columns, conflict)


def _take_turn(uow: UnitOfWork) -> bool:
    """On PostgreSQL one transaction folds a workspace at a time; SQLite has one writer anyway."""
    if uow.session.get_bind().dialect.name != "postgresql":
        return True
    lock = text("SELECT pg_try_advisory_xact_lock(:class, :workspace)")
    workspace = uow.workspace.id % (1 << 31)
    return bool(uow.session.execute(lock, {"class": FOLD_LOCK, "workspace": workspace}).scalar())
