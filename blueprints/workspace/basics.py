"""The history of a record's basic facts: each change with old and new value, who and when (S30).

The probability changes with the stage as well, unless a person gave one of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import render_template
from flask_babel import gettext

from blueprints.messages import local
from blueprints.scope import Scope, scope
from blueprints.workspace.area import record_address, workspace
from blueprints.workspace.record_forms import is_fragment
from blueprints.workspace.shown import Reader, moment
from builder.domain.fields import ObjectDefinition
from builder.domain.pipeline import Pipeline
from builder.queries.basics import ROLES, basics_events
from builder.queries.definitions import pipeline_version
from builder.queries.record import get_record
from builder.queries.row import FullRecord
from builder.queries.timeline import TimelineEvent


@dataclass(frozen=True, slots=True)
class BasicChange:
    """One change of one basic fact; an empty text: there was or is no value."""

    label: str
    before: str
    after: str
    who: str
    when: str
    iso: str


@workspace.get("/r/<rid:record_id>/basics")
def record_basics(record_id: int) -> str:
    """The table alone for htmx, a page of its own without."""
    here = scope()
    record = get_record(here.session, here.actor, record_id).record
    facts = {"record": record, "changes": _changes(here, record), "address": record_address(record_id)}
    name = "fragments/record/basics.html" if is_fragment() else "pages/workspace/record_basics.html"
    return render_template(name, **facts)


def _changes(here: Scope, record: FullRecord) -> list[BasicChange]:
    definition = here.catalog.object(record.object_key)
    reader = Reader(here)
    return [
        BasicChange(
            label,
            before,
            after,
            event.actor_name or gettext("Funnelwright"),
            moment(event.effective_at),
            event.effective_at.isoformat(),
        )
        for event in basics_events(here.session, record.id)
        for label, before, after in _of_event(here, reader, definition, record, event)
        if before != after
    ]


def _of_event(
    here: Scope, reader: Reader, definition: ObjectDefinition, record: FullRecord, event: TimelineEvent
) -> Iterator[tuple[str, str, str]]:
    """Label, old and new text of every basic fact that the event changed."""
    before, after = _mapping(event.data.get("before")), _mapping(event.data.get("after"))
    own = definition.fields.by_role.get("probability")
    for role in ROLES:
        field = definition.fields.by_role.get(role)
        if field is None or (role == "probability" and event.kind == "record.moved"):
            continue
        if field.key in before or field.key in after:
            old = reader.cell(field, before.get(field.key), record.currency).text
            new = reader.cell(field, after.get(field.key), record.currency).text
            yield local(field.label), old, new
    if event.kind == "record.moved" and not here.actor.hides(record.object_key, "probability"):
        pipeline = _pipeline(here, event)
        given = reader.cell(own, before.get(own.key)).text if own else ""
        label = local(own.label) if own else gettext("Probability")
        yield label, given or _of_stage(pipeline, event, "from"), _of_stage(pipeline, event, "to")


def _pipeline(here: Scope, event: TimelineEvent) -> Pipeline | None:
    version = event.data.get("pipeline_version")
    if isinstance(version, int):
        return pipeline_version(here.session, here.catalog, version)
    return here.catalog.pipelines.get(str(event.data.get("pipeline")))


def _of_stage(pipeline: Pipeline | None, event: TimelineEvent, side: str) -> str:
    """The probability that the stage gave, as the version of then had it."""
    stage = pipeline.by_key.get(str(event.data.get(side))) if pipeline else None
    return f"{stage.probability} %" if stage else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
