"""The page of a record: head, path, what to do now and next, fields, related lists, timeline (S39)."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for
from flask_babel import format_date
from werkzeug.wrappers import Response

from blueprints.messages import local
from blueprints.scope import Scope, scope
from blueprints.workspace.area import board_address, has_endpoint, move_address, record_address, workspace
from blueprints.workspace.cycle_facts import shown_cycle
from blueprints.workspace.history import reason_name
from blueprints.workspace.home import amount_of
from blueprints.workspace.panel import feedback_form, fingerprint, panel, path
from blueprints.workspace.process_choice import open_processes
from blueprints.workspace.record_forms import ids_in
from blueprints.workspace.record_sections import fault_words, record_sections
from blueprints.workspace.related_lists import related_to
from blueprints.workspace.shown import Reader, moment, outcome_cell, stage_color, stage_name
from blueprints.workspace.timeline import timeline_facts
from blueprints.workspace.visits import visits_of
from blueprints.workspace.worth import worths
from builder.domain.fields import ObjectDefinition
from builder.errors import NotFound
from builder.fieldtypes.traits import match_fields
from builder.queries.duplicates import merged_into
from builder.queries.record import RecordPage, find_record, record_page
from builder.queries.row import names_of_members, names_of_records
from builder.services.outlook import Outlook, faults_of, outlook


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
        **record_sections(page, definition, faults, reader),
        "faults": [fault_words(definition, fault) for fault in faults],
        "related": related_to(here, page),
        "visits": visits_of(here, page),
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
