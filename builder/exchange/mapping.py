"""Which column fills which field: suggestions from names in every language, synonyms, likeness and values."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.exchange.profile import ColumnProfile, TableProfile
from builder.exchange.units import header_unit
from builder.resources import resource_folder

# Kinds of columns (exchange.profile) that a field type takes; anything may become text.
_ACCEPTS: Mapping[str, frozenset[str]] = {
    "integer": frozenset({"integer"}),
    "decimal": frozenset({"integer", "decimal"}),
    "money": frozenset({"integer", "decimal", "money"}),
    "percent": frozenset({"integer", "decimal", "percent"}),
    "date": frozenset({"date", "datetime"}),
    "datetime": frozenset({"date", "datetime"}),
    "yes_no": frozenset({"yes_no"}),
    "rating": frozenset({"integer", "text"}),
    "email": frozenset({"email"}),
    "url": frozenset({"url", "text"}),
    "phone": frozenset({"phone", "integer", "text"}),
}
_TEXTUAL = frozenset(
    {"text", "long_text", "choice", "choices", "reference", "user", "address", "duration", "auto_number"}
)
_MEASURED = frozenset({"integer", "decimal", "money", "percent", "date", "datetime"})
_NEVER = frozenset({"formula", "rollup", "money_rollup", "table", "sub_form", "file", "image"})
_MOSTLY = 0.5
_ALIKE = 0.84
_GOOD = 0.6
# A field of its own with that name goes before a part of a group.
_PART = 0.7


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``field`` for a column, with a certainty from 0 to 1; ``None``: no field of the object is like it."""

    column: str
    field: str | None
    certainty: float = 0.0


@lru_cache(maxsize=1)
def _synonyms() -> Mapping[str, frozenset[str]]:
    path = resource_folder("schemas") / "exchange" / "synonyms.json"
    words: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return {role: frozenset(map(plain, texts)) for role, texts in words.items()}


# Every column is held against every field, and its values against the options of each.
@lru_cache(maxsize=32_768)
def plain(text: str) -> str:
    """A name without case, accents of width, spaces and punctuation: what two spellings have in common."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def suggest(
    profile: TableProfile,
    definition: ObjectDefinition,
    given: Mapping[str, str] | None = None,
    without: Iterable[str] = (),
) -> tuple[Suggestion, ...]:
    """A field for every column, each field at most once, the likeliest pairs first.

    ``given``: (column → field key) pairs that a person fixed; ``without``: columns that serve something else.
    """
    fixed = dict(given or {})
    skipped = set(without) | set(fixed)
    free = [column for column in profile.columns if column.name not in skipped]
    stem = common_stem([column.name for column in profile.columns])
    bare = {column.name: header_unit(column.name.removeprefix(stem), "")[0] for column in free}
    pairs = sorted(
        (
            (-score, position, column.name, field.key)
            for position, column in enumerate(free)
            for field in definition.fields.targets.values()
            if field.key not in fixed.values()
            and (score := certainty(column, bare[column.name], field, definition)) >= _GOOD
        ),
    )
    chosen: dict[str, tuple[str, float]] = {}
    taken: set[str] = set()
    for score, _position, column_name, field_key in pairs:
        if column_name not in chosen and field_key not in taken:
            chosen[column_name] = (field_key, -score)
            taken.add(field_key)
    return tuple(
        Suggestion(column.name, fixed[column.name], 1.0)
        if column.name in fixed
        else Suggestion(column.name, *chosen.get(column.name, (None, 0.0)))
        for column in profile.columns
    )


def common_stem(names: Sequence[str]) -> str:
    """What all names begin with, as “Deal - ” in exports of one product; nothing where few share it."""
    head, mark, _ = (names[0] if names else "").partition(" - ")
    stem = head + mark
    return stem if mark and len(names) > 2 and all(name.startswith(stem) for name in names) else ""


def certainty(
    column: ColumnProfile, name: str, field: FieldDefinition, definition: ObjectDefinition
) -> float:
    """How likely the column fills the field: by its name first, and its values must not speak against it."""
    if field.type in _NEVER or not fits(column, field):
        return 0.0
    wanted = plain(name)
    if not wanted:
        return 0.0
    own = {plain(field.key), *(plain(text) for _, text in field.label.translations)}
    if wanted in own:
        return 1.0
    if "." in field.key:
        return _PART if _names_part(wanted, field) else 0.0
    if field.role == "name" and wanted in _object_names(definition):
        return 0.95
    if field.role and wanted in _synonyms().get(field.role, frozenset()):
        return 0.9
    likeness = max(SequenceMatcher(None, wanted, text).ratio() for text in own if text)
    return likeness * 0.85 if likeness >= _ALIKE else 0.0


def _names_part(wanted: str, field: FieldDefinition) -> bool:
    """“Billing City” or “City” above a column names a part of an address, whatever the address is called.

    “State” alone may as well be how a deal stands.
    """
    group, part = str(field.params["part_of"]), field.key.partition(".")[2]
    before = _synonyms().get(f"{group}.before", frozenset())
    words = {*_synonyms().get(f"{group}.{part}", ()), plain(part)}
    alone = words if part != "region" else set()
    return wanted in alone or any(
        wanted == head + word for head in (*before, plain(field.key.partition(".")[0])) for word in words
    )


def _are_options(column: ColumnProfile, field: FieldDefinition) -> bool:
    """Whether at least half of the different values name options."""
    if column.kind == "empty" or column.values is None:
        return column.kind == "empty"
    named = {plain(option.key) for option in field.options}
    named |= {plain(text) for option in field.options for _, text in option.label.translations}
    parts = [re.split(r"[,;、，；]", text) if field.type == "choices" else [text] for text in column.values]
    known = sum(all(plain(part) in named for part in each) for each in parts)
    return known >= len(parts) * _MOSTLY


def _object_names(definition: ObjectDefinition) -> set[str]:
    """“Account” above a column of account names is the name of the record."""
    return {plain(definition.key), *(plain(text) for _, text in definition.label.translations)}


def fits(column: ColumnProfile, field: FieldDefinition) -> bool:
    """Whether the values of the column speak for the field, or at least not against it."""
    if field.options and field.type in ("choice", "choices"):
        return _are_options(column, field)
    if column.kind == "empty" or field.type in _TEXTUAL:
        return True
    if column.kind in _ACCEPTS.get(field.type, frozenset()):
        return True
    # A few slips among the values are told row by row; they do not make it another column.
    share = column.date_share if field.type in ("date", "datetime") else column.number_share
    return field.type in _MEASURED and share >= _MOSTLY
