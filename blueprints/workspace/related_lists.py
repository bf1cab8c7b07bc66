"""Lists of records that refer to a record, as its page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext

from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.cells import Cell
from blueprints.workspace.filter_words import filter_text
from blueprints.workspace.list_state import list_address
from blueprints.workspace.shown import Column, Reader, columns_of
from builder.db.ids import to_public
from builder.domain.conditions import Comparison
from builder.queries.record import RecordPage
from builder.queries.related import CONVERTED, RelatedList
from builder.queries.row import REFERENCE, USER, names_of_members, names_of_records, pointed_at

RELATED_COLUMNS = 5


@dataclass(frozen=True)
class Related:
    """A list of records that refer to this one; ``more`` leads to all, ``new`` to a new one."""

    title: str
    icon: str
    columns: tuple[Column, ...]
    lines: tuple[tuple[tuple[Column, Cell], ...], ...]
    count: str
    more: str
    new: str


def related_to(here: Scope, page: RecordPage) -> list[Related]:
    """The related lists; the names behind all their values are read together."""
    lists = [each for each in page.related if each.rows or each.field_key != CONVERTED]
    names: dict[tuple[str, str], list[str]] = {}
    records: set[int] = set()
    members: set[int] = set()
    for each in lists:
        definition = here.catalog.object(each.object_key)
        shown = [name for name in definition.list_columns if name != each.field_key][:RELATED_COLUMNS]
        names[each.object_key, each.field_key] = shown
        records |= pointed_at(definition, each.rows, shown, REFERENCE)
        members |= pointed_at(definition, each.rows, shown, USER)
    reader = Reader(here, names_of_records(here.session, records), names_of_members(here.session, members))
    return [_related_list(here, page, each, names[each.object_key, each.field_key], reader) for each in lists]


def _related_list(
    here: Scope, page: RecordPage, each: RelatedList, names: list[str], reader: Reader
) -> Related:
    definition = here.catalog.object(each.object_key)
    columns = tuple(columns_of(here, each.object_key, names, reader))
    lines = tuple(tuple((column, column.read(row)) for column in columns) for row in each.rows)
    title, more, new = local(definition.label_plural), "", ""
    if each.field_key != CONVERTED:
        field = definition.fields.by_key[each.field_key]
        if sum(other.object_key == each.object_key for other in page.related) > 1:
            title = f"{title} · {local(field.label)}"
        if field.is_filterable:
            condition = Comparison(each.field_key, "eq", str(page.record.id))
            more = list_address(each.object_key, {"f": filter_text(condition)})
        if here.actor.can("record.create"):
            prefill: dict[str, Any] = {"field": each.field_key, "from": to_public(page.record.id)}
            new = url_for("workspace.new_record", object_key=each.object_key, **prefill)
    else:
        title = gettext("Made from it: %(name)s", name=title)
    count = f"{each.count}+" if each.is_capped else str(each.count)
    return Related(title, definition.icon, columns, lines, count, more, new)
