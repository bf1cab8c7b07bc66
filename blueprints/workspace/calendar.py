"""Records on the days of a calendar: month, week and agenda, and moving one to another day (part 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_skeleton
from flask import make_response, render_template, url_for
from flask_babel import format_date, format_time, get_locale, gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.messages import local
from blueprints.scope import Scope, scope
from blueprints.workspace.area import record_address, workspace
from blueprints.workspace.calendar_state import CalendarState, dates_of, read_calendar, today
from blueprints.workspace.filter_builder import APPLY, filter_form, leave_to
from blueprints.workspace.filter_words import evaluation_context, filter_text
from blueprints.workspace.kept_views import drop_view, keep_view
from blueprints.workspace.list_state import list_address
from blueprints.workspace.shown import stage_color
from builder.db.ids import to_public
from builder.domain.conditions import All, Comparison
from builder.domain.fields import FieldDefinition
from builder.queries.calendar import COUNT_CAP, CalendarDay, CalendarEntry, CalendarRequest, calendar_days

MONTH_LIMIT, OTHER_LIMIT = 4, 25


@dataclass(frozen=True, slots=True)
class EntryView:
    """``move``: where it is put on another day, for those who may; ``color``: of its stage."""

    id: str
    name: str
    href: str
    time: str
    color: str
    stage: str
    revision: int
    move: str


@dataclass(frozen=True, slots=True)
class DayView:
    """One day: ``label`` in full, ``number`` as it stands in a cell, ``more`` leads to all of it."""

    iso: str
    number: str
    label: str
    entries: tuple[EntryView, ...]
    more: str
    more_url: str
    is_today: bool
    is_beside: bool


@workspace.get("/o/<object_key>/calendar")
def calendar(object_key: str) -> Response:
    """One page of the calendar; alone for htmx."""
    here = scope()
    definition = here.catalog.object(object_key)
    state = read_calendar(here, definition, request.args)
    is_part = bool(request.htmx and not request.htmx.boosted)
    name = "fragments/calendar/calendar.html" if is_part else "pages/workspace/calendar.html"
    return make_response(render_template(name, **facts_of(here, state)))


@workspace.get("/o/<object_key>/calendar-filter")
def filter_calendar(object_key: str) -> Response:
    """The filter builder over the calendar or as a page; applying it leads to the calendar."""
    here = scope()
    definition = here.catalog.object(object_key)
    state = read_calendar(here, definition, request.args)
    form = filter_form(here, object_key, state.condition, request.args)
    action = request.args.get("_filter", "")
    if action == APPLY and not form.problems:
        return leave_to(state.with_filter(form.condition()))
    facts = {
        "form": form,
        "definition": definition,
        "state": state,
        "told": action == APPLY,
        "title": definition.label_plural,
        "builder_address": url_for("workspace.filter_calendar", object_key=object_key),
    }
    is_part = request.htmx and not request.htmx.boosted
    name = "fragments/filter/builder.html" if is_part else "pages/workspace/view_filter.html"
    return make_response(render_template(name, **facts), 422 if action == APPLY else 200)


@workspace.post("/o/<object_key>/calendar-views")
def add_calendar_view(object_key: str) -> Response:
    """Save what the calendar shows now under a name."""
    here = scope()
    return keep_view(here, read_calendar(here, here.catalog.object(object_key), request.form))


@workspace.post("/o/<object_key>/calendar-views/<rid:view_id>")
def change_calendar_view(object_key: str, view_id: int) -> Response:
    """Rename a view, share it or not, and remember what the calendar shows now."""
    here = scope()
    return keep_view(here, read_calendar(here, here.catalog.object(object_key), request.form), view_id)


@workspace.post("/o/<object_key>/calendar-views/<rid:view_id>/delete")
def delete_calendar_view(object_key: str, view_id: int) -> Response:
    here = scope()
    here.catalog.object(object_key)
    return drop_view(here, view_id, url_for("workspace.calendar", object_key=object_key))


def movable_by(state: CalendarState) -> FieldDefinition | None:
    """The field that moving to another day changes; none where the product itself decides the day."""
    field = state.definition.fields.by_key.get(state.by)
    return None if field is None or field.is_read_only else field


def facts_of(here: Scope, state: CalendarState) -> dict[str, Any]:
    """What the page and its fragment need. Two statements."""
    page = state.page
    asked = CalendarRequest(
        state.definition,
        state.by,
        page.days,
        state.condition,
        MONTH_LIMIT if page.span == "month" else OTHER_LIMIT,
    )
    found = calendar_days(here.session, here.actor, asked, evaluation_context(here))
    may_move = movable_by(state) is not None and here.actor.can("record.edit")
    days = {day: _day(here, state, day, found.get(day, CalendarDay()), may_move) for day in page.days}
    stored = state.stored
    args: dict[str, Any] = {"object_key": state.definition.key, **state.args(f=state.filter)}
    return {
        "state": state,
        "definition": state.definition,
        "weeks": [[days[day] for day in week] for week in page.weeks],
        "weekdays": [(_weekday(day, "wide"), _weekday(day, "abbreviated")) for day in page.days[:7]],
        "title": _title(state),
        "spans": [("month", gettext("Month")), ("week", gettext("Week")), ("agenda", gettext("Agenda"))],
        "dates": dates_of(state.definition),
        "today": today(here),
        "may_move": may_move,
        "filter_url": url_for("workspace.filter_calendar", **args),
        "list_url": list_address(state.definition.key, {"f": state.filter} if state.filter else {}),
        "may_share": here.actor.can("view.share"),
        "owns_view": stored is not None
        and (
            stored.member_id == here.actor.member_id
            or (stored.is_shared and here.actor.can("definitions.edit"))
        ),
    }


def _day(here: Scope, state: CalendarState, day: date, found: CalendarDay, may_move: bool) -> DayView:
    more = ""
    if found.more:
        shown = gettext("%(count)s or more", count=found.more) if _is_capped(found) else str(found.more)
        more = gettext("%(count)s more", count=shown)
    return DayView(
        iso=day.isoformat(),
        number=format_date(day, "d") if day.day > 1 else format_skeleton("MMMd", day, locale=get_locale()),
        label=format_date(day, "full"),
        entries=tuple(_entry(here, state, entry, may_move) for entry in found.entries),
        more=more,
        more_url=_all_of(state, day) if found.more else "",
        is_today=day == today(here),
        is_beside=state.page.is_beside(day),
    )


def _is_capped(found: CalendarDay) -> bool:
    return found.more + len(found.entries) >= COUNT_CAP


def _all_of(state: CalendarState, day: date) -> str:
    """The list of all records of a day, under the same filter."""
    on = Comparison(state.by, "eq", day.isoformat())
    parts = (on,) if state.condition is None else (state.condition, on)
    return list_address(state.definition.key, {"f": filter_text(All(parts))})


def _entry(here: Scope, state: CalendarState, entry: CalendarEntry, may_move: bool) -> EntryView:
    pipeline = here.catalog.pipelines.get(entry.pipeline_key or "")
    stage = pipeline.by_key.get(entry.stage_key or "") if pipeline else None
    args: dict[str, Any] = {"record_id": entry.id, **state.args(by=state.by)}
    return EntryView(
        id=to_public(entry.id),
        name=entry.name or entry.number or "–",
        href=record_address(entry.id),
        time="" if entry.at is None else _clock(here, entry),
        color=stage_color(stage) if stage else "gray",
        stage=local(stage.label) if stage else "",
        revision=entry.revision,
        move=url_for("workspace.choose_day", **args) if may_move else "",
    )


def _clock(here: Scope, entry: CalendarEntry) -> str:
    """The time of day in the workspace's zone, as the day is."""
    assert entry.at is not None
    return format_time(entry.at.astimezone(here.workspace.zone).time(), "short")


def _weekday(day: date, width: str) -> str:
    locale = get_locale()
    return str(locale.days["format"][width][day.weekday()]) if locale else day.strftime("%A")


def _title(state: CalendarState) -> str:
    page = state.page
    if page.span == "month":
        return format_skeleton("yMMMM", page.on, locale=get_locale())
    days = page.days
    return f"{format_date(days[0], 'medium')} – {format_date(days[-1], 'medium')}"
