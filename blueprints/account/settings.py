"""A person's own settings: name, language, theme, time zone, and the way to password and two-step sign-in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, after_this_request, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user, user_logged_in
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from blueprints import house
from blueprints.forms import done, refuse, show_form
from blueprints.languages import LANGUAGE_COOKIE, LANGUAGES
from blueprints.scope import my_memberships, sign_in_first
from blueprints.shell import THEME_COOKIE
from builder.db.extension import request_session
from builder.domain.workspaces import time_zones
from builder.errors import Invalid
from builder.forms.people import SettingsForm
from builder.services import preferences

account = Blueprint("account", __name__, url_prefix="/account")
_A_YEAR = 365 * 24 * 3600
_THEMES = {"light": lazy_gettext("Light"), "dark": lazy_gettext("Dark"), "auto": lazy_gettext("Auto")}


@account.before_request
def _signed_in() -> AnyResponse | None:
    if current_user.is_authenticated:
        return None
    return sign_in_first()


@account.get("/settings")
def settings() -> AnyResponse:
    """The settings as they stand."""
    return _show(SettingsForm(obj=current_user))


@account.post("/settings")
def save_settings() -> AnyResponse:
    """Store them, and let this browser follow at once."""
    form = SettingsForm(request.form)
    wanted = preferences.Preferences(
        name=form.name.data or "",
        locale=form.locale.data or None,
        theme=form.theme.data or None,
        time_zone=form.time_zone.data or None,
    )
    try:
        preferences.save(request_session(), current_user.id, wanted, house.clock().now())
    except Invalid as error:
        return _show(form, problems=refuse(form, error), status=422)
    answer = done(url_for("account.settings"), gettext("Your settings are saved."))
    _set_cookies(answer, wanted.locale, wanted.theme)
    return answer


def keep_preferences(app: Flask) -> None:
    """With a sign-in, its language and theme come to the browser."""
    user_logged_in.connect(_bring_preferences, app)


def _bring_preferences(_app: Flask, user: Any, **_facts: Any) -> None:
    @after_this_request
    def bring(response: Response) -> Response:
        _set_cookies(response, user.locale, user.theme)
        return response


def _set_cookies(response: AnyResponse, language: str | None, theme: str | None) -> None:
    secure = house.settings().secure_cookies
    for cookie, value in ((LANGUAGE_COOKIE, language), (THEME_COOKIE, theme)):
        if value:
            response.set_cookie(cookie, value, max_age=_A_YEAR, samesite="Lax", httponly=True, secure=secure)


def _show(
    form: SettingsForm, *, problems: list[tuple[str, str]] | None = None, status: int = 200
) -> AnyResponse:
    form.locale.choices = [("", gettext("As the browser says")), *LANGUAGES.items()]
    form.theme.choices = [("", gettext("As this browser is set")), *_THEMES.items()]
    zones = sorted(zone for zone in time_zones() if "/" in zone and not zone.startswith("Etc/"))
    form.time_zone.choices = [
        ("", gettext("As the workspace says")),
        ("UTC", "UTC"),
        *((z, z) for z in zones),
    ]
    return show_form(
        "pages/account/settings.html",
        fragment="fragments/person/settings.html",
        form=form,
        problems=problems or [],
        memberships=my_memberships(),
        has_two_step=bool(current_user.tf_primary_method),
        status=status,
    )
