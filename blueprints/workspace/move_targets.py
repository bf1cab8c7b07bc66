"""The stages that a record may go to, and how much each step still asks for (S39)."""

from __future__ import annotations

from dataclasses import dataclass

from blueprints.workspace.cards import stage_title
from blueprints.workspace.shown import stage_color
from builder.domain.pipeline import Stage
from builder.domain.requirements import allowed_targets, requirements
from builder.services.transitions import MoveDraft


@dataclass(frozen=True, slots=True)
class Target:
    """``missing``: how many conditions are not met yet; ``asks``: whether the dialog has to be shown.
    ``is_next``: the following stage of the path.
    """

    key: str
    title: str
    color: str
    kind: str
    probability: int
    missing: int
    asks: bool
    is_next: bool


def targets_of(looked: MoveDraft) -> list[Target]:
    """Allowed targets in the order of the pipeline, from one look at the record."""
    snapshot = looked.snapshot
    present = snapshot.pipeline.by_key.get(snapshot.stage_key or "")
    found = allowed_targets(snapshot.pipeline, snapshot.stage_key or "", snapshot.actor)
    later = [stage for stage in found if present and stage.is_open and stage.position > present.position]
    return [_target(looked, stage, later[0].key if later else "") for stage in found]


def _target(looked: MoveDraft, stage: Stage, next_key: str) -> Target:
    asked = [
        item
        for item in requirements(looked.snapshot, stage.key)
        if not item.is_met and item.severity != "ignore"
    ]
    return Target(
        key=stage.key,
        title=stage_title(stage, stage.key),
        color=stage_color(stage),
        kind=stage.kind,
        probability=stage.probability,
        missing=sum(item.kind != "approval" for item in asked),
        asks=bool(asked),
        is_next=stage.key == next_key,
    )
