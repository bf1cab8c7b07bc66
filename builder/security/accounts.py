"""The sign-in as Flask-Security sees it, and where it is stored."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from functools import cache
from typing import Any

from flask import g
from flask_security import (
    ForgotPasswordForm,
    FSQLALiteUserDatastore,
    LoginForm,
    RoleMixin,
    UserMixin,
)
from flask_security.forms import EmailValidation, email_required, valid_user_email
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm.attributes import set_committed_value
from wtforms import EmailField

from builder.db.extension import request_session
from builder.db.people import PlatformRole, UserAccount
from builder.queries.memberships import Foreseen, signed_in, with_memberships


def _stripped(text: str | None) -> str | None:
    return text.strip() if text else text


class SignInRole(RoleMixin, PlatformRole):
    """Flask-Security's role model. What people may do is decided by the roles of a workspace."""


class SignIn(UserMixin, UserAccount):  # type: ignore[misc]
    """A row of ``user_account`` that can sign in."""


class SignInForm(LoginForm):
    """The form of sign-in; blanks around an address, as copying brings them, do not matter."""

    email = EmailField(filters=[_stripped], validators=[email_required, EmailValidation(verify=False)])


class RecoveryForm(ForgotPasswordForm):
    """The form of a forgotten password; as with sign-in, no name server is asked about the address."""

    email = EmailField(
        filters=[_stripped], validators=[email_required, EmailValidation(verify=False), valid_user_email]
    )


@cache
def _found_by(attribute: str) -> Select[SignIn]:
    return select(SignIn).where(getattr(SignIn, attribute) == bindparam("value"))


def _with_memberships(fs_uniquifier: str) -> SignIn | None:
    """The sign-in of a session, and in the same statement the workspaces that every page asks for.

    On PostgreSQL the wall shows the memberships of whom the session is bound to: they count only when that
    claim of the cookie was right.
    """
    session = request_session()
    foreseen = g.get("foreseen") or Foreseen(0, date.min, ())
    asked = {"fs_uniquifier": fs_uniquifier, **asdict(foreseen)}
    rows = session.execute(with_memberships(SignIn), asked).all()
    if not rows:
        return None
    user: SignIn = rows[0][0]
    if session.info["user_id"] == user.id:
        g.memberships = signed_in(rows, foreseen)
    return user


class Accounts(FSQLALiteUserDatastore):
    """Finds and keeps sign-ins through the session of the request."""

    def find_user(self, case_insensitive: bool = False, **kwargs: Any) -> SignIn | None:
        """One indexed statement. E-mail addresses are stored in lower case (``services.people``).

        Platform roles are not read with every request: nothing asks for them, and Flask-Principal would
        load them one statement later.
        """
        ((attribute, value),) = kwargs.items()
        if attribute == "email":
            value = str(value).strip().lower()
        if attribute == "fs_uniquifier" and request_session().info.get("user_id") is not None:
            user = _with_memberships(value)
        else:
            user = request_session().scalar(_found_by(attribute), {"value": value})
        if user is not None:
            set_committed_value(user, "roles", [])
        return user

    def put(self, model: Any) -> Any:
        """Change a sign-in in a transaction that may write.

        A read that turns into a write fails on SQLite as soon as somebody has written since it began: a hash
        that has grown old is renewed after the sign-in was read.
        """
        session = request_session()
        if not session.is_writing:
            if model in session:
                session.expunge(model)  # what ends the read must not write
            session.begin_write()
        session.add(model)
        return model

    def mf_delete_recovery_code(self, user: SignIn, idx: int) -> bool:  # type: ignore[override]
        """Use up a code. A new list, because a change within a JSON column is not saved."""
        codes = list(user.mf_recovery_codes or ())
        if not 0 <= idx < len(codes):
            return False
        user.mf_recovery_codes = codes[:idx] + codes[idx + 1 :]
        self.put(user)
        return True
