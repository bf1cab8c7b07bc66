"""Before the first sign-in: choosing a password by an invitation, and what to do about a forgotten one where
no mails are sent.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, current_app, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_security.utils import login_user
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints import house
from blueprints.forms import refuse
from builder.db.extension import request_session
from builder.errors import Invalid
from builder.forms.people import InvitationForm
from builder.services import invitations as services

invitations = Blueprint("invitations", __name__)
# Links cannot be guessed; trying passwords on one hashes each, which costs.
PER_ADDRESS = "30 per hour"


def register(app: Flask) -> None:
    app.register_blueprint(invitations)
    limiter: Limiter = next(iter(app.extensions["limiter"]))
    view: Any = app.view_functions["invitations.accept_invitation"]
    app.view_functions["invitations.accept_invitation"] = limiter.limit(
        PER_ADDRESS, key_func=get_remote_address
    )(view)


@invitations.get("/sign-in/help")
def forgotten() -> str:
    """Who has forgotten their password, where no mail can be sent."""
    return render_template("pages/account/forgotten.html")


@invitations.get("/invitation/<token>")
def invitation(token: str) -> Response:
    account = services.invited(request_session(), house.settings().secret_key, token, house.clock().now())
    return _show(token, account.email, InvitationForm())


@invitations.post("/invitation/<token>")
def accept_invitation(token: str) -> Response:
    """Set the password and come in; who has a second step goes by the sign-in page."""
    form, session = InvitationForm(request.form), request_session()
    secret, now = house.settings().secret_key, house.clock().now()
    password, repeated = form.password.data or "", form.repeated.data or ""
    try:
        user_id = services.accept(session, secret, token, password, repeated, now)
    except Invalid as error:
        session.rollback()
        account = services.invited(session, secret, token, now)
        return _show(token, account.email, form, refuse(form, error), 422)
    session.commit()
    user = current_app.extensions["security"].datastore.find_user(id=user_id)
    if user.tf_primary_method:
        flash(gettext("Your password is set. Sign in with it."), "success")
        return redirect(url_for("security.login"), 303)
    login_user(user)
    return redirect("/", 303)


def _show(
    token: str,
    email: str,
    form: InvitationForm,
    problems: list[tuple[str, str]] | None = None,
    status: int = 200,
) -> Response:
    page = render_template(
        "pages/account/invitation.html", token=token, email=email, form=form, problems=problems or []
    )
    answer = make_response(page, status)
    # The address is a key: it is not passed on and not kept.
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store"
    return answer
