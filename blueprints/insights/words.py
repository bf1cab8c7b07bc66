"""What Insights says of its figures: names, one-sentence explanations, definitions with their M number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any

from babel import numbers
from flask_babel import format_date, format_decimal, format_time, gettext, lazy_gettext

from blueprints.languages import language
from blueprints.messages import local
from blueprints.workspace.amounts import whole_amount
from builder.domain.funnel import DEFINITIONS, UNLESS_LOST, Mode
from builder.queries.dimensions import Dimension, GroupName

NOTHING = "—"


@dataclass(frozen=True)
class ModeWords:
    """A mode: its name on the tab, one sentence for people, and the definition one click away."""

    name: Any
    sentence: Any
    definition: str


MODES: dict[str, ModeWords] = {
    "visited": ModeWords(
        lazy_gettext("Visited"),
        lazy_gettext("Of those that were in a stage, how many were also in the next one?"),
        DEFINITIONS["visited"],
    ),
    "strict": ModeWords(
        lazy_gettext("Strict"),
        lazy_gettext("Of those that took every stage so far, how many took the next one too?"),
        DEFINITIONS["strict"],
    ),
    "filled": ModeWords(
        lazy_gettext("Reached or beyond"),
        lazy_gettext("Whoever got further counts as having passed: how many got beyond each stage?"),
        DEFINITIONS["filled"],
    ),
    "stay": ModeWords(
        lazy_gettext("Per visit"),
        lazy_gettext("Of the visits to a stage that have ended, how many ended with a step forward?"),
        DEFINITIONS["stay"],
    ),
}

LOST_UNFILLED = ModeWords(
    MODES["filled"].name,
    lazy_gettext(
        "Whoever got further counts as having passed, except lost ones: they count only where they were."
    ),
    DEFINITIONS[UNLESS_LOST],
)


def mode_words(mode: Mode) -> ModeWords:
    return LOST_UNFILLED if mode == UNLESS_LOST else MODES[mode]


FLOW = {
    "entered": lazy_gettext("Entered"),
    "advanced": lazy_gettext("Advanced"),
    "back": lazy_gettext("Went back"),
    "repeated": lazy_gettext("Repeated"),
    "won": lazy_gettext("Won"),
    "lost": lazy_gettext("Lost"),
    "invalid": lazy_gettext("Invalid"),
    "changed_pipeline": lazy_gettext("Changed pipeline"),
    "migrated": lazy_gettext("Migrated"),
    "still_there": lazy_gettext("Still there"),
}

FIGURES = {
    **FLOW,
    "numerator": lazy_gettext("Went on to the next step"),
    "denominator": lazy_gettext("Counted in the step"),
    "now": lazy_gettext("There now"),
    "ended": lazy_gettext("Came through and ended"),
    "ended_won": lazy_gettext("Came through and were won"),
}

PRESETS = {
    "": lazy_gettext("All time"),
    "this_month": lazy_gettext("This month"),
    "last_month": lazy_gettext("Last month"),
    "this_quarter": lazy_gettext("This quarter"),
    "last_quarter": lazy_gettext("Last quarter"),
    "this_year": lazy_gettext("This year"),
    "last_year": lazy_gettext("Last year"),
    "last_n_days:30": lazy_gettext("Last 30 days"),
    "last_n_days:90": lazy_gettext("Last 90 days"),
    "custom": lazy_gettext("From … to …"),
}

DIMENSIONS = {
    "owner": lazy_gettext("Owner"),
    "department": lazy_gettext("Department"),
    "close_month": lazy_gettext("Month of closing"),
    "close_quarter": lazy_gettext("Quarter of closing"),
}

OUTCOMES = {
    "won": lazy_gettext("Won"),
    "lost": lazy_gettext("Lost"),
    "invalid": lazy_gettext("Invalid"),
    "open": lazy_gettext("Open"),
}


def dimension_name(by: Dimension) -> str:
    if by.field is not None:
        return str(local(by.field.label))
    return str(DIMENSIONS[by.kind])


def group_name(by: Dimension, name: GroupName) -> str:
    """What a group is called, in the reader's language."""
    if name.text is None:
        return gettext("(none)")
    if name.label is not None:
        return str(local(name.label))
    if by.field is not None and by.field.type == "yes_no":
        return gettext(name.text)
    return name.text


def number(value: int) -> str:
    return _number(value, language())


def percent(value: Fraction | None) -> str:
    """A rate with one decimal, or a dash where there is nothing to divide by."""
    return NOTHING if value is None else _percent(float(value), language())


# A funnel by groups shows hundreds of figures, many of them alike: writing one costs more than reading it.
@lru_cache(maxsize=8192)
def _number(value: int, language_key: str) -> str:
    return numbers.format_decimal(value, locale=language_key)


@lru_cache(maxsize=8192)
def _percent(value: float, language_key: str) -> str:
    return numbers.format_percent(value, "0.0%", locale=language_key)


def money(minor: Fraction | float | int | None, currency: str) -> str:
    """An amount without its minor units, written as on boards: with the currency's sign (``CN¥1,235``)."""
    return NOTHING if minor is None else whole_amount(Fraction(minor), currency, language())


def days(value: Fraction | None) -> str:
    """With one decimal always, so that those below each other read alike."""
    return NOTHING if value is None else format_decimal(float(value), "#,##0.0")


def day(value: date | None) -> str:
    return "" if value is None else format_date(value, "medium")


def moment(value: datetime | None) -> str:
    """Day and minute: which second a record moved says nothing in a list of records."""
    return NOTHING if value is None else f"{format_date(value, 'medium')} {format_time(value, 'short')}"
