"""A stored value as pages show it: its text, where it leads, its badges."""

from __future__ import annotations

from dataclasses import dataclass

from builder.domain.fields import FieldDefinition, JsonValue
from builder.domain.kinds import is_empty
from builder.fieldtypes.base import FieldContext
from builder.fieldtypes.registry import type_of


@dataclass(frozen=True, slots=True)
class ShownValue:
    """One value for reading. ``badges`` are (label, colour) of chosen options; ``href`` leads out of the
    product.

    ``record_id`` and ``member_id`` are set for references and users, for a link inside the product;
    ``is_number`` aligns it to the right; ``is_long`` keeps its line ends.
    """

    text: str
    href: str | None = None
    badges: tuple[tuple[str, str], ...] = ()
    record_id: int | None = None
    target: str | None = None
    member_id: int | None = None
    is_number: bool = False
    is_long: bool = False

    def __bool__(self) -> bool:
        return bool(self.text)


def shown(definition: FieldDefinition, value: JsonValue, context: FieldContext) -> ShownValue:
    """How ``value`` (as stored) is shown to the reader of ``context``; an empty one is false and has no
    text.
    """
    kind = type_of(definition)
    if is_empty(value):
        return ShownValue("", is_number=kind.is_figure)
    keys = value if isinstance(value, list) else [value]
    badges = tuple(
        (option.label.text(context.locale), option.color or "gray")
        for option in (definition.option(str(key)) for key in keys if definition.options)
        if option is not None
    )
    return ShownValue(
        text=kind.text(definition, value, context),
        href=kind.href(definition, value),
        badges=badges,
        record_id=int(str(value)) if definition.type == "reference" else None,
        target=definition.params.get("target"),
        member_id=int(str(value)) if definition.type == "user" else None,
        is_number=kind.is_figure,
        is_long=definition.type == "long_text",
    )
