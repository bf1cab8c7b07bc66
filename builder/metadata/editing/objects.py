"""An object and a feedback form as a whole: beginning one, and what stands around its fields."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.errors import N_
from builder.metadata.editing.edit import LONGEST_TEXT, Refused, key_for, named, patched, texts
from builder.metadata.grammar import GRAMMAR, Document

NAME_FIELD = {"en": "Name", "zh_Hans": "名称"}
OWNER_FIELD = {"en": "Owner", "zh_Hans": "负责人"}
NUMBER_FIELD = {"en": "Number", "zh_Hans": "编号"}
MAIN_SECTION = {"en": "Details", "zh_Hans": "基本信息"}


def new_object(
    label: Mapping[str, str],
    plural: Mapping[str, str],
    taken: Collection[str],
    *,
    icon: str = "",
    color: str = "",
    position: int = 0,
    number_format: str = "",
    has_owner: bool = True,
) -> Document:
    """An object with a name field, and with an owner and an automatic number where they are wanted.

    Errors: Refused without a name; the plural falls back to the name.
    """
    name = named(label)
    several = {**name, **texts(plural, "plural")}
    properties: dict[str, Document] = {
        "name": {"x-type": "text", "x-label": NAME_FIELD, "x-role": "name", "x-filterable": True}
    }
    if number_format.strip():
        properties["number"] = {
            "x-type": "auto_number",
            "x-label": NUMBER_FIELD,
            "x-role": "number",
            "x-format": number_format.strip(),
            "x-filterable": True,
        }
    if has_owner:
        owner = {"x-type": "user", "x-label": OWNER_FIELD, "x-role": "owner", "x-filterable": True}
        properties["owner"] = {**owner, "x-default": "me"}
    document = {
        "grammar": GRAMMAR,
        "kind": "object",
        "key": key_for(name, taken, "object"),
        "label": name,
        "label_plural": several,
        "icon": icon or None,
        "color": color or None,
        "position": position,
        "fields": _form(properties, ["name"]),
        "list": {"columns": list(properties)},
        "search": [key for key in properties if key != "owner"],
    }
    return patched({}, document)


def new_form(label: Mapping[str, str], object_key: str, taken: Collection[str]) -> Document:
    """A feedback form of an object, with one question to begin with. Errors: Refused without a name."""
    name = named(label)
    note = {"x-type": "long_text", "x-label": {"en": "Notes", "zh_Hans": "备注"}}
    return {
        "grammar": GRAMMAR,
        "kind": "feedback",
        "key": key_for(name, taken, "form"),
        "label": name,
        "object": object_key,
        "fields": _form({"notes": note}, []),
    }


def _form(properties: dict[str, Document], required: list[str]) -> Document:
    section = {"key": "details", "label": MAIN_SECTION, "columns": 2, "fields": list(properties)}
    return {"type": "object", "properties": properties, "required": required, "x-sections": [section]}


@dataclass(frozen=True)
class ChangeObject:
    """What stands around the fields of an object. Lists name field keys in their order."""

    label: Mapping[str, str]
    plural: Mapping[str, str]
    description: Mapping[str, str] = field(default_factory=dict)
    icon: str = ""
    color: str = ""
    position: int | None = None
    columns: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    duplicate_keys: tuple[str, ...] = ()

    def apply(self, document: Document) -> Document:
        if document["kind"] != "object":
            raise Refused(N_("This is no object."))
        listing = patched(document.get("list", {}), {"columns": list(self.columns), "sort": list(self.sort)})
        settings: dict[str, Any] = {
            "label": named(self.label),
            "label_plural": {**named(self.label), **texts(self.plural, "plural")},
            "description": texts(self.description, "description", longest=LONGEST_TEXT) or None,
            "icon": self.icon or None,
            "color": self.color or None,
            "list": listing,
            "search": list(self.search),
            "duplicate_keys": list(self.duplicate_keys),
        }
        if self.position is not None:
            if not 0 <= self.position <= 999:
                raise Refused(N_("A place in the menu is a whole number from 0 to 999."), "position")
            settings["position"] = self.position
        return patched(document, settings)


@dataclass(frozen=True)
class RenameForm:
    """The name of a feedback form."""

    label: Mapping[str, str]

    def apply(self, document: Document) -> Document:
        return {**document, "label": named(self.label)}
