"""Where a field of an object or feedback form is asked for: rules, formulas, lists, gates, views, roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from builder.domain import formulas
from builder.metadata.grammar import Document

Documents = Mapping[tuple[str, str], Document]


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that asks for the field: ``kind`` and ``key`` of its document, ``part``: rule, formula, list,
    search, duplicates, conversion, total, stage, view, role, processes; ``name`` of the part in it (a
    field, a stage); ``within``: the fields around it, where it is a column of a table.
    """

    kind: str
    key: str
    part: str
    name: str = ""
    within: str = ""


def references(document: Document, field_key: str, others: Documents) -> list[Reference]:
    """Everything that asks for the field of ``document``; ``others``: the documents beside it."""
    found = list(dict.fromkeys(_own(document, field_key)))
    is_object = document["kind"] == "object"
    object_key = document["key"] if is_object else document["object"]
    name = field_key if is_object else f"feedback.{field_key}"
    for (kind, key), other in others.items():
        if kind == "pipeline" and other.get("object") == object_key:
            found += _stages(other, name, None if is_object else document["key"])
        elif (
            is_object and kind == "view" and other.get("object") == object_key and _mentions(other, field_key)
        ):
            found.append(Reference(kind, key, "view"))
        elif is_object and kind == "role" and field_key in other.get("fields", {}).get(object_key, {}):
            found.append(Reference(kind, key, "role"))
        elif is_object and kind == "object" and key != object_key:
            found += _elsewhere(other, object_key, field_key)
    return found


def references_inside(document: Document, path: tuple[str, ...], field_key: str) -> list[Reference]:
    """The formulas that ask for a field inside others (a column of a table): beside it, and of the form
    around, which name it as ``items.price``.
    """
    form: Any = document["fields"]
    found = []
    for depth, key in enumerate(path):
        if depth == len(path) - 1:
            found += _formulas(document, form, f"{key}.{field_key}", "")
        form = form["properties"][key]
        form = form.get("items", form)
    return found + _formulas(document, form, field_key, ".".join(path))


def _formulas(document: Document, form: Document, name: str, within: str) -> list[Reference]:
    return [
        Reference(document["kind"], document["key"], "formula", key, within)
        for key, one in form["properties"].items()
        if name in _names_in(str(one.get("x-formula", "")))
    ]


def _own(document: Document, field_key: str) -> Iterator[Reference]:
    kind, key, form = document["kind"], document["key"], document["fields"]
    for number, rule in enumerate(form.get("x-rules", ())):
        if field_key in rule["fields"] or field_key in _asked(rule["when"]):
            yield Reference(kind, key, "rule", str(number + 1))
    for name, one in form["properties"].items():
        if name != field_key and field_key in _formula_names(one):
            yield Reference(kind, key, "formula", name)
    listing = document.get("list", {})
    if field_key in [
        one.removeprefix("-") for one in (*listing.get("columns", ()), *listing.get("sort", ()))
    ]:
        yield Reference(kind, key, "list")
    if field_key in document.get("search", ()):
        yield Reference(kind, key, "search")
    if field_key in document.get("duplicate_keys", ()):
        yield Reference(kind, key, "duplicates")
    for target in document.get("conversion", {}).get("targets", ()):
        if field_key in target["map"].values():
            yield Reference(kind, key, "conversion", target["object"])
    asked = _asked_by_processes(document)
    if field_key in {name.partition(".")[0] for name in asked}:
        yield Reference(kind, key, "processes")


def _formula_names(field: Document) -> set[str]:
    texts = [one["x-formula"] for one in (field, *_inner(field)) if "x-formula" in one]
    names: set[str] = set()
    for text in texts:
        names |= {name.partition(".")[0] for name in _names_in(text)}
    return names


def _names_in(formula: str) -> frozenset[str]:
    """What a formula asks for; nothing where it is wrong, which lint says."""
    try:
        return frozenset(formulas.parse(formula).names)
    except formulas.FormulaError:
        return frozenset()


def _inner(field: Document) -> list[Document]:
    return list(field.get("items", field).get("properties", {}).values())


def _asked(condition: Any) -> set[str]:
    """The names in a condition, of whatever shape it is."""
    if isinstance(condition, dict):
        own = {condition["field"]} if isinstance(condition.get("field"), str) else set()
        return own.union(*(_asked(value) for value in condition.values()))
    if isinstance(condition, list):
        return set().union(*map(_asked, condition))
    return set()


def _stages(pipeline: Document, name: str, feedback: str | None) -> Iterator[Reference]:
    for stage in pipeline.get("stages", ()):
        forms = {stage.get("feedback"), *(task.get("feedback") for task in stage.get("tasks", ()))}
        if feedback is not None and feedback not in forms:
            continue
        gate = stage.get("gate", {})
        required = {one for part in gate.values() for one in part.get("required_fields", ())}
        if name in required or name in _asked([gate, stage.get("marker", {})]):
            yield Reference("pipeline", pipeline["key"], "stage", stage["key"])


def _mentions(view: Document, field_key: str) -> bool:
    lists = (*view.get("columns", ()), *(one.removeprefix("-") for one in view.get("sort", ())))
    return field_key in lists or field_key in _asked(view.get("filter")) or field_key in (
        view.get("lanes"), view.get("date"),
    )  # fmt: skip


def _asked_by_processes(document: Document) -> set[str]:
    rules = document.get("processes", {}).get("rules", ())
    return set().union(*(_asked(rule["when"]) for rule in rules))


def _elsewhere(other: Document, object_key: str, field_key: str) -> Iterator[Reference]:
    asked = _asked_by_processes(other)
    for name, field in other["fields"]["properties"].items():
        if field.get("x-target") == object_key and f"{name}.{field_key}" in asked:
            yield Reference("object", other["key"], "processes")
        if field.get("x-from") == object_key and field_key in (field.get("x-by"), field.get("x-of")):
            yield Reference("object", other["key"], "total", name)
    for target in other.get("conversion", {}).get("targets", ()):
        if target["object"] == object_key and field_key in target["map"]:
            yield Reference("object", other["key"], "conversion", object_key)
