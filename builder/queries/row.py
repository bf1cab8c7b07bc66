"""One record as lists, boards and pages show it: a light row instead of an ORM entity of 70 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, select

from builder.db.people import Member
from builder.db.records import Record
from builder.db.tenancy import ScopedStatement, WorkspaceSession, scoped
from builder.domain.fields import ObjectDefinition
from builder.domain.kinds import LARGEST_ID
from builder.domain.permissions import Actor
from builder.queries.veils import as_seen
from builder.queries.visibility import visible

REFERENCE = "reference"
USER = "user"
NAMES_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class RecordRow:
    """What a list shows of a record; ``owner_name`` is joined, ``''`` when nobody owns it.

    ``amount_minor`` is in minor units of ``currency``, ``probability`` in percent.
    """

    id: int
    owner_name: str
    object_key: str
    name: str
    number: str | None
    owner_id: int | None
    department_id: int | None
    pipeline_key: str | None
    stage_key: str | None
    outcome: str | None
    stage_entered_at: datetime | None
    closed_at: datetime | None
    amount_minor: int | None
    currency: str | None
    expected_close_on: date | None
    probability: int | None
    revision: int
    created_at: datetime
    updated_at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FullRecord(RecordRow):
    """One record with all that its page needs. ``probability_override``: in percent, a person's own.
    ``merged_ids``: the records that were merged into it.
    """

    definition_version_id: int
    pipeline_version_id: int | None
    reason_key: str | None
    stay_id: int | None
    started_at: datetime | None
    probability_override: int | None
    forecast_category: str | None
    external_key: str | None
    converted_from_id: int | None
    is_loaded: bool
    created_by: int | None
    updated_by: int | None
    deleted_at: datetime | None
    deleted_by: int | None
    merged_ids: list[int] | None


def _select(shape: type[RecordRow]) -> Select[*tuple[Any, ...]]:
    owner_name = func.coalesce(Member.name, "").label("owner_name")
    columns = (
        owner_name if field.name == "owner_name" else getattr(Record, field.name) for field in fields(shape)
    )
    return select(*columns).select_from(Record).outerjoin(Member, Member.id == Record.owner_id)


WIDTH = len(fields(RecordRow))
FULL_WIDTH = len(fields(FullRecord))
# Made once: naming twenty columns costs more than reading a page of them.
ROWS = _select(RecordRow)
FULL = _select(FullRecord)


def row_of(row: Row[*tuple[Any, ...]], actor: Actor) -> RecordRow:
    """The record of a row of ``ROWS``, whatever columns were added after its own, as the actor sees it."""
    values: tuple[Any, ...] = tuple(row)[:WIDTH]
    record = RecordRow(*values)
    return as_seen(record, actor.veils.get(record.object_key)) if actor.veils else record


def full_of(row: Row[*tuple[Any, ...]]) -> FullRecord:
    """The record of a row of ``FULL``, whatever columns were added after its own; all of it."""
    values: tuple[Any, ...] = tuple(row)[:FULL_WIDTH]
    return FullRecord(*values)


def names_of_records(session: WorkspaceSession, ids: Iterable[int]) -> dict[int, str]:
    """Names of records by id, deleted ones too: a reference shows the name of what it points at, to everybody
    who sees the record that holds it. Ids that were only typed are for ``names_of_visible``.

    One statement per ``NAMES_AT_ONCE`` ids, none for no ids.
    """
    return _names(session, Record, ids)


def names_of_visible(session: WorkspaceSession, actor: Actor, ids: Iterable[int]) -> dict[int, str]:
    """Names of those records that the actor sees: for ids that somebody typed, which no record holds yet."""
    return _names(session, Record, ids, visible(actor, None))


def names_of_members(session: WorkspaceSession, ids: Iterable[int]) -> dict[int, str]:
    """Names of members by id, inactive ones too; as ``names_of_records``."""
    return _names(session, Member, ids)


def _names(
    session: WorkspaceSession, entity: Any, ids: Iterable[int], rule: ColumnElement[bool] | None = None
) -> dict[int, str]:
    wanted = sorted(set(ids))
    found: dict[int, str] = {}
    for start in range(0, len(wanted), NAMES_AT_ONCE):
        part = wanted[start : start + NAMES_AT_ONCE]
        pairs: Iterable[Any] = (
            session.run(_NAMES[entity], ids=_filled_up(part))
            if rule is None
            else session.execute(select(entity.id, entity.name).where(entity.id.in_(part), rule))
        )
        found.update((record_id, name) for record_id, name in pairs)
    return found


def _filled_up(ids: list[int]) -> list[int]:
    """The ids and the last again and again, up to a power of two: so there are few such statements, which
    stay prepared.
    """
    return ids + ids[-1:] * ((1 << (len(ids) - 1).bit_length()) - len(ids))


def _names_of(entity: type[Record | Member]) -> ScopedStatement:
    table = entity.__table__
    return scoped(select(table.c.id, table.c.name).where(table.c.id.in_(bindparam("ids", expanding=True))))


# Made once: nearly every page asks for names.
_NAMES: Mapping[Any, ScopedStatement] = {entity: _names_of(entity) for entity in (Record, Member)}


def pointed_at(
    definition: ObjectDefinition, rows: Iterable[RecordRow], columns: Iterable[str], type_key: str
) -> set[int]:
    """The ids that the shown fields of a type (``REFERENCE`` or ``USER``) hold in ``rows``."""
    keys = [key for key in columns if (field := definition.fields.by_key.get(key)) and field.type == type_key]
    return {int(value) for row in rows for key in keys if (value := row.data.get(key)) and _is_id(value)}


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19


def id_in(value: Any) -> int:
    """The id that a value of a reference names; 0 for anything else."""
    number = int(value) if _is_id(value) else 0
    return number if number <= LARGEST_ID else 0
