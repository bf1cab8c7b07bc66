"""Which stored values a field of another type could not hold, with some of them by their records (part 2)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.fieldtypes.base import InvalidValue
from builder.metadata.retyping import Retyping

MOST_EXAMINED = 200_000
EXAMPLES = 20
_AT_ONCE = 2000
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Misfit:
    """A stored value that would not convert, as text."""

    record_id: int
    name: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """Of ``examined`` records that hold a value, the newest first, ``refused`` hold one that would not
    convert, of which some are named. ``is_whole``: no more records hold one.
    """

    examined: int
    refused: int
    examples: tuple[Misfit, ...]
    is_whole: bool


def conversion(
    session: WorkspaceSession, object_key: str, change: Retyping, *, examples: int = EXAMPLES
) -> Conversion:
    """One statement over all records that are not deleted, open and closed, a few thousand in memory at a
    time; values that were seen lately are not read again.
    """
    stored = Record.data[change.key]
    rows = session.execute(
        select(Record.id, Record.name, stored.label("value"))
        .where(Record.object_key == object_key, Record.deleted_at.is_(None), stored.as_string().is_not(None))
        .order_by(Record.id.desc())
        .limit(MOST_EXAMINED + 1)
        .execution_options(yield_per=_AT_ONCE)
    )
    examined, refused, named = 0, 0, list[Misfit]()
    seen: OrderedDict[str, bool] = OrderedDict()
    for row in rows:
        if examined == MOST_EXAMINED:
            rows.close()
            return Conversion(examined, refused, tuple(named), is_whole=False)
        examined += 1
        if not _fits(change, row.value, seen):
            refused += 1
            if len(named) < examples:
                named.append(Misfit(row.id, row.name, _text(change, row.value)))
    return Conversion(examined, refused, tuple(named), is_whole=True)


def _fits(change: Retyping, value: Any, seen: OrderedDict[str, bool]) -> bool:
    mark = repr(value)
    known = seen.get(mark)
    if known is not None:
        return known
    try:
        change.converted(value)
        fits = True
    except InvalidValue:
        fits = False
    if len(seen) >= _REMEMBERED:
        seen.popitem(last=False)
    seen[mark] = fits
    return fits


def _text(change: Retyping, value: Any) -> str:
    try:
        return change.text(value)
    except (TypeError, ValueError, ArithmeticError):  # stored in a shape that it never had
        return str(value)
