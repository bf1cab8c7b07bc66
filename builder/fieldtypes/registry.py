"""All field types by key, those of plug-ins included (S24). A type that is registered here is offered in the
Studio, in imports and in filters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

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
from builder.plug_ins import FIELD_TYPES, plugged

_TYPES: dict[str, FieldType] = {}
_plugged_in: list[bool] = []


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
        return _known()[key]
    except KeyError:
        raise UnknownFieldType(N_("There is no field type “%(type)s”."), type=key[:63]) from None


def settings_of(key: str) -> Mapping[str, Any] | None:
    """The settings of a plugged-in type of that key, by name; ``None`` for any other."""
    found = _known().get(key)
    return None if found is None else found.settings


def type_of(definition: FieldDefinition) -> FieldType:
    """The type of a field. Errors: UnknownFieldType."""
    return field_type(definition.type)


def all_types() -> Iterator[FieldType]:
    """Every registered type, in the order in which the Studio offers them."""
    return iter(tuple(_known().values()))


def _known() -> dict[str, FieldType]:
    """The types by key. Plug-ins are loaded when the first is asked for, not with this module: their own
    modules import parts that need it. Errors: BrokenPlugIn.
    """
    if not _plugged_in:
        _plugged_in.append(True)
        for made in plugged(FIELD_TYPES):
            register(made)
    return _TYPES


for _type in (
    Text(), LongText(), Integer(), DecimalNumber(), Percent(), Money(), YesNo(), Date(), DateTime(), Choice(),
    Choices(), Email(), Phone(), Url(), User(), Reference(), Formula(), Table(), Duration(), Rating(),
    Address(), SubForm(), AutoNumber(), Rollup(), MoneyRollup(), File(), Image(),
):  # fmt: skip
    register(_type)
