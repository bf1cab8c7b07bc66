"""What happened to a record, in human words: labels instead of keys, values as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.area import record_address
from blueprints.workspace.cells import Cell
from blueprints.workspace.record_forms import ids_in
from blueprints.workspace.shown import Reader, is_id, moment, names_in, stage_name
from builder.domain.fields import FieldSet, ObjectDefinition
from builder.domain.pipeline import Pipeline, Stage
from builder.queries.definitions import pipeline_version
from builder.queries.row import FullRecord, names_of_members, names_of_records
from builder.queries.timeline import TimelineEvent

_ICONS = {
    "record.created": "plus",
    "record.loaded": "download",
    "record.changed": "pencil",
    "record.moved": "arrow-right",
    "record.deleted": "trash",
    "record.restored": "arrow-back-up",
    "record.converted": "switch-horizontal",
    "stage.worked": "checklist",
    "move.requested": "clock",
}


@dataclass(frozen=True, slots=True)
class Change:
    label: str
    before: Cell
    after: Cell


@dataclass(frozen=True)
class Told:
    """One event: ``text`` says what, ``changes`` show values, ``links`` lead to records that were made."""

    icon: str
    text: str
    who: str
    when: str
    iso: str
    changes: tuple[Change, ...] = ()
    details: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()


class Teller:
    """Tells the events of one record; reads the names behind all their ids at once."""

    def __init__(self, here: Scope, record: FullRecord, events: Iterable[TimelineEvent]) -> None:
        self.here = here
        self.record = record
        self.events = tuple(events)
        self.definition: ObjectDefinition = here.catalog.object(record.object_key)
        documents = [_mapping(event.data.get(side)) for event in self.events for side in ("before", "after")]
        records, members = ids_in(self.definition.fields, documents)
        for event in self.events:
            records |= {int(text) for text in _mapping(event.data.get("into")).values() if is_id(str(text))}
        self.names = names_of_records(here.session, records)
        self.reader = Reader(here, self.names, names_of_members(here.session, members))

    def told(self) -> list[Told]:
        return [self._tell(event) for event in self.events]

    def _tell(self, event: TimelineEvent) -> Told:
        text, changes, details, links = self._words(event)
        return Told(
            icon=_ICONS.get(event.kind, "info-circle"),
            text=text,
            who=event.actor_name or gettext("Funnelwright"),
            when=moment(event.effective_at),
            iso=event.effective_at.isoformat(),
            changes=changes,
            details=details,
            links=links,
        )

    def _words(
        self, event: TimelineEvent
    ) -> tuple[str, tuple[Change, ...], tuple[str, ...], tuple[tuple[str, str], ...]]:
        data = event.data
        if event.kind == "record.changed":
            return gettext("changed values"), self._changes(data), (), ()
        if event.kind == "record.moved":
            return self._move(data), self._changes(data), self._move_details(data), ()
        if event.kind in ("record.created", "record.loaded"):
            return self._beginning(event), (), (), ()
        if event.kind == "stage.worked":
            return *self._work(data), ()
        if event.kind == "record.converted":
            return gettext("converted it into"), (), (), tuple(self._made(_mapping(data.get("into"))))
        if event.kind == "move.requested":
            pipeline = self._pipeline(data)
            stage = stage_name(pipeline, data.get("to"))
            return gettext("asked for the approval to move it to “%(stage)s”", stage=stage), (), (), ()
        words = {
            "record.deleted": gettext("put it into the recycle bin"),
            "record.restored": gettext("took it out of the recycle bin"),
        }
        return words.get(event.kind, event.kind), (), (), ()

    def _changes(self, data: Mapping[str, Any]) -> tuple[Change, ...]:
        before, after = _mapping(data.get("before")), _mapping(data.get("after"))
        return tuple(
            Change(
                field.label.text(self.reader.context.locale) or field.key,
                self.reader.cell(field, before.get(field.key), self.record.currency),
                self.reader.cell(field, after.get(field.key), self.record.currency),
            )
            for field in self.definition.fields
            if field.key in before or field.key in after
        )

    def _pipeline(self, data: Mapping[str, Any]) -> Pipeline | None:
        version = data.get("pipeline_version")
        if isinstance(version, int):
            return pipeline_version(self.here.session, self.here.catalog, version)
        return self.here.catalog.pipelines.get(data.get("pipeline") or self.record.pipeline_key or "")

    def _move(self, data: Mapping[str, Any]) -> str:
        pipeline = self._pipeline(data)
        to = stage_name(pipeline, data.get("to"))
        if not data.get("from"):
            return gettext("put it into “%(stage)s”", stage=to)
        before = stage_name(pipeline, data.get("from"))
        if data.get("via") == "back":
            return gettext("moved it back from “%(before)s” to “%(stage)s”", before=before, stage=to)
        if data.get("outcome") in ("won", "lost", "invalid"):
            return gettext("closed it from “%(before)s” as “%(stage)s”", before=before, stage=to)
        return gettext("moved it from “%(before)s” to “%(stage)s”", before=before, stage=to)

    def _move_details(self, data: Mapping[str, Any]) -> tuple[str, ...]:
        pipeline = self._pipeline(data)
        details = []
        if data.get("reason"):
            details.append(gettext("Reason: %(reason)s", reason=reason_name(pipeline, data["reason"])))
        if data.get("note"):
            details.append(str(data["note"]))
        if data.get("skipped"):
            stages = names_in(stage_name(pipeline, key) for key in data["skipped"])
            details.append(gettext("Skipped: %(stages)s", stages=stages))
        if data.get("override"):
            details.append(gettext("Set the gate aside: %(reason)s", reason=data["override"]))
        return tuple(details)

    def _beginning(self, event: TimelineEvent) -> str:
        pipeline = self.here.catalog.pipelines.get(event.data.get("pipeline") or "")
        stage = stage_name(pipeline, event.data.get("stage"))
        if event.kind == "record.loaded":
            return gettext("brought it in from another system")
        return gettext("created it in “%(stage)s”", stage=stage) if stage else gettext("created it")

    def _work(self, data: Mapping[str, Any]) -> tuple[str, tuple[Change, ...], tuple[str, ...]]:
        before, after = _mapping(data.get("before")), _mapping(data.get("after"))
        pipeline = self.here.catalog.pipelines.get(self.record.pipeline_key or "")
        stage = pipeline.by_key.get(str(data.get("stage"))) if pipeline else None
        details = []
        ticked = set(_mapping(after.get("tasks_done"))) - set(_mapping(before.get("tasks_done")))
        undone = set(_mapping(before.get("tasks_done"))) - set(_mapping(after.get("tasks_done")))
        if ticked:
            details.append(gettext("Done: %(tasks)s", tasks=names_in(_task_names(stage, ticked))))
        if undone:
            details.append(gettext("Open again: %(tasks)s", tasks=names_in(_task_names(stage, undone))))
        if "is_marked" in after and stage is not None and stage.marker is not None:
            marker = local(stage.marker.label)
            is_met = bool(after["is_marked"])
            details.append(
                gettext("Sign is there: %(marker)s", marker=marker)
                if is_met
                else gettext("Sign is not there: %(marker)s", marker=marker)
            )
        changes = self._answers(stage, before, after) if "answers" in after else ()
        name = local(stage.label) if stage else str(data.get("stage"))
        return gettext("worked on “%(stage)s”", stage=name), changes, tuple(details)

    def _answers(
        self, stage: Stage | None, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> tuple[Change, ...]:
        form = self.here.catalog.feedback.get(stage.feedback or "") if stage else None
        fields: FieldSet | tuple[()] = form.fields if form else ()
        old, new = _mapping(before.get("answers")), _mapping(after.get("answers"))
        return tuple(
            Change(
                field.label.text(self.reader.context.locale) or field.key,
                self.reader.cell(field, old.get(field.key)),
                self.reader.cell(field, new.get(field.key)),
            )
            for field in fields
            if old.get(field.key) != new.get(field.key)
        )

    def _made(self, into: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        for object_key, text in into.items():
            definition = self.here.catalog.objects.get(object_key)
            kind = local(definition.label) if definition else object_key
            name = self.names.get(int(text), "") if is_id(str(text)) else ""
            if name:
                yield f"{kind} {name}", record_address(int(text))


def reason_name(pipeline: Pipeline | None, key: str) -> str:
    for reasons in pipeline.reasons.values() if pipeline else ():
        for reason in reasons:
            if reason.key == key:
                return str(local(reason.label))
    return key


def _task_names(stage: Stage | None, keys: set[str]) -> list[str]:
    known: dict[str, str] = {}
    for task in stage.tasks if stage else ():
        known[task.key] = local(task.label)
        known |= {f"{task.key}/{sub.key}": local(sub.label) for sub in task.subtasks}
    return [label for key, label in known.items() if key in keys] + sorted(keys - known.keys())


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
