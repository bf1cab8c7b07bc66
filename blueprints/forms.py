"""What the routes with a form share: problems of a service into the form, and one answer for two doors."""

from __future__ import annotations

from typing import Any

from flask import flash, make_response, redirect, render_template
from flask_babel import gettext
from htmx_flask import request
from werkzeug.wrappers import Response

from blueprints.system import translated
from builder.db.ids import from_public
from builder.errors import FunnelwrightError


def show_form(template: str, *, status: int = 200, **facts: Any) -> Response:
    """A page whose fragment ``form`` stands alone for htmx: ``template`` includes ``fragment``."""
    name = facts["fragment"] if request.htmx and not request.htmx.boosted else template
    return make_response(render_template(name, **facts), status)


def refuse(form: Any, error: FunnelwrightError) -> list[tuple[str, str]]:
    """Put the problems of ``error`` at the fields of a form; what the summary lists: (control id, text)."""
    listed = []
    for problem in error.problems:
        text = translated(problem.message, problem.values)
        if problem.place in form:
            field = form[problem.place]
            field.errors = [*field.errors, text]
        listed.append((problem.place if problem.place in form else "", text))
    return listed or [("", translated(error.message_key, error.values))]


def tell_stored(form: Any, before: Any) -> list[tuple[str, str]]:
    """After somebody else's change: say at each field of a typed form what is stored now, where it differs.

    ``before`` is the same form with the stored values.
    """
    listed = []
    for field, now in zip(form, before, strict=True):
        if field.data != now.data:
            shown = dict(getattr(field, "choices", ())).get(now.data, now.data)
            text = gettext("Now stored: %(value)s", value=str(shown).strip() or "–")
            field.errors = [*field.errors, text]
            listed.append((field.id, text))
    return listed


def done(target: str, message: str = "") -> Response:
    """After a write: to ``target``, by 303 or for htmx by HX-Redirect, with a message there."""
    if message:
        flash(message, "success")
    if request.htmx and not request.htmx.boosted:
        response = make_response("", 204)
        response.headers["HX-Redirect"] = target
        return response
    return redirect(target, 303)


def chosen_id(text: str | None) -> int | None:
    """The id of a select of public ids: none for empty, and 0, which nothing has, for nonsense."""
    if not text:
        return None
    try:
        return from_public(text)
    except ValueError:
        return 0
