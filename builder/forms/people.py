"""The forms of people, departments and a person's own settings. Rules are checked by the services."""

from __future__ import annotations

from wtforms import BooleanField, Form, PasswordField, SelectField, StringField


def _choice() -> SelectField:
    # The service says what is wrong with a choice, in the reader's language.
    return SelectField(choices=[], validate_choice=False, default="")


class PersonForm(Form):
    """Ids of people and departments are in their public form; empty means none."""

    name = StringField(default="")
    email = StringField(default="")
    role_key = _choice()
    manager_id = _choice()
    department_id = _choice()
    password = PasswordField(default="")
    is_active = BooleanField(default=True)
    invites = BooleanField(default=False)


class InvitationForm(Form):
    """The first password of somebody who was invited, twice."""

    password = PasswordField(default="")
    repeated = PasswordField(default="")


class HandoverForm(Form):
    """Who gets what a person owns."""

    successor_id = _choice()


class DepartmentForm(Form):
    name = StringField(default="")
    parent_id = _choice()


class SettingsForm(Form):
    """A person's own settings; empty means as the workspace or the browser says."""

    name = StringField(default="")
    locale = _choice()
    theme = _choice()
    time_zone = _choice()
