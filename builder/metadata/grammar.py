"""The grammar of documents: the meta-schemas in ``schemas/meta/``, their validators and their help texts.

Every kind of document and every part of one (``stage``, ``gate``, ``field`` …) has a meta-schema. Each
property in it carries ``title`` and ``description`` (English) and ``x-title-zh_Hans`` and
``x-description-zh_Hans``: the Studio shows them as the names and the help of its own forms.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias, cast

import jsonschema_rs
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from builder.errors import Problem
from builder.fieldtypes.registry import settings_of
from builder.resources import resource_folder

GRAMMAR = 1
"""The version of the grammar that this program writes; older ones are upcast, newer ones refused."""

KINDS = ("object", "feedback", "pipeline", "view", "funnel", "role", "pack", "pack_install")
"""Kinds of documents. All but ``pack`` are stored as definitions of a workspace; ``pack_install`` says which
pack the others came from."""

PARTS = ("form", "field", "stage", "gate", "task", "condition")
"""Parts of documents that have a meta-schema of their own."""

FIELD_TYPES = "fieldtypes"

Severity: TypeAlias = Literal["error", "warn", "hint"]
Document: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class DefinitionProblem(Problem):
    """One thing wrong, or worth a second look, in a document.

    ``place`` (also ``pointer``) is the JSON pointer into the document, empty for the whole; ``message`` a
    message key with ``values`` for its placeholders. ``severity``: *error* refuses publishing, *warn* and
    *hint* are shown. ``rule`` names the lint rule, empty for the meta-schema. ``file`` names the file of
    a pack that the document stands in.
    """

    severity: Severity = "error"
    rule: str = ""
    file: str = ""

    @property
    def pointer(self) -> str:
        return self.place

    @property
    def is_error(self) -> bool:
        return self.severity == "error"


@dataclass(frozen=True, slots=True)
class HelpText:
    """Name and explanation of one property, in one language."""

    title: str
    description: str


def pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901): ``pointer("stages", 2, "key")`` is ``"/stages/2/key"``."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def urn(name: str) -> str:
    return f"urn:funnelwright:meta:{name}"


@cache
def meta_schema(name: str) -> Mapping[str, Any]:
    """The meta-schema of a kind or part. Errors: KeyError when there is none of that name."""
    if name not in (*KINDS, *PARTS, "common"):
        raise KeyError(name)
    path = resource_folder("schemas") / "meta" / f"{name}.schema.json"
    return cast("Mapping[str, Any]", json.loads(path.read_text("utf-8")))


@cache
def _registry() -> Registry[Any]:
    # Only these are known: a reference to any other address is an error, nothing is ever fetched.
    resources = [
        (urn(name), DRAFT202012.create_resource(meta_schema(name))) for name in (*KINDS, *PARTS, "common")
    ]
    registry: Registry[Any] = Registry()
    return registry.with_resources(resources)


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of a kind or part, built once a process."""
    return Draft202012Validator(meta_schema(name), registry=_registry())


@cache
def _quick_registry() -> jsonschema_rs.Registry:
    return jsonschema_rs.Registry(
        [(urn(name), dict(meta_schema(name))) for name in (*KINDS, *PARTS, "common")],
        draft=jsonschema_rs.Draft202012,
    )


@cache
def accepts(name: str) -> Callable[[Any], bool]:
    """Whether a document is of a kind or part, decided in a hundredth of the time that ``validator`` takes to
    say what is wrong; the Studio asks after every edit.
    """
    return jsonschema_rs.validator_for(dict(meta_schema(name)), registry=_quick_registry()).is_valid


@cache
def type_accepts(field_type: str) -> Callable[[Any], bool] | None:
    """As ``accepts``, of a field type's own settings; ``None`` for an unknown type."""
    schema = type_meta_schema(field_type)
    if schema is None:
        return None
    return jsonschema_rs.validator_for(dict(schema), registry=_quick_registry()).is_valid


@cache
def type_meta_schema(field_type: str) -> Mapping[str, Any] | None:
    """The meta-schema of a field type's own settings, or ``None`` for an unknown type."""
    settings = settings_of(field_type)
    if settings is not None:
        return _plugged_schema(field_type, settings)
    path = resource_folder("schemas") / "meta" / FIELD_TYPES / f"{field_type}.schema.json"
    return json.loads(path.read_text("utf-8")) if field_type.isidentifier() and path.is_file() else None


def _plugged_schema(field_type: str, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The meta-schema of a plugged-in type: what every field has, and its own settings."""
    own = {"x-type": {**meta_schema("field")["properties"]["x-type"], "const": field_type}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": urn(f"{FIELD_TYPES}:{field_type}"),
        "type": "object",
        "$ref": urn("field"),
        "properties": {**own, "x-options": {"not": {}}, **settings},
        "unevaluatedProperties": False,
    }


@cache
def type_validator(field_type: str) -> Draft202012Validator | None:
    """The validator of a field type's own settings, or ``None`` for an unknown type."""
    schema = type_meta_schema(field_type)
    return None if schema is None else Draft202012Validator(schema, registry=_registry())


def help_text(name: str, *path: str, locale: str = "en") -> HelpText:
    """What the Studio shows for a property, e.g. ``help_text("stage", "probability", locale="zh_Hans")``.

    ``path`` walks through properties (list items are entered by themselves); without it, the whole kind.
    Errors: KeyError when there is no such property.
    """
    schema: Mapping[str, Any] = meta_schema(name)
    texts = [schema]
    for step in path:
        inner = _item(within(schema))
        schema = inner["properties"][step]
        texts = [schema, _item(within(schema))]
    return HelpText(_text(texts, "title", locale), _text(texts, "description", locale))


def within(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that a reference leads to; any other as it is."""
    while "$ref" in schema and "properties" not in schema:
        name, _, fragment = schema["$ref"].removeprefix(urn("")).partition("#/$defs/")
        schema = meta_schema(name)
        schema = schema["$defs"][fragment] if fragment else schema
    return schema


def _item(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema whose ``properties`` a step may name: list items are entered by themselves."""
    while isinstance(schema.get("items"), Mapping):
        schema = within(schema["items"])
    return schema


def _text(schemas: list[Mapping[str, Any]], key: str, locale: str) -> str:
    for name in (f"x-{key}-{locale}", key):
        for schema in schemas:
            if name in schema:
                return str(schema[name])
    return ""
