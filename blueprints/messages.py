"""What lower layers say, in the reader's language: message keys, values, labels that admins wrote.

A message key is its English text (marked with ``N_`` where it stands), so the catalogue itself is the
mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_babel import gettext

from blueprints.languages import language
from builder.domain.labels import Label
from builder.errors import Problem
from builder.forms.record_form import RecordForm


def add_message_filters(app: Flask) -> None:
    """Templates write ``problem|told`` for a problem and ``label|local`` for an admin's label."""
    app.jinja_env.filters["told"] = told
    app.jinja_env.filters["local"] = local
    app.jinja_env.filters["error_lines"] = error_lines


def message(key: str, values: Mapping[str, Any] | None = None) -> str:
    """The text of a message key with its placeholders filled; labels among the values are translated."""
    text: str = gettext(key)
    return text % {name: local(value) for name, value in values.items()} if values else text


def told(problem: Problem) -> str:
    """The text of one problem."""
    return message(problem.message, problem.values)


def named(name: Any, text: Any) -> str:
    """A text with what it is about in front of it where it does not say so itself."""
    is_said = not name or f"“{name}”" in text
    return str(text) if is_said else f"{name}{gettext(': ')}{text}"


def error_lines(form: RecordForm) -> list[tuple[str, str]]:
    """What the summary of a refused form lists: the control's id (or nothing) and the text with its field."""
    return [(anchor, named(form.label_of(problem), told(problem))) for anchor, problem in form.summary]


def local(value: Any) -> Any:
    """A label in the reader's language; everything else as it is."""
    return value.text(language()) if isinstance(value, Label) else value
