"""What a calendar shows, as its address says: the date it goes by, the page, view and filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import url_for
from flask_babel import get_locale, gettext

from blueprints.languages import language
from blueprints.messages import local, message
from blueprints.scope import Scope
from blueprints.workspace.filter_words import filter_text, read_filter
from blueprints.workspace.shown import record_column_label
from builder.db.ids import to_public
from builder.domain.calendar_page import SPANS, CalendarPage, Span, read_day
from builder.domain.conditions import Condition, to_document
from builder.domain.fields import ObjectDefinition
from builder.domain.saved_view import DATE_COLUMNS, View, can_place
from builder.errors import N_
from builder.queries.saved_views import StoredView, saved_views
from builder.services.views import SaveView

NO_DATE = N_("A calendar cannot place records by “%(field)s”.")
NO_DAY = N_("“%(day)s” is not a day that a calendar can show.")
NO_SPAN = N_("A calendar shows a month, a week or an agenda, not “%(span)s”.")
NO_VIEW = N_("The view is not there any more.")


@dataclass(frozen=True)
class CalendarState:
    """``by``: the field or ``record.<column>``; ``own``: which parts the address sets by itself;
    ``problems``: what of the address could not be used, in words.
    """

    definition: ObjectDefinition
    by: str
    page: CalendarPage
    view: str = ""
    shown_view: View | StoredView | None = None
    view_label: str = ""
    filter: str = ""
    condition: Condition | None = None
    views: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()

    def args(self, **changes: str) -> dict[str, str]:
        """The parameters of an address that shows the same."""
        found = {"view": self.view} if self.view else {}
        if "f" in self.own:
            found["f"] = self.filter
        if "by" in self.own:
            found["by"] = self.by
        return {**found, "span": self.page.span, "on": self.page.on.isoformat(), **changes}

    def address(self, **changes: str) -> str:
        place: dict[str, Any] = {"object_key": self.definition.key, **self.args(**changes)}
        return url_for("workspace.calendar", **place)

    def view_address(self, view: str) -> str:
        return url_for("workspace.calendar", object_key=self.definition.key, view=view)

    def with_filter(self, condition: Condition | None) -> str:
        return self.address(f=filter_text(condition))

    @property
    def stored(self) -> StoredView | None:
        view = self.shown_view
        return view if isinstance(view, StoredView) and view.layout == "calendar" else None

    def wanted(self, name: str, *, is_shared: bool) -> SaveView:
        """What saving this calendar as a view keeps; the page is how one looks at it now."""
        return SaveView(
            object_key=self.definition.key,
            name=name,
            layout="calendar",
            filter=None if self.condition is None else to_document(self.condition),
            date=self.by,
            is_shared=is_shared,
        )


def read_calendar(here: Scope, definition: ObjectDefinition, args: Mapping[str, str]) -> CalendarState:
    """Read an address, or a form with the same names. One statement, for the saved views."""
    problems: list[str] = []
    named = _views(here, definition)
    key = args.get("view", "")
    chosen = next((each for each in named if each[0] == key), None)
    if key and chosen is None:
        problems.append(gettext(NO_VIEW))
    view = chosen[2] if chosen else None
    by, own = _date_of(definition, args.get("by", ""), view, problems)
    state = CalendarState(
        definition,
        by,
        _page(here, args, problems),
        view=key if chosen else "",
        shown_view=view,
        view_label=chosen[1] if chosen else "",
        views=tuple((each[0], each[1]) for each in named),
        own=frozenset({"by"} if own else ()),
    )
    return _with_filter(here, state, args, problems)


def _with_filter(
    here: Scope, state: CalendarState, args: Mapping[str, str], problems: list[str]
) -> CalendarState:
    own = state.own
    text = filter_text(state.shown_view.filter) if state.shown_view is not None else ""
    if "f" in args:
        text, own = args["f"].strip(), own | {"f"}
    condition, wrong = read_filter(here, state.definition.key, text)
    if wrong:
        return replace(state, own=own, problems=(*problems, *wrong))
    return replace(
        state, own=own, condition=condition, filter=filter_text(condition), problems=tuple(problems)
    )


def _views(here: Scope, definition: ObjectDefinition) -> list[tuple[str, str, View | StoredView]]:
    """Views that are calendars or have a filter: key in addresses, name, view."""
    found: list[tuple[str, str, View | StoredView]] = [
        (view.key, local(view.label), view) for view in here.catalog.views_of(definition.key)
    ]
    found += [
        (to_public(view.id), view.name, view)
        for view in saved_views(here.session, here.actor, definition.key)
    ]
    return [each for each in found if each[2].layout == "calendar" or each[2].filter is not None]


def dates_of(definition: ObjectDefinition) -> list[tuple[str, str]]:
    """By what a calendar of the object can go, as (name, label); its own dates first."""
    found = [
        (field.key, field.label.text(language()) or field.key)
        for field in definition.fields
        if can_place(definition, field.key)
    ]
    return found + [(name, record_column_label(name.removeprefix("record."))) for name in DATE_COLUMNS]


def _date_of(
    definition: ObjectDefinition, asked: str, view: View | StoredView | None, problems: list[str]
) -> tuple[str, bool]:
    """What the calendar goes by, and whether the address says so."""
    if asked and can_place(definition, asked):
        return asked, True
    if asked:
        problems.append(message(NO_DATE, {"field": asked[:80]}))
    if view is not None and view.date and can_place(definition, view.date):
        return view.date, False
    by_role = definition.fields.by_role
    for role in ("expected_close", "happened_at"):
        if role in by_role and can_place(definition, by_role[role].key):
            return by_role[role].key, False
    return dates_of(definition)[0][0], False


def _page(here: Scope, args: Mapping[str, str], problems: list[str]) -> CalendarPage:
    asked, text = args.get("span", ""), args.get("on", "")
    span: Span = next((each for each in SPANS if each == asked), "month")
    if asked and asked != span:
        problems.append(message(NO_SPAN, {"span": asked[:40]}))
    day = read_day(text) if text else None
    if text and day is None:
        problems.append(message(NO_DAY, {"day": text[:40]}))
    return CalendarPage(span, day or today(here), first_weekday())


def today(here: Scope) -> date:
    return here.workspace.day_of(here.clock.now())


def first_weekday() -> int:
    """As the reader's language begins its weeks: 0 is Monday."""
    locale = get_locale()
    return int(locale.first_week_day) if locale is not None else 0
