"""The settings of one field as controls, read from the meta-schema of its type.

A new field type needs nothing here: its ``schemas/meta/fieldtypes/<type>.schema.json`` says which settings
there are, what they are called and explained in each language, and which values they take. ``x-picks`` names
what a setting chooses from where a plain text would not do: ``object``, ``referring`` (fields of the chosen
object that refer to this one), ``figure`` (its fields with numbers), ``column`` (of a table).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from builder.errors import N_, Problem
from builder.metadata.grammar import type_meta_schema

# Settings that have a place of their own in the designer, or that the type fixes.
ELSEWHERE = frozenset(
    ("x-type", "type", "format", "items", "properties", "required", "x-sections", "x-options", "x-default",
     "x-filterable")
)  # fmt: skip
NOT_WHOLE = N_("This must be a whole number.")
TOO_SMALL = N_("This must be at least %(limit)s.")
TOO_GREAT = N_("This may be at most %(limit)s.")
NOT_OFFERED = N_("Choose one of the list.")
NEEDED = N_("This cannot be left empty.")
TOO_LONG = N_("At most %(limit)s characters fit here.")


@dataclass(frozen=True)
class Setting:
    """One setting: ``name`` as in the document, ``control`` (number, line, lines, check, choice, picks,
    many),
    texts in the reader's language, ``typed`` what stands in the control, and what is wrong with it.
    """

    name: str
    control: str
    title: str
    help: str
    choices: tuple[str, ...] = ()
    picks: str = ""
    is_needed: bool = False
    least: int | None = None
    most: int | None = None
    longest: int | None = None
    typed: tuple[str, ...] = ()
    problem: Problem | None = None

    @property
    def id(self) -> str:
        """The name and id of the control."""
        return f"s-{self.name}"

    @property
    def value(self) -> str:
        return self.typed[0] if self.typed else ""

    def holding(self, value: Any) -> Setting:
        """With the value of a document in its control."""
        if value is None or value is False:
            return replace(self, typed=())
        if isinstance(value, list):
            return replace(self, typed=tuple(map(str, value)))
        return replace(self, typed=("1" if value is True else str(value),))

    def read(self, typed: Sequence[str]) -> tuple[Setting, Any]:
        """The control as it was sent, and its value for the document; ``None`` for nothing."""
        shown = replace(self, typed=tuple(typed))
        texts = [text.strip() for text in typed if text.strip()]
        if self.control == "check":
            return shown, True if texts else None
        if self.control == "lines":
            texts = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
            return replace(shown, typed=tuple(texts)), texts or None
        if self.control == "many":
            return shown, texts or None
        if not texts:
            return (replace(shown, problem=Problem(NEEDED, self.id)) if self.is_needed else shown), None
        problem, value = self._one(texts[0])
        return (replace(shown, problem=problem) if problem else shown), value

    def _one(self, text: str) -> tuple[Problem | None, Any]:
        if self.control == "choice" and text not in self.choices:
            return Problem(NOT_OFFERED, self.id), None
        if self.longest is not None and len(text) > self.longest:
            return Problem(TOO_LONG, self.id, {"limit": self.longest}), None
        if self.control != "number":
            return None, text
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 15):
            return Problem(NOT_WHOLE, self.id), None
        number = int(text)
        if self.least is not None and number < self.least:
            return Problem(TOO_SMALL, self.id, {"limit": self.least}), None
        if self.most is not None and number > self.most:
            return Problem(TOO_GREAT, self.id, {"limit": self.most}), None
        return None, number


@lru_cache(maxsize=256)
def settings_of(type_key: str, locale: str) -> tuple[Setting, ...]:
    """The settings that a type has of its own, empty. Errors: KeyError for an unknown type."""
    schema = type_meta_schema(type_key)
    if schema is None:
        raise KeyError(type_key)
    return tuple(_settings(schema, locale))


def has_default(type_key: str) -> bool:
    """Whether fields of the type may have a default value."""
    schema = type_meta_schema(type_key) or {}
    return schema.get("properties", {}).get("x-default", {}).get("not") is None


def _settings(schema: Mapping[str, Any], locale: str) -> Iterator[Setting]:
    needed = schema.get("required", ())
    for name, part in schema["properties"].items():
        if name in ELSEWHERE or "not" in part or "const" in part:
            continue
        yield Setting(
            name=name,
            control=_control(part),
            title=_text(part, "title", locale),
            help=_text(part, "description", locale),
            choices=tuple(str(one) for one in part.get("enum", ())),
            picks=part.get("x-picks", ""),
            is_needed=name in needed,
            least=part.get("minimum"),
            most=part.get("maximum"),
            longest=part.get("maxLength"),
        )


def _control(part: Mapping[str, Any]) -> str:
    if part.get("x-picks") == "column":
        return "many"
    if part.get("x-picks") in ("object", "referring", "figure"):
        return "picks"
    if "enum" in part:
        return "choice"
    return {"integer": "number", "boolean": "check", "array": "lines"}.get(part.get("type", ""), "line")


def _text(part: Mapping[str, Any], key: str, locale: str) -> str:
    return str(part.get(f"x-{key}-{locale}") or part.get(key) or "")
