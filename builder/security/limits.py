"""How often one may try to sign in: only failures count, per address of the network and per sign-in."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, request, session
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

PER_SIGN_IN = "10 per 5 minutes"
PER_ADDRESS = "100 per hour"

# Flask-Security's views that take a secret or send mail, and the session or form value that says whose.
_GUARDED = (
    "login",
    "verify",
    "change_password",
    "two_factor_token_validation",
    "two_factor_setup_validate",
    "mf_recovery",
    "forgot_password",
    "reset_password",
)


def _is_failure(response: Response) -> bool:
    """A sign-in that did not work; every request for a mail counts, because each sends one."""
    return bool(g.get("sign_in_refused")) or request.endpoint == "security.forgot_password"


def _whose() -> str:
    # Past the password the cookie knows who it is: an address sent along would be a new allowance each time.
    said = session.get("tf_user_id") or session.get("_user_id") or request.form.get("email") or ""
    return f"{get_remote_address()}|{str(said).strip().lower()[:255]}"


def limit_sign_in(app: Flask, limiter: Limiter) -> None:
    """Wrap the guarded views; a broken limit answers 429 (``blueprints.system``)."""
    for name in _GUARDED:
        endpoint = f"security.{name}"
        view: Any = app.view_functions.get(endpoint)
        if view is None:
            continue
        for limit, key in ((PER_SIGN_IN, _whose), (PER_ADDRESS, get_remote_address)):
            view = limiter.limit(limit, key_func=key, methods=["POST"], deduct_when=_is_failure)(view)
        app.view_functions[endpoint] = view
