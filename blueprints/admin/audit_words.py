"""Events of the audit log in words: kinds, what they were about, values before and after (S119)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask_babel import gettext, lazy_gettext

from blueprints.messages import local
from blueprints.scope import Scope
from blueprints.workspace.area import record_address
from blueprints.workspace.cards import stage_title
from blueprints.workspace.record_forms import ids_in
from blueprints.workspace.shown import Reader, is_id, moment
from builder.queries.audit import AuditEvent
from builder.queries.people import departments
from builder.queries.row import names_of_members, names_of_records

KINDS = {
    "record.created": lazy_gettext("created a record"),
    "record.loaded": lazy_gettext("loaded a record with its history"),
    "record.changed": lazy_gettext("changed a record"),
    "record.moved": lazy_gettext("moved a record"),
    "record.deleted": lazy_gettext("put a record into the recycle bin"),
    "record.restored": lazy_gettext("took a record out of the recycle bin"),
    "duplicates.searched": lazy_gettext("searched for duplicates"),
    "duplicates.decided": lazy_gettext("said something about a pair that looks alike"),
    "record.erased": lazy_gettext("erased a person's data"),
    "record.merged": lazy_gettext("merged a record into another"),
    "record.absorbed": lazy_gettext("merged other records into a record"),
    "record.converted": lazy_gettext("converted a record"),
    "records.exported": lazy_gettext("exported records"),
    "move.refused": lazy_gettext("was refused a move for fields that were empty"),
    "move.requested": lazy_gettext("asked for approval of a move"),
    "stage.worked": lazy_gettext("worked on a stage"),
    "import_mapping.saved": lazy_gettext("saved a mapping of columns"),
    "import_mapping.renamed": lazy_gettext("renamed a mapping of columns"),
    "import_mapping.deleted": lazy_gettext("deleted a mapping of columns"),
    "import.started": lazy_gettext("started an import"),
    "import.finished": lazy_gettext("finished an import"),
    "import.failed": lazy_gettext("an import failed"),
    "import.cancelled": lazy_gettext("stopped an import"),
    "import.undo_started": lazy_gettext("began to undo an import"),
    "import.undone": lazy_gettext("undid an import"),
    "export.started": lazy_gettext("started an export"),
    "export.failed": lazy_gettext("an export failed"),
    "export.cancelled": lazy_gettext("stopped an export"),
    "export.downloaded": lazy_gettext("downloaded an export"),
    "export.removed": lazy_gettext("removed the file of an export"),
    "member.added": lazy_gettext("added a person"),
    "member.changed": lazy_gettext("changed a person"),
    "member.hand_over_begun": lazy_gettext("began to hand over what a person owns"),
    "member.handed_over": lazy_gettext("handed over what a person owns"),
    "member.invited": lazy_gettext("invited a person"),
    "member.password_set": lazy_gettext("set a new password"),
    "department.added": lazy_gettext("added a department"),
    "department.changed": lazy_gettext("changed a department"),
    "department.ended": lazy_gettext("ended a department"),
    "definition.drafted": lazy_gettext("drafted a definition"),
    "definition.draft_discarded": lazy_gettext("discarded a draft"),
    "definition.published": lazy_gettext("published definitions"),
    "definition.withdrawn": lazy_gettext("withdrew a definition"),
    "record.migrated": lazy_gettext("brought a record to the new version of its process"),
    "pack.installed": lazy_gettext("installed an industry template"),
    "sample.ordered": lazy_gettext("asked for a sample company"),
    "sample.made": lazy_gettext("a sample company was made"),
    "sample.failed": lazy_gettext("a sample company could not be made"),
    "pack.drafted": lazy_gettext("drafted an industry template"),
    "pack.uninstall_drafted": lazy_gettext("drafted that parts of an industry template go"),
    "pack.applied": lazy_gettext("applied a file of definitions"),
    "pack.kept": lazy_gettext("put an industry template into the library"),
    "pack.removed": lazy_gettext("removed an industry template from the library"),
    "note.written": lazy_gettext("wrote a note"),
    "note.changed": lazy_gettext("changed a note"),
    "note.removed": lazy_gettext("removed a note"),
    "view.saved": lazy_gettext("saved a view"),
    "view.renamed": lazy_gettext("renamed a view"),
    "view.shared": lazy_gettext("shared a view"),
    "view.unshared": lazy_gettext("took back a shared view"),
    "view.deleted": lazy_gettext("deleted a view"),
    "workspace.created": lazy_gettext("created the workspace"),
    "workspace.rebuilt": lazy_gettext("rebuilt all copies and sums"),
}
# What changes when it is no field of an object.
WORDS = {
    "name": lazy_gettext("Name"),
    "email": lazy_gettext("E-mail address"),
    "role": lazy_gettext("Role"),
    "role_key": lazy_gettext("Role"),
    "manager_id": lazy_gettext("Manager"),
    "department_id": lazy_gettext("Department"),
    "parent_id": lazy_gettext("Part of"),
    "is_active": lazy_gettext("Active"),
    "answers": lazy_gettext("Feedback"),
    "tasks_done": lazy_gettext("Tasks done"),
    "is_marked": lazy_gettext("Sign of the stage"),
    "erased.values": lazy_gettext("Erased: values"),
    "erased.events": lazy_gettext("Erased: details of the history"),
    "erased.notes": lazy_gettext("Erased: notes"),
    "erased.files": lazy_gettext("Erased: files"),
    "erased.imports": lazy_gettext("Erased: files of imports"),
    "erased.exports": lazy_gettext("Erased: files of exports"),
    "erased.mentions": lazy_gettext("Blacked out: mentions elsewhere"),
    "kept.visits": lazy_gettext("Kept: visits to stages, for figures"),
    "kept.references": lazy_gettext("Kept: records that refer to it"),
    "kept.same": lazy_gettext("Kept: other records of the same name"),
    "note.text": lazy_gettext("Text"),
    "note.files": lazy_gettext("Files"),
}
_LONGEST_VALUE = 400


@dataclass(frozen=True)
class Change:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    """One event as people read it. ``about``: what it was done to; ``address``: of the record, if any."""

    when: str
    iso: str
    who: str
    what: str
    about: str
    address: str
    origin: str
    changes: tuple[Change, ...]


class Teller:
    """Tells events; the names behind all their ids are read at once."""

    def __init__(self, here: Scope, events: Iterable[AuditEvent]) -> None:
        self.here = here
        self.events = tuple(events)
        records: set[int] = set()
        members = {
            int(value)
            for event in self.events
            for side in (event.data, _side(event, "before"), _side(event, "after"))
            for key in ("member_id", "manager_id")
            if isinstance(value := side.get(key), str) and is_id(value)
        }
        for event in self.events:
            definition = here.catalog.objects.get(event.object_key or "")
            if definition is not None:
                sides = (_side(event, "before"), _side(event, "after"))
                own, named = ids_in(definition.fields, sides)
                records |= own
                members |= named
        self.people = names_of_members(here.session, members)
        self.reader = Reader(here, names_of_records(here.session, records), self.people)

    def lines(self) -> Iterator[Line]:
        for event in self.events:
            yield Line(
                when=moment(event.recorded_at),
                iso=event.recorded_at.isoformat(),
                who=event.actor_name or gettext("Funnelwright"),
                what=str(KINDS.get(event.kind, event.kind)),
                about=event.record_name or self._about(event),
                address=record_address(event.record_id) if event.record_id is not None else "",
                origin=event.origin or "",
                changes=tuple(self._changes(event)),
            )

    def _about(self, event: AuditEvent) -> str:
        """What an event without a record was about: a person, a name that it noted, an object."""
        member = str(event.data.get("member_id", ""))
        if is_id(member):
            return self.people.get(int(member), "")
        definition = self.here.catalog.objects.get(event.object_key or "")
        label = str(local(definition.label_plural)) if definition is not None else ""
        noted = event.data.get("name") or event.data.get("title")
        return noted if isinstance(noted, str) else label

    def _moved(self, event: AuditEvent) -> Iterator[Change]:
        """From which stage to which, and what was said about it."""
        pipeline = self.here.catalog.pipelines.get(str(event.data.get("pipeline")))
        stages = pipeline.by_key if pipeline is not None else {}
        keys = (str(event.data.get(side) or "") for side in ("from", "to"))
        left, entered = (stage_title(stages.get(key), key) if key else "" for key in keys)
        yield Change(gettext("Stage"), left, entered)
        listed = pipeline.reasons.values() if pipeline is not None else ()
        reasons = {reason.key: str(local(reason.label)) for group in listed for reason in group}
        reason = str(event.data.get("reason") or "")
        said = [str(part) for part in (reasons.get(reason, reason), event.data.get("note")) if part]
        if override := event.data.get("override"):
            said.append(gettext("Set the gate aside: %(reason)s", reason=override))
        if said:
            yield Change(gettext("Reason"), "", " · ".join(said))

    def _changes(self, event: AuditEvent) -> Iterator[Change]:
        if event.kind == "record.moved":
            yield from self._moved(event)
        before, after = _side(event, "before"), _side(event, "after")
        definition = self.here.catalog.objects.get(event.object_key or "")
        known = definition.fields.by_key if definition is not None else {}
        for key in dict.fromkeys((*before, *after)):
            field = known.get(key)
            if field is not None:
                old, new = (
                    self.reader.cell(field, side.get(key), event.currency) for side in (before, after)
                )
                yield Change(str(local(field.label)) or key, old.text, new.text)
            elif _filled(before.get(key)) != _filled(after.get(key)):
                old_text, new_text = (self._told(key, side.get(key)) for side in (before, after))
                yield Change(str(WORDS.get(key, key)), old_text, new_text)

    @cached_property
    def _departments(self) -> Mapping[str, str]:
        return {str(known.id): known.name for known in departments(self.here.session)}

    def _told(self, key: str, value: Any) -> str:
        """A value that no field of an object shows: ids by their names."""
        text = str(value)
        if key == "manager_id" and is_id(text):
            return self.people.get(int(text), text)
        if key in ("department_id", "parent_id") and is_id(text):
            return self._departments.get(text, text)
        if key == "role_key" and text in self.here.catalog.roles:
            return str(local(self.here.catalog.roles[text].label))
        if isinstance(value, bool):
            return gettext("Yes") if value else gettext("No")
        if _filled(value) is None:
            return ""
        return (value if isinstance(value, str) else _as_json(value))[:_LONGEST_VALUE]


def _filled(value: Any) -> Any:
    """The value, where it says something; an empty list is as silent as nothing at all."""
    return None if value in ("", [], {}) else value


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _side(event: AuditEvent, name: str) -> Mapping[str, Any]:
    """One side of a change; where only the state before is noted apart, the rest is the state after."""
    before, side = event.data.get("before"), event.data.get(name)
    if side is None and name == "after" and isinstance(before, Mapping):
        return {key: event.data.get(key) for key in before}
    return side if isinstance(side, Mapping) else {}
