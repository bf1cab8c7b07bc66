"""Fetching one keyset page of records that an actor sees, in the order of one index, with a capped count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, literal, or_, select, union, union_all

from builder.db.engine import PREPARED
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.queries import keyset
from builder.queries.keyset import Position, Segment, SortColumn
from builder.queries.row import ROWS, WIDTH, RecordRow, row_of
from builder.queries.visibility import branches, is_broad

# Records of limited sight are counted row by row: a thousand would cost a filtered list a fifth of its time.
COUNT_CAP = 300


@dataclass
class RecordPages:
    """Pages of the live records of an object that satisfy ``clauses`` and that ``actor`` sees, ordered by
    ``sort``; that they are of the object is for ``clauses`` to say. ``is_settled``: the best way to the rows
    is the same whatever values ``clauses`` hold.

    A page costs one statement, and a second one where the rows with a value end on it. ``total`` is
    known after the first page was fetched: exact up to ``COUNT_CAP``, beyond it ``COUNT_CAP`` + 1.
    """

    session: WorkspaceSession
    actor: Actor
    object_key: str
    clauses: Sequence[ColumnElement[bool]]
    sort: SortColumn
    is_settled: bool = False
    total: int | None = None
    _branches: tuple[ColumnElement[bool], ...] = field(init=False)

    def __post_init__(self) -> None:
        self._branches = branches(self.actor, self.object_key)

    def forward(self, limit: int, after: Position | None) -> list[tuple[RecordRow, Position]]:
        """Up to ``limit`` rows beyond ``after``, in order."""
        found: list[tuple[RecordRow, Position]] = []
        if after is None or not after.is_tail:
            found = self._fetch(keyset.head(self.sort, after), limit)
        if self.sort.is_nullable and len(found) < limit:
            beyond = after if after is not None and after.is_tail else None
            found += self._fetch(keyset.tail(self.sort, beyond), limit - len(found))
        return self._counted(found, is_first=after is None)

    def backward(self, limit: int, before: Position) -> list[tuple[RecordRow, Position]]:
        """Up to ``limit`` rows that come just before ``before``, in order."""
        found: list[tuple[RecordRow, Position]] = []
        if before.is_tail:
            found = self._fetch(keyset.tail(self.sort, before, is_reversed=True), limit)
        if len(found) < limit:
            beyond = None if before.is_tail else before
            found += self._fetch(keyset.head(self.sort, beyond, is_reversed=True), limit - len(found))
        return self._counted(found[::-1], is_first=False)

    def _counted(
        self, found: list[tuple[RecordRow, Position]], *, is_first: bool
    ) -> list[tuple[RecordRow, Position]]:
        if self.total is None:
            # The count comes with the rows; a page without rows says nothing, unless nothing precedes it.
            self.total = 0 if is_first else self.session.scalar(select(self._count())) or 0
        return found

    def _fetch(self, segment: Segment, limit: int) -> list[tuple[RecordRow, Position]]:
        more = [self.sort.attribute] if self.total is not None else [self.sort.attribute, self._count()]
        rows = self.session.execute(self._statement(segment, limit, more)).all()
        if rows and self.total is None:
            self.total = rows[0][WIDTH + 1]
        return [self._placed(row) for row in rows]

    def _placed(self, row: Row[*tuple[Any, ...]]) -> tuple[RecordRow, Position]:
        record = row_of(row, self.actor)
        return record, keyset.position_of(self.sort, row[WIDTH], record.created_at, record.id)

    def _statement(self, segment: Segment, limit: int, more: list[Any]) -> Select[*tuple[Any, ...]]:
        clauses = (*self.clauses, *segment.where)
        statement = ROWS.add_columns(*more).order_by(*segment.order).limit(limit)
        if self.is_settled:
            statement = statement.execution_options(**PREPARED)
        if not self._branches:
            return statement.where(*clauses)
        if len(self._branches) == 1 or is_broad(self.actor):
            return statement.where(*clauses, or_(*self._branches))
        parts = [
            select(Record.id).where(*clauses, branch).order_by(*segment.order).limit(limit).subquery()
            for branch in self._branches
        ]
        return statement.where(Record.id.in_(union_all(*(select(part.c.id) for part in parts))))

    def _count(self) -> Any:
        """How many there are, looking at no more than ``COUNT_CAP`` + 1 of each branch."""
        cap = COUNT_CAP + 1
        if len(self._branches) < 2:
            one = select(literal(1).label("one")).select_from(Record)
            rows = one.where(*self.clauses, *self._branches).limit(cap).subquery()
            return select(func.count()).select_from(rows).scalar_subquery()
        parts = [
            select(Record.id).where(*self.clauses, branch).limit(cap).subquery() for branch in self._branches
        ]
        distinct = union(*(select(part.c.id) for part in parts)).subquery()
        return select(func.count()).select_from(distinct).scalar_subquery()
