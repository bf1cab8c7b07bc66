"""What is known of a field beside its settings: who fills it, what asks for it, and what a formula gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import url_for
from flask_babel import gettext
from htmx_flask import request

from blueprints.languages import language
from blueprints.messages import message
from blueprints.scope import Scope
from blueprints.workspace.shown import field_context
from builder.db.ids import to_public
from builder.domain.computation import compute
from builder.domain.fields import FieldDefinition
from builder.domain.formulas import FormulaError, parse
from builder.domain.labels import Label
from builder.errors import FunnelwrightError
from builder.fieldtypes.registry import type_of
from builder.metadata.compiler import field_set
from builder.metadata.references import Reference, references, references_inside
from builder.queries.definitions import live_documents
from builder.queries.designs import Design
from builder.queries.field_usage import FieldUsage, field_usage, newest_records


@dataclass(frozen=True)
class FieldFacts:
    """``usage``: none for new fields; ``asked``: (words, address or nothing); ``by_stage``: (stage, use)."""

    usage: FieldUsage | None
    asked: list[tuple[str, str]]
    by_stage: list[tuple[str, FieldUsage]] = field(default_factory=list)


@dataclass(frozen=True)
class FormulaTrial:
    """A formula tried: ``records`` to choose from (id, name), the one chosen, what it gives or why not."""

    records: list[tuple[str, str]]
    chosen: str
    result: str = ""
    problem: str = ""
    inputs: tuple[tuple[str, str], ...] = ()


def field_facts(here: Scope, design: Design, key: str) -> FieldFacts | None:
    if key not in design.form["properties"]:
        return None
    if design.path:
        inside = references_inside(design.document, design.path, key)
        return FieldFacts(None, [_words(design, one) for one in inside])
    live = live_documents(here.session, here.workspace)
    beside = {name: live.get(name, document) for name, document in _around(design).items()}
    usage = None
    if key in design.live_fields:
        usage = field_usage(here.session, design.kind, design.key, key)
    found = references(design.document, key, {**live, **beside})
    return FieldFacts(usage, [_words(design, one) for one in found], _by_stage(design, usage))


def _by_stage(design: Design, usage: FieldUsage | None) -> list[tuple[str, FieldUsage]]:
    """The use of a field by stage, in the order of the processes; nothing where there is only one."""
    if usage is None or len(usage.by_stage) < 2:
        return []
    names = {
        (key, stage["key"]): Label.of(stage["label"]).text(language()) or stage["key"]
        for key, one in design.around.documents.get("pipeline", {}).items()
        for stage in one["stages"]
    }
    found = [(name, usage.by_stage[place]) for place, name in names.items() if place in usage.by_stage]
    outside = usage.by_stage.get(("", ""))
    return [*found, (gettext("In no process"), outside)] if outside else found


def _around(design: Design) -> dict[tuple[str, str], dict[str, object]]:
    return {
        (kind, key): one for kind, all_of in design.around.documents.items() for key, one in all_of.items()
    }


def _words(design: Design, one: Reference) -> tuple[str, str]:
    document = design.document if (one.kind, one.key) == (design.kind, design.key) else None
    document = document or design.around.find(one.kind, one.key) or {}
    name = Label.of(document.get("label")).text(language()) or one.key
    area = "objects" if design.kind == "object" else "forms"
    here = url_for("studio.designer", area=area, key=design.key)
    if one.part == "rule":
        return gettext("Rule %(number)s", number=one.name), f"{here}?rule={int(one.name) - 1}"
    if one.part == "formula":
        around = design.inside(tuple(one.within.split(".")) if one.within else ())
        name = Label.of(around.form["properties"][one.name]["x-label"]).text(language())
        href = url_for("studio.designer", area=area, key=design.key, within=around.within, field=one.name)
        return gettext("Formula “%(name)s”", name=name), href
    if one.part == "stage":
        stages = {stage["key"]: stage for stage in document.get("stages", ())}
        stage = Label.of(stages.get(one.name, {}).get("label")).text(language())
        text = gettext("Stage “%(stage)s” of %(process)s", stage=stage or one.name, process=name)
        return text, url_for("studio.process", pipeline_key=one.key)
    if one.part == "processes":
        text = gettext("Which process for whom: %(name)s", name=name)
        return text, url_for("studio.assignment", object_key=one.key)
    texts = {
        "list": gettext("The list"),
        "search": gettext("Search"),
        "duplicates": gettext("Duplicate check"),
        "conversion": gettext("Conversion of %(name)s", name=name),
        "total": gettext("A total of %(name)s", name=name),
        "view": gettext("View “%(name)s”", name=name),
        "role": gettext("Rights of the role “%(name)s”", name=name),
    }
    return texts[one.part], ""


def formula_trial(here: Scope, design: Design, key: str) -> FormulaTrial | None:
    """What the formula of a field gives for a record that was changed lately, chosen by ``sample``."""
    document = design.form["properties"].get(key, {})
    if document.get("x-type") != "formula" or not design.is_of_record:
        return None
    rows = newest_records(here.session, here.actor, design.key)
    records = [(to_public(row.id), row.name or "–") for row in rows]
    asked = request.values.get("sample", "")
    row = next((one for one in rows if to_public(one.id) == asked), rows[0] if rows else None)
    chosen = to_public(row.id) if row is not None else ""
    try:
        fields = field_set(dict(design.form))
        values = compute(fields.fields, dict(row.data) if row is not None else {})
    except FormulaError as error:
        return FormulaTrial(records, chosen, problem=message(error.message_key, error.values))
    except FunnelwrightError as error:
        first = error.problems[0] if error.problems else None
        text = message(first.message, first.values) if first else message(error.message_key, error.values)
        return FormulaTrial(records, chosen, problem=text)
    context = field_context(here)

    def shown(definition: FieldDefinition) -> str:
        return type_of(definition).text(definition, values.get(definition.key), context) or "–"

    definition = fields.by_key[key]
    asked_for = _names(str(document["x-formula"]))
    inputs = tuple(
        (one.label.text(language()) or one.key, shown(one)) for one in fields if one.key in asked_for
    )
    return FormulaTrial(records, chosen, result=shown(definition), inputs=inputs)


def _names(text: str) -> set[str]:
    return {name.partition(".")[0] for name in parse(text).names}
