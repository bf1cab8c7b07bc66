"""What the mapping form of an import sent, as choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from werkzeug.datastructures import MultiDict

from blueprints.workspace.import_parts import read_options, read_units
from builder.exchange.moments import STATED, DateOrder
from builder.exchange.numbers import DecimalMark
from builder.exchange.plan import KnownRows
from builder.exchange.profile import TableProfile
from builder.fieldtypes.registry import all_types
from builder.services.import_choices import Choices
from builder.services.import_history import CLOSING, HistoryChoice
from builder.services.import_presets import kinds_of_texts

NEW_PIPELINE = "+"
MOST_TEXTS = 100
# Types that cannot be made from a column alone.
NOT_NEW = (
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


def stored_choices(options: Mapping[str, Any]) -> Choices | None:
    """The choices that were kept with a job."""
    document = options.get("choices")
    return None if document is None else Choices.from_document(document)


def read_choices(form: MultiDict[str, str], profile: TableProfile) -> Choices:
    """What the page sent. Anything that is no choice counts as none."""
    names = [column.name for column in profile.columns]
    fields: dict[str, str | None] = {}
    new_types: dict[str, str | None] = {}
    orders: dict[str, DateOrder] = {}
    marks: dict[str, DecimalMark] = {}
    known_types = {known.key for known in all_types()} - set(NOT_NEW) | {"reference"}
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
    history = _read_history(form, profile) if "with_history" in form else None
    return Choices(
        fields=fields,
        new_types=new_types,
        key_column=key_column if key_column in names else None,
        orders=orders,
        marks=marks,
        units=read_units(form, names),
        options=read_options(form, names),
        create_users="create_users" in form,
        create_references="create_references" in form,
        known_rows=_read_known_rows(form),
        entry_pipeline=form.get("entry_pipeline") or None,
        history=history,
        # Kept while its columns are not chosen yet: the form says by it which ones it asks for.
        mode="log" if "with_history" in form and _is_log(form) else "rows",
    )


def _read_known_rows(form: MultiDict[str, str]) -> KnownRows:
    """What becomes of rows whose record is here already."""
    wanted = form.get("known_rows", "")
    return cast(KnownRows, wanted) if wanted in get_args(KnownRows) else "change"


def _is_log(form: MultiDict[str, str]) -> bool:
    """Whether a row is one visit of a stage, not a record with its dates."""
    return form.get("row_is") == "visit"


def _read_history(form: MultiDict[str, str], profile: TableProfile) -> HistoryChoice | None:
    names = [column.name for column in profile.columns]

    def column(name: str) -> str | None:
        chosen = form.get(name, "")
        return chosen if chosen in names else None

    is_log = _is_log(form)
    stage_column = column("stage_column")
    status_column = None if is_log else column("status_column")
    if stage_column is None:
        return None
    is_new = form.get("pipeline", NEW_PIPELINE) == NEW_PIPELINE
    name = " ".join(form.get("pipeline_name", "").split())[:100] if is_new else form["pipeline"]
    sorted_texts = _read_texts(form, "stage")
    stages = sorted_texts or kinds_of_texts(profile.column(stage_column))
    ends = stages
    if status_column is not None:
        ends = _read_texts(form, "status") or kinds_of_texts(profile.column(status_column))
        stages = {"open": [text for texts in stages.values() for text in texts]}
    return HistoryChoice(
        pipeline=name,
        stage_column=stage_column,
        create=is_new,
        at_column=column("at_column"),
        closed_column=None if is_log else column("closed_column"),
        amount_column=column("amount_column") if is_log else None,
        user_column=column("user_column") if is_log else None,
        # the visits of a log tell the usual order themselves
        order=() if is_log and not sorted_texts else tuple(stages["open"]),
        won=tuple(ends["won"]),
        lost=tuple(ends["lost"]),
        invalid=tuple(ends["invalid"]),
        stages=_read_targets(form),
        status_column=status_column,
    )


def _read_texts(form: MultiDict[str, str], part: str) -> dict[str, list[str]]:
    """Texts of a stage or status column by kind, the open ones in the order of their numbers; nothing where
    the page had no table of them, or one of the stages of a pipeline that is there.
    """
    if f"{part}-0-kind" not in form and f"{part}-0-rank" not in form:
        return {}
    found: dict[str, list[tuple[int, int, str]]] = {kind: [] for kind in ("open", *CLOSING)}
    for place in range(MOST_TEXTS):
        text = form.get(f"{part}-{place}-text")
        if text is None:
            break
        kind = form.get(f"{part}-{place}-kind", "open")
        rank = form.get(f"{part}-{place}-rank", "")
        number = int(rank) if rank.isascii() and rank.isdigit() and len(rank) < 5 else place + 1
        found[kind if kind in found else "open"].append((number, place, text))
    return {kind: [text for _, _, text in sorted(texts)] for kind, texts in found.items()}


def _read_targets(form: MultiDict[str, str]) -> dict[str, str]:
    """Which stage of a pipeline that is there each text means."""
    pairs = ((form.get(f"stage-{n}-text"), form.get(f"stage-{n}-target")) for n in range(MOST_TEXTS))
    return {text: target for text, target in pairs if text is not None and target}
