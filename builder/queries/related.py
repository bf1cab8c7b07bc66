"""Records that refer to a record, or were made from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal, select, union_all

from builder.db.records import Link, Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import Actor
from builder.metadata.catalog import Catalog
from builder.queries.row import REFERENCE, ROWS, WIDTH, RecordRow, row_of
from builder.queries.visibility import visible

RELATED_EACH = 10
RELATED_CAP = 100
CONVERTED = ""


@dataclass(frozen=True, slots=True)
class RelatedList:
    """Records of an object that refer to this one by a field (``CONVERTED``: that were made from it).

    ``rows`` are the newest; ``count`` is exact unless ``is_capped`` (then: more than that).
    """

    object_key: str
    field_key: str
    rows: tuple[RecordRow, ...]
    count: int
    is_capped: bool


def referring_fields(catalog: Catalog, object_key: str) -> tuple[tuple[str, str], ...]:
    """(object, field) of every reference to records of an object, in the order of the menu."""
    return tuple(
        (definition.key, field.key)
        for definition in catalog.objects.values()
        for field in definition.fields
        if field.type == REFERENCE and field.params.get("target") == object_key
    )


def related_lists(
    session: WorkspaceSession, catalog: Catalog, actor: Actor, record: RecordRow
) -> tuple[RelatedList, ...]:
    """The newest visible records that refer to ``record``, per object and field, in one statement.

    Records made from it by conversion come last, under the field ``CONVERTED``, one list per object.
    """
    pairs = referring_fields(catalog, record.object_key)
    sources = [referring(actor, record.id, *pair) for pair in pairs]
    sources.append(_converted(actor, record.id))
    parts = [
        source.add_columns(literal(place).label("place"))
        .order_by(source.selected_columns[0].desc())
        .limit(RELATED_EACH)
        .subquery()
        for place, source in enumerate(sources)
    ]
    found = union_all(*(select(part.c.id, part.c.place) for part in parts)).subquery()
    counts = [
        select(func.count()).select_from(source.limit(RELATED_CAP + 1).subquery()).scalar_subquery()
        for source in sources
    ]
    statement = (
        ROWS.add_columns(found.c.place, *counts)
        .join(found, found.c.id == Record.id)
        .order_by(found.c.place, Record.id.desc())
    )
    rows = session.execute(statement).all()
    totals = rows[0][WIDTH + 1 :] if rows else [0] * len(sources)
    by_place: dict[int, list[RecordRow]] = {}
    for row in rows:
        by_place.setdefault(row[WIDTH], []).append(row_of(row, actor))
    lists = [
        _list(object_key, field_key, by_place.get(place, ()), totals[place])
        for place, (object_key, field_key) in enumerate(pairs)
    ]
    return (*lists, *_made_from(by_place.get(len(pairs), ())))


def _list(object_key: str, field_key: str, rows: Iterable[RecordRow], count: int) -> RelatedList:
    return RelatedList(object_key, field_key, tuple(rows), min(count, RELATED_CAP), count > RELATED_CAP)


def _made_from(rows: Iterable[RecordRow]) -> list[RelatedList]:
    """A conversion makes few records, so those shown are all."""
    by_object: dict[str, list[RecordRow]] = {}
    for row in rows:
        by_object.setdefault(row.object_key, []).append(row)
    return [_list(object_key, CONVERTED, found, len(found)) for object_key, found in by_object.items()]


def referring(actor: Actor, record_id: int, object_key: str, field_key: str) -> Any:
    """The ids (``id``) of visible records of an object that refer to a record by a field; a statement."""
    seen = visible(actor, (object_key,))
    return (
        select(Link.record_id.label("id"))
        .join(Record, Record.id == Link.record_id)
        .where(
            Link.target_id == record_id,
            Link.field_key == field_key,
            Record.object_key == object_key,
            Record.deleted_at.is_(None),
            *(() if seen is None else (seen,)),
        )
    )


def _converted(actor: Actor, record_id: int) -> Any:
    seen = visible(actor, None)
    return select(Record.id.label("id")).where(
        Record.converted_from_id == record_id,
        Record.deleted_at.is_(None),
        *(() if seen is None else (seen,)),
    )
