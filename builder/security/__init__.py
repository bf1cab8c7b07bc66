"""Sign-in: Flask-Security on our tables, with our words, pages and limits (design.md §7)."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, make_response, redirect, render_template, url_for
from flask_limiter import Limiter
from flask_login import current_user
from flask_security import Security
from flask_security.utils import aware_utcnow
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from builder.db.extension import db, request_session
from builder.resources import resource_folder
from builder.security.accounts import Accounts, RecoveryForm, SignIn, SignInForm, SignInRole
from builder.security.limits import limit_sign_in
from builder.security.mails import RecoveryMails
from builder.security.texts import MESSAGES
from builder.services import passwords
from builder.settings import Settings


def add_security(app: Flask, settings: Settings, limiter: Limiter) -> None:
    """Register sign-in, sign-out, password, two-step sign-in and recovery codes.

    Nobody registers by themselves: an admin adds people (``services.people``).
    """
    app.config.update(_configuration(settings))
    app.config.update({f"SECURITY_MSG_{key}": text for key, text in MESSAGES.items()})
    security = Security(
        app,
        Accounts(db, SignIn, SignInRole),
        login_form=SignInForm,
        forgot_password_form=RecoveryForm,
        render_template=_render,
        mail_util_cls=RecoveryMails,
    )
    security.want_json(lambda _request: False)
    security.unauthn_handler(_sign_in_first)
    security.login_manager.unauthorized_handler(_sign_in_first)
    limit_sign_in(app, limiter)
    app.before_request(_begin_write)
    app.after_request(_refused)


def _configuration(settings: Settings) -> dict[str, Any]:
    return {
        "REMEMBER_COOKIE_NAME": "fw_remember",
        "REMEMBER_COOKIE_DURATION": timedelta(days=30),
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SECURE": settings.secure_cookies,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "SECURITY_STATIC_FOLDER": None,
        "SECURITY_DATETIME_FACTORY": aware_utcnow,
        # The catalogue of the application holds the texts of sign-in as well.
        "SECURITY_I18N_DOMAIN": "messages",
        "SECURITY_I18N_DIRNAME": [str(resource_folder("translations"))],
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": passwords.COSTS,
        "SECURITY_PASSWORD_SINGLE_HASH": True,
        # for tokens of recovery; the default is done in Python and keeps a core busy for half a second
        "SECURITY_HASHING_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_LENGTH_MIN": passwords.SHORTEST,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_LOGIN_URL": "/sign-in",
        "SECURITY_LOGOUT_URL": "/sign-out",
        "SECURITY_VERIFY_URL": "/account/confirm-password",
        "SECURITY_CHANGEABLE": True,
        "SECURITY_CHANGE_URL": "/account/password",
        "SECURITY_POST_CHANGE_VIEW": "/account/settings",
        "SECURITY_SEND_PASSWORD_CHANGE_EMAIL": False,
        "SECURITY_POST_LOGIN_VIEW": "/",
        "SECURITY_POST_LOGOUT_VIEW": "/sign-in",
        "SECURITY_REGISTERABLE": False,
        "SECURITY_WEBAUTHN": False,
        "SECURITY_RECOVERABLE": settings.mail is not None,
        "SECURITY_RESET_URL": "/sign-in/forgotten",
        "SECURITY_RESET_PASSWORD_WITHIN": timedelta(hours=2),
        "SECURITY_SEND_PASSWORD_RESET_NOTICE_EMAIL": False,
        # Mails are written in the language of who gets them, by our own templates (security.mails).
        "SECURITY_EMAIL_PLAINTEXT": False,
        "SECURITY_EMAIL_HTML": False,
        "SECURITY_EMAIL_SENDER": settings.mail.sender if settings.mail else "",
        "SECURITY_API_ENABLED_METHODS": ["session"],
        **_second_step(settings),
        # Only needed by tokens that Flask-Security signs; derived, so that one secret is kept.
        "SECURITY_PASSWORD_SALT": _derived(settings.secret_key, b"signed links"),
    }


def _second_step(settings: Settings) -> dict[str, Any]:
    cookie = {"httponly": True, "secure": settings.secure_cookies, "samesite": "Strict"}
    return {
        "SECURITY_TWO_FACTOR": True,
        "SECURITY_TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "SECURITY_TWO_FACTOR_RESCUE_EMAIL": False,
        "SECURITY_TWO_FACTOR_SETUP_URL": "/account/two-step",
        "SECURITY_TWO_FACTOR_TOKEN_VALIDATION_URL": "/sign-in/code",
        "SECURITY_TWO_FACTOR_RESCUE_URL": "/sign-in/rescue",
        "SECURITY_TWO_FACTOR_SELECT_URL": "/sign-in/way",
        "SECURITY_TWO_FACTOR_POST_SETUP_VIEW": "/account/settings",
        "SECURITY_TWO_FACTOR_VALIDITY_COOKIE": cookie,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES": True,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_URL": "/account/recovery-codes",
        "SECURITY_MULTI_FACTOR_RECOVERY_URL": "/sign-in/recovery",
        "SECURITY_TOTP_ISSUER": "Funnelwright",
        "SECURITY_TOTP_SECRETS": {1: _derived(settings.secret_key, b"two-step secrets")},
    }


def _derived(secret: str, purpose: bytes) -> str:
    return hmac.new(secret.encode(), purpose, hashlib.sha256).hexdigest()


def _render(template: str, **context: Any) -> str:
    """Flask-Security's pages; a form that was refused makes the answer 422."""
    if request.method == "POST":
        forms = (value for name, value in context.items() if name.endswith("_form"))
        g.sign_in_refused = any(getattr(form, "errors", None) for form in forms)
    return render_template(template, **context)


def _refused(response: Response) -> Response:
    if g.get("sign_in_refused") and response.status_code == 200:
        response.status_code = 422
    return response


def _begin_write() -> None:
    """Take the write lock before Flask-Security changes a sign-in.

    Not at sign-in itself, which writes only when a hash grows old, and would keep the lock of SQLite
    while it works on the password.
    """
    if request.method == "POST" and request.blueprint == "security" and request.endpoint != "security.login":
        session = request_session()
        if current_user.is_authenticated or request.endpoint != "security.logout":
            session.begin_write()


def _sign_in_first(mechanisms: list[str] | None = None, headers: dict[str, str] | None = None) -> AnyResponse:
    """Lead to the sign-in page and back; htmx is told to, so that the page never lands in a fragment."""
    if request.htmx and not request.htmx.boosted:
        there = urlsplit(request.htmx.current_url or "")
        back = f"{there.path}?{there.query}" if there.query else there.path
        response = make_response("", 401)
        response.headers["HX-Redirect"] = url_for("security.login", next=back or "/")
        return response
    back = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect(url_for("security.login", next=back), 303)
