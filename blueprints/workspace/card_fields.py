"""What the cards of a board show besides the name: usually account, amount, close, owner and age; or what
somebody chose, for themselves or in a view.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from blueprints.languages import language
from blueprints.workspace.shown import record_column_label
from builder.domain.fields import ObjectDefinition

AGE = "record.stage_entered_at"
COLUMNS = (AGE, "record.updated_at", "record.department")
MOST = 8
# Parts that have a place of their own on the card.
USUAL_ROLES = ("account", "amount", "expected_close", "owner")


def usual(definition: ObjectDefinition) -> tuple[str, ...]:
    """What cards show when nobody has chosen: the parts that the object has, and how long in the stage."""
    by_role = definition.fields.by_role
    return (*(by_role[role].key for role in USUAL_ROLES if role in by_role), AGE)


def read_names(definition: ObjectDefinition, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names that a card can show, each once, at most ``MOST``; what is gone is left out."""
    return tuple(dict.fromkeys(name for name in names if is_line(definition, name)))[:MOST]


def is_line(definition: ObjectDefinition, name: str) -> bool:
    field = definition.fields.by_key.get(name)
    if field is None:
        return name in COLUMNS
    return field.role != "name" and field.type != "table"


def choices(definition: ObjectDefinition, shown: Sequence[str] | None) -> list[tuple[str, str, bool]]:
    """Everything that a card may show: name, label, whether it does; what is shown first, in its order."""
    offered = {
        field.key: field.label.text(language()) or field.key
        for field in definition.fields
        if is_line(definition, field.key)
    }
    offered |= {name: record_column_label(name.removeprefix("record.")) for name in COLUMNS}
    now = [name for name in (usual(definition) if shown is None else shown) if name in offered]
    rest = [name for name in offered if name not in now]
    return [(name, offered[name], True) for name in now] + [(name, offered[name], False) for name in rest]
