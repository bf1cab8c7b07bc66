"""Today: a person's open records by pipeline, what is overdue, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import render_template, url_for
from flask_babel import format_date, gettext

from blueprints.messages import local
from blueprints.scope import Scope, scope
from blueprints.workspace.area import board_address, record_address, workspace
from blueprints.workspace.cells import Cell, Mark
from blueprints.workspace.cycle_facts import shown_reminders
from blueprints.workspace.filter_words import evaluation_context, filter_text
from blueprints.workspace.limit_words import ShownLimit, shown_limit
from blueprints.workspace.shown import Reader, duration, stage_color
from builder.domain.conditions import All, Comparison, Condition
from builder.domain.gates import is_task_done
from builder.domain.money import from_minor
from builder.domain.pipeline import Pipeline, Stage
from builder.domain.time_limits import NO_LIMITS, whole_days
from builder.fieldtypes.money import money_text
from builder.queries.row import RecordRow
from builder.queries.today import PAST_LIMITS, OwnWork, own_work, tasks_done


@dataclass(frozen=True)
class Line:
    """One open record: where it stands, for how long, and the next thing to do."""

    address: str
    name: str
    stage: Mark
    age: str
    amount: str
    close: str
    is_overdue: bool
    next: str
    limit: ShownLimit | None = None


@dataclass(frozen=True)
class Section:
    pipeline: Pipeline
    label: str
    icon: str
    work: OwnWork
    lines: tuple[Line, ...]
    board: str
    all_address: str
    strained_address: str


@workspace.get("/")
def home() -> str:
    here = scope()
    pipelines = list(here.catalog.pipelines.values())
    order = {key: place for place, key in enumerate(here.catalog.objects)}
    pipelines.sort(key=lambda pipeline: order.get(pipeline.object_key, len(order)))
    work = own_work(here.session, here.actor, pipelines, evaluation_context(here))
    done = tasks_done(here.session, [row.id for each in work for row in each.rows])
    reader = Reader(here)
    sections = [
        _section(here, reader, pipeline, each, done) for pipeline, each in zip(pipelines, work, strict=True)
    ]
    return render_template(
        "pages/workspace/home.html",
        sections=[section for section in sections if section.work.count],
        quiet=[section for section in sections if not section.work.count],
        greeting=gettext("Hello, %(name)s", name=here.actor.name),
        open_count=sum(section.work.count for section in sections),
        overdue_count=sum(section.work.overdue for section in sections),
        reminders=shown_reminders(here),
        strained_count=sum(section.work.strained for section in sections),
        may_create=here.actor.can("record.create"),
        objects=list(here.catalog.objects.values()),
        may_import="import" in here.actor.rights,
        may_begin=not here.catalog.pipelines and here.actor.can("definitions.edit"),
    )


def _section(here: Scope, reader: Reader, pipeline: Pipeline, work: OwnWork, done: Any) -> Section:
    definition = here.catalog.objects.get(pipeline.object_key)
    today = here.workspace.day_of(here.clock.now())
    lines = []
    for row in work.rows:
        stage = pipeline.by_key.get(row.stage_key or "")
        is_overdue = row.expected_close_on is not None and row.expected_close_on < today
        lines.append(
            Line(
                address=record_address(row.id),
                name=row.name,
                stage=Mark(local(stage.label), stage_color(stage)) if stage else Mark(row.stage_key or ""),
                age=_age(here, row),
                amount=amount_of(reader, row).text,
                close=_day(row.expected_close_on),
                is_overdue=is_overdue,
                next=next_step(stage, done.get(row.id, frozenset())),
                limit=_limit(here, row, stage),
            )
        )
    mine = (Comparison("record.pipeline", "eq", pipeline.key), Comparison("record.outcome", "eq", "open"),
            Comparison("record.owner", "is_me"))  # fmt: skip
    return Section(
        pipeline,
        local(pipeline.label),
        definition.icon if definition else "route",
        work,
        tuple(lines),
        board_address(pipeline.key),
        _listed(pipeline, *mine),
        _listed(pipeline, *mine, PAST_LIMITS),
    )


def _listed(pipeline: Pipeline, *parts: Condition) -> str:
    """Where records of the process are listed that satisfy all of these."""
    return url_for("workspace.record_list", object_key=pipeline.object_key, f=filter_text(All(parts)))


def _limit(here: Scope, row: RecordRow, stage: Stage | None) -> ShownLimit | None:
    """How long the record stands in its stage against its limits; nothing while it is on time."""
    if stage is None or row.stage_entered_at is None:
        return None
    days = whole_days((here.clock.now() - row.stage_entered_at).total_seconds())
    told = shown_limit(days, stage.limits if stage.is_open else NO_LIMITS)
    return told if told is not None and told.word else None


def amount_of(reader: Reader, row: Any) -> Cell:
    """The amount of a record in its own currency."""
    if row.amount_minor is None or not row.currency:
        return Cell("")
    text = money_text(from_minor(row.amount_minor, row.currency), row.currency, reader.context)
    return Cell(text, kind="number")


def next_step(stage: Stage | None, done: frozenset[str]) -> str:
    """The first open task of the stage, else its sign, else its first key action."""
    if stage is None:
        return ""
    for task in stage.tasks:
        if not is_task_done(task, done):
            return str(local(task.label))
    if stage.marker is not None:
        return str(local(stage.marker.label))
    return str(local(stage.key_actions[0].label)) if stage.key_actions else ""


def _age(here: Scope, row: RecordRow) -> str:
    if row.stage_entered_at is None:
        return ""
    return duration((here.clock.now() - row.stage_entered_at).total_seconds())


def _day(value: Any) -> str:
    return format_date(value, "medium") if value else ""
