"""What may stand in the parts of an address: opaque ids (``<rid:record_id>`` in a route, ``|public_id`` in a
template, design.md §4), texts that a database can be asked for, and numbers that it can hold.
"""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import BaseConverter, IntegerConverter, Map, UnicodeConverter, ValidationError

from builder.db.ids import from_public, to_public

LARGEST = 2**31 - 1


class PublicIdConverter(BaseConverter):
    """An id as 11 characters; anything else is no address of ours (404)."""

    regex = "[A-Za-z0-9_-]{11}"

    def to_python(self, value: str) -> int:
        try:
            return from_public(value)
        except ValueError as error:
            raise ValidationError(value) from error

    def to_url(self, value: int) -> str:
        return to_public(int(value))


class TextConverter(UnicodeConverter):
    """A text without NUL, which PostgreSQL refuses to compare anything with: no key of ours holds one."""

    def to_python(self, value: str) -> str:
        if "\0" in value:
            raise ValidationError(value)
        return value


class NumberConverter(IntegerConverter):
    """A number that fits into an integer column of both databases; larger ones number nothing (404)."""

    def __init__(self, map: Map, *, min: int = 0, max: int = LARGEST) -> None:
        super().__init__(map, min=min, max=max)


def add_converters(app: Flask) -> None:
    """For all routes, those that say nothing of their parts too (``default``)."""
    converters = app.url_map.converters
    converters["rid"] = PublicIdConverter
    converters["default"] = converters["string"] = TextConverter
    converters["int"] = NumberConverter
    app.jinja_env.filters["public_id"] = to_public
