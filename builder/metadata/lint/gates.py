"""Lint rules for gates, markers, feedback and roles of stages (S3, S35–S37)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from builder.errors import N_
from builder.metadata.grammar import Document
from builder.metadata.lint import conditions
from builder.metadata.lint.registry import Finding, Surroundings, rule

Path: TypeAlias = "tuple[str | int, ...]"
Examine: TypeAlias = "Callable[[Any, Path, Mapping[str, Document]], Iterator[Finding]]"

MOVE = "move"


def gates(document: Document) -> Iterator[tuple[Path, Document, Document]]:
    """(path, stage, gate) for every gate of a pipeline."""
    for index, stage in enumerate(document["stages"]):
        for side, gate in stage.get("gate", {}).items():
            yield ("stages", index, "gate", side), stage, gate


def stage_conditions(
    document: Document, around: Surroundings
) -> Iterator[tuple[Path, Any, Mapping[str, Document]]]:
    """(path, condition, fields it may speak of) for gates, approvals and markers."""
    fields = around.fields_of(document["object"])
    for index, stage in enumerate(document["stages"]):
        scope = {**fields, **around.answers_of(stage.get("feedback"))}
        if "when" in stage.get("marker", {}):
            yield ("stages", index, "marker", "when"), stage["marker"]["when"], scope
    for path, stage, gate in gates(document):
        scope = {**fields, **around.answers_of(stage.get("feedback"))}
        for number, item in enumerate(gate.get("conditions", ())):
            yield (*path, "conditions", number, "when"), item["when"], scope
        if "when" in gate.get("approval", {}):
            yield (*path, "approval", "when"), gate["approval"]["when"], scope


def _examine(document: Document, around: Surroundings, examine: Examine) -> Iterator[Finding]:
    if not around.has("object", document["object"]):
        return  # said by unknown_object; every field would be unknown too
    for path, condition, scope in stage_conditions(document, around):
        yield from examine(condition, path, scope)


@rule("condition_unknown_field", "pipeline", N_("There is no field “%(field)s” to compare here."))
def condition_unknown_field(document: Document, around: Surroundings) -> Iterator[Finding]:
    return _examine(document, around, conditions.unknown_fields)


@rule(
    "condition_operator",
    "pipeline",
    N_("“%(op)s” does not work on the field “%(field)s”. Use one of: %(allowed)s."),
)
def condition_operator(document: Document, around: Surroundings) -> Iterator[Finding]:
    return _examine(document, around, conditions.wrong_operators)


@rule("condition_value", "pipeline", N_("“%(value)s” cannot be compared with the field “%(field)s”."))
def condition_value(document: Document, around: Surroundings) -> Iterator[Finding]:
    return _examine(document, around, conditions.wrong_values)


@rule("unknown_object", ("pipeline", "feedback", "view"), N_("There is no object “%(object)s”."))
def unknown_object(document: Document, around: Surroundings) -> Iterator[Finding]:
    if not around.has("object", document["object"]):
        yield ("object",), {"object": document["object"]}


@rule("unknown_feedback", "pipeline", N_("There is no feedback form “%(feedback)s”."))
def unknown_feedback(document: Document, around: Surroundings) -> Iterator[Finding]:
    for path, key in _feedback_keys(document):
        if not around.has("feedback", key):
            yield path, {"feedback": key}


@rule(
    "foreign_feedback",
    "pipeline",
    N_("The feedback form “%(feedback)s” belongs to the object “%(object)s”, not to the pipeline's object."),
)
def foreign_feedback(document: Document, around: Surroundings) -> Iterator[Finding]:
    for path, key in _feedback_keys(document):
        found = around.find("feedback", key)
        if found is not None and found["object"] != document["object"]:
            yield path, {"feedback": key, "object": found["object"]}


def _feedback_keys(document: Document) -> Iterator[tuple[Path, str]]:
    for index, stage in enumerate(document["stages"]):
        if "feedback" in stage:
            yield ("stages", index, "feedback"), stage["feedback"]
        for number, task in enumerate(stage.get("tasks", ())):
            if "feedback" in task:
                yield ("stages", index, "tasks", number, "feedback"), task["feedback"]


@rule(
    "unknown_required_field",
    "pipeline",
    N_("The gate requires the field “%(field)s”, which the object does not have."),
)
def unknown_required_field(document: Document, around: Surroundings) -> Iterator[Finding]:
    if not around.has("object", document["object"]):
        return
    fields = around.fields_of(document["object"])
    for path, _, gate in gates(document):
        for number, key in enumerate(gate.get("required_fields", ())):
            if key not in fields:
                yield (*path, "required_fields", number), {"field": key}


@rule(
    "unfillable_required_field",
    "pipeline",
    N_("The gate requires “%(field)s”, but nobody can fill in a read-only field. Remove one of the two."),
)
def unfillable_required_field(document: Document, around: Surroundings) -> Iterator[Finding]:
    fields = around.fields_of(document["object"])
    for path, _, gate in gates(document):
        for number, key in enumerate(gate.get("required_fields", ())):
            if fields.get(key, {}).get("x-read-only"):
                yield (*path, "required_fields", number), {"field": key}


@rule("unknown_role", "pipeline", N_("There is no role “%(role)s” in this workspace."))
def unknown_role(document: Document, around: Surroundings) -> Iterator[Finding]:
    for path, key in _role_keys(document):
        if not around.has("role", key):
            yield path, {"role": key}


def _role_keys(document: Document) -> Iterator[tuple[Path, str]]:
    for index, stage in enumerate(document["stages"]):
        for part in ("key_actions", "tasks"):
            for number, item in enumerate(stage.get(part, ())):
                if "role" in item:
                    yield ("stages", index, part, number, "role"), item["role"]
    for path, _, gate in gates(document):
        for number, key in enumerate(gate.get("roles", ())):
            yield (*path, "roles", number), key
        for word in ("role", "fallback_role"):
            if word in gate.get("approval", {}):
                yield (*path, "approval", word), gate["approval"][word]


@rule(
    "gate_without_role", "pipeline", N_("None of these roles may move records, so nobody can pass this gate.")
)
def gate_without_role(document: Document, around: Surroundings) -> Iterator[Finding]:
    for path, _, gate in gates(document):
        roles = gate.get("roles", ())
        known = [role for role in roles if role in around.rights]
        if known and len(known) == len(roles) and not any(MOVE in around.rights[role] for role in known):
            yield (*path, "roles"), {}


@rule("approval_without_role", "pipeline", N_("Choose the role that approves."))
def approval_without_role(document: Document, _: Surroundings) -> Iterator[Finding]:
    for path, _stage, gate in gates(document):
        if gate.get("approval", {}).get("approver") == "role" and "role" not in gate["approval"]:
            yield (*path, "approval"), {}


@rule(
    "approval_without_fallback",
    "pipeline",
    N_("An owner without a supervisor could never get this approval. Choose a fallback role."),
    "warn",
)
def approval_without_fallback(document: Document, _: Surroundings) -> Iterator[Finding]:
    for path, _stage, gate in gates(document):
        if gate.get("approval", {}).get("approver") == "manager" and "fallback_role" not in gate["approval"]:
            yield (*path, "approval"), {}


@rule(
    "gate_without_marker",
    "pipeline",
    N_("The gate checks the exit marker, but the stage has none. Add the marker."),
)
def gate_without_marker(document: Document, _: Surroundings) -> Iterator[Finding]:
    for path, stage, gate in gates(document):
        if gate.get("marker", "ignore") != "ignore" and "marker" not in stage:
            yield (*path, "marker"), {}


@rule(
    "offer_nowhere",
    "pipeline",
    N_("The way out must lead to a stage that ends a record as lost or invalid, with a reason of it."),
)
def offer_nowhere(document: Document, _: Surroundings) -> Iterator[Finding]:
    kinds = {stage["key"]: stage["kind"] for stage in document["stages"]}
    for path, _stage, gate in gates(document):
        for number, item in enumerate(gate.get("conditions", ())):
            offer = item.get("offer")
            if offer is None:
                continue
            kind = kinds.get(offer["stage"])
            known = {reason["key"] for reason in document.get("reasons", {}).get(kind, ())}
            if kind not in ("lost", "invalid") or offer.get("reason", next(iter(known), None)) not in {
                None,
                *known,
            }:
                yield (*path, "conditions", number, "offer"), {}
