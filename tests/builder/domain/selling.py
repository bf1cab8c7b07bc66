"""Small pipelines and forms for tests of the pure rules."""

from __future__ import annotations

from typing import Any

from builder.domain.fields import FieldDefinition, FieldSet
from builder.domain.labels import Label
from builder.domain.moves import MoveSnapshot
from builder.domain.permissions import Actor
from builder.domain.pipeline import Pipeline, Reason, Stage, StageKind

REP = Actor(1, "Rep", "rep", frozenset({"move", "record.create"}), "own")
LEAD = Actor(2, "Lead", "manager", frozenset({"move", "record.create", "move.override"}), "all")


def label(text: str) -> Label:
    return Label.of({"en": text})


def stage(key: str, position: int, kind: StageKind = "open", **more: Any) -> Stage:
    return Stage(key, label(key.upper()), kind, position, **more)


def pipeline(
    *stages: Stage,
    default: Any = "any",
    allowed: Any = (),
    denied: Any = (),
    reasons: dict[str, tuple[str, ...]] | None = None,
    key: str = "path",
) -> Pipeline:
    catalogue = {
        kind: tuple(Reason(name, label(name), name.startswith("old_")) for name in names)
        for kind, names in (reasons or {}).items()
    }
    return Pipeline(
        key,
        label(key),
        "thing",
        (),
        stages,
        default,
        frozenset(allowed),
        frozenset(denied),
        catalogue,
        1,
        1,
        "c",
    )


def letters(**more: Any) -> Pipeline:
    """Open stages a, b, c, then won, lost and invalid: the path of the histories in metrics.md."""
    kinds: tuple[tuple[str, StageKind], ...] = (
        ("a", "open"),
        ("b", "open"),
        ("c", "open"),
        ("won", "won"),
        ("lost", "lost"),
        ("invalid", "invalid"),
    )
    return pipeline(*(stage(key, place, kind) for place, (key, kind) in enumerate(kinds)), **more)


def form(*fields: FieldDefinition) -> FieldSet:
    return FieldSet(fields, (), (), {}, "f")


def text(key: str, *, required: bool = False) -> FieldDefinition:
    return FieldDefinition(key, "text", label(key.capitalize()), is_required=required)


def snapshot(path: Pipeline, stage_key: str | None, **more: Any) -> MoveSnapshot:
    """A record that satisfies every condition, unless said otherwise."""
    known: dict[str, Any] = {
        "values": {},
        "fields": form(text("city"), text("budget")),
        "actor": REP,
        "evaluate": lambda condition: True,
    }
    return MoveSnapshot(pipeline=path, stage_key=stage_key, **{**known, **more})
