"""Opaque ids in addresses: ``<rid:record_id>`` in a route, ``|public_id`` in a template (design.md §4)."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import BaseConverter, ValidationError

from builder.db.ids import from_public, to_public


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


def add_converters(app: Flask) -> None:
    app.url_map.converters["rid"] = PublicIdConverter
    app.jinja_env.filters["public_id"] = to_public
