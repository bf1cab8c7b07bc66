"""The form of one stage of a process. Rules are checked by the services."""

from __future__ import annotations

from wtforms import Form, IntegerField, StringField, TextAreaField
from wtforms.validators import Optional


class StageForm(Form):
    """Texts in both languages; ``version`` is the version of the process that the person looked at."""

    label_en = StringField(default="")
    label_zh_Hans = StringField(default="")  # noqa: N815 - the language is called so
    probability = IntegerField(validators=[Optional()])
    definition_en = TextAreaField(default="")
    definition_zh_Hans = TextAreaField(default="")  # noqa: N815
    goal_en = TextAreaField(default="")
    goal_zh_Hans = TextAreaField(default="")  # noqa: N815
    marker_en = StringField(default="")
    marker_zh_Hans = StringField(default="")  # noqa: N815
    version = IntegerField(validators=[Optional()])

    def texts(self, part: str) -> dict[str, str]:
        """The texts of a part by language."""
        return {language: self[f"{part}_{language}"].data or "" for language in LANGUAGES}


LANGUAGES = ("en", "zh_Hans")
PARTS = ("label", "definition", "goal", "marker")
