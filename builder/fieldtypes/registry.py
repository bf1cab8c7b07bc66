"""All field types by key. A type that is registered here is offered in the Studio, in imports and in
filters.
"""

from __future__ import annotations

from collections.abc import Iterator

from builder.domain.fields import FieldDefinition
from builder.domain.kinds import register_kind
from builder.errors import N_, Invalid
from builder.fieldtypes.address import Address
from builder.fieldtypes.auto_number import AutoNumber
from builder.fieldtypes.base import FieldType
from builder.fieldtypes.boolean import YesNo
from builder.fieldtypes.choice import Choice, Choices
from builder.fieldtypes.computed import Formula
from builder.fieldtypes.contact import Email, Phone, Url
from builder.fieldtypes.duration import Duration
from builder.fieldtypes.file import File, Image
from builder.fieldtypes.money import Money
from builder.fieldtypes.number import DecimalNumber, Integer, Percent
from builder.fieldtypes.rating import Rating
from builder.fieldtypes.reference import Reference, User
from builder.fieldtypes.rollup import MoneyRollup, Rollup
from builder.fieldtypes.sub_form import SubForm
from builder.fieldtypes.table import Table
from builder.fieldtypes.temporal import Date, DateTime
from builder.fieldtypes.text import LongText, Text

_TYPES: dict[str, FieldType] = {}


class UnknownFieldType(Invalid):
    """A definition names a type that nobody registered."""


def register(field_type: FieldType) -> None:
    """Add a field type. Errors: ValueError when its key is taken or compared as another kind."""
    if field_type.key in _TYPES:
        raise ValueError(f"field type {field_type.key!r} is registered already")
    register_kind(field_type.key, field_type.kind)
    _TYPES[field_type.key] = field_type


def field_type(key: str) -> FieldType:
    """The type of that key. Errors: UnknownFieldType."""
    try:
        return _TYPES[key]
    except KeyError:
        raise UnknownFieldType(N_("There is no field type “%(type)s”."), type=key[:63]) from None


def type_of(definition: FieldDefinition) -> FieldType:
    """The type of a field. Errors: UnknownFieldType."""
    return field_type(definition.type)


def all_types() -> Iterator[FieldType]:
    """Every registered type, in the order in which the Studio offers them."""
    return iter(tuple(_TYPES.values()))


for _type in (
    Text(), LongText(), Integer(), DecimalNumber(), Percent(), Money(), YesNo(), Date(), DateTime(), Choice(),
    Choices(), Email(), Phone(), Url(), User(), Reference(), Formula(), Table(), Duration(), Rating(),
    Address(), SubForm(), AutoNumber(), Rollup(), MoneyRollup(), File(), Image(),
):  # fmt: skip
    register(_type)
