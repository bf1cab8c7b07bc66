"""The conditions of a gate, told in words and built as filters are, each with its message (S35, part 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask import url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from blueprints.forms import show_form
from blueprints.languages import LANGUAGES, language
from blueprints.messages import message, told
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.change_words import problem_line
from blueprints.studio.form_edits import seen
from blueprints.studio.properties import codes, texts_in, texts_of
from blueprints.studio.rules import APPLY, NEW, RuleConditions, definition_of, plain_condition
from blueprints.workspace.filter_form import args_of
from blueprints.workspace.rule_subjects import words_of
from blueprints.workspace.shown import form_context
from blueprints.workspace.subjects import Subject
from builder.domain.conditions import Condition, parse, to_document
from builder.domain.kinds import ConditionError, kind_of_type
from builder.domain.labels import Label
from builder.errors import Conflict, Invalid, NotFound
from builder.metadata.editing.edit import Edit
from builder.metadata.editing.gate_conditions import (
    SIDES,
    PutCondition,
    RemoveCondition,
    Side,
    conditions_of,
)
from builder.metadata.grammar import Document
from builder.queries.designs import Design, read_design
from builder.services import designs as services
from builder.services.definitions import EDIT


@dataclass(frozen=True)
class GatePlan:
    """The gate of one stage as it is drafted, and what its conditions can ask about."""

    design: Design
    here: Scope
    stage: Document
    place: str

    @classmethod
    def read(cls, here: Scope, pipeline_key: str, stage_key: str) -> GatePlan:
        """Errors: Forbidden, NotFound."""
        here.require(EDIT)
        design = read_design(here.session, here.workspace, "pipeline", pipeline_key)
        for number, stage in enumerate(design.document["stages"]):
            if stage["key"] == stage_key:
                return cls(design, here, stage, f"/stages/{number}/gate")
        raise NotFound()

    @property
    def names(self) -> dict[str, Any]:
        return {"pipeline_key": self.design.key, "stage_key": self.stage["key"]}

    @cached_property
    def subjects(self) -> dict[str, Subject]:
        """The fields of the record, and the answers of the stage's feedback, as they are drafted."""
        around = self.design.around
        found = _subjects(around.fields_of(self.design.document["object"]))
        form = around.documents.get("feedback", {}).get(self.stage.get("feedback", ""))
        if form is not None:
            group = Label.of(form["label"]).text(language())
            found |= _subjects(form["fields"]["properties"], "feedback.", group)
        return found

    @property
    def endings(self) -> list[tuple[str, str]]:
        """The ways out that may be offered: ``stage/reason`` and what it is called."""
        found = []
        reasons = self.design.document.get("reasons", {})
        for stage in self.design.document["stages"]:
            if stage["kind"] in ("lost", "invalid"):
                name = Label.of(stage["label"]).text(language())
                found.append((f"{stage['key']}/", name))
                for reason in reasons.get(stage["kind"], ()):
                    words = f"{name} · {Label.of(reason['label']).text(language())}"
                    found.append((f"{stage['key']}/{reason['key']}", words))
        return found


@dataclass(frozen=True)
class ConditionLine:
    """A condition as people say it."""

    number: int
    when: str
    message: str
    severity: str
    offer: str
    problems: list[tuple[str, str]]


@dataclass
class ConditionForm:
    """The builder of one condition. ``number``: which one is changed, ``None`` for a new one."""

    side: Side
    number: int | None
    message: dict[str, str]
    severity: str
    offer: str
    conditions: RuleConditions
    problems: list[tuple[str, str]] = field(default_factory=list)


@studio.get("/processes/<pipeline_key>/stages/<stage_key>/conditions")
def gate_conditions(pipeline_key: str, stage_key: str) -> Response:
    """Both sides of the gate; ``side`` and ``condition`` in the address open one of them, or a new one."""
    plan = GatePlan.read(scope(), pipeline_key, stage_key)
    side = _side(request.args.get("side", ""))
    form = condition_form(plan, side, request.args.get("condition", "")) if side else None
    return _show(plan, form)


@studio.post("/processes/<pipeline_key>/stages/<stage_key>/conditions")
def put_gate_condition(pipeline_key: str, stage_key: str) -> Response:
    """Keep a condition; every other button of the builder shows it again and keeps nothing."""
    plan = GatePlan.read(scope(), pipeline_key, stage_key)
    side = _side(request.form.get("side", ""))
    form = condition_form(plan, side, request.form.get("condition", NEW), request.form) if side else None
    if form is None:
        return _show(plan, problems=[("", gettext("This condition is no longer there."))], status=404)
    if request.form.get("_filter") != APPLY:
        return _show(plan, form)
    seen()
    form.problems = list(form.conditions.problems)
    if form.problems:
        return _show(plan, form, status=422)
    condition = form.conditions.condition()
    when = to_document(plain_condition(condition)) if condition is not None else {"all": []}
    stage, _, reason = form.offer.partition("/")
    edit = PutCondition(stage_key, form.side, form.number, when, form.message, form.severity, (stage, reason))
    return _make(plan, edit, form)


@studio.post("/processes/<pipeline_key>/stages/<stage_key>/conditions/<side>/<number>/remove")
def remove_gate_condition(pipeline_key: str, stage_key: str, side: str, number: str) -> Response:
    plan = GatePlan.read(scope(), pipeline_key, stage_key)
    known = _side(side)
    if known is None or _number(plan, known, number) is None:
        raise NotFound()
    return _make(plan, RemoveCondition(stage_key, known, int(number)))


def condition_form(
    plan: GatePlan, side: Side, number: str, sent: MultiDict[str, str] | None = None
) -> ConditionForm | None:
    """The builder of a condition: as it is stored, new, or as it was sent. ``None``: it is not there."""
    place = _number(plan, side, number)
    if number != NEW and place is None:
        return None
    before = {} if place is None else conditions_of(plan.stage, side)[place]
    context = form_context(plan.here)
    if sent is not None:
        texts, severity, offer = texts_in(sent, "message"), sent.get("severity", ""), sent.get("offer", "")
    else:
        way = before.get("offer", {})
        offer = f"{way['stage']}/{way.get('reason', '')}" if way else ""
        texts, severity = texts_of(before.get("message")), before.get("severity", "block")
    args = args_of(_parsed(before.get("when", {"all": []})), plan.subjects, context) if sent is None else sent
    conditions = RuleConditions(plan.here, plan.design.document["object"], args, plan.subjects, context)
    return ConditionForm(side, place, texts, severity, offer, conditions)


def _show(
    plan: GatePlan,
    form: ConditionForm | None = None,
    *,
    problems: list[tuple[str, str]] | None = None,
    status: int = 200,
) -> Response:
    return show_form(
        "pages/studio/gate_conditions.html",
        fragment="fragments/process/conditions.html",
        plan=plan,
        stage_name=Label.of(plan.stage["label"]).text(language()),
        process_name=Label.of(plan.design.document["label"]).text(language()),
        sides=[(side, _lines(plan, side)) for side in SIDES],
        form=form,
        problems=problems or [],
        codes=codes(),
        language_names=LANGUAGES,
        draft_count=plan.design.draft_count,
        publish_url=url_for("studio.changes"),
        here_url=url_for("studio.gate_conditions", **plan.names),
        status=status,
    )


def _lines(plan: GatePlan, side: Side) -> list[ConditionLine]:
    endings = dict(plan.endings)
    lines = []
    for number, each in enumerate(conditions_of(plan.stage, side)):
        condition = _parsed(each["when"])
        way = each.get("offer", {})
        place = f"{plan.place}/{side}/conditions/{number}/"
        lines.append(
            ConditionLine(
                number,
                words_of(plan.here, condition, plan.subjects) if condition is not None else "?",
                Label.of(each.get("message")).text(language()),
                each.get("severity", "block"),
                endings.get(f"{way['stage']}/{way.get('reason', '')}", way["stage"]) if way else "",
                [
                    (one.severity, problem_line(one, plan.design.document))
                    for one in plan.design.problems
                    if f"{one.place}/".startswith(place)
                ],
            )
        )
    return lines


def _make(plan: GatePlan, edit: Edit, form: ConditionForm | None = None) -> Response:
    """Make an edit and show the page; what is refused is shown with what was typed, and 409 as it stands."""
    here, names = plan.here, plan.names
    uow = here.unit_of_work()
    try:
        services.change(uow, "pipeline", plan.design.key, seen(), edit)
    except Conflict as error:
        uow.rollback()
        problems = [("", message(error.message_key, error.values))]
        return _show(GatePlan.read(here, **names), problems=problems, status=409)
    except Invalid as error:
        uow.rollback()
        problems = [(each.place, told(each)) for each in error.problems]
        if form is not None:
            form.problems, problems = problems, []
        return _show(GatePlan.read(here, **names), form, problems=problems, status=422)
    uow.commit()
    if request.htmx and not request.htmx.boosted:
        return _show(GatePlan.read(here, **names))
    return redirect(url_for("studio.gate_conditions", **names), 303)


def _subjects(properties: Mapping[str, Document], prefix: str = "", group: str = "") -> dict[str, Subject]:
    found = {}
    for key, document in properties.items():
        definition = definition_of(key, document)
        name = prefix + key
        label = definition.label.text(language()) or key
        subject = Subject(name, label, kind_of_type(definition.type), definition, group)
        if subject.operators:
            found[name] = subject
    return found


def _side(text: str) -> Side | None:
    return next((side for side in SIDES if side == text), None)


def _number(plan: GatePlan, side: Side, text: str) -> int | None:
    """The place of a condition that there is."""
    known = {str(place): place for place in range(len(conditions_of(plan.stage, side)))}
    return known.get(text)


def _parsed(document: Document) -> Condition | None:
    try:
        return parse(document)
    except ConditionError:
        return None
