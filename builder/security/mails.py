"""The mails of Flask-Security, by our templates and our queue."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_security import MailUtil

from blueprints import house, mails
from builder.db.extension import request_session


class RecoveryMails(MailUtil):
    """Recovering a password is all that Flask-Security sends here."""

    def send_mail(
        self,
        template: str,
        subject: str,
        recipient: str | tuple[str, str],
        sender: str | tuple[str, str],
        body: str | None,
        html: str | None,
        **context: Any,
    ) -> None:
        """``reset_instructions`` to somebody who asked for it. Its transaction ends here, so that the mail is
        on its way before the answer says so.
        """
        user, token = context["user"], context["reset_token"]
        link = mails.public_address(url_for("security.reset_password", token=token))
        session = request_session()
        mails.send(session, "recovery", user.email, user.locale, name=user.name or user.email, link=link)
        session.commit()
        house.queue().committed()
