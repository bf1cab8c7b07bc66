"""What happened to a record, in human words: labels instead of keys, values as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext

from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.area import record_address
from blueprints.workspace.cells import NOTHING, Cell
from blueprints.workspace.record_forms import ids_in
from blueprints.workspace.shown import Reader, is_id, moment, names_in, stage_name
from builder.domain.fields import FieldSet, ObjectDefinition
from builder.domain.mentions import SIGN, Span, spans
from builder.domain.pipeline import Pipeline, Stage
from builder.fieldtypes.file import size_text
from builder.queries.definitions import pipeline_version
from builder.queries.notes import NoteView, notes_by_id
from builder.queries.people import active_members
from builder.queries.row import FullRecord, RecordRow, names_of_members, names_of_records
from builder.queries.timeline import NOTE, TimelineEvent

_ICONS = {
    "record.created": "plus",
    "record.loaded": "download",
    "record.changed": "pencil",
    "record.moved": "arrow-right",
    "record.migrated": "route",
    "record.deleted": "trash",
    "record.restored": "arrow-back-up",
    "record.merged": "copy",
    "record.absorbed": "copy",
    "record.converted": "switch-horizontal",
    "stage.worked": "checklist",
    "move.requested": "clock",
    NOTE: "message",
}
_EXCERPT = 300


@dataclass(frozen=True, slots=True)
class Change:
    label: str
    before: Cell
    after: Cell


@dataclass(frozen=True, slots=True)
class ShownFile:
    name: str
    size: str
    address: str


@dataclass(frozen=True, slots=True)
class ShownNote:
    """A note as it is now; ``edit`` and ``remove`` are addresses for those who may."""

    spans: tuple[Span, ...]
    files: tuple[ShownFile, ...]
    edited: str
    edit: str
    remove: str


@dataclass(frozen=True)
class Told:
    """One entry: ``text`` says what, ``changes`` show values, ``links`` lead to records that were made.

    ``mark``: the channel of an activity.
    """

    icon: str
    text: str
    who: str
    when: str
    iso: str
    changes: tuple[Change, ...] = ()
    details: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    note: ShownNote | None = None
    mark: Cell = NOTHING


class Teller:
    """Tells what happened to one record: events, and activities as the records that they are.

    Reads the names behind all their ids at once, and all notes.
    """

    def __init__(self, here: Scope, record: FullRecord, entries: Iterable[TimelineEvent | RecordRow]) -> None:
        self.here = here
        self.record = record
        self.entries = tuple(entries)
        self.events = tuple(entry for entry in self.entries if isinstance(entry, TimelineEvent))
        self.definition: ObjectDefinition = here.catalog.object(record.object_key)
        documents = [_mapping(event.data.get(side)) for event in self.events for side in ("before", "after")]
        records, members = ids_in(self.definition.fields, documents)
        for event in self.events:
            records |= {int(text) for text in _mapping(event.data.get("into")).values() if is_id(str(text))}
        self.names = names_of_records(here.session, records)
        self.reader = Reader(here, self.names, names_of_members(here.session, members))
        self.notes = notes_by_id(here.session, map(_note_id, self.events))
        self.people = _people_of(here, self.notes.values())

    def told(self) -> list[Told]:
        return [
            self._tell(entry) if isinstance(entry, TimelineEvent) else self._tell_activity(entry)
            for entry in self.entries
        ]

    def _tell_activity(self, row: RecordRow) -> Told:
        """An activity: its channel, its name, when it happened, and the beginning of what was written."""
        definition = self.here.catalog.object(row.object_key)
        fields = definition.fields
        channel = fields.by_role.get("channel")
        happened = fields.by_role["happened_at"]
        texts = (row.data.get(field.key) for field in fields.of_type("long_text"))
        excerpt = next((shortened(str(text)) for text in texts if text), "")
        when = self.reader.cell(happened, row.data.get(happened.key)).text
        return Told(
            icon=definition.icon,
            text="",
            who=row.owner_name or gettext("Funnelwright"),
            when=when or moment(row.created_at),
            iso=str(row.data.get(happened.key) or row.created_at.isoformat()),
            details=(excerpt,) if excerpt else (),
            links=((row.name, record_address(row.id)),),
            mark=self.reader.cell(channel, row.data.get(channel.key)) if channel else NOTHING,
        )

    def _note(self, event: TimelineEvent) -> ShownNote | None:
        """The note as it is now, none when it was removed."""
        note = self.notes.get(_note_id(event))
        if note is None or note.deleted_at is not None:
            return None
        actor = self.here.actor
        is_own = note.author_id == actor.member_id
        may_remove = is_own or actor.can("record.delete")
        return ShownNote(
            spans=spans(note.text, self.people),
            files=tuple(
                ShownFile(
                    str(file["name"]),
                    size_text(int(file["size"]), self.reader.context.locale),
                    url_for("workspace.file", file_id=int(file["id"])),
                )
                for file in note.files
            ),
            edited=moment(note.edited_at) if note.edited_at else "",
            edit=url_for("workspace.edit_note", note_id=note.id) if is_own else "",
            remove=url_for("workspace.ask_remove_note", note_id=note.id) if may_remove else "",
        )

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
            note=self._note(event) if event.kind == NOTE else None,
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
        if event.kind == "record.migrated":
            stage = stage_name(self._pipeline(data), data.get("to"))
            text = gettext("brought it to the new version of the process, in “%(stage)s”", stage=stage)
            return text, (), (), ()
        if event.kind == NOTE:
            gone = self._note(event) is None
            return gettext("wrote a note that was removed") if gone else gettext("wrote"), (), (), ()
        if event.kind == "record.absorbed":
            names = ", ".join(map(str, data.get("names", ())))
            return gettext("merged it with: %(names)s", names=names), (), (), ()
        words = {
            "record.erased": gettext("erased the person's data"),
            "record.merged": gettext("merged “%(name)s” into it", name=data.get("name", "")),
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
                self.reader.cell(field, old.get(field.key), self.record.currency),
                self.reader.cell(field, new.get(field.key), self.record.currency),
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


def shortened(text: str) -> str:
    """The beginning of a longer text, whole words if it has any."""
    if len(text) <= _EXCERPT:
        return text
    head = text[:_EXCERPT]
    return f"{head.rsplit(None, 1)[0]} …"


def _note_id(event: TimelineEvent) -> int:
    text = str(event.data.get("note", "")) if event.kind == NOTE else ""
    return int(text) if is_id(text) else 0


def _people_of(here: Scope, notes: Iterable[NoteView]) -> list[tuple[int, str]]:
    """Whom the notes may mention: read only if one has the sign of it."""
    if not any(SIGN in note.text for note in notes):
        return []
    return [(person.id, person.name) for person in active_members(here.session)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
