"""What the required fields of a form cost, beside the form, and what is proposed about them (B20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for
from werkzeug.wrappers import Response

from blueprints.languages import language
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.designer import Chosen, address
from blueprints.studio.form_edits import make, with_field
from builder.domain.form_cost import Answers, FormCost, Place, Proposal
from builder.domain.labels import Label
from builder.metadata.editing.fields import StopRequiring
from builder.metadata.grammar import Document
from builder.queries.designs import Design
from builder.queries.form_cost import form_cost


@dataclass(frozen=True)
class CostLine:
    """One required field in words. ``asked``: where (stage, address); empty where the form always asks;
    ``later``: the stage from which on it could be required, with its address.
    """

    key: str
    label: str
    href: str
    answers: Answers
    by_stage: Sequence[tuple[str, Answers]]
    refused: int
    waiting: int
    asked: Sequence[tuple[str, str]]
    proposal: Proposal
    later: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class CostPanel:
    cost: FormCost
    lines: Sequence[CostLine]


def cost_panel(here: Scope, design: Design) -> CostPanel:
    """The costs of the published form: people answer that one, not the draft."""
    design = design.at("")
    processes = [
        one
        for one in design.around.documents.get("pipeline", {}).values()
        if one["object"] == design.object_key
    ]
    required = _required(design, processes)
    cost = form_cost(here.session, design.kind, design.key, required)
    names = {
        (one["key"], stage["key"]): Label.of(stage["label"]).text(language())
        for one in processes
        for stage in one["stages"]
    }
    order = [place for place in names if place[1]]
    lines = []
    for one in cost.fields:
        proposal, place = one.proposal(order)
        places = required[one.key]
        asked = [(names[at], _stage(at)) for at in order if places is not None and at in places]
        lines.append(
            CostLine(
                one.key,
                Label.of(design.form["properties"][one.key]["x-label"]).text(language()) or one.key,
                address(design, Chosen(field=one.key)),
                one.answers,
                [(names.get(at, "–"), found) for at, found in one.by_place.items()],
                one.refused,
                one.waiting,
                asked,
                proposal,
                (names[place], _stage(place)) if place is not None else ("", ""),
            )
        )
    return CostPanel(cost, lines)


def _stage(place: Place) -> str:
    return url_for("studio.stage", pipeline_key=place[0], stage_key=place[1])


def _required(design: Design, processes: Sequence[Document]) -> dict[str, frozenset[Place] | None]:
    """The required fields: of the form, and of the gates of stages (for these the places that ask)."""
    known = design.form["properties"]
    found: dict[str, frozenset[Place] | None] = {
        key: None for key in design.form.get("required", ()) if key in known
    }
    for process in processes if design.kind == "object" else ():
        for stage in process["stages"]:
            for key in stage.get("gate", {}).get("leave", {}).get("required_fields", ()):
                places = found.get(key, frozenset())
                if key in known and places is not None:
                    found[key] = places | {(process["key"], stage["key"])}
    return found


@studio.post("/<any(objects, forms):area>/<key>/fields/<field_key>/optional")
def stop_requiring(area: str, key: str, field_key: str) -> Response:
    """The field stays on the form and need not be filled in any more."""
    here = scope()
    design = with_field(here, area, key, field_key)
    return make(here, design, StopRequiring(field_key), Chosen(panel="cost"))
