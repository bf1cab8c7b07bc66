"""The page of a record: head, path, what to do now and next, fields, related lists, timeline (S39)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import redirect, render_template, url_for
from flask_babel import format_date, gettext
from werkzeug.wrappers import Response

from blueprints.messages import local, message, named
from blueprints.scope import Scope, scope
from blueprints.workspace.area import board_address, has_endpoint, move_address, record_address, workspace
from blueprints.workspace.cells import Cell
from blueprints.workspace.cycle_facts import shown_cycle
from blueprints.workspace.filter_words import filter_text
from blueprints.workspace.history import reason_name
from blueprints.workspace.home import amount_of
from blueprints.workspace.list_state import list_address
from blueprints.workspace.panel import answered, feedback_form, fingerprint, panel, path
from blueprints.workspace.process_choice import open_processes
from blueprints.workspace.record_forms import fields_for, ids_in
from blueprints.workspace.shown import (
    Column,
    Reader,
    columns_of,
    day,
    duration,
    moment,
    outcome_cell,
    stage_color,
    stage_name,
)
from blueprints.workspace.timeline import timeline_facts
from blueprints.workspace.worth import worths
from builder.db.ids import to_public
from builder.domain.conditions import Comparison
from builder.domain.feedback import Feedback
from builder.domain.fields import FieldDefinition, FieldSet, ObjectDefinition
from builder.domain.labels import Label
from builder.domain.layouts import Section
from builder.domain.moves import FieldViolation
from builder.errors import NotFound
from builder.fieldtypes.registry import type_of
from builder.fieldtypes.table import total
from builder.fieldtypes.traits import match_fields
from builder.forms.state import state as states_of
from builder.metadata.field_rights import seen_feedback
from builder.queries.definitions import feedback_version, pipeline_version
from builder.queries.duplicates import merged_into
from builder.queries.record import RecordPage, StayView, find_record, record_page
from builder.queries.related import CONVERTED, RelatedList
from builder.queries.row import REFERENCE, USER, FullRecord, names_of_members, names_of_records, pointed_at
from builder.services.outlook import Outlook, faults_of, outlook

RELATED_COLUMNS = 5


@dataclass(frozen=True)
class ShownField:
    label: str
    cell: Cell
    fault: str
    is_wide: bool
    table: ShownTable | None = None
    parts: tuple[ShownField, ...] = ()


@dataclass(frozen=True)
class ShownTable:
    """Rows of a table field: heads with their class, rows of cells, totals (empty texts where none)."""

    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: tuple[str, ...]


@dataclass(frozen=True)
class ShownSection:
    label: str
    fields: tuple[ShownField, ...]


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


@dataclass(frozen=True)
class Visit:
    """An earlier visit to a stage, with its answers under the form of then (B3). ``is_merged``: by a record
    that was merged into this one; it counts in no figure.
    """

    stage: str
    entered: str
    left: str
    length: str
    who: str
    reason: str
    note: str
    override: str
    answers: tuple[tuple[str, Cell], ...]
    form: str
    is_merged: bool


@workspace.get("/r/<rid:record_id>")
def record(record_id: int) -> str | Response:
    """The page; the address of a record that was merged leads to the one that it was merged into."""
    here = scope()
    try:
        page = record_page(here.session, here.catalog, here.actor, record_id)
    except NotFound:
        survivor = merged_into(here.session, record_id)
        if survivor is None or find_record(here.session, here.actor, survivor) is None:
            raise
        return redirect(record_address(survivor))
    return render_template("pages/workspace/record.html", **record_facts(here, page))


def record_facts(here: Scope, page: RecordPage) -> dict[str, Any]:
    """What the page and its fragments are drawn from."""
    definition = here.catalog.object(page.record.object_key)
    faults = faults_of(definition, page)
    look = outlook(here.unit_of_work(), page, faults)
    reader = _reader(here, page, definition)
    address = record_address(page.record.id)
    return {
        "record": page.record,
        "definition": definition,
        "address": address,
        "list_address": url_for("workspace.record_list", object_key=definition.key),
        "amount": amount_of(reader, page.record),
        "close": day_text(page),
        "outcome": outcome_cell(page.record.outcome) if page.record.outcome not in (None, "open") else None,
        "reason": reason_name(look.pipeline, page.record.reason_key)
        if look and page.record.reason_key
        else "",
        "department": page.opened.department_name,
        **_sections(page, definition, faults, reader),
        "faults": [_fault_words(definition, fault) for fault in faults],
        "related": _related(here, page),
        "visits": _visits(here, page),
        "pending": [
            (stage_name(look.pipeline, one.to_stage_key), one.requested_by_name, moment(one.requested_at))
            for one in page.pending
        ]
        if look
        else [],
        "path": path(here, page, look) if look else [],
        "targets": _targets(look, page) if look else [],
        "board": board_address(page.record.pipeline_key) if page.record.pipeline_key else "",
        "startable": _startable(here, page),
        "origin": _origin(here, page),
        "worths": worths(here, reader, page.record),
        "cycle": shown_cycle(here, page),
        "actions": _actions(here, page, definition, look),
        **stage_facts(here, page, look),
        **timeline_facts(here, page.record),
    }


def stage_facts(here: Scope, page: RecordPage, look: Outlook | None, form: Any = None) -> dict[str, Any]:
    """What the fragments of the stage panel are drawn from; ``form``: feedback as it was typed."""
    if look is None:
        return {"panel": None, "feedback": None, "seen": ""}
    made = form if form is not None else feedback_form(here, page, look)
    stay = page.open_stay
    return {
        "panel": panel(here, page, look),
        "feedback": made,
        "seen": fingerprint(stay.answers) if stay else "",
        "feedback_theirs": (),
    }


def day_text(page: RecordPage) -> str:
    return format_date(page.record.expected_close_on, "medium") if page.record.expected_close_on else ""


def _reader(here: Scope, page: RecordPage, definition: ObjectDefinition) -> Reader:
    records, members = ids_in(definition.fields, (page.record.data,))
    names = dict(page.names) | names_of_records(here.session, records - page.names.keys())
    people = dict(page.members) | names_of_members(here.session, members - page.members.keys())
    return Reader(here, names, people)


def _sections(
    page: RecordPage, definition: ObjectDefinition, faults: tuple[FieldViolation, ...], reader: Reader
) -> dict[str, Any]:
    """Filled fields (and faulty ones) by section; the names of visible fields without a value."""
    record = page.record
    wrong = {fault.field: message(fault.message_key, fault.values) for fault in reversed(faults)}
    states = states_of(definition.fields, record.data, reader.context_of(record.currency))
    sections, empty = [], []
    fields = fields_for(reader.here, definition, record.pipeline_key, record.stage_key)
    for section in (*fields.sections, *_left_out(fields, wrong)):
        shown = []
        for key in section.fields:
            if not states[key].is_visible:
                continue
            field = _shown_field(reader, definition.fields.by_key[key], record, wrong.get(key, ""))
            if field.cell or field.fault:
                shown.append(field)
            else:
                empty.append(field.label)
        if shown:
            sections.append(ShownSection(section.label.text(reader.context.locale), tuple(shown)))
    return {"sections": sections, "empty_fields": empty}


def _left_out(fields: FieldSet, wrong: Mapping[str, str]) -> tuple[Section, ...]:
    """What the layout leaves out and is wrong: it is told where it stands."""
    if not wrong or not fields.layouts:
        return ()
    placed = {key for section in fields.sections for key in section.fields}
    keys = tuple(key for key in wrong if key in fields.by_key and key not in placed)
    return (Section("", Label(()), keys),) if keys else ()


def _shown_field(reader: Reader, field: FieldDefinition, record: FullRecord, fault: str) -> ShownField:
    return _shown_value(reader, field, record.data.get(field.key), record.currency, fault)


def _shown_value(
    reader: Reader, field: FieldDefinition, value: Any, currency: str | None, fault: str = ""
) -> ShownField:
    kind = type_of(field)
    parts = [
        _shown_value(reader, part, value.get(part.key), currency)
        for part in field.inner
        if kind.widget == "group" and isinstance(value, dict)
    ]
    return ShownField(
        field.label.text(reader.context.locale) or field.key,
        reader.long_cell(field, value, currency),
        fault,
        kind.is_wide,
        _table(reader, field, value, currency) if field.type == "table" else None,
        tuple(part for part in parts if part.cell),
    )


def _table(reader: Reader, field: FieldDefinition, value: Any, currency: str | None) -> ShownTable | None:
    rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    if not rows:
        return None
    columns: tuple[FieldDefinition, ...] = field.params["columns"]
    cells = tuple(
        tuple(reader.cell(column, row.get(column.key), currency) for column in columns) for row in rows
    )
    kinds = [next((row[place].kind for row in cells if row[place].kind), "") for place in range(len(columns))]
    labels = [column.label.text(reader.context.locale) or column.key for column in columns]
    totals = []
    for column in columns:
        summed = total(field, column.key, value) if column.key in field.params["totals"] else None
        context = reader.context_of(currency)
        totals.append("" if summed is None else type_of(column).text(column, summed, context))
    return ShownTable(tuple(zip(labels, kinds, strict=True)), cells, tuple(totals))


def _fault_words(definition: ObjectDefinition, fault: FieldViolation) -> str:
    field = definition.fields.by_key.get(fault.field)
    text = message(fault.message_key, fault.values)
    return named(local(field.label), text) if field else text


def _related(here: Scope, page: RecordPage) -> list[Related]:
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


def _visits(here: Scope, page: RecordPage) -> list[Visit]:
    """Visits that have ended, the latest first; then those of records that were merged into this one."""
    ended = [stay for stay in reversed(page.stays) if not stay.is_open]
    ended += reversed(page.merged_stays)
    forms = {
        stay.id: _seen_form(here, stay.feedback_version_id)
        for stay in ended
        if stay.feedback_version_id is not None and stay.answers
    }
    records: set[int] = set()
    members: set[int] = set()
    for stay in ended:
        if stay.id in forms:
            pointed = ids_in(forms[stay.id].fields, (stay.answers,))
            records |= pointed[0]
            members |= pointed[1]
    reader = Reader(here, names_of_records(here.session, records), names_of_members(here.session, members))
    return [_visit(here, page, stay, forms.get(stay.id), reader) for stay in ended]


def _seen_form(here: Scope, version_id: int) -> Feedback:
    """The form of a past visit as the reader's role sees it (S118)."""
    form = feedback_version(here.session, here.catalog, version_id)
    return seen_feedback(form, here.actor.feedback_veil(form.key))


def _visit(here: Scope, page: RecordPage, stay: StayView, form: Any, reader: Reader) -> Visit:
    pipeline = pipeline_version(here.session, here.catalog, stay.pipeline_version_id)
    return Visit(
        stage=stage_name(pipeline, stay.stage_key),
        entered=day(stay.entered_at),
        left=day(stay.left_at),
        length=duration(stay.seconds),
        who=stay.left_by_name,
        reason=reason_name(pipeline, stay.reason_key) if stay.reason_key else "",
        note=stay.reason_note or "",
        override=stay.override_reason or "",
        answers=tuple(answered(reader, form.fields, stay.answers)) if form else (),
        form=local(form.label) if form else "",
        is_merged=stay in page.merged_stays,
    )


def _targets(look: Outlook, page: RecordPage) -> list[tuple[str, str, str]]:
    """Where the record may be moved to: label, colour, address of the dialog."""
    return [
        (local(stage.label), stage_color(stage), address)
        for stage in look.targets
        if (address := move_address(page.record.id, stage.key))
    ]


def _startable(here: Scope, page: RecordPage) -> list[tuple[str, str]]:
    """Processes that a record in none of them may enter and the person may start, the fitting one first."""
    may_move = page.opened.may_change and here.actor.can("move")
    if page.record.pipeline_key is not None or not may_move:
        return []
    offered = open_processes(here, page.record.object_key, page.record.data)
    return [(one.key, local(one.label)) for one in offered]


def _origin(here: Scope, page: RecordPage) -> tuple[str, str] | None:
    """The record that this one was made from by conversion."""
    source = page.record.converted_from_id
    if source is None or source not in page.names:
        return None
    return page.names[source], record_address(source)


def _actions(
    here: Scope, page: RecordPage, definition: ObjectDefinition, look: Outlook | None
) -> dict[str, bool]:
    is_open = look is None or look.stage.is_open
    may = page.opened.may_change
    return {
        "edit": may and here.actor.can("record.edit"),
        "merge": may and here.actor.can("record.edit") and bool(match_fields(definition)),
        "delete": may and here.actor.can("record.delete"),
        "convert": may and definition.conversion is not None and is_open and here.actor.can("record.create"),
        "move": may and look is not None and has_endpoint("moves.dialog"),
    }
