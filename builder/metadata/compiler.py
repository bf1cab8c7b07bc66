"""Documents to frozen domain objects, cached by checksum for the whole process.

A document that reaches the compiler passed ``documents.check`` and ``lint`` when it was published; what
is wrong all the same raises ``Uncompilable``. Equal definitions of many workspaces share one FieldSet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from builder.domain.assignment import Assignment, AssignmentRule
from builder.domain.conditions import Condition, parse
from builder.domain.feedback import Feedback
from builder.domain.fields import Conversion, FieldSet, ObjectDefinition
from builder.domain.labels import Label
from builder.domain.permissions import FEEDBACK_MARK
from builder.domain.pipeline import (
    QUESTIONS,
    ApprovalSlot,
    Background,
    FunnelDefinition,
    FunnelStep,
    Gate,
    GateCondition,
    Indicator,
    KeyAction,
    Marker,
    Milestone,
    Pipeline,
    Reason,
    Stage,
    Subtask,
    Task,
    WayOut,
)
from builder.domain.roles import FieldRights, Role
from builder.domain.saved_view import View
from builder.domain.time_limits import TimeLimits
from builder.errors import N_, FunnelwrightError
from builder.metadata.cache import ProcessCache
from builder.metadata.documents import checksum
from builder.metadata.grammar import Document
from builder.metadata.record_schema import compile_fields
from builder.metadata.upcasters import upcast

Definition: TypeAlias = ObjectDefinition | Feedback | Pipeline | View | FunnelDefinition | Role

DEFAULT_ICON = "box"
COUNTED_UPTO = "counted_upto"
UNCOMPILABLE = N_("The stored definition “%(key)s” (%(kind)s) cannot be read: %(reason)s")


class Uncompilable(FunnelwrightError):
    """A stored definition that cannot be compiled: it was changed past the checks."""

    status = 500


@dataclass(frozen=True)
class Version:
    """What is compiled besides the document: which stored version it is and where its fields are copied.

    ``slots`` maps keys of filterable fields to columns of ``record`` (``t01`` … ``n20``); of a pipeline it
    says how far its sums go while they are made anew (``COUNTED_UPTO``).
    """

    id: int = 0
    number: int = 0
    is_live: bool = True
    slots: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls, id: int, number: int, slots: Mapping[str, str] | None = None, *, is_live: bool = True
    ) -> Version:
        return cls(id, number, is_live, tuple(sorted((slots or {}).items())))


_definitions: ProcessCache[tuple[str, Version], Definition] = ProcessCache(4096)
_fields: ProcessCache[tuple[str, tuple[tuple[str, str], ...] | None], FieldSet] = ProcessCache(2048)


def compiled(document: Document, version: Version | None = None, *, digest: str | None = None) -> Definition:
    """The domain object that a document of any storable kind describes.

    ``digest`` is the stored checksum; left out, it is computed. Errors: Uncompilable.
    """
    version = version or Version()
    digest = digest or checksum(document)
    return _definitions.get((digest, version), lambda: _compile(document, version, digest))


def _compile(document: Document, version: Version, digest: str) -> Definition:
    kind, key = str(document.get("kind")), str(document.get("key"))
    try:
        return COMPILERS[kind](upcast(document), version, digest)
    except (KeyError, TypeError, ValueError, AttributeError, FunnelwrightError) as error:
        raise Uncompilable(UNCOMPILABLE, key=key, kind=kind, reason=repr(error)) from error


def field_set(document: Document, slots: Mapping[str, str] | None = None) -> FieldSet:
    """The fields of an authored ``fields`` document, shared between equal ones.

    ``slots`` as ``record_schema.compile_fields`` takes them: ``None`` for forms, whose answers have none.
    """
    pairs = None if slots is None else tuple(sorted(slots.items()))
    return _fields.get((checksum(document), pairs), lambda: compile_fields(document, slots=slots))


def compile_object(document: Document, version: Version, digest: str) -> ObjectDefinition:
    listing = document.get("list", {})
    fields = field_set(document["fields"], dict(version.slots))
    names = tuple(definition.key for definition in fields if definition.role == "name")
    return ObjectDefinition(
        key=document["key"],
        label=Label.of(document["label"]),
        label_plural=Label.of(document["label_plural"]),
        icon=document.get("icon") or DEFAULT_ICON,
        color=document.get("color", ""),
        fields=fields,
        list_columns=tuple(listing.get("columns", names)),
        list_sort=tuple(listing.get("sort", ())),
        search_fields=tuple(document.get("search", names)),
        duplicate_keys=tuple(document.get("duplicate_keys", ())),
        version_id=version.id,
        number=version.number,
        checksum=digest,
        conversion=_conversion(document.get("conversion")),
        assignment=_assignment(document.get("processes", {})),
        position=document.get("position", 0),
        document=document,
    )


def _conversion(document: Document | None) -> Conversion | None:
    if document is None:
        return None
    targets = tuple(
        (target["object"], tuple(sorted(target["map"].items()))) for target in document["targets"]
    )
    is_automatic = document.get("automatic", False)
    return Conversion(document["main"], document["pipeline"], targets, is_automatic)


def _assignment(document: Document) -> Assignment:
    rules = tuple(
        AssignmentRule(
            rule["key"],
            parse(rule["when"]),
            rule["pipeline"],
            Label.of(rule.get("label")),
            is_on=not rule.get("off", False),
        )
        for rule in document.get("rules", ())
    )
    departments = {
        key: frozenset(int(each) for each in ids) for key, ids in document.get("departments", {}).items()
    }
    return Assignment(rules, document.get("default"), departments)


def compile_feedback(document: Document, version: Version, digest: str) -> Feedback:
    return Feedback(
        key=document["key"],
        label=Label.of(document["label"]),
        object_key=document["object"],
        fields=field_set(document["fields"]),
        version_id=version.id,
        number=version.number,
        checksum=digest,
        document=document,
    )


def compile_pipeline(document: Document, version: Version, digest: str) -> Pipeline:
    transitions = document.get("transitions", {})
    return Pipeline(
        key=document["key"],
        label=Label.of(document["label"]),
        object_key=document["object"],
        milestones=tuple(
            Milestone(item["key"], Label.of(item["label"])) for item in document.get("milestones", ())
        ),
        stages=tuple(_stage(stage, position) for position, stage in enumerate(document["stages"])),
        default=transitions.get("default", "any"),
        allowed=frozenset((source, target) for source, target in transitions.get("allow", ())),
        denied=frozenset((source, target) for source, target in transitions.get("deny", ())),
        reasons={kind: _reasons(items) for kind, items in document.get("reasons", {}).items()},
        version_id=version.id,
        number=version.number,
        checksum=digest,
        is_live=version.is_live,
        average_cycle_days=document.get("average_cycle_days"),
        reminder_days=document.get("reminder_days"),
        description=Label.of(document.get("description")),
        background=_background(document.get("background", {})),
        counted_upto=next((int(upto) for name, upto in version.slots if name == COUNTED_UPTO), None),
    )


def _background(document: Document) -> Background:
    answers = {name: str(document[name]) for name in QUESTIONS if document.get(name)}
    return Background(document.get("scenario"), answers)


def _stage(document: Document, position: int) -> Stage:
    gates = document.get("gate", {})
    won_by_kind = 100 if document["kind"] == "won" else 0
    return Stage(
        key=document["key"],
        label=Label.of(document["label"]),
        kind=document["kind"],
        position=position,
        milestone=document.get("milestone"),
        color=document.get("color", ""),
        probability=document.get("probability", won_by_kind),
        definition=Label.of(document.get("definition")),
        goal=Label.of(document.get("goal")),
        key_actions=tuple(
            KeyAction(Label.of(action["label"]), action.get("role"))
            for action in document.get("key_actions", ())
        ),
        indicators=tuple(
            Indicator(Label.of(item["label"]), item.get("target", ""), Label.of(item.get("unit")))
            for item in document.get("indicators", ())
        ),
        marker=_marker(document.get("marker")),
        feedback=document.get("feedback"),
        tasks=tuple(_task(task) for task in document.get("tasks", ())),
        leave=_gate(gates.get("leave", {})),
        enter=_gate(gates.get("enter", {})),
        limits=TimeLimits(*(document.get(name) for name in ("target_days", "warning_days", "breach_days"))),
    )


def _marker(document: Document | None) -> Marker | None:
    return None if document is None else Marker(Label.of(document["label"]), _condition(document.get("when")))


def _task(document: Document) -> Task:
    return Task(
        key=document["key"],
        label=Label.of(document["label"]),
        severity=document.get("severity", "block"),
        subtasks=tuple(
            Subtask(item["key"], Label.of(item["label"])) for item in document.get("subtasks", ())
        ),
        role=document.get("role"),
        feedback=document.get("feedback"),
    )


def _gate(document: Document) -> Gate:
    return Gate(
        required_fields=tuple(document.get("required_fields", ())),
        feedback=document.get("feedback", "block"),
        tasks=document.get("tasks", "block"),
        marker=document.get("marker", "ignore"),
        conditions=tuple(_gate_condition(item) for item in document.get("conditions", ())),
        roles=tuple(document.get("roles", ())),
        approval=_approval(document.get("approval")),
    )


def _gate_condition(document: Document) -> GateCondition:
    offer = document.get("offer")
    return GateCondition(
        when=parse(document["when"]),
        message=Label.of(document["message"]),
        severity=document.get("severity", "block"),
        offer=WayOut(offer["stage"], offer.get("reason")) if offer else None,
    )


def _approval(document: Document | None) -> ApprovalSlot | None:
    if document is None:
        return None
    return ApprovalSlot(
        approver=document["approver"],
        role=document.get("role"),
        fallback_role=document.get("fallback_role"),
        when=_condition(document.get("when")),
    )


def _reasons(documents: Any) -> tuple[Reason, ...]:
    return tuple(
        Reason(item["key"], Label.of(item["label"]), item.get("retired", False)) for item in documents
    )


def _condition(document: Document | None) -> Condition | None:
    return None if document is None else parse(document)


def compile_view(document: Document, version: Version, digest: str) -> View:
    return View(
        key=document["key"],
        label=Label.of(document["label"]),
        object_key=document["object"],
        layout=document["layout"],
        columns=tuple(document.get("columns", ())),
        sort=tuple(document.get("sort", ())),
        filter=_condition(document.get("filter")),
        pipeline=document.get("pipeline"),
        position=document.get("position", 0),
        checksum=digest,
        lanes=document.get("lanes", ""),
        date=document.get("date", ""),
        group=document.get("group", ""),
        rule=Label.of(document.get("rule")),
    )


def compile_funnel(document: Document, version: Version, digest: str) -> FunnelDefinition:
    return FunnelDefinition(
        key=document["key"],
        label=Label.of(document["label"]),
        steps=tuple(
            FunnelStep(step["pipeline"], step["stage"], Label.of(step.get("label")))
            for step in document["steps"]
        ),
        unit=document.get("unit", "record"),
        checksum=digest,
        description=Label.of(document.get("description")),
    )


def compile_role(document: Document, version: Version, digest: str) -> Role:
    return Role(
        key=document["key"],
        label=Label.of(document["label"]),
        rights=frozenset(document["rights"]),
        visibility=document["visibility"],
        checksum=digest,
        description=Label.of(document.get("description")),
        fields={
            form_key: FieldRights(
                frozenset(key for key, right in fields.items() if right == "hidden"),
                frozenset(key for key, right in fields.items() if right == "read_only"),
            )
            for form_key, fields in _forms_of(document)
        },
    )


def _forms_of(document: Document) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Objects and feedback forms with the rights of their fields, feedback under its marked key."""
    yield from document.get("fields", {}).items()
    for key, fields in document.get("feedback", {}).items():
        yield FEEDBACK_MARK + key, fields


COMPILERS: Mapping[str, Callable[[Document, Version, str], Definition]] = {
    "object": compile_object,
    "feedback": compile_feedback,
    "pipeline": compile_pipeline,
    "view": compile_view,
    "funnel": compile_funnel,
    "role": compile_role,
}
