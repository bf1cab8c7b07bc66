"""How many records and people a change of definitions touches, with some of them by name (B7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from builder.db.people import Member
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.metadata.impact import Concern

EXAMPLES = 5


@dataclass(frozen=True)
class Touched:
    """A concern with how many it touches; ``examples``: ids and names of the first few records."""

    concern: Concern
    count: int
    examples: tuple[tuple[int, str], ...] = ()


def impact(session: WorkspaceSession, concerns: Iterable[Concern]) -> list[Touched]:
    """What each concern touches, of all records whoever may see them; those that touch none are left out.

    Records are read once for each object and pipeline, and once more for each concern that touches some.
    """
    found = []
    for (is_role, _), group in groupby(concerns, key=lambda each: (each.kind == "role_changed", each.key)):
        asked = list(group)
        counts = _people(session, asked) if is_role else _counts(session, asked)
        for concern, count in zip(asked, counts, strict=True):
            if count:
                examples = () if is_role else _examples(session, concern)
                found.append(Touched(concern, count, examples))
    return found


def _counts(session: WorkspaceSession, concerns: list[Concern]) -> list[int]:
    first = concerns[0]
    where = Record.pipeline_key if first.kind in ("stage_removed", "pipeline_changed") else Record.object_key
    sums = [func.coalesce(func.sum(case((_touches(each), 1), else_=0)), 0) for each in concerns]
    asked = select(*sums).where(where == first.key, Record.deleted_at.is_(None))
    return [int(count) for count in session.execute(asked).one()]


def _examples(session: WorkspaceSession, concern: Concern) -> tuple[tuple[int, str], ...]:
    where = (
        Record.pipeline_key if concern.kind in ("stage_removed", "pipeline_changed") else Record.object_key
    )
    rows = session.execute(
        select(Record.id, Record.name)
        .where(where == concern.key, Record.deleted_at.is_(None), _touches(concern))
        .order_by(Record.id.desc())
        .limit(EXAMPLES)
    )
    return tuple((row.id, row.name) for row in rows)


def _people(session: WorkspaceSession, concerns: list[Concern]) -> list[int]:
    asked = select(func.count()).where(Member.role_key == concerns[0].key, Member.is_active.is_(True))
    return [session.scalar(asked) or 0 for _ in concerns]


def _touches(concern: Concern) -> ColumnElement[bool]:
    is_open = or_(Record.outcome.is_(None), Record.outcome == "open")
    stored = Record.data[concern.part].as_string()
    match concern.kind:
        case "field_required":
            return and_(is_open, stored.is_(None))
        case "field_removed" | "type_changed":
            return stored.is_not(None)
        case "option_removed":
            # A choice is stored as its key, several as a list of keys in JSON.
            return or_(stored == concern.option, stored.contains(f'"{concern.option}"', autoescape=True))
        case "stage_removed":
            return and_(is_open, Record.stage_key == concern.part)
        case "pipeline_changed":
            return Record.outcome == "open"
        case "role_changed":
            raise ValueError(concern.kind)
