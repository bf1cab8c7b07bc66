"""The form of a note. Rules are checked by the service."""

from __future__ import annotations

from wtforms import Form, MultipleFileField, SelectMultipleField, TextAreaField


class NoteForm(Form):
    """``kept``: public ids of files that were taken in with an attempt that was refused."""

    text = TextAreaField(default="")
    files = MultipleFileField()
    kept = SelectMultipleField(choices=[], validate_choice=False, default=())
