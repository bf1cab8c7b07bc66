"""Which process for whom: the page of an object's rules, its default and the departments (S6–S10, part 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask import url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blueprints.forms import show_form
from blueprints.languages import LANGUAGES, language
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.change_words import problem_line
from blueprints.studio.properties import codes, texts_in, texts_of
from blueprints.studio.rules import RuleConditions, definition_of
from blueprints.workspace.filter_form import args_of
from blueprints.workspace.rule_subjects import rule_subjects, words_of
from blueprints.workspace.shown import form_context
from blueprints.workspace.subjects import Subject
from builder.domain.conditions import Condition, parse
from builder.domain.fields import FieldDefinition
from builder.domain.kinds import ConditionError
from builder.domain.labels import Label
from builder.errors import NotFound
from builder.metadata.editing.assignment import rules_of
from builder.metadata.grammar import Document
from builder.queries.designs import Design, read_design
from builder.queries.people import DepartmentNode, departments
from builder.services.definitions import EDIT

NEW = "new"
PLACE = "/processes"


@dataclass(frozen=True)
class Plan:
    """The assignment of an object as it is drafted, and what its rules can name."""

    design: Design
    here: Scope

    @classmethod
    def read(cls, here: Scope, object_key: str) -> Plan:
        """Errors: Forbidden, NotFound."""
        here.require(EDIT)
        return cls(read_design(here.session, here.workspace, "object", object_key), here)

    @property
    def key(self) -> str:
        return self.design.key

    @property
    def document(self) -> Document:
        return self.design.document

    @property
    def settings(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document.get("processes", {})
        return found

    @property
    def name(self) -> str:
        return Label.of(self.document["label_plural"]).text(language())

    @cached_property
    def pipelines(self) -> dict[str, str]:
        """The names of the object's processes by key, drafted ones too."""
        known = self.design.around.documents.get("pipeline", {})
        return {
            key: Label.of(each["label"]).text(language())
            for key, each in sorted(known.items())
            if each["object"] == self.key
        }

    @cached_property
    def subjects(self) -> dict[str, Subject]:
        """What a rule may ask about, of the definitions as they are drafted."""
        around = self.design.around.beside(self.document)
        own = _fields(around.fields_of(self.key))
        targets = {str(each.params.get("target")) for each in own.values() if each.type == "reference"}
        return rule_subjects(self.here, own, {key: _fields(around.fields_of(key)) for key in targets})


@dataclass(frozen=True)
class RuleLine:
    """A rule as people say it; ``problems``: (severity, text) of what lint says about it."""

    key: str
    name: str
    when: str
    process: str
    is_on: bool
    problems: list[tuple[str, str]]


@dataclass(frozen=True)
class ProcessLine:
    """A process with the departments that may start it, as ticks: (id, name, depth, is ticked)."""

    key: str
    name: str
    ticks: list[tuple[str, str, int, bool]]
    names: list[str]
    is_lost: bool


@dataclass
class RuleForm:
    """The builder of one rule. ``key``: which one is changed, ``None`` for a new one."""

    key: str | None
    label: dict[str, str]
    pipeline: str
    conditions: RuleConditions
    problems: list[tuple[str, str]] = field(default_factory=list)


@studio.get("/processes/for/<object_key>")
def assignment(object_key: str) -> Response:
    """The rules in their order; ``rule`` in the address opens one of them, or a new one."""
    return show(Plan.read(scope(), object_key), request.args.get("rule", ""))


def show(
    plan: Plan,
    rule: str = "",
    form: RuleForm | None = None,
    *,
    problems: Sequence[tuple[str, str]] = (),
    status: int = 200,
) -> Response:
    """The page. ``form``: the builder as it was sent; otherwise that of ``rule``, if there is one of it."""
    made = form or (rule_form(plan, rule) if rule else None)
    found = [each for each in plan.design.problems if f"{each.place}/".startswith(f"{PLACE}/")]
    rest = [each for each in found if not each.place.startswith(f"{PLACE}/rules/")]
    nodes = departments(plan.here.session)
    return show_form(
        "pages/studio/assignment.html",
        fragment="fragments/assignment/assignment.html",
        plan=plan,
        rules=_rule_lines(plan),
        rule_form=made,
        chosen=rule,
        processes=[_process_line(plan, key, nodes) for key in plan.pipelines],
        has_departments=bool(nodes),
        default=plan.settings.get("default", ""),
        findings=[(each.severity, problem_line(each, plan.document)) for each in rest],
        problems=list(problems),
        codes=codes(),
        language_names=LANGUAGES,
        draft_count=plan.design.draft_count,
        publish_url=url_for("studio.changes"),
        here_url=url_for("studio.assignment", object_key=plan.key),
        status=status,
    )


def rule_form(plan: Plan, rule: str, sent: MultiDict[str, str] | None = None) -> RuleForm | None:
    """The builder of a rule: as it is stored, new, or as it was sent. ``None`` when it is not there."""
    stored = {each["key"]: each for each in rules_of(plan.document)}
    if rule != NEW and rule not in stored:
        return None
    before = stored.get(rule, {"when": {"all": []}, "pipeline": ""})
    context = form_context(plan.here)
    label = texts_of(before.get("label")) if sent is None else texts_in(sent, "label")
    pipeline = before["pipeline"] if sent is None else sent.get("pipeline", "")
    args = args_of(_condition(before["when"]), plan.subjects, context) if sent is None else sent
    conditions = RuleConditions(plan.here, plan.key, args, plan.subjects, context)
    return RuleForm(None if rule == NEW else rule, label, pipeline, conditions)


def _rule_lines(plan: Plan) -> list[RuleLine]:
    lines = []
    for number, rule in enumerate(rules_of(plan.document)):
        place = f"{PLACE}/rules/{number}"
        condition = _condition(rule["when"])
        when = words_of(plan.here, condition, plan.subjects) if condition is not None else "?"
        lines.append(
            RuleLine(
                rule["key"],
                Label.of(rule.get("label")).text(language()),
                when,
                plan.pipelines.get(rule["pipeline"]) or str(rule["pipeline"]),
                not rule.get("off", False),
                [
                    (each.severity, problem_line(each, None))
                    for each in plan.design.problems
                    if f"{each.place}/".startswith(f"{place}/")
                ],
            )
        )
    return lines


def _process_line(plan: Plan, key: str, nodes: Sequence[DepartmentNode]) -> ProcessLine:
    assigned = set(plan.settings.get("departments", {}).get(key, ()))
    ticks = [(str(node.id), node.name, node.depth, str(node.id) in assigned) for node in nodes]
    names = [name for _, name, _, is_ticked in ticks if is_ticked]
    return ProcessLine(key, plan.pipelines[key], ticks, names, bool(assigned) and not names)


def _condition(document: Document) -> Condition | None:
    try:
        return parse(document)
    except ConditionError:
        return None


def _fields(properties: Mapping[str, Document]) -> dict[str, FieldDefinition]:
    return {key: definition_of(key, document) for key, document in properties.items()}


def known_rule(plan: Plan, rule_key: str) -> None:
    """Errors: NotFound unless there is a rule of that key."""
    if rule_key not in {each["key"] for each in rules_of(plan.document)}:
        raise NotFound()


def gone() -> str:
    return gettext("This rule is no longer there.")
