"""What may be done to many records: other values, a move, the recycle bin; each as a single act would (B1).

An act is a plain value that travels to the background as JSON (``to_document``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

from builder.domain.fields import FieldSet, ObjectDefinition
from builder.domain.transitions import Refused
from builder.errors import N_, Invalid, Problem, Unconfirmed
from builder.fieldtypes.base import FieldContext
from builder.forms.state import state
from builder.services import transitions
from builder.services.deletion import delete
from builder.services.entries import pinned_feedback
from builder.services.ledger import Standing
from builder.services.records import SaveRecord, problem_of_unmet, save
from builder.services.standings import load_standing
from builder.services.transitions import MoveRecord, Waiting
from builder.services.unit_of_work import UnitOfWork

LOCKED = N_("In this record the field is read-only.")
NOT_SHOWN = N_("This record does not show the field.")
OTHER_PROCESS = N_("It is not in this process.")
NOT_MOVED = N_("The move was refused.")


@dataclass(frozen=True)
class Edit:
    """Give the same values; ``None`` empties a field. Reassigning is an edit of the owner's field.

    ``heeds_forms``: a field that the record's form hides or locks is refused; handing over does not ask.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    heeds_forms: bool = True
    kind: ClassVar[str] = "edit"
    right: ClassVar[str] = "record.edit"

    def carry_out(self, uow: UnitOfWork, object_key: str, record_id: int, revision: int | None) -> bool:
        definition = uow.catalog.object(object_key)
        if self.heeds_forms and _is_ruled(definition, self.values):
            self._check_rules(uow, definition, record_id)
        save(uow, SaveRecord(record_id, self.values, revision))
        return False

    def _check_rules(self, uow: UnitOfWork, definition: ObjectDefinition, record_id: int) -> None:
        """Errors: Invalid where the record's own form would not let the field be typed."""
        stored = load_standing(uow, record_id).record["data"]
        typed = {key: value for key, value in {**stored, **self.values}.items() if value is not None}
        context = FieldContext(time_zone=uow.workspace.time_zone, currency=uow.workspace.currency)
        states = state(definition.fields, definition.fields.computation.apply(typed), context)
        wrong = [
            Problem(NOT_SHOWN if not states[key].is_visible else LOCKED, key)
            for key, value in self.values.items()
            if key in states
            and value != stored.get(key)
            and (not states[key].is_visible or states[key].is_read_only)
        ]
        if wrong:
            raise Invalid(wrong[0].message, problems=tuple(wrong))

    def to_document(self) -> dict[str, Any]:
        return {"kind": self.kind, "values": dict(self.values)}


@dataclass(frozen=True)
class Delete:
    """Put into the recycle bin."""

    kind: ClassVar[str] = "delete"
    right: ClassVar[str] = "record.delete"

    def carry_out(self, uow: UnitOfWork, object_key: str, record_id: int, revision: int | None) -> bool:
        delete(uow, record_id, revision)
        return False

    def to_document(self) -> dict[str, Any]:
        return {"kind": self.kind}


class NotMoved(Invalid):
    """A move that was refused, with what the gate asks for. ``asked``: (form, field) pairs, the form being
    ``""`` for the record or the key of the feedback of its stage. ``is_overridable``: a reason would do.
    """

    def __init__(self, refused: Refused, form_key: str) -> None:
        super().__init__(NOT_MOVED, problems=tuple(problem_of_unmet(item) for item in refused.unmet))
        self.asked = asked_of(refused, form_key)
        self.is_overridable = refused.is_overridable


def asked_of(refused: Refused, form_key: str) -> tuple[tuple[str, str], ...]:
    """The fields that would help a refused move, each with its form."""
    forms = {"required_field": "", "record": "", "feedback": form_key}
    return tuple(
        (forms[item.kind], item.field) for item in refused.unmet if item.field and item.kind in forms
    )


@dataclass(frozen=True)
class Move:
    """Move within one process, through the one door. ``is_confirmed``: where the gate only warns, go on.

    ``values`` fill fields, ``answers`` (by feedback form) the feedback of a record's stage, both only where
    nothing stands yet: what others have said of single records stays. ``override_reason``: of whoever may set
    gates aside, for all of them.
    """

    pipeline_key: str
    to_stage: str
    reason_key: str | None = None
    reason_note: str = ""
    is_confirmed: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    override_reason: str | None = None
    kind: ClassVar[str] = "move"
    right: ClassVar[str] = "move"

    def carry_out(self, uow: UnitOfWork, object_key: str, record_id: int, revision: int | None) -> bool:
        """Whether the move waits for approval. Errors: Invalid with every unmet condition, Unconfirmed."""
        standing = load_standing(uow, record_id, revision)
        if standing.record["pipeline_key"] != self.pipeline_key:
            raise Invalid(OTHER_PROCESS)
        form = pinned_feedback(uow, standing)
        form_key = str(standing.open_stay.details["feedback_key"]) if form and standing.open_stay else ""
        command = MoveRecord(
            record_id,
            self.to_stage,
            standing.record["revision"],
            reason_key=self.reason_key,
            reason_note=self.reason_note,
            values=_missing(self.values, standing.record["data"]),
            answers=self._answers(standing, form, form_key),
            is_confirmed=self.is_confirmed,
            override_reason=self.override_reason,
        )
        looked = transitions.look(uow, standing, command)
        result = transitions.carry_out(uow, looked, command)
        if isinstance(result, Refused):
            if result.is_confirmable:
                raise Unconfirmed(problems=tuple(problem_of_unmet(item) for item in result.unmet))
            raise NotMoved(result, form_key)
        return isinstance(result, Waiting)

    def _answers(self, standing: Standing, form: FieldSet | None, form_key: str) -> dict[str, Any]:
        """What was answered for the form that this record has, as far as it asks for it."""
        if form is None or standing.open_stay is None:
            return {}
        known = {key: value for key, value in self.answers.get(form_key, {}).items() if key in form.by_key}
        return _missing(known, standing.open_stay.details["answers"] or {})

    def to_document(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "pipeline": self.pipeline_key,
            "stage": self.to_stage,
            "reason": self.reason_key,
            "note": self.reason_note,
            "is_confirmed": self.is_confirmed,
            "values": dict(self.values),
            "answers": {key: dict(values) for key, values in self.answers.items()},
            "override": self.override_reason,
        }


Act: TypeAlias = Edit | Delete | Move


def act_of(document: Mapping[str, Any]) -> Act:
    """The act that ``to_document`` wrote."""
    if document["kind"] == Edit.kind:
        return Edit(document["values"])
    if document["kind"] == Delete.kind:
        return Delete()
    return Move(
        document["pipeline"],
        document["stage"],
        document["reason"],
        document["note"],
        document["is_confirmed"],
        document.get("values", {}),
        document.get("answers", {}),
        document.get("override"),
    )


def _missing(values: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if stored.get(key) is None}


def _is_ruled(definition: ObjectDefinition, values: Mapping[str, Any]) -> bool:
    """Whether rules of the form decide if one of these fields may be typed."""
    return any(
        rule.effect in ("show", "read_only") and values.keys() & set(rule.targets)
        for rule in definition.fields.rules
    )
