"""Putting a record on another day of its calendar: by dragging it there, or by a small form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import make_response, render_template, url_for
from flask_babel import format_date, gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.forms import done
from blueprints.messages import message, told
from blueprints.revisions import sent_revision
from blueprints.scope import Scope, scope
from blueprints.workspace.area import workspace
from blueprints.workspace.calendar import facts_of, movable_by
from blueprints.workspace.calendar_state import NO_DATE, NO_DAY, CalendarState, read_calendar
from builder.db.ids import to_public
from builder.domain.calendar_page import on_day, read_day
from builder.domain.fields import FieldDefinition
from builder.errors import Invalid, Problem, Stale
from builder.queries.record import get_record, require_change
from builder.queries.row import FullRecord
from builder.services import records
from builder.services.records import SaveRecord


@dataclass(frozen=True)
class DayMove:
    """A record about to be put on another day, and the calendar it came from."""

    record: FullRecord
    field: FieldDefinition
    state: CalendarState

    @property
    def address(self) -> str:
        return url_for("workspace.move_to_day", record_id=self.record.id)


@workspace.get("/r/<rid:record_id>/day")
def choose_day(record_id: int) -> Response:
    """To which day? In the dialog over the calendar, or as a page."""
    here = scope()
    return _show(here, _read(here, record_id, request.args))


@workspace.post("/r/<rid:record_id>/day")
def move_to_day(record_id: int) -> Response:
    """Save the record on the day ``day``: the calendar anew, or 303; 409 when somebody was first."""
    here = scope()
    revision = sent_revision()
    move = _read(here, record_id, request.form)
    text = request.form.get("day", "")
    day = read_day(text)
    is_form = "_form" in request.form
    if day is None:
        problem = Problem(NO_DAY, "day", {"day": text[:40]})
        if is_form:
            return _show(here, move, [told(problem)], status=422)
        raise Invalid(problem.message, problems=(problem,), **problem.values)
    stored = move.record.data.get(move.field.key)
    value = on_day(
        stored if isinstance(stored, str) else None,
        day,
        here.workspace.zone,
        has_time=move.field.type == "datetime",
    )
    uow = here.unit_of_work()
    try:
        records.save(uow, SaveRecord(record_id, {move.field.key: value}, revision))
    except Stale as error:
        uow.rollback()
        if not is_form:
            raise
        told_stale = message(error.message_key, error.values)
        return _show(here, _read(here, record_id, request.form), [told_stale], status=409)
    except Invalid as error:
        uow.rollback()
        if not is_form:
            raise
        return _show(here, move, [told(problem) for problem in error.problems], status=422)
    uow.commit()
    name = move.record.name or move.record.number or "–"
    words = gettext("“%(name)s” is on %(day)s now.", name=name, day=format_date(day, "full"))
    if not request.htmx or request.htmx.boosted:
        return done(move.state.address(), words)
    page = render_template("fragments/calendar/calendar.html", told=words, **facts_of(here, move.state))
    response = make_response(page)
    response.headers["HX-Retarget"] = "#calendar"
    response.headers["HX-Reswap"] = "outerHTML"
    # After the swap, and last: closing the dialog takes the form away, from which htmx finds the calendar
    # and tells the rest.
    after = {"placed": {"record": to_public(record_id)}, "closeDialog": ""}
    response.headers["HX-Trigger-After-Swap"] = json.dumps(after)
    return response


def _read(here: Scope, record_id: int, args: Any) -> DayMove:
    """Errors: NotFound, Forbidden, Invalid for a date that is not for changing."""
    opened = get_record(here.session, here.actor, record_id)
    here.require("record.edit")
    require_change(opened)
    record = opened.record
    state = read_calendar(here, here.catalog.object(record.object_key), args)
    field = movable_by(state)
    if field is None or args.get("by", "") != state.by:
        raise Invalid(NO_DATE, field=args.get("by", "")[:80])
    return DayMove(record, field, state)


def _show(here: Scope, move: DayMove, problems: list[str] | None = None, status: int = 200) -> Response:
    is_dialog = bool(request.htmx and not request.htmx.boosted)
    name = "pages/workspace/calendar_day.html"
    if is_dialog:
        name = f"fragments/calendar/{'day_dialog' if request.method == 'GET' else 'day_form'}.html"
    stored = move.record.data.get(move.field.key)
    now = ""
    if isinstance(stored, str):
        has_time = move.field.type == "datetime"
        now = here.workspace.day_of(datetime.fromisoformat(stored)).isoformat() if has_time else stored
    page = render_template(
        name,
        move=move,
        day=request.form.get("day", now)[:40],
        problems=[("day", text) for text in problems or []],
        is_dialog=is_dialog,
    )
    return make_response(page, status)
