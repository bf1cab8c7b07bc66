"""The form of the start wizard. What may be is decided by ``metadata.editing.background``."""

from __future__ import annotations

from wtforms import Form, StringField, TextAreaField


class BeginningForm(Form):
    """The scenario, the four questions, and of the second step the chosen template."""

    scenario = StringField(default="")
    current = TextAreaField(default="")
    prospects = TextAreaField(default="")
    judging = TextAreaField(default="")
    stuck = TextAreaField(default="")
    pack = StringField(default="")
