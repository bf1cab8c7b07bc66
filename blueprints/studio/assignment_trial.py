"""The tester of *which process for whom*: for a record, or for values, and for a person: which rule fires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import make_response, render_template, url_for
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.messages import local
from blueprints.scope import scope
from blueprints.studio.area import studio
from blueprints.studio.assignment import Plan
from blueprints.workspace.filter_words import evaluation_context
from blueprints.workspace.record_forms import context_for, is_fragment
from blueprints.workspace.rule_subjects import words_of
from blueprints.workspace.shown import field_context, form_context, is_id
from builder.domain.assignment import AskedRule, Choice, Situation, choose
from builder.domain.conditions import Comparison, Condition, comparisons
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.domain.labels import Label
from builder.fieldtypes.inputs import form_class
from builder.fieldtypes.registry import type_of
from builder.forms.layout import FormField
from builder.forms.record_form import RecordForm
from builder.forms.state import FieldState
from builder.metadata.compiler import Uncompilable, compiled
from builder.queries.assignment import Starter, department_and_above, departments_of, situations
from builder.queries.people import active_members, departments, members_by_id
from builder.queries.record import find_record
from builder.queries.row import FullRecord, names_of_members, names_of_records

RECORD = "record"


@dataclass(frozen=True)
class TriedRule:
    """A rule with what came of it: ``verdict`` for its colour, ``text`` in words, ``unmet`` part by part."""

    number: int
    name: str
    process: str
    verdict: str
    text: str
    unmet: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Trial:
    """``sentence``: which rule fires; ``open_names``: the processes that the person may choose among."""

    sentence: str
    rules: list[TriedRule]
    open_names: list[str]


@studio.get("/processes/for/<object_key>/try")
def try_assignment(object_key: str) -> Response:
    """The tester as it is drafted; nothing is saved. The form travels in the address."""
    plan = Plan.read(scope(), object_key)
    facts: dict[str, Any] = {"plan": plan, "here_url": url_for("studio.assignment", object_key=plan.key)}
    try:
        definition = compiled(plan.document)
    except Uncompilable:
        definition = None
    if isinstance(definition, ObjectDefinition):
        facts |= _facts(plan, definition)
    template = "fragments/assignment/trial.html" if is_fragment() else "pages/studio/assignment_trial.html"
    return make_response(render_template(template, is_sound=definition is not None, **facts))


def _facts(plan: Plan, definition: ObjectDefinition) -> dict[str, Any]:
    here = plan.here
    control, record = _record(plan)
    keys = _deciding(definition)
    typed = request.args if "tried" in request.args else None
    context = context_for(here, definition.fields, {}, typed)
    form = RecordForm(definition.fields, context, formdata=typed, only=keys)
    # What is not filled in is as the record has it; an empty box is not filled in.
    given = {key: form.values[key] for key in keys if form.values.get(key) not in (None, False, "", [])}
    values = {**(record.data if record else {}), **given}
    outcome = None
    if typed is not None:
        situation = _situation(plan, definition, values)
        choice = choose(definition.assignment, tuple(plan.pipelines), situation)
        outcome = _told(plan, choice, situation, record)
    return {
        "record_field": control,
        "form": form,
        "people": [(str(each.id), each.name) for each in active_members(here.session)],
        "places": [(str(each.id), each.name, each.depth) for each in departments(here.session)],
        "person": request.args.get("person", ""),
        "place": request.args.get("department", ""),
        "outcome": outcome,
    }


def _deciding(definition: ObjectDefinition) -> list[str]:
    """The fields of the record that any rule looks at, also one that is off."""
    names = {part.field for rule in definition.assignment.rules for part in comparisons(rule.when)}
    heads = {name.partition(".")[0] for name in names}
    return [field.key for field in definition.fields if field.key in heads and field.type != "formula"]


def _record(plan: Plan) -> tuple[FormField, FullRecord | None]:
    """The control that names a record to try with, and the record, if the admin sees it."""
    here = plan.here
    text = request.args.get(f"t-{RECORD}", "")
    record_id = int(text) if is_id(text) else 0
    opened = find_record(here.session, here.actor, record_id) if record_id else None
    record = opened.record if opened and opened.record.object_key == plan.key else None
    context = form_context(here, {record.id: record.name} if record else None)
    definition = FieldDefinition(
        RECORD, "reference", Label.of(gettext("A record")), params={"target": plan.key}
    )
    form = form_class("Tried", {RECORD: type_of(definition).form_field(definition)})(
        request.args, prefix="t-", data={}, context=context
    )
    return FormField(form[RECORD], FieldState(), context, [], 1), record


def _situation(plan: Plan, definition: ObjectDefinition, values: Mapping[str, Any]) -> Situation:
    """What the rules are asked about for the chosen person, or for somebody of the chosen department."""
    here = plan.here
    person, place = request.args.get("person", ""), request.args.get("department", "")
    actor, today = here.actor, here.workspace.day_of(here.clock.now())
    if is_id(person) and (found := members_by_id(here.session, [int(person)]).get(int(person))):
        actor = replace(here.actor, member_id=found.id, role_key=found.role_key)
    belongs = (
        department_and_above(here.session, int(place))
        if is_id(place)
        else departments_of(here.session, actor.member_id, today)
    )
    catalog = replace(here.catalog, objects={**here.catalog.objects, plan.key: definition})
    context = replace(evaluation_context(here), member_id=actor.member_id)
    (situation,) = situations(
        here.session, catalog, definition, definition.assignment, (values,), Starter(actor, belongs), context
    )
    return situation


def _told(plan: Plan, choice: Choice, situation: Situation, record: FullRecord | None) -> Trial:
    rule, process = choice.rule, plan.pipelines.get(choice.pipeline_key or "", "")
    subject = f"“{record.name}”" if record else gettext("These values")
    if rule is not None:
        sentence = gettext(
            "%(subject)s: the rule that fires is “%(rule)s”. The process is “%(process)s”.",
            subject=subject,
            rule=_name(plan, rule.label, rule.when),
            process=process,
        )
    elif choice.via == "only":
        sentence = gettext(
            "%(subject)s: no rule fires. “%(process)s” is the only process that is open.",
            subject=subject,
            process=process,
        )
    elif choice.pipeline_key:
        sentence = gettext(
            "%(subject)s: no rule fires. The process is “%(process)s”, by default.",
            subject=subject,
            process=process,
        )
    elif choice.open_keys:
        sentence = gettext("%(subject)s: no rule fires, and the person chooses.", subject=subject)
    else:
        sentence = gettext("%(subject)s: no process is open to this person.", subject=subject)
    rules = [_tried(plan, number, asked, situation) for number, asked in enumerate(choice.asked, start=1)]
    return Trial(sentence, rules, [plan.pipelines[key] for key in choice.open_keys])


def _name(plan: Plan, label: Label, when: Condition) -> str:
    return str(local(label)) or words_of(plan.here, when, plan.subjects)


def _tried(plan: Plan, number: int, asked: AskedRule, situation: Situation) -> TriedRule:
    rule = asked.rule
    texts = {
        "fires": gettext("holds and decides"),
        "later": gettext("holds too, but an earlier rule has decided"),
        "does_not_hold": gettext("does not hold"),
        "not_open": gettext("holds, but the process is not open to this person’s department"),
        "no_process": gettext("holds, but leads to a process that is not there"),
        "off": gettext("is switched off"),
        "unknown": gettext("asks for something that is not there"),
    }
    unmet = tuple(
        (words_of(plan.here, part, plan.subjects), _actual(plan, part, situation)) for part in asked.unmet
    )
    name, process = (
        _name(plan, rule.label, rule.when),
        plan.pipelines.get(rule.pipeline_key, rule.pipeline_key),
    )
    return TriedRule(number, name, process, asked.verdict, texts[asked.verdict], unmet)


def _actual(plan: Plan, part: Condition, situation: Situation) -> str:
    """What stands there instead, where one field was asked."""
    if not isinstance(part, Comparison) or part.field not in plan.subjects:
        return ""
    definition, value = plan.subjects[part.field].definition, situation.values.get(part.field)
    if value in (None, "", []):
        return gettext("empty")
    ids = [int(value)] if isinstance(value, str) and is_id(value) else []
    here = plan.here
    context = field_context(
        here,
        names_of_records(here.session, ids if definition.type == "reference" else []),
        names_of_members(here.session, ids if definition.type == "user" else []),
    )
    return type_of(definition).text(definition, value, context).replace("\u2003", "")
