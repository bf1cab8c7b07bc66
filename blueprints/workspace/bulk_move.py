"""Moving records of a list through the one door: refusals row by row, warnings confirmed (B1, B24)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.messages import local
from blueprints.scope import Scope, scope
from blueprints.workspace.area import workspace
from blueprints.workspace.bulk_answers import BulkAnswers
from blueprints.workspace.bulk_choice import (
    Selection,
    none_chosen,
    perform,
    read_selection,
    show_selection,
)
from builder.domain.fields import ObjectDefinition
from builder.domain.pipeline import Pipeline, Reason, Stage
from builder.services.bulk_acts import Move

MOVE = "move"
ACCEPT, LEAVE = "accept", "leave"
LONGEST_NOTE = 2_000


@dataclass(frozen=True)
class Target:
    """Where the records shall go, as it was sent; ``stage``: none for an unknown name."""

    name: str
    pipeline: Pipeline | None
    stage: Stage | None
    reason_key: str
    note: str
    warnings: str

    @property
    def reasons(self) -> tuple[Reason, ...]:
        if self.pipeline is None or self.stage is None:
            return ()
        return tuple(each for each in self.pipeline.reasons.get(self.stage.kind, ()) if not each.is_retired)

    @property
    def is_closing(self) -> bool:
        return self.stage is not None and not self.stage.is_open


@workspace.get("/o/<object_key>/bulk/move")
def bulk_move(object_key: str) -> Response:
    """Where the records shall go."""
    here = scope()
    here.require(MOVE)
    definition = here.catalog.object(object_key)
    selection = read_selection(here, definition, request.args)
    if not selection.count:
        return none_chosen(object_key)
    return _show(here, definition, _target(here, definition, request.args), selection)


@workspace.post("/o/<object_key>/bulk/move")
def move_many(object_key: str) -> Response:
    """Move them: those that the gate refuses are listed, and the rest goes through or nothing does."""
    here = scope()
    here.require(MOVE)
    definition = here.catalog.object(object_key)
    selection = read_selection(here, definition, request.form)
    target = _target(here, definition, request.form)
    show = partial(_show, here, definition, target)
    if request.form.get("_action") == "refresh":
        return show(selection)
    problems = _problems(target, selection)
    if problems or target.pipeline is None or target.stage is None:
        return show(selection, status=422, problems=problems)
    answers = BulkAnswers(here, definition, request.form)
    show = partial(show, answers=answers)
    if not answers.validate() or answers.is_refresh:
        return show(selection, status=200 if answers.is_refresh else 422)
    act = Move(
        target.pipeline.key,
        target.stage.key,
        target.reason_key or None,
        target.note,
        is_confirmed=target.warnings == ACCEPT,
        values=answers.values,
        answers=answers.answers,
        override_reason=answers.override_reason,
    )
    return perform(here, selection, act, show, asks_first=not target.warnings)


def _target(here: Scope, definition: ObjectDefinition, args: Any) -> Target:
    name = args.get("to", "")[:200]
    pipeline_key, _, stage_key = name.partition("/")
    pipeline = {each.key: each for each in here.catalog.pipelines_of(definition.key)}.get(pipeline_key)
    stage = pipeline.by_key.get(stage_key) if pipeline else None
    warnings = args.get("warnings", "")
    return Target(
        name,
        pipeline,
        stage,
        args.get("reason_key", "")[:80],
        args.get("reason_note", "").replace("\0", "").strip()[:LONGEST_NOTE],
        warnings if warnings in (ACCEPT, LEAVE) else "",
    )


def _problems(target: Target, selection: Selection) -> list[tuple[str, str]]:
    """What must be said before anything is tried."""
    found = []
    if target.stage is None:
        found.append(("to", gettext("Choose where they shall go.")))
    if target.reasons and target.reason_key not in {reason.key for reason in target.reasons}:
        found.append(("reason_key", gettext("Choose a reason.")))
    if selection.is_large and not target.warnings:
        # Nobody can be asked while the background works.
        found.append(("warnings-leave", gettext("Say what to do where the gate only warns.")))
    return found


def _show(
    here: Scope,
    definition: ObjectDefinition,
    target: Target,
    selection: Selection,
    *,
    answers: BulkAnswers | None = None,
    **facts: Any,
) -> Response:
    refused = facts.get("refused")
    answers = answers or BulkAnswers(here, definition, request.values)
    if refused is not None:
        answers.ask(refused.refused)
    pipelines = here.catalog.pipelines_of(definition.key)
    stages = [
        (
            str(local(pipeline.label)),
            [(f"{pipeline.key}/{stage.key}", str(local(stage.label))) for stage in pipeline.stages],
        )
        for pipeline in pipelines
    ]
    facts |= {"target": target, "stages": stages, "asked": answers}
    return show_selection("bulk_move", here, definition, selection, **facts)
