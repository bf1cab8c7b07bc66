"""All records of a list, a batch at a time: what an export reads.

Batches follow each other by keyset (``queries.keyset``), so that neither memory nor the cost of a row grows
with their number; whoever reads them begins a snapshot first, or a record changed meanwhile could come twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, or_, select, union, union_all

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.comparison import EvaluationContext
from builder.domain.permissions import Actor
from builder.metadata.catalog import Catalog
from builder.queries import keyset
from builder.queries.keyset import Position, Segment
from builder.queries.list import ListRequest, asked, sort_of
from builder.queries.visibility import branches, is_broad, visible

BATCH = 2_000


@dataclass(frozen=True, slots=True)
class ExportedRecord:
    """What a file may tell of a record."""

    id: int
    external_key: str | None
    owner_id: int | None
    department_id: int | None
    pipeline_key: str | None
    stage_key: str | None
    outcome: str | None
    currency: str | None
    created_at: datetime
    updated_at: datetime
    stage_entered_at: datetime | None
    closed_at: datetime | None
    data: Mapping[str, Any]


_NAMES = tuple(field.name for field in fields(ExportedRecord))
_ROWS = select(*(getattr(Record, name) for name in _NAMES))


def listed(
    session: WorkspaceSession, actor: Actor, object_key: str, ids: Sequence[int], size: int = BATCH
) -> Iterator[list[ExportedRecord]]:
    """These records, in this order, as far as they exist and the actor sees them; one statement a batch."""
    rule = visible(actor, (object_key,))
    for start in range(0, len(ids), size):
        part = ids[start : start + size]
        statement = _ROWS.where(
            Record.object_key == object_key, Record.deleted_at.is_(None), Record.id.in_(part)
        )
        rows = session.execute(statement if rule is None else statement.where(rule))
        found = {row.id: ExportedRecord(*row) for row in rows}
        yield [found[record_id] for record_id in part if record_id in found]


class ExportRows:
    """The records that ``request`` asks for and ``actor`` sees, in the order of the list.

    Errors on making one: NotFound for an unknown object, ConditionError for a filter that the database cannot
    evaluate.
    """

    def __init__(
        self,
        session: WorkspaceSession,
        catalog: Catalog,
        actor: Actor,
        request: ListRequest,
        context: EvaluationContext,
    ) -> None:
        definition = catalog.object(request.object_key)
        self._session = session
        self._sort, _problem = sort_of(definition, request.sort)
        self._clauses = asked(session, actor, definition, request, context)
        self._branches = branches(actor, definition.key)
        self._is_broad = is_broad(actor)

    def count(self, at_most: int | None = None) -> int:
        """How many there are; looks at no more than ``at_most`` of each branch of visibility."""
        found = select(Record.id).where(*self._clauses)
        if not self._branches:
            one = select(literal(1).label("one")).select_from(Record).where(*self._clauses).limit(at_most)
            return self._session.scalar(select(func.count()).select_from(one.subquery())) or 0
        parts = [found.where(branch).limit(at_most).subquery() for branch in self._branches]
        distinct = union(*(select(part.c.id) for part in parts)).subquery()
        return self._session.scalar(select(func.count()).select_from(distinct)) or 0

    def batches(self, size: int = BATCH) -> Iterator[list[ExportedRecord]]:
        """Every record once; one statement a batch."""
        yield from self._segment(is_tail=False, size=size)
        if self._sort.is_nullable:
            yield from self._segment(is_tail=True, size=size)

    def _segment(self, *, is_tail: bool, size: int) -> Iterator[list[ExportedRecord]]:
        after: Position | None = None
        part = keyset.tail if is_tail else keyset.head
        while True:
            rows = self._session.execute(self._statement(part(self._sort, after), size)).all()
            if rows:
                yield [ExportedRecord(*row[:-1]) for row in rows]
            if len(rows) < size:
                return
            last = rows[-1]
            after = keyset.position_of(self._sort, None if is_tail else last[-1], last.created_at, last.id)

    def _statement(self, segment: Segment, limit: int) -> Select[*tuple[Any, ...]]:
        clauses = (*self._clauses, *segment.where)
        place = self._sort.attribute.label("sorted_by")
        statement = _ROWS.add_columns(place).order_by(*segment.order).limit(limit)
        if not self._branches:
            return statement.where(*clauses)
        if self._is_broad:
            return statement.where(*clauses, or_(*self._branches))
        parts = [
            select(Record.id).where(*clauses, branch).order_by(*segment.order).limit(limit).subquery()
            for branch in self._branches
        ]
        return statement.where(Record.id.in_(union_all(*(select(part.c.id) for part in parts))))
