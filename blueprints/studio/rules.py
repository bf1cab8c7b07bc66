"""The rules of a form in words, and the builder of one: what it does, to which fields, and when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from blueprints.languages import language
from blueprints.messages import told
from blueprints.scope import Scope, scope
from blueprints.studio.area import studio
from blueprints.studio.designer import Chosen, Told, read, show
from blueprints.studio.form_edits import make, seen
from blueprints.workspace.filter_form import FilterForm, args_of
from blueprints.workspace.filter_words import in_words
from blueprints.workspace.shown import form_context
from blueprints.workspace.subjects import Subject
from builder.domain.conditions import All, AnyOf, Condition, parse, to_document
from builder.domain.fields import FieldDefinition, Option
from builder.domain.kinds import ConditionError, kind_of_type
from builder.domain.labels import Label
from builder.fieldtypes.base import FieldContext
from builder.fieldtypes.registry import field_type
from builder.metadata.editing.rules import EFFECTS, PutRule, RemoveRule
from builder.metadata.rule_schema import is_sayable
from builder.queries.designs import Design

APPLY = "apply"
NEW = "new"


@dataclass(frozen=True)
class RuleSubject(Subject):
    """A field of the form that a rule may ask about, with the operators that JSON Schema can say."""

    @property
    def operators(self) -> tuple[str, ...]:
        return tuple(op for op in super().operators if is_sayable(op, self.definition))


class RuleConditions(FilterForm):
    """The builder of lists, over the fields of a draft."""

    def read_raw(self, text: str) -> tuple[Condition | None, list[str]]:
        try:
            return parse(json.loads(text)), []
        except ConditionError as error:
            return None, [told(problem) for problem in error.problems]
        except (ValueError, RecursionError):
            return None, [text[:80]]


@dataclass(frozen=True)
class RuleLine:
    """A rule as people say it."""

    number: int
    effect: str
    fields: str
    when: str
    options: str = ""


@dataclass
class RuleForm:
    """The builder of one rule. ``number``: which one is changed, ``None`` for a new one."""

    number: int | None
    effect: str
    fields: list[str]
    options: list[str]
    conditions: RuleConditions
    choices: list[tuple[str, str]]
    offered: list[tuple[str, str]]
    problems: list[tuple[str, str]] = field(default_factory=list)


def effect_words() -> dict[str, str]:
    return {
        "show": gettext("Show"),
        "require": gettext("Require"),
        "read_only": gettext("Lock"),
        "options": gettext("Limit the options of"),
    }


def subjects_in(design: Design) -> dict[str, Subject]:
    """The fields of the draft that a rule can ask about."""
    found: dict[str, Subject] = {}
    for key, document in design.form["properties"].items():
        definition = definition_of(key, document)
        subject = RuleSubject(
            key, definition.label.text(language()) or key, kind_of_type(definition.type), definition
        )
        if subject.operators:
            found[key] = subject
    return found


def definition_of(key: str, document: Mapping[str, Any]) -> FieldDefinition:
    """As much of the field as a condition needs; the draft may be unsound elsewhere."""
    try:
        params = field_type(document["x-type"]).params(document)
    except (KeyError, TypeError, ValueError):
        params = {}
    options = tuple(
        Option(one["key"], Label.of(one["label"]), one.get("color", ""), bool(one.get("retired")))
        for one in document.get("x-options", ())
    )
    return FieldDefinition(
        key, document["x-type"], Label.of(document["x-label"]), options=options, params=params
    )


def rule_lines(here: Scope, design: Design) -> list[RuleLine]:
    """All rules of the draft in words."""
    rules = design.form.get("x-rules", ())
    if not rules:
        return []
    subjects, context, words = subjects_in(design), form_context(here), effect_words()
    properties = design.form["properties"]
    lines = []
    for number, rule in enumerate(rules):
        names = [_name(key, properties) for key in rule["fields"]]
        options = {one["key"]: one for one in properties.get(rule["fields"][0], {}).get("x-options", ())}
        chosen = [
            Label.of(options[key]["label"]).text(language())
            for key in rule.get("options", ())
            if key in options
        ]
        lines.append(
            RuleLine(
                number,
                words.get(rule["effect"], rule["effect"]),
                gettext(", ").join(names),
                _when(rule["when"], subjects, context),
                gettext(", ").join(chosen),
            )
        )
    return lines


def _name(key: str, properties: Mapping[str, Any]) -> str:
    return Label.of(properties[key]["x-label"]).text(language()) if key in properties else key


def _when(document: Any, subjects: Mapping[str, Subject], context: FieldContext) -> str:
    try:
        return in_words(parse(document), subjects, context)
    except ConditionError:
        return "?"


def rule_form(
    here: Scope, design: Design, rule: str, sent: MultiDict[str, str] | None = None
) -> RuleForm | None:
    """The builder: of a stored rule, of a new one, or as it was sent; ``None`` when there is no such rule."""
    stored = design.form.get("x-rules", ())
    number = int(rule) if rule.isascii() and rule.isdecimal() and len(rule) < 4 else None
    if (number is None and rule != NEW) or (number is not None and number >= len(stored)):
        return None
    before = stored[number] if number is not None else {"effect": "show", "fields": [], "when": {"all": []}}
    subjects, context = subjects_in(design), form_context(here)
    if sent is None:
        sent = MultiDict([("effect", str(before["effect"]))])
        sent.setlist("fields", before["fields"])
        sent.setlist("options", before.get("options", []))
        try:
            condition: Condition | None = parse(before["when"])
        except ConditionError:
            condition = None
        sent.update(args_of(condition, subjects, context))
    effect = sent.get("effect", "")
    fields = [key for key in sent.getlist("fields") if key in design.form["properties"]]
    target = design.form["properties"].get(fields[0] if fields else "", {})
    return RuleForm(
        number,
        effect if effect in EFFECTS else "show",
        fields,
        sent.getlist("options"),
        RuleConditions(here, design.object_key, sent, subjects, context),
        [
            (key, _name(key, design.form["properties"]))
            for key in sorted(_in_order(design), key=lambda key: key not in before["fields"])
        ],
        [(one["key"], Label.of(one["label"]).text(language())) for one in target.get("x-options", ())],
    )


def _in_order(design: Design) -> list[str]:
    placed = [key for section in design.form.get("x-sections", ()) for key in section["fields"]]
    return list(
        dict.fromkeys((*(k for k in placed if k in design.form["properties"]), *design.form["properties"]))
    )


@studio.post("/<any(objects, forms):area>/<key>/rules")
def put_rule(area: str, key: str) -> Response:
    """Keep a rule; every other button of the builder shows it again and keeps nothing."""
    here = scope()
    design = read(here, area, key)
    rule = request.form.get("rule", NEW)
    form = rule_form(here, design, rule, request.form)
    chosen = Chosen(rule=rule)
    if form is None:
        return show(here, design, Chosen(), Told(notice=gettext("This rule is no longer there.")), 404)
    if request.form.get("_filter") != APPLY:
        return show(here, design, chosen, Told(extra={"rule": form}))
    seen()
    form.problems = list(form.conditions.problems)
    condition = form.conditions.condition()
    if condition is None and not form.problems:
        form.problems = [("g0-0-field", gettext("Say when the rule acts: choose a field to compare."))]
    if form.problems or condition is None:
        return show(here, design, chosen, Told(extra={"rule": form}, problems=form.problems), 422)
    fields = tuple(form.fields[:1] if form.effect == "options" else form.fields)
    edit = PutRule(
        form.effect, fields, to_document(plain_condition(condition)), tuple(form.options), form.number
    )
    return make(here, design, edit, Chosen(), chosen, Told(extra={"rule": form}))


def plain_condition(condition: Condition) -> Condition:
    """A group of one is that one."""
    if isinstance(condition, All | AnyOf) and len(condition.parts) == 1:
        return condition.parts[0]
    return condition


@studio.post("/<any(objects, forms):area>/<key>/rules/<int:number>/remove")
def remove_rule(area: str, key: str, number: int) -> Response:
    here = scope()
    return make(here, read(here, area, key), RemoveRule(number), Chosen())
