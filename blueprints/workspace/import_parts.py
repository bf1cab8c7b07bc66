"""What a person says of single columns of an import: joined columns, units, texts that name no option."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from flask_babel import gettext, lazy_gettext
from werkzeug.datastructures import MultiDict

from blueprints.messages import local
from blueprints.scope import Scope
from builder.domain.fields import FieldDefinition
from builder.exchange.joining import MARKS, MOST_JOINS, MOST_PARTS, Join
from builder.exchange.profile import ColumnProfile, TableProfile
from builder.exchange.units import SHIFTS, Unit, header_unit
from builder.fieldtypes.choice import active_keys
from builder.services.import_choices import NEW_OPTION, Choices
from builder.services.import_units import CHOICES, MOST_UNKNOWN, NUMBERS, unknown_texts

# (value, label, chosen) of what may be said.
Options: TypeAlias = tuple[tuple[str, Any, bool], ...]
# How forms write “no option”, which plans write as an empty text.
EMPTY = "-"
_MARK_LABELS = {
    "space": lazy_gettext("a space"),
    "none": lazy_gettext("no sign"),
    "comma": lazy_gettext("a comma"),
    "dash": lazy_gettext("a hyphen"),
    "slash": lazy_gettext("a slash"),
    "line": lazy_gettext("a new line"),
}
_SHIFT_LABELS = {
    0: lazy_gettext("as they stand"),
    3: lazy_gettext("thousands"),
    4: lazy_gettext("ten thousands (万)"),
    6: lazy_gettext("millions"),
    8: lazy_gettext("hundred millions (亿)"),
}


@dataclass(frozen=True)
class JoinLine:
    """One line of the joined columns: the chosen column of each part, and what stands between them."""

    place: int
    parts: tuple[str, ...]
    marks: Options


@dataclass(frozen=True)
class MeaningLine:
    """A text that names no option, in how many rows it stands, and what it means so far."""

    place: int
    text: str
    rows: int
    chosen: str


def join_lines(joins: Sequence[Join]) -> tuple[JoinLine, ...]:
    """The joins so far, and an empty line for another while there may be more."""
    lines = [(join.columns, join.mark) for join in joins]
    if len(lines) < MOST_JOINS:
        lines.append(((), " "))
    return tuple(
        JoinLine(
            place,
            (*columns, *[""] * (MOST_PARTS - len(columns))),
            tuple((name, _MARK_LABELS[name], text == mark) for name, text in MARKS.items()),
        )
        for place, (columns, mark) in enumerate(lines)
    )


def read_joins(form: MultiDict[str, str], profile: TableProfile) -> tuple[Join, ...]:
    """The joined columns that the page sent; lines that name fewer than two columns are none."""
    found: list[Join] = []
    for place in range(MOST_JOINS):
        named = (form.get(f"join-{place}-{part}", "") for part in range(MOST_PARTS))
        columns = tuple(dict.fromkeys(name for name in named if name in profile.headers))
        join = Join(columns, MARKS.get(form.get(f"join-{place}-mark", ""), " "))
        if len(columns) > 1 and join.name not in {known.name for known in found}:
            found.append(join)
    return tuple(found)


def unit_options(here: Scope, column: ColumnProfile, wanted: str | None, choices: Choices) -> Options:
    """What the numbers of a column may count; a question only where the header says something of it, or a
    person did.
    """
    own = here.workspace.currency
    _, told = header_unit(column.name, own)
    code = choices.units.get(column.name)
    if wanted not in NUMBERS or (told is None and code is None):
        return ()
    told = told or Unit()
    chosen = told.code if code is None else code
    currencies = dict.fromkeys(["", told.currency]) if wanted == "money" else {"": None}
    units = [Unit(shift, currency) for currency in currencies for shift in SHIFTS]
    if told not in units and wanted == "money":
        units.append(told)
    return tuple((unit.code, _unit_label(unit, own, wanted), unit.code == chosen) for unit in units)


def _unit_label(unit: Unit, own: str, wanted: str) -> str:
    counted = str(_SHIFT_LABELS.get(unit.shift, f"10^{unit.shift}"))
    if wanted != "money":
        return gettext("Numbers are: %(unit)s", unit=counted)
    return gettext("Amounts are: %(unit)s, %(currency)s", unit=counted, currency=unit.currency or own)


def read_units(form: MultiDict[str, str], names: Sequence[str]) -> dict[str, str]:
    """What the numbers of columns count, as the page sent it."""
    found: dict[str, str] = {}
    for place, name in enumerate(names):
        try:
            found[name] = Unit.of_code(form.get(f"unit-{place}", "")).code
        except ValueError:
            continue
    return found


def option_choices(here: Scope, field: FieldDefinition | None) -> tuple[tuple[str, Any], ...]:
    """What a text may mean: an option, none, and one of its own where the person may change definitions."""
    if field is None or field.type not in CHOICES:
        return ()
    made = [(NEW_OPTION, gettext("make it a new option"))]
    can_make = here.actor.can("definitions.edit") and "." not in field.key
    labels = {option.key: local(option.label) for option in field.options}
    return (
        (EMPTY, gettext("leave the field empty")),
        *(made if can_make else ()),
        *((key, labels[key]) for key in active_keys(field)),
    )


def meaning_lines(
    column: ColumnProfile, field: FieldDefinition | None, choices: Choices
) -> tuple[MeaningLine, ...]:
    """The texts of a column that name no option of its field."""
    if field is None:
        return ()
    said = choices.options.get(column.name, {})
    return tuple(
        MeaningLine(place, text, rows, _chosen(said.get(text)))
        for place, (text, rows) in enumerate(unknown_texts(column, field).items())
    )


def _chosen(said: str | None) -> str:
    return "" if said is None else said or EMPTY


def read_options(form: MultiDict[str, str], names: Sequence[str]) -> dict[str, dict[str, str]]:
    """What texts mean that name no option, by column."""
    found: dict[str, dict[str, str]] = {}
    for place, name in enumerate(names):
        for number in range(MOST_UNKNOWN):
            text = form.get(f"meaning-{place}-{number}-text")
            if text is None:
                break
            chosen = form.get(f"meaning-{place}-{number}", "")[:80]
            if chosen:
                found.setdefault(name, {})[text] = "" if chosen == EMPTY else chosen
    return found
