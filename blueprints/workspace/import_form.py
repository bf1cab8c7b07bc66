"""The mapping form of an import: from choices to what the page shows, and from what was sent to choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias, cast

from flask_babel import gettext, lazy_gettext
from werkzeug.datastructures import MultiDict

from blueprints.languages import language
from blueprints.messages import local, told
from blueprints.scope import Scope
from builder.domain.fields import ObjectDefinition
from builder.errors import Problem
from builder.exchange.moments import ORDERS, STATED, DateOrder
from builder.exchange.new_fields import new_field
from builder.exchange.numbers import DecimalMark
from builder.exchange.profile import ColumnProfile, TableProfile
from builder.fieldtypes.registry import all_types, field_type
from builder.services.import_history import HistoryChoice, find_pipeline, stage_texts
from builder.services.import_preview import ColumnPreview
from builder.services.import_setup import Choices, Proposal

NEW_PIPELINE = "+"
# The page of a small file shows at once what a choice changes.
LIVE_ROWS = 5_000
_KINDS = ("open", "won", "lost", "invalid")
# Types that cannot be made from a column alone.
_NOT_NEW = (
    "formula",
    "table",
    "choices",
    "reference",
    "sub_form",
    "auto_number",
    "rollup",
    "money_rollup",
    "file",
    "image",
)


Options: TypeAlias = tuple[tuple[str, Any, bool], ...]
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
    that is no question; ``preview`` what its texts become.
    """

    place: int
    profile: ColumnProfile
    chosen: str
    suggested_type: str
    orders: Options
    marks: Options
    preview: ColumnPreview | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class StageLine:
    """One stage text of the file, for a pipeline that is to be made."""

    place: int
    text: str
    rows: int
    kind: str
    rank: int


@dataclass(frozen=True)
class MappingPage:
    """All that the mapping page shows. Field and type options are (value, label) pairs."""

    columns: tuple[ColumnLine, ...]
    fields: tuple[tuple[str, str], ...]
    types: tuple[tuple[str, str], ...]
    pipelines: tuple[tuple[str, str], ...]
    stages: tuple[StageLine, ...]
    choices: Choices
    problems: tuple[tuple[str, str], ...]
    can_create_fields: bool
    can_create_users: bool
    can_load_history: bool
    is_live: bool

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(line.profile.name for line in self.columns)


def stored_choices(options: Mapping[str, Any]) -> Choices | None:
    """The choices that were kept with a job."""
    document = options.get("choices")
    if document is None:
        return None
    history = document["history"]
    return Choices(**{**document, "history": None if history is None else HistoryChoice(**history)})


def to_document(choices: Choices) -> dict[str, Any]:
    return asdict(choices)


def first_choices(profile: TableProfile, definition: ObjectDefinition, here: Scope) -> Choices:
    """What is proposed before a person said anything."""
    ids = [column for column in profile.columns if column.filled == profile.rows and column.is_unique]
    own = {definition.key, *(text.casefold() for _, text in definition.label.translations)}
    key = next(
        (
            column.name
            for column in ids
            if column.name.casefold().endswith("id") or column.name.casefold() in own
        ),
        None,
    )
    pipelines = here.catalog.pipelines_of(definition.key)
    return Choices(key_column=key, entry_pipeline=pipelines[0].key if len(pipelines) == 1 else None)


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
        types=tuple((known.key, local(known.label)) for known in all_types() if known.key not in _NOT_NEW),
        pipelines=tuple(
            (known.key, local(known.label)) for known in here.catalog.pipelines_of(definition.key)
        ),
        stages=_stages(here, profile, choices),
        choices=choices,
        problems=tuple(
            (f"field-{places[item.place]}" if item.place in places else "", told(item)) for item in listed
        ),
        can_create_fields=here.actor.can("definitions.edit"),
        can_create_users=here.actor.can("members.edit"),
        can_load_history=here.actor.can("load_history"),
        is_live=profile.rows <= LIVE_ROWS,
    )


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
    suggested = new_field(column, (), here.catalog.objects, definition.key).type
    return ColumnLine(
        place=place,
        profile=column,
        chosen=chosen,
        suggested_type=suggested,
        orders=_orders(column, choices) if wanted in ("date", "datetime") else (),
        marks=_marks(column, choices) if wanted in ("integer", "decimal", "money", "percent") else (),
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


def _stages(here: Scope, profile: TableProfile, choices: Choices) -> tuple[StageLine, ...]:
    """The stage texts to be sorted, when the pipeline is a new one."""
    history = choices.history
    column = profile.column(history.stage_column) if history else None
    if history is None or column is None or not column.values or len(column.values) > 100:
        return ()
    if find_pipeline(here.catalog.pipelines.values(), history.pipeline) is not None:
        return ()
    kinds = {text: kind for kind in _KINDS[1:] for text in getattr(history, kind)}
    ranks = {text: rank for rank, text in enumerate(history.order, start=1)}
    texts = stage_texts(column)
    return tuple(
        StageLine(
            place, text, column.values.get(text, 0), kinds.get(text, "open"), ranks.get(text, place + 1)
        )
        for place, text in enumerate(texts)
    )


def read_choices(form: MultiDict[str, str], profile: TableProfile) -> Choices:
    """What the page sent. Anything that is no choice counts as none."""
    names = [column.name for column in profile.columns]
    fields: dict[str, str | None] = {}
    new_types: dict[str, str | None] = {}
    orders: dict[str, DateOrder] = {}
    marks: dict[str, DecimalMark] = {}
    known_types = {known.key for known in all_types()} - set(_NOT_NEW) | {"reference"}
    for place, name in enumerate(names):
        kind, _, key = form.get(f"field-{place}", "").partition(":")
        if kind == "new" and key in known_types:
            new_types[name] = key
        else:
            fields[name] = key if kind == "key" else None
        if (order := form.get(f"order-{place}")) in STATED:
            orders[name] = order
        if (mark := form.get(f"mark-{place}")) in (".", ","):
            marks[name] = cast(DecimalMark, mark)
    key_column = form.get("key_column", "")
    return Choices(
        fields=fields,
        new_types=new_types,
        key_column=key_column if key_column in names else None,
        orders=orders,
        marks=marks,
        create_users="create_users" in form,
        create_references="create_references" in form,
        entry_pipeline=form.get("entry_pipeline") or None,
        history=_read_history(form, names) if "with_history" in form else None,
    )


def _read_history(form: MultiDict[str, str], names: list[str]) -> HistoryChoice | None:
    def column(name: str) -> str | None:
        chosen = form.get(name, "")
        return chosen if chosen in names else None

    stage_column = column("stage_column")
    if stage_column is None:
        return None
    is_new = form.get("pipeline", NEW_PIPELINE) == NEW_PIPELINE
    name = " ".join(form.get("pipeline_name", "").split())[:100] if is_new else form["pipeline"]
    by_kind = _read_stages(form)
    return HistoryChoice(
        pipeline=name,
        stage_column=stage_column,
        create=is_new,
        at_column=column("at_column"),
        closed_column=column("closed_column"),
        order=by_kind["open"],
        won=by_kind["won"],
        lost=by_kind["lost"],
        invalid=by_kind["invalid"],
    )


def _read_stages(form: MultiDict[str, str]) -> dict[str, tuple[str, ...]]:
    """Stage texts by kind; the open ones in the order of their numbers."""
    found: dict[str, list[tuple[int, int, str]]] = {kind: [] for kind in _KINDS}
    for place in range(100):
        text = form.get(f"stage-{place}-text")
        if text is None:
            break
        kind = form.get(f"stage-{place}-kind", "open")
        rank = form.get(f"stage-{place}-rank", "")
        number = int(rank) if rank.isascii() and rank.isdigit() and len(rank) < 5 else place + 1
        found[kind if kind in found else "open"].append((number, place, text))
    return {kind: tuple(text for _, _, text in sorted(texts)) for kind, texts in found.items()}
