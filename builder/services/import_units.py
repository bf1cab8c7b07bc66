"""What the numbers of each column count, and what its texts mean that name no option (S25)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from builder.domain.fields import FieldDefinition, ObjectDefinition
from builder.exchange.new_fields import in_language, slug
from builder.exchange.profile import ColumnProfile, TableProfile
from builder.exchange.units import header_unit
from builder.fieldtypes.base import InvalidValue
from builder.fieldtypes.choice import option_key, option_texts
from builder.metadata.grammar import Document
from builder.services.import_choices import NEW_OPTION, Choices

NUMBERS = ("integer", "decimal", "money")
CHOICES = ("choice", "choices")
# A column with more texts that name no option holds something else.
MOST_UNKNOWN = 100


def units(
    profile: TableProfile, choices: Choices, types: Mapping[str, str | None], own_currency: str
) -> dict[str, str]:
    """The unit of each column of numbers that has one: as a person says, else as its header does."""
    found: dict[str, str] = {}
    for column in profile.columns:
        if types.get(column.name) not in NUMBERS:
            continue
        if column.name in choices.units:
            found[column.name] = choices.units[column.name]
            continue
        _, unit = header_unit(column.name, own_currency)
        if unit is not None:
            found[column.name] = unit.code
    return found


def unknown_texts(column: ColumnProfile, field: FieldDefinition) -> dict[str, int]:
    """The texts of a column that name no option of a choice with their rows, the most frequent first; none of
    a column that has too many. Of a multiple choice each text in a cell counts by itself (“red; blu”).
    """
    if field.type not in CHOICES:
        return {}
    rows: dict[str, int] = {}
    for cell, count in (column.values or {}).items():
        for text in dict.fromkeys(option_texts(cell)) if field.type == "choices" else (cell,):
            rows[text] = rows.get(text, 0) + count
    texts = sorted(rows.items(), key=lambda item: -item[1])
    found = {text: count for text, count in texts if not _is_option(field, text)}
    return found if len(found) <= MOST_UNKNOWN else {}


def _is_option(field: FieldDefinition, text: str) -> bool:
    try:
        option_key(field, text)
    except InvalidValue:
        return False
    return True


def meanings(choices: Choices, mapped: Iterable[str]) -> dict[str, dict[str, str]]:
    """What plans say of texts; those that become options name them by themselves."""
    used = set(mapped)
    found = {
        column: {text: key for text, key in texts.items() if key != NEW_OPTION}
        for column, texts in choices.options.items()
        if column in used
    }
    return {column: texts for column, texts in found.items() if texts}


def new_options(
    definition: ObjectDefinition, choices: Choices, mapped: Mapping[str, str]
) -> dict[str, list[Document]]:
    """The options to be made, by the key of their field. ``mapped``: column → field key."""
    found: dict[str, list[Document]] = {}
    for column, texts in choices.options.items():
        field = definition.fields.targets.get(mapped.get(column, ""))
        wanted = [text for text, key in texts.items() if key == NEW_OPTION]
        if field is None or field.type not in CHOICES or "." in field.key:
            continue
        taken = {option.key for option in field.options}
        known = {
            each["label"][name].casefold() for each in found.get(field.key, ()) for name in each["label"]
        }
        for text in wanted:
            if _is_option(field, text) or text.casefold() in known:
                continue
            known.add(text.casefold())
            key = slug(text, taken, "option")
            taken.add(key)
            found.setdefault(field.key, []).append({"key": key, "label": in_language(text)})
    return found
