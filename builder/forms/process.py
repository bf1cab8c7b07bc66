"""The forms of the process designer. What may be is decided by the edits (``metadata.editing``)."""

from __future__ import annotations

from typing import Any

from wtforms import (
    FieldList,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

MOST_ROWS = 60


def texts_of(form: Any, part: str) -> dict[str, str]:
    """The texts of a part by language: controls ``<part>_en``, ``<part>_zh_Hans``."""
    return {code: form[f"{part}_{code}"].data or "" for code in LANGUAGES if f"{part}_{code}" in form}


LANGUAGES = ("en", "zh_Hans")


class NameForm(Form):
    """A name in both languages; of a new process also its object, of a new stage what it means."""

    label_en = StringField(default="")
    label_zh_Hans = StringField(default="")  # noqa: N815 - the language is called so
    kind = SelectField(default="open", validate_choice=False)
    object = SelectField(default="", validate_choice=False)


class ProcessForm(NameForm):
    """What stands around the stages of a process."""

    description_en = TextAreaField(default="")
    description_zh_Hans = TextAreaField(default="")  # noqa: N815
    average_cycle_days = IntegerField(validators=[Optional()])
    reminder_days = IntegerField(validators=[Optional()])


class FunnelForm(NameForm):
    """A funnel over several processes; ``new``: a stage as ``pipeline>stage``."""

    description_en = TextAreaField(default="")
    description_zh_Hans = TextAreaField(default="")  # noqa: N815
    unit = SelectField(default="record", validate_choice=False)
    new = SelectField(default="", validate_choice=False)


class NamedRow(Form):
    """A milestone or a reason: its key, empty for a new one, and its name."""

    key = HiddenField(default="")
    label_en = StringField(default="")
    label_zh_Hans = StringField(default="")  # noqa: N815


class RowsForm(Form):
    """Milestones, or the reasons of one way to end."""

    rows = FieldList(FormField(NamedRow), max_entries=MOST_ROWS)


class DescribeForm(NameForm):
    """What a stage is."""

    probability = IntegerField(validators=[Optional()])
    color = RadioField(default="", validate_choice=False)
    milestone = SelectField(default="", validate_choice=False)
    definition_en = TextAreaField(default="")
    definition_zh_Hans = TextAreaField(default="")  # noqa: N815
    goal_en = TextAreaField(default="")
    goal_zh_Hans = TextAreaField(default="")  # noqa: N815
    target_days = IntegerField(validators=[Optional()])
    warning_days = IntegerField(validators=[Optional()])
    breach_days = IntegerField(validators=[Optional()])


class ActionRow(NamedRow):
    role = SelectField(default="", validate_choice=False)


class TaskRow(ActionRow):
    severity = SelectField(default="block", validate_choice=False)
    subtasks = TextAreaField(default="")


class IndicatorRow(NamedRow):
    target = StringField(default="")
    unit_en = StringField(default="")
    unit_zh_Hans = StringField(default="")  # noqa: N815


class EquipForm(Form):
    """What is to be done in a stage."""

    actions = FieldList(FormField(ActionRow), max_entries=MOST_ROWS)
    tasks = FieldList(FormField(TaskRow), max_entries=MOST_ROWS)
    indicators = FieldList(FormField(IndicatorRow), max_entries=MOST_ROWS)
    # Both forms stand on one page.
    feedback = SelectField(default="", validate_choice=False, id="equip-feedback")


class GuardForm(Form):
    """What must be true to leave a stage, and to enter it."""

    required_fields = SelectMultipleField(validate_choice=False)
    marker_en = StringField(default="")
    marker_zh_Hans = StringField(default="")  # noqa: N815
    feedback = SelectField(default="", validate_choice=False, id="guard-feedback")
    tasks = SelectField(default="", validate_choice=False, id="guard-tasks")
    marker = SelectField(default="", validate_choice=False, id="guard-marker")
    roles = SelectMultipleField(validate_choice=False)
    approver = SelectField(default="", validate_choice=False)
    role = SelectField(default="", validate_choice=False)
    fallback_role = SelectField(default="", validate_choice=False)
    enter_fields = SelectMultipleField(validate_choice=False)
    enter_roles = SelectMultipleField(validate_choice=False)
