"""What a change of definitions may mean for what is there: the questions that are put to the records (B7).

Pure: it compares documents. How many records each concern touches is counted by ``queries.impact``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from builder.domain.labels import Label
from builder.metadata.grammar import Document

ConcernKind: TypeAlias = Literal[
    "field_required",
    "field_removed",
    "type_changed",
    "option_removed",
    "stage_removed",
    "pipeline_changed",
    "role_changed",
]


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that a change may mean for records or people.

    ``key`` is the object, pipeline or role; ``part`` the field or stage, ``option`` the option; ``label``
    what the part, or the whole, is called.
    """

    kind: ConcernKind
    key: str
    label: Label
    part: str = ""
    option: str = ""


def concerns(before: Document | None, after: Document | None) -> Iterator[Concern]:
    """The concerns of one definition, in the order of its document; none where something is only new."""
    if before is None or after is None:
        return
    kind, key = before["kind"], before["key"]
    if kind == "object":
        yield from _of_fields(key, before["fields"], after["fields"])
    if kind == "pipeline":
        kept = {stage["key"] for stage in after["stages"]}
        for stage in before["stages"]:
            if stage["key"] not in kept:
                yield Concern("stage_removed", key, Label.of(stage["label"]), stage["key"])
        yield Concern("pipeline_changed", key, Label.of(after["label"]))
    if kind == "role":
        yield Concern("role_changed", key, Label.of(after["label"]))


def _of_fields(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Concern]:
    fields = after["properties"]
    newly = [name for name in after.get("required", ()) if name not in before.get("required", ())]
    for name in newly:
        if name in fields:
            yield Concern("field_required", key, Label.of(fields[name].get("x-label", name)), name)
    for name, field in before["properties"].items():
        if name not in fields:
            yield Concern("field_removed", key, Label.of(field.get("x-label", name)), name)
            continue
        if fields[name]["x-type"] != field["x-type"]:
            yield Concern("type_changed", key, Label.of(field.get("x-label", name)), name)
            continue
        kept = {option["key"] for option in fields[name].get("x-options", ())}
        for option in field.get("x-options", ()):
            if option["key"] not in kept:
                yield Concern("option_removed", key, Label.of(option["label"]), name, option["key"])
