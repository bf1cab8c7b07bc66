"""The way out that a gate offers where a check has failed: close the record, a reason proposed (S32)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext

from blueprints.messages import local, named
from builder.domain.conditions import fields_of
from builder.domain.gates import is_empty
from builder.domain.moves import Requirement, Unmet
from builder.domain.pipeline import GateCondition, Pipeline
from builder.domain.requirements import is_allowed


@dataclass(frozen=True, slots=True)
class WayOutLink:
    """``href``: the dialog that closes the record, with the reason chosen already."""

    text: str
    href: str


def ways_out(
    pipeline: Pipeline,
    stage_key: str,
    failing: Iterable[Requirement | Unmet],
    record_id: int,
    values: Mapping[str, Any],
) -> list[WayOutLink]:
    """What the failing conditions offer, each once. A check that nobody has answered yet offers nothing.

    ``values``: the record's, and the answers as ``feedback.<key>``.
    """
    found = {
        (condition.offer.stage, condition.offer.reason): None
        for condition in _conditions(pipeline, failing)
        if condition.offer is not None
        and not all(is_empty(values.get(name)) for name in fields_of(condition.when))
    }
    return list(_links(pipeline, stage_key, record_id, found))


def _conditions(pipeline: Pipeline, failing: Iterable[Requirement | Unmet]) -> Iterator[GateCondition]:
    """Those that pointers name: ``/stages/3/gate/leave/conditions/0``."""
    for item in failing:
        parts = item.pointer.split("/")
        if item.kind == "condition" and parts[5:6] == ["conditions"]:
            stage = pipeline.stages[int(parts[2])]
            gate = stage.leave if parts[4] == "leave" else stage.enter
            yield gate.conditions[int(parts[6])]


def _links(
    pipeline: Pipeline, stage_key: str, record_id: int, offers: Iterable[tuple[str, str | None]]
) -> Iterator[WayOutLink]:
    present = pipeline.by_key.get(stage_key)
    for target_key, reason_key in offers:
        target = pipeline.by_key.get(target_key)
        if target is None or present is None or not is_allowed(pipeline, present, target):
            continue
        known = {reason.key: reason for reason in pipeline.reasons.get(target.kind, ())}
        reason = known.get(reason_key or "")
        text = gettext("Close as “%(stage)s”", stage=local(target.label))
        if reason is not None:
            text = named(text, local(reason.label))
        # Read by blueprints.workspace.moves.dialog.
        yield WayOutLink(text, url_for("moves.dialog", record_id=record_id, to=target_key, reason=reason_key))
