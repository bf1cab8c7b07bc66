"""The history part of an import plan: which pipeline, what each stage text of the file means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from builder.domain.fields import ObjectDefinition
from builder.domain.pipeline import Pipeline
from builder.errors import N_, Conflict, Invalid
from builder.exchange.csv import Table
from builder.exchange.history_log import (
    StageNames,
    display_names,
    folded,
    pipeline_document,
    stage_map,
    usual_order,
)
from builder.exchange.plan import HistoryPlan
from builder.exchange.profile import ColumnProfile, TableProfile
from builder.metadata.grammar import Document
from builder.services.unit_of_work import UnitOfWork

CLOSING = ("won", "lost", "invalid")
NOT_COVERED = N_("The stage “%(stage)s” of the file is named neither as open nor as won, lost or invalid.")
NO_PIPELINE = N_("There is no pipeline “%(pipeline)s”.")
OTHER_OBJECT = N_("The pipeline “%(pipeline)s” is for records of another object.")
SEVERAL_CLOSING = N_(
    "The pipeline %(pipeline)s has no stage, or several, for records that ended as “%(status)s”. "
    "Take the stage from the column of stages alone."
)
TOO_MANY_STAGES = N_("The column “%(column)s” has too many different values for stages.")


@dataclass(frozen=True)
class HistoryChoice:
    """Which columns tell history, and how the stages of the file are ordered and end.

    ``stages``: text of the file to stage key, for a pipeline that is there. With ``status_column`` the tuples
    *won*, *lost* and *invalid* hold texts of that column, and the stage column names open stages only.
    """

    pipeline: str
    stage_column: str
    create: bool = False
    at_column: str | None = None
    closed_column: str | None = None
    amount_column: str | None = None
    user_column: str | None = None
    order: tuple[str, ...] = ()
    won: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()
    stages: Mapping[str, str] = field(default_factory=dict)
    status_column: str | None = None


def plan_history(
    uow: UnitOfWork,
    profile: TableProfile,
    definition: ObjectDefinition,
    wanted: HistoryChoice | None,
) -> tuple[HistoryPlan | None, Document | None]:
    """The plan of a history, and the pipeline to publish for it when there is none yet."""
    if wanted is None:
        return None, None
    column = profile.column(wanted.stage_column)
    texts = stage_texts(column)
    known = find_pipeline(uow.catalog.pipelines.values(), wanted.pipeline)
    document = None
    if known is None:
        if not wanted.create:
            raise Invalid(NO_PIPELINE, pipeline=wanted.pipeline)
        names = _stage_names(texts, wanted)
        if wanted.status_column is not None:
            names = StageNames(names.order, needs_invalid=bool(wanted.invalid))
        document = pipeline_document(wanted.pipeline, definition.key, names, uow.catalog.pipelines)
        key, stages = document["key"], _stages_of(document)
        closing = _closing([(stage["key"], stage["kind"]) for stage in document["stages"]])
    elif known.object_key != definition.key:
        raise Conflict(OTHER_OBJECT, pipeline=wanted.pipeline)
    else:
        key, stages = known.key, stage_map(known, texts, wanted.stages)
        closing = _closing([(stage.key, stage.kind) for stage in known.stages])
    plan = HistoryPlan(
        pipeline=key,
        stage_column=wanted.stage_column,
        stages=stages,
        at_column=wanted.at_column,
        closed_column=wanted.closed_column,
        amount_column=wanted.amount_column,
        user_column=wanted.user_column,
        status_column=wanted.status_column,
        statuses=_statuses(profile, wanted, closing),
    )
    return plan, document


def _closing(stages: Iterable[tuple[str, str]]) -> dict[str, str | None]:
    """The stage of each closing kind, ``None`` for one that has several."""
    found: dict[str, str | None] = {}
    for key, kind in stages:
        found[kind] = None if kind in found else key
    return found


def _statuses(
    profile: TableProfile, wanted: HistoryChoice, closing: Mapping[str, str | None]
) -> dict[str, str | None]:
    """What each text of the status column means. Errors: Conflict for an end that has no stage of its own."""
    if wanted.status_column is None:
        return {}
    kinds = {folded(text): kind for kind in CLOSING for text in getattr(wanted, kind)}
    found: dict[str, str | None] = {}
    for text in stage_texts(profile.column(wanted.status_column)):
        kind = kinds.get(folded(text), "open")
        found[folded(text)] = None if kind == "open" else closing.get(kind)
        if kind != "open" and closing.get(kind) is None:
            raise Conflict(SEVERAL_CLOSING, pipeline=wanted.pipeline, status=text)
    return found


def find_pipeline(pipelines: Iterable[Pipeline], name: str) -> Pipeline | None:
    """By key, or by label in any language."""
    for pipeline in pipelines:
        labels = {folded(text) for _, text in pipeline.label.translations}
        if pipeline.key == name or folded(name) in labels:
            return pipeline
    return None


def stage_texts(column: ColumnProfile | None) -> tuple[str, ...]:
    if column is None or not column.filled:
        raise Invalid(N_("The stage column is empty."))
    if column.values is None or len(column.values) > 500:
        raise Invalid(
            N_("The column “%(column)s” has too many different values for stages."), column=column.name
        )
    return display_names(column.values)


def in_usual_order(
    wanted: HistoryChoice, table: Table, profile: TableProfile, key_column: str
) -> HistoryChoice:
    """The choice with the open stages of a log as records usually come to them.

    Errors: Invalid for a stage column that names no stages.
    """
    rank = {
        text: place for place, text in enumerate(usual_order(_paths(table, key_column, wanted.stage_column)))
    }
    closing = _closing_texts(wanted)
    texts = stage_texts(profile.column(wanted.stage_column))
    is_open = (text for text in texts if folded(text) not in closing)
    return replace(wanted, order=tuple(sorted(is_open, key=lambda text: rank.get(folded(text), len(rank)))))


def _closing_texts(wanted: HistoryChoice) -> set[str]:
    """The stage texts that end a record; none where another column says how it ended."""
    if wanted.status_column is not None:
        return set()
    return {folded(text) for kind in CLOSING for text in getattr(wanted, kind)}


def _stage_names(texts: Sequence[str], wanted: HistoryChoice) -> StageNames:
    """Stages by kind; without a given order, the open ones stand as the file names them first."""
    closing = _closing_texts(wanted)
    order = wanted.order or tuple(text for text in texts if folded(text) not in closing)
    covered = closing | {folded(text) for text in order}
    for text in texts:
        if folded(text) not in covered:
            raise Invalid(NOT_COVERED, stage=text)
    return StageNames(order, wanted.won, wanted.lost, wanted.invalid)


def _stages_of(document: Document) -> dict[str, str]:
    """Stage keys of a new pipeline by the texts that they were made from."""
    return {folded(text): stage["key"] for stage in document["stages"] for text in stage["label"].values()}


def _paths(table: Table, key_column: str, stage_column: str) -> list[list[str]]:
    """The folded stages of each record of a log, in file order."""
    key, stage = table.columns.index(key_column), table.columns.index(stage_column)
    found: dict[str, list[str]] = {}
    # One text for all rows that name a stage: a log has few stages and many rows.
    known: dict[str, str] = {}
    for row in table.rows():
        if row.problem is None and (text := row.cells[stage].strip()):
            name = known.get(text) or known.setdefault(text, folded(text))
            found.setdefault(row.cells[key].strip(), []).append(name)
    return list(found.values())
