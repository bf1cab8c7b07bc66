"""What the panels of the designer choose from: objects, fields of others, words of settings."""

from __future__ import annotations

from typing import Any

from blueprints.languages import language
from blueprints.scope import Scope
from blueprints.studio.designer import Chosen, Told
from blueprints.studio.field_facts import field_facts, formula_trial
from blueprints.studio.form_cost import cost_panel
from blueprints.studio.layouts import layout_facts
from blueprints.studio.properties import FieldPanel
from blueprints.studio.retyping import type_trial, types_for
from blueprints.studio.rules import rule_form, rule_lines
from blueprints.studio.words import color_words, enum_words, role_words
from builder.domain.labels import Label
from builder.fieldtypes.registry import field_type
from builder.forms.field_settings import Setting
from builder.queries.designs import Design


def panel_facts(here: Scope, design: Design, chosen: Chosen, reply: Told) -> dict[str, Any]:
    """Facts of the panels beside those that every state of the page has."""
    return {
        "choices_of": lambda panel, setting: choices_of(design, panel, setting),
        "cost": cost_panel(here, design) if chosen.panel == "cost" else None,
        **layout_facts(design, chosen, reply),
        "change_types": types_for(design, chosen.field) if chosen.field else [],
        "type_trial": type_trial(here, design, chosen),
        "rules": rule_lines(here, design),
        "rule_form": reply.extra.get("rule") or (chosen.rule and rule_form(here, design, chosen.rule)),
        "facts": field_facts(here, design, chosen.field) if chosen.field else None,
        "tried": formula_trial(here, design, chosen.field) if chosen.field else None,
        "words": enum_words(),
        "role_words": role_words(),
        "color_words": color_words(),
    }


def choices_of(design: Design, panel: FieldPanel, setting: Setting) -> list[tuple[str, str]]:
    """What a setting that picks something picks from: (key, name)."""
    if setting.picks == "object":
        return [
            (key, Label.of(document["label"]).text(language()))
            for key, document in sorted(_objects(design).items())
        ]
    if setting.picks == "column":
        columns = panel.document.get("items", {}).get("properties", {})
        return [(k, _name(k, one)) for k, one in columns.items() if field_type(one["x-type"]).is_figure]
    source = next((one.value for one in panel.settings if one.picks == "object"), "")
    fields = _objects(design).get(source, {}).get("fields", {}).get("properties", {})
    if setting.picks == "referring":
        return [(k, _name(k, one)) for k, one in fields.items() if one.get("x-target") == design.key]
    is_money = panel.type.key == "money_rollup"
    return [
        (k, _name(k, one))
        for k, one in fields.items()
        if (one["x-type"] == "money" if is_money else _counts(one["x-type"]))
    ]


def _counts(type_key: str) -> bool:
    kind = field_type(type_key)
    return (kind.is_figure or type_key == "rating") and type_key not in ("money", "rollup")


def _objects(design: Design) -> dict[str, Any]:
    around = design.around.beside(design.document) if design.kind == "object" else design.around
    return dict(around.documents.get("object", {}))


def _name(key: str, document: dict[str, Any]) -> str:
    return Label.of(document["x-label"]).text(language()) or key
