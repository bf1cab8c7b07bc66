"""An object as a role sees it (S118): compiled from its document as if hidden fields had never been invented.

What reads fields from the catalog (lists, filters, forms, exports, reports) cannot name what is not there, so
nothing of it needs to ask for rights. Hidden too is everything from which a hidden value could be told:
formulas over it, totals over related records that count it, and what is computed from these in turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from builder.domain import formulas
from builder.domain.conditions import comparisons, parse
from builder.domain.feedback import Feedback
from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.domain.permissions import FEEDBACK_MARK, Veil
from builder.domain.roles import NEVER_HIDDEN, Role
from builder.domain.saved_view import View
from builder.domain.totals import TOTAL_TYPES
from builder.metadata.cache import ProcessCache
from builder.metadata.compiler import Version, compile_feedback, compile_object
from builder.metadata.documents import checksum

_NOTHING: frozenset[str] = frozenset()


def veils_of(
    objects: Mapping[str, ObjectDefinition], role: Role, feedback: Mapping[str, Feedback] | None = None
) -> dict[str, Veil]:
    """What the role hides, by object and (marked) feedback form, with everything that is computed from it."""
    forms = feedback or {}
    of_forms = {key: veil for key, form in forms.items() if (veil := _form_veil(form, role)) is not None}
    answers: dict[str, frozenset[str]] = {}
    for key, veil in of_forms.items():
        object_key = forms[key].object_key
        answers[object_key] = answers.get(object_key, _NOTHING) | veil.fields
    hidden = {
        key: frozenset(
            field.key
            for field in definition.fields
            if field.key in role.fields[key].hidden and field.role not in NEVER_HIDDEN
        )
        for key, definition in objects.items()
        if key in role.fields
    }
    while _spread(objects, hidden):
        pass
    veils = {
        key: replace(_veil(objects[key], role, hidden.get(key, _NOTHING)), answers=answers.get(key, _NOTHING))
        for key in {**hidden, **answers}
        if key in objects
    }
    found = {key: veil for key, veil in veils.items() if veil.fields or veil.read_only or veil.answers}
    return found | {FEEDBACK_MARK + key: veil for key, veil in of_forms.items()}


def _form_veil(form: Feedback, role: Role) -> Veil | None:
    rights = role.fields.get(FEEDBACK_MARK + form.key)
    if rights is None:
        return None
    hidden = _with_computed(form, rights.hidden)
    read_only = rights.read_only & form.fields.by_key.keys() - hidden
    return Veil(hidden, read_only=frozenset(read_only)) if hidden or read_only else None


def _with_computed(form: Feedback, hidden: frozenset[str]) -> frozenset[str]:
    """Hidden fields of a form with the formulas that ask for them."""
    found = hidden
    while more := {item.key for item in form.fields if item.key not in found and _tells(item, found, {})}:
        found |= more
    return found


def seen_feedback(form: Feedback, veil: Veil | None) -> Feedback:
    """One version of a feedback form as a role sees it (S118); made once a process."""
    if veil is None or not form.document:
        return form
    hidden = _with_computed(form, veil.fields)
    return _seen_forms.get(
        (form.version_id, form.checksum, hidden, veil.read_only),
        lambda: _restricted_feedback(form, hidden, veil),
    )


def _restricted_feedback(form: Feedback, hidden: frozenset[str], veil: Veil) -> Feedback:
    document = {**form.document, "fields": _restricted_form(form.document["fields"], hidden, veil.read_only)}
    return compile_feedback(document, Version.of(form.version_id, form.number), checksum(document))


_seen_forms: ProcessCache[tuple[int, str, frozenset[str], frozenset[str]], Feedback] = ProcessCache(256)


def seen_objects(
    objects: Mapping[str, ObjectDefinition], veils: Mapping[str, Veil]
) -> dict[str, ObjectDefinition]:
    """All objects in their order, as the role sees them."""
    return {key: _seen(definition, veils) for key, definition in objects.items()}


def seen_views(views: Mapping[str, View], veils: Mapping[str, Veil]) -> dict[str, View]:
    """The shared views without those that filter by what is hidden; columns and sorts are left to readers,
    for whom such a field is unknown.
    """
    return {
        key: view
        for key, view in views.items()
        if view.filter is None
        or view.object_key not in veils
        or veils[view.object_key].fields.isdisjoint(found.field for found in comparisons(view.filter))
    }


def restricted(
    document: Mapping[str, Any], hidden: frozenset[str], read_only: frozenset[str]
) -> dict[str, Any]:
    """An object's document without the hidden fields and all that names them. What one may only see is not
    asked for: it is no more required in the form of who cannot fill it.

    Rules whose condition asks for a hidden field go: their effect would tell its value.
    """
    listing = document.get("list", {})
    result = {
        **document,
        "fields": _restricted_form(document["fields"], hidden, read_only),
        "list": {
            **listing,
            **{
                name: [entry for entry in listing[name] if entry.removeprefix("-") not in hidden]
                for name in ("columns", "sort")
                if name in listing
            },
        },
    }
    for name in ("search", "duplicate_keys"):
        if name in document:
            result[name] = [key for key in document[name] if key not in hidden]
    if document.get("conversion"):
        result["conversion"] = {
            **document["conversion"],
            "targets": [
                {
                    **target,
                    "map": {there: here for there, here in target["map"].items() if here not in hidden},
                }
                for target in document["conversion"]["targets"]
            ],
        }
    return result


def _spread(objects: Mapping[str, ObjectDefinition], hidden: dict[str, frozenset[str]]) -> bool:
    """Hide what is computed from what is hidden, one step; whether there was anything."""
    found: dict[str, set[str]] = {}
    for key, definition in objects.items():
        own = hidden.get(key, _NOTHING)
        for field in definition.fields:
            if field.key not in own and _tells(field, own, hidden):
                found.setdefault(key, set()).add(field.key)
    for key, more in found.items():
        hidden[key] = hidden.get(key, _NOTHING) | more
    return bool(found)


def _tells(field: FieldDefinition, own: frozenset[str], hidden: Mapping[str, frozenset[str]]) -> bool:
    """Whether the field's value is made from a hidden one."""
    if field.type in TOTAL_TYPES:
        counted = hidden.get(str(field.params["from"]), _NOTHING)
        return str(field.params["by"]) in counted or str(field.params.get("of", "")) in counted
    if field.type != "formula" or not own:
        return False
    names = formulas.parse(str(field.params.get("formula", ""))).names
    return any(name.partition(".")[0] in own for name in names)


def _veil(definition: ObjectDefinition, role: Role, fields: frozenset[str]) -> Veil:
    hidden = [definition.fields.by_key[key] for key in fields]
    rights = role.fields.get(definition.key)
    read_only = set(rights.read_only & definition.fields.by_key.keys()) if rights else set()
    currency = definition.fields.by_role.get("currency")
    if currency and any(field.type == "money" and "currency" not in field.params for field in hidden):
        # How many decimals an amount may have depends on it, so a refusal would tell about the amount.
        read_only.add(currency.key)
    parts = frozenset(field.role for field in hidden if field.role)
    return Veil(fields, parts, frozenset(read_only - fields))


def _seen(definition: ObjectDefinition, veils: Mapping[str, Veil]) -> ObjectDefinition:
    veil = veils.get(definition.key)
    if veil is None or not (veil.fields or veil.read_only):
        return definition
    document = restricted(definition.document, veil.fields, veil.read_only)
    slots = {field.key: slot for field, slot in definition.fields.slotted if field.key not in veil.fields}
    version = Version.of(definition.version_id, definition.number, slots)
    return compile_object(document, version, checksum(document))


def _restricted_form(
    form: Mapping[str, Any], hidden: frozenset[str], read_only: frozenset[str]
) -> dict[str, Any]:
    result = dict(form)
    result["properties"] = {
        key: {**source, "x-read-only": True} if key in read_only else source
        for key, source in form["properties"].items()
        if key not in hidden
    }
    result["required"] = [key for key in form.get("required", ()) if key not in hidden | read_only]
    result["x-sections"] = list(_restricted_parts(form.get("x-sections", ()), hidden))
    if "x-layouts" in form:
        result["x-layouts"] = [
            {**layout, "sections": list(_restricted_parts(layout["sections"], hidden))}
            for layout in form["x-layouts"]
        ]
    rules = [rule for rule in form.get("x-rules", ()) if not _asks_for(rule["when"], hidden)]
    asking = [rule for rule in rules if rule["effect"] == "require"]
    others = [rule for rule in rules if rule["effect"] != "require"]
    result["x-rules"] = [
        *_restricted_parts(others, hidden),
        *_restricted_parts(asking, hidden | read_only),
    ]
    return result


def _restricted_parts(
    parts: Iterable[Mapping[str, Any]], without: frozenset[str]
) -> Iterator[dict[str, Any]]:
    """Sections or rules with the fields that are left; those without any are gone."""
    for part in parts:
        fields = [key for key in part["fields"] if key not in without]
        if fields:
            yield {**part, "fields": fields}


def _asks_for(condition: Any, hidden: frozenset[str]) -> bool:
    return any(found.field in hidden for found in comparisons(parse(condition)))
