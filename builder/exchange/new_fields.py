"""Fields for columns that no field is like: their type from all values, their key from the header."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from builder.domain.fields import ObjectDefinition
from builder.exchange.mapping import plain
from builder.exchange.numbers import read_number
from builder.exchange.profile import ColumnProfile
from builder.exchange.units import header_unit

# A column is a choice when few different values come back often.
MOST_OPTIONS = 30
_OFTEN = 3
_LONGEST_OPTION = 60
_LONGEST_KEY = 62
_MONEY_WORDS = (
    "price", "amount", "cost", "value", "fee", "betrag", "preis", "umsatz",
    "金额", "价格", "单价", "费用", "成本",
)  # fmt: skip
_DIRECT = ("integer", "percent", "date", "datetime", "yes_no", "email", "url", "phone", "long_text", "money")
_COLORS = (
    "blue",
    "green",
    "orange",
    "purple",
    "teal",
    "pink",
    "yellow",
    "cyan",
    "lime",
    "indigo",
    "red",
    "azure",
)


@dataclass(frozen=True, slots=True)
class NewField:
    """A field to be made for ``column``: its ``key`` and its JSON Schema property, as objects hold it."""

    column: str
    key: str
    type: str
    document: dict[str, Any]


def slug(text: str, taken: Collection[str], prefix: str) -> str:
    """A key (``^[a-z][a-z0-9_]{0,62}$``) from a text; a numbered one where the text has no Latin letters."""
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "_", folded).strip("_")
    if not base or len(base) < len(text) // 3:
        base, number = prefix, 1
    elif not base[0].isalpha():
        base, number = f"{prefix}_{base}", 0
    else:
        number = 0
    base = base[: _LONGEST_KEY - 4].rstrip("_")
    key = f"{base}_{number}" if number else base
    while key in taken:
        number = max(number + 1, 2)
        key = f"{base}_{number}"
    return key


def in_language(text: str) -> dict[str, str]:
    """``text`` as a label, in the language that it is written in."""
    is_chinese = any("一" <= char <= "鿿" for char in text)
    return {"zh_Hans" if is_chinese else "en": text.strip()[:200]}


def label_of(header: str) -> dict[str, str]:
    """A field's label from a header: ``office_location`` reads *Office location*."""
    shown = header.strip()
    if re.fullmatch(r"[a-z0-9]+(?:[_-][a-z0-9]+)*", shown):
        shown = re.sub(r"[_-]+", " ", shown)
        shown = shown[0].upper() + shown[1:]
    return in_language(shown)


def new_field(
    column: ColumnProfile,
    taken: Collection[str],
    objects: Mapping[str, ObjectDefinition],
    own_object: str,
    wanted: str | None = None,
    *,
    keeps_unit: bool = False,
) -> NewField:
    """The field that suits the column, or one of the type ``wanted``.

    ``objects``: a column named like one of them refers to its records. The unit that a header tells is no
    part of the name, for values are brought without it, unless the field ``keeps_unit``.
    """
    target = _target(column, objects, own_object) if wanted in (None, "reference") else None
    type_key = "reference" if target else (wanted if wanted != "reference" else None) or _type(column)
    is_bare = type_key in ("integer", "decimal", "money") and not keeps_unit
    name = header_unit(column.name, "")[0] if is_bare else column.name
    key = slug(name, taken, "field")
    document: dict[str, Any] = {"x-type": type_key, "x-label": label_of(name)}
    if target:
        document["x-target"] = target
    if type_key == "choice":
        document["x-options"] = options(column)
    if type_key == "decimal":
        document["x-scale"] = _scale(column)
    return NewField(column.name, key, type_key, document)


def _target(column: ColumnProfile, objects: Mapping[str, ObjectDefinition], own_object: str) -> str | None:
    wanted = plain(column.name)
    for key, definition in objects.items():
        names = {plain(key), *(plain(text) for _, text in definition.label.translations)}
        if key != own_object and wanted in names and column.kind in ("text", "integer"):
            return key
    return None


def _type(column: ColumnProfile) -> str:
    if column.kind in ("integer", "decimal"):
        _, unit = header_unit(column.name, "")
        if (unit and unit.currency) or any(word in plain(column.name) for word in _MONEY_WORDS):
            return "money"
    if column.kind == "decimal" and _scale(column) > 6:
        return "text"
    if column.kind in _DIRECT or column.kind == "decimal":
        return column.kind
    return "choice" if _is_choice(column) else "text"


def _is_choice(column: ColumnProfile) -> bool:
    values = column.values
    if not values or len(values) > MOST_OPTIONS or max(map(len, values)) > _LONGEST_OPTION:
        return False
    return column.filled >= _OFTEN * len(values)


def _scale(column: ColumnProfile) -> int:
    plain_numbers = (read_number(text, column.mark or ".") or "" for text in column.values or column.samples)
    return min(max((len(number.partition(".")[2]) for number in plain_numbers), default=2) or 1, 9)


def options(column: ColumnProfile) -> list[dict[str, Any]]:
    """The column's values as options, the most frequent first."""
    taken: set[str] = set()
    found = []
    seen: set[str] = set()
    for position, (text, _count) in enumerate(
        sorted((column.values or {}).items(), key=lambda item: -item[1])
    ):
        if text.casefold() in seen:
            continue
        seen.add(text.casefold())
        key = slug(text, taken, "option")
        taken.add(key)
        found.append({"key": key, "label": in_language(text), "color": _COLORS[position % len(_COLORS)]})
    return found
