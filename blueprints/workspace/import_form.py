"""The mapping page of an import: from choices to what it shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext, lazy_gettext

from blueprints.languages import language
from blueprints.messages import local, told
from blueprints.scope import Scope
from blueprints.workspace.import_choices import MOST_TEXTS, NOT_NEW
from blueprints.workspace.import_parts import (
    JoinLine,
    MeaningLine,
    Options,
    join_lines,
    meaning_lines,
    option_choices,
    unit_options,
)
from blueprints.workspace.process_choice import open_processes
from builder.domain.fields import ObjectDefinition
from builder.domain.pipeline import Pipeline
from builder.errors import Problem
from builder.exchange.moments import ORDERS, STATED, DateOrder
from builder.exchange.new_fields import new_field
from builder.exchange.numbers import DecimalMark
from builder.exchange.plan import BY_RULES
from builder.exchange.profile import ColumnProfile, TableProfile
from builder.fieldtypes.registry import all_types, field_type
from builder.services.import_choices import Choices
from builder.services.import_history import CLOSING, HistoryChoice, find_pipeline, stage_texts
from builder.services.import_presets import suggested_stage
from builder.services.import_preview import ColumnPreview
from builder.services.import_setup import Proposal

# The page of a small file shows at once what a choice changes.
LIVE_ROWS = 5_000

_ORDER_NAMES: Mapping[DateOrder, Any] = {
    "dmy": lazy_gettext("day first: 31/12/2025"),
    "mdy": lazy_gettext("month first: 12/31/2025"),
    "ymd": lazy_gettext("year first: 25/12/31 or 20251231"),
    "serial": lazy_gettext("days since 1900, as Excel counts: 46022"),
}
_MARK_NAMES: Mapping[DecimalMark, Any] = {
    ".": lazy_gettext("point: 1,234.50"),
    ",": lazy_gettext("comma: 1.234,50"),
}


@dataclass(frozen=True)
class ColumnLine:
    """One column of the file on the mapping page. ``chosen``: ``""``, ``key:<field>`` or ``new:<type>``.

    ``orders`` and ``marks`` are (value, label, chosen) of how its dates and numbers may be read, none where
    that is no question, and ``units`` of what its numbers count; ``meanings`` are its texts that name no
    option, each of which may mean one of ``options``; ``preview`` what its texts become.
    """

    place: int
    profile: ColumnProfile
    chosen: str
    suggested_type: str
    orders: Options
    marks: Options
    units: Options
    meanings: tuple[MeaningLine, ...]
    options: tuple[tuple[str, Any], ...]
    preview: ColumnPreview | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class TextLine:
    """One text of the stage or status column. ``kind`` is what it means in a pipeline that is to be made, and
    ``target`` the stage of one that is there.
    """

    place: int
    text: str
    rows: int
    kind: str
    rank: int
    target: str = ""


@dataclass(frozen=True)
class MappingPage:
    """All that the mapping page shows. Field and type options are (value, label) pairs, and so are
    ``targets``, the stages of the pipeline that the history goes into when it is there already.
    """

    columns: tuple[ColumnLine, ...]
    fields: tuple[tuple[str, str], ...]
    types: tuple[tuple[str, str], ...]
    pipelines: tuple[tuple[str, str], ...]
    stages: tuple[TextLine, ...]
    statuses: tuple[TextLine, ...]
    targets: tuple[tuple[str, Any], ...]
    choices: Choices
    joins: tuple[JoinLine, ...]
    problems: tuple[tuple[str, str], ...]
    can_create_fields: bool
    can_create_users: bool
    can_load_history: bool
    is_live: bool

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(line.profile.name for line in self.columns)

    @property
    def headers(self) -> tuple[str, ...]:
        """The columns of the file itself."""
        return self.names[: len(self.names) - len(self.choices.joins)]

    @property
    def telling(self) -> frozenset[str]:
        """The columns that tell the history, whether or not they fill a field as well."""
        history = self.choices.history
        if history is None:
            return frozenset()
        named = (history.stage_column, history.status_column, history.at_column, history.closed_column)
        return frozenset(
            name for name in (*named, history.amount_column, history.user_column) if name is not None
        )


def page_of(
    here: Scope,
    definition: ObjectDefinition,
    profile: TableProfile,
    choices: Choices,
    proposal: Proposal | None,
    previews: Mapping[str, ColumnPreview],
    problems: Iterable[Problem] = (),
) -> MappingPage:
    """``proposal``: what ``choices`` lead to, none when they cannot be; ``problems``: what was refused."""
    listed = list(problems)
    places = {column.name: place for place, column in enumerate(profile.columns)}
    locale = language()
    return MappingPage(
        columns=tuple(
            _line(here, definition, column, place, choices, proposal, previews.get(column.name), listed)
            for place, column in enumerate(profile.columns)
        ),
        fields=tuple(
            (field.key, field.label.text(locale))
            for field in definition.fields.targets.values()
            if not field_type(field.type).is_computed
            and field.type not in ("table", "sub_form", "file", "image")
        ),
        types=tuple((known.key, local(known.label)) for known in all_types() if known.key not in NOT_NEW),
        pipelines=_entered(here, definition),
        stages=_stages(here, profile, choices),
        statuses=_statuses(profile, choices),
        targets=_targets(here, choices),
        choices=choices,
        joins=join_lines(choices.joins),
        problems=tuple(
            (f"field-{places[item.place]}" if item.place in places else "", told(item)) for item in listed
        ),
        can_create_fields=here.actor.can("definitions.edit"),
        can_create_users=here.actor.can("members.edit"),
        can_load_history=here.actor.can("load_history"),
        is_live=profile.rows <= LIVE_ROWS,
    )


def _entered(here: Scope, definition: ObjectDefinition) -> tuple[tuple[str, str], ...]:
    """What new records may enter: what the rules say of each, or one process that is open to the importer."""
    offered = [(known.key, local(known.label)) for known in open_processes(here, definition.key, {})]
    if any(rule.is_on for rule in definition.assignment.rules):
        offered.insert(0, (BY_RULES, gettext("the process that the rules say")))
    return tuple(offered)


def _line(
    here: Scope,
    definition: ObjectDefinition,
    column: ColumnProfile,
    place: int,
    choices: Choices,
    proposal: Proposal | None,
    preview: ColumnPreview | None,
    problems: list[Problem],
) -> ColumnLine:
    mapped = proposal.plan.field_of if proposal else {k: v for k, v in choices.fields.items() if v}
    wanted = proposal.types.get(column.name) if proposal else None
    if column.name in choices.new_types:
        chosen = f"new:{choices.new_types[column.name]}"
    else:
        chosen = f"key:{mapped[column.name]}" if column.name in mapped else ""
    field = definition.fields.targets.get(mapped.get(column.name, ""))
    suggested = new_field(column, (), here.catalog.objects, definition.key).type
    return ColumnLine(
        place=place,
        profile=column,
        chosen=chosen,
        suggested_type=suggested,
        orders=_orders(column, choices) if wanted in ("date", "datetime") else (),
        marks=_marks(column, choices) if wanted in ("integer", "decimal", "money", "percent") else (),
        units=unit_options(here, column, wanted, choices),
        meanings=meaning_lines(column, field, choices),
        options=option_choices(here, field),
        preview=preview,
        problems=tuple(told(item) for item in problems if item.place == column.name),
    )


def _orders(column: ColumnProfile, choices: Choices) -> Options:
    """How the dates of a column may be read; where its values leave it open, nothing is chosen."""
    is_number = not column.date_share
    if not (column.is_order_open or column.likely_order):
        return ()
    is_open = column.is_order_open or is_number
    chosen = choices.orders.get(column.name) or ("" if is_open else column.orders[0] if column.orders else "")
    offered = STATED[len(ORDERS) :] if is_number else STATED[:-1]
    known = [
        (order, _suggested(_ORDER_NAMES[order], order == column.likely_order), order == chosen)
        for order in offered
    ]
    return (("", gettext("Choose how the dates are written"), not chosen), *known)


def _marks(column: ColumnProfile, choices: Choices) -> Options:
    if not (column.is_mark_open or column.mark):
        return ()
    chosen = choices.marks.get(column.name) or column.mark or ""
    known = [
        (mark, _suggested(name, mark == column.mark), mark == chosen) for mark, name in _MARK_NAMES.items()
    ]
    return (("", gettext("Which mark parts the decimals?"), not chosen), *known)


def _suggested(name: Any, is_suggested: bool) -> Any:
    return gettext("%(reading)s (the values say so)", reading=name) if is_suggested else name


def _targets(here: Scope, choices: Choices) -> tuple[tuple[str, Any], ...]:
    known = _known_pipeline(here, choices)
    return tuple((stage.key, local(stage.label)) for stage in known.stages) if known else ()


def _known_pipeline(here: Scope, choices: Choices) -> Pipeline | None:
    history = choices.history
    return find_pipeline(here.catalog.pipelines.values(), history.pipeline) if history else None


def _stages(here: Scope, profile: TableProfile, choices: Choices) -> tuple[TextLine, ...]:
    """The stage texts: to be sorted for a new pipeline, to be matched with one that is there."""
    history = choices.history
    column = profile.column(history.stage_column) if history else None
    if history is None or not _is_sortable(column):
        return ()
    assert column is not None
    known = _known_pipeline(here, choices)
    ends = {} if history.status_column else _ends(history)
    ranks = {text: rank for rank, text in enumerate(history.order, start=1)}
    lines = []
    for place, text in enumerate(stage_texts(column)):
        kind = ends.get(text, "open")
        target = history.stages.get(text) or (suggested_stage(known, text, kind) if known else None)
        rank = ranks.get(text, len(ranks) + place + 1)
        lines.append(TextLine(place, text, (column.values or {}).get(text, 0), kind, rank, target or ""))
    return tuple(lines)


def _statuses(profile: TableProfile, choices: Choices) -> tuple[TextLine, ...]:
    """The texts of a column that says won, lost or open."""
    history = choices.history
    column = profile.column(history.status_column) if history and history.status_column else None
    if history is None or not _is_sortable(column):
        return ()
    assert column is not None
    ends = _ends(history)
    return tuple(
        TextLine(place, text, (column.values or {}).get(text, 0), ends.get(text, "open"), place + 1)
        for place, text in enumerate(stage_texts(column))
    )


def _is_sortable(column: ColumnProfile | None) -> bool:
    return column is not None and bool(column.values) and len(column.values or ()) <= MOST_TEXTS


def _ends(history: HistoryChoice) -> dict[str, str]:
    return {text: kind for kind in CLOSING for text in getattr(history, kind)}
