"""From a preset to the choices of an import: a proposal that a person looks at and corrects (S25).

The screen starts with it when a file is recognised; the command line takes it where it is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from builder.domain.fields import ObjectDefinition
from builder.domain.labels import Label
from builder.domain.pipeline import Pipeline
from builder.errors import N_, Invalid
from builder.exchange.history_log import display_names, folded, named_stages
from builder.exchange.mapping import plain
from builder.exchange.moments import DateOrder
from builder.exchange.plan import BY_RULES
from builder.exchange.presets import Preset, presets
from builder.exchange.profile import ColumnProfile, TableProfile
from builder.exchange.words import outcome_of
from builder.services.import_choices import Choices
from builder.services.import_history import CLOSING, HistoryChoice, find_pipeline
from builder.services.unit_of_work import UnitOfWork

# A stage column has so many different texts at most; more are names or notes.
MOST_STAGES = 60


def first_choices(uow: UnitOfWork, profile: TableProfile, definition: ObjectDefinition) -> Choices:
    """What is proposed for a file that nobody knows: a key, and the only pipeline there is."""
    names = {plain(definition.key), *(plain(text) for _, text in definition.label.translations)}
    key = next(
        (
            column.name
            for column in profile.columns
            if _is_key(column, profile)
            and (column.name.casefold().endswith("id") or plain(column.name) in names)
        ),
        None,
    )
    return Choices(key_column=key, entry_pipeline=_only_pipeline(uow, definition))


def preset_choices(
    uow: UnitOfWork, preset: Preset, profile: TableProfile, definition: ObjectDefinition
) -> Choices:
    """What the preset says of the columns of this file, as far as the actor may do it."""
    base = first_choices(uow, profile, definition)
    if preset.is_log(profile) and uow.actor.can("load_history"):
        return _log_choices(uow, preset, profile, definition, base)
    mapped = preset.fields(profile, definition)
    filled = set(mapped.values())
    targets = definition.fields.targets
    types = {targets[key].type for key in filled if key is not None}
    # An id that names nothing is no name for a new record.
    named = {
        column
        for column, key in mapped.items()
        if key is not None and targets[key].type == "reference" and not column.casefold().endswith("id")
    }
    history = _history(uow, preset, profile, definition) if uow.actor.can("load_history") else None
    return replace(
        base,
        fields=mapped,
        key_column=_key_column(preset, profile) or base.key_column,
        orders=_orders(preset, profile),
        marks={column.name: preset.decimal_mark for column in profile.columns if column.is_mark_open}
        if preset.decimal_mark
        else {},
        create_users="user" in types and uow.actor.can("members.edit"),
        create_references=bool(named),
        history=history,
    )


def find_preset(key: str) -> Preset:
    """Errors: Invalid, naming the presets that there are."""
    try:
        return presets()[key]
    except KeyError:
        raise Invalid(
            N_("There is no preset “%(preset)s”. There are: %(presets)s."),
            preset=key,
            presets=", ".join(presets()),
        ) from None


def kinds_of_texts(column: ColumnProfile | None, preset: Preset | None = None) -> dict[str, list[str]]:
    """The texts of a stage or status column by what they mean: open, won, lost, invalid."""
    found: dict[str, list[str]] = {kind: [] for kind in ("open", *CLOSING)}
    for text in display_names(column.values) if column is not None and column.values else ():
        kind = preset.kind_of(text) if preset is not None else outcome_of(text) or "open"
        found[kind].append(text)
    if preset is not None:
        found["open"] = list(preset.in_order(found["open"]))
    return found


def suggested_stage(pipeline: Pipeline, text: str, kind: str) -> str | None:
    """The stage of a pipeline that a text of the file names, or the only one that ends so."""
    found = named_stages(pipeline).get(folded(text))
    if found is None and kind != "open":
        ends = [stage.key for stage in pipeline.stages if stage.kind == kind]
        found = ends[0] if len(ends) == 1 else None
    return found


def _history(
    uow: UnitOfWork, preset: Preset, profile: TableProfile, definition: ObjectDefinition
) -> HistoryChoice | None:
    stage, status = (_column(preset, profile, part) for part in ("stage", "status"))
    if stage is None and status is not None:
        stage, status = status, None
    if stage is None:
        stage = _state_column(preset, profile)
    if stage is None or not stage.values or len(stage.values) > MOST_STAGES:
        return None
    if status is not None and not any(outcome_of(text) for text in status.values or ()):
        status = None
    at, closed = (_column(preset, profile, part) for part in ("at", "closed"))
    kinds = kinds_of_texts(status or stage, preset)
    order = kinds_of_texts(stage, preset)["open"] if status is None else _all(stage, preset)
    choice = HistoryChoice(
        pipeline="",
        stage_column=stage.name,
        create=True,
        at_column=at.name if at is not None and at.date_share else None,
        closed_column=closed.name if closed is not None and closed.date_share else None,
        order=tuple(order),
        won=tuple(kinds["won"]),
        lost=tuple(kinds["lost"]),
        invalid=tuple(kinds["invalid"]),
        status_column=None if status is None else status.name,
    )
    return _into_pipeline(uow, choice, stage, preset, _name(uow, preset, profile, definition), definition)


def _log_choices(
    uow: UnitOfWork, preset: Preset, profile: TableProfile, definition: ObjectDefinition, base: Choices
) -> Choices:
    """Of a file of visits: the history alone. What records hold besides stands in a file of its own."""
    assert preset.log is not None
    key, at = preset.column(profile, preset.log.key), preset.column(profile, preset.log.at)
    stage = _column(preset, profile, "stage")
    if key is None or at is None or stage is None or not stage.values or len(stage.values) > MOST_STAGES:
        return base
    kinds = kinds_of_texts(stage, preset)
    amount = preset.column(profile, preset.log.amount)
    choice = HistoryChoice(
        pipeline="",
        stage_column=stage.name,
        create=True,
        at_column=at.name,
        amount_column=None if amount is None else amount.name,
        order=tuple(kinds["open"]),
        won=tuple(kinds["won"]),
        lost=tuple(kinds["lost"]),
        invalid=tuple(kinds["invalid"]),
    )
    history = _into_pipeline(uow, choice, stage, preset, _name(uow, preset, profile, definition), definition)
    if history is None:
        return base
    return replace(
        base,
        fields={column.name: None for column in profile.columns},
        key_column=key.name,
        orders=_orders(preset, profile),
        history=history,
        mode="log",
    )


def _state_column(preset: Preset, profile: TableProfile) -> ColumnProfile | None:
    """The column that says where records without a stage stand; any *status* is not one."""
    column = _column(preset, profile, "state")
    is_known = column is not None and any(map(preset.knows_stage, column.values or ()))
    return column if is_known else None


def _all(stage: ColumnProfile, preset: Preset) -> tuple[str, ...]:
    return preset.in_order(display_names(stage.values or {}))


def _into_pipeline(
    uow: UnitOfWork,
    choice: HistoryChoice,
    stage: ColumnProfile,
    preset: Preset,
    name: str,
    definition: ObjectDefinition,
) -> HistoryChoice | None:
    """A pipeline that has a stage for every text, the one called like the file's first; else a new one."""
    texts = display_names(stage.values or {})
    known = uow.catalog.pipelines_of(definition.key)
    called = find_pipeline(known, name)
    for pipeline in ([called] if called else []) + [each for each in known if each is not called]:
        stages = {
            text: found
            for text in texts
            if (found := suggested_stage(pipeline, text, preset.kind_of(text))) is not None
        }
        if len(stages) == len(texts):
            return replace(choice, pipeline=pipeline.key, create=False, stages=stages)
    if not uow.actor.can("definitions.edit") or not choice.order:
        return None
    if find_pipeline(uow.catalog.pipelines.values(), name) is not None:
        name = f"{name} ({_label(preset.label, uow)})"
    return replace(choice, pipeline=name)


def _name(uow: UnitOfWork, preset: Preset, profile: TableProfile, definition: ObjectDefinition) -> str:
    """What the file calls its process, else a name for it that files of other objects do not get."""
    column = _column(preset, profile, "pipeline")
    values = list(column.values or ()) if column is not None else []
    if len(values) == 1:
        return values[0][:100]
    return f"{_label(preset.label, uow)}: {_label(definition.label_plural, uow)}"[:100]


def _label(label: Label, uow: UnitOfWork) -> str:
    return label.text(uow.workspace.locale)


def _column(preset: Preset, profile: TableProfile, part: str) -> ColumnProfile | None:
    return preset.column(profile, preset.history.get(part, ()))


def _key_column(preset: Preset, profile: TableProfile) -> str | None:
    for header in preset.key_columns:
        column = preset.column(profile, (header,))
        if column is not None and _is_key(column, profile):
            return column.name
    return None


def _is_key(column: ColumnProfile, profile: TableProfile) -> bool:
    return bool(column.filled) and column.filled == profile.rows - profile.unusable and column.is_unique


def _orders(preset: Preset, profile: TableProfile) -> dict[str, DateOrder]:
    """The preset's order for columns that leave it open; the person sees it and may say otherwise."""
    if preset.date_order is None:
        return {}
    return {column.name: preset.date_order for column in profile.columns if column.is_order_open}


def _only_pipeline(uow: UnitOfWork, definition: ObjectDefinition) -> str | None:
    """What new records enter where nobody need be asked: what the rules say, or the only process there is."""
    if any(rule.is_on for rule in definition.assignment.rules):
        return BY_RULES
    pipelines: Sequence[Pipeline] = uow.catalog.pipelines_of(definition.key)
    return pipelines[0].key if len(pipelines) == 1 else None
