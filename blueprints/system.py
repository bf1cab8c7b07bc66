"""What belongs to no area: errors turned into answers, health, language and theme."""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
)
from flask_babel import gettext
from htmx_flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from blueprints import house
from blueprints.avatars import add_avatar_filters
from blueprints.languages import LANGUAGES
from blueprints.messages import add_message_filters, message
from blueprints.once import add_once
from blueprints.scope import is_signed_in
from blueprints.shell import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, page_context
from builder import __version__
from builder.errors import N_, FunnelwrightError, Invalid, NotFound, Problem
from builder.queries.health import database_health

system = Blueprint("system", __name__)
_log = structlog.get_logger("funnelwright.errors")
_A_YEAR = 365 * 24 * 3600

# What people are told about errors that come from HTTP itself; others get the last one.
_HTTP_TEXTS = {
    400: N_("The address or the data sent cannot be understood."),
    401: N_("Sign in first."),
    403: N_("You may not do this."),
    404: N_("This does not exist, or you may not see it."),
    405: N_("This address does not take that kind of request."),
    413: N_("What you sent is too large."),
    415: N_("This kind of content is not understood here."),
    429: N_("Too many tries. Wait a minute and try again."),
    500: N_("Something went wrong on our side. Nothing of your last step was saved."),
    503: N_("The service is busy or being restarted. Try again in a moment."),
}
_TITLES = {
    403: N_("Not allowed"),
    404: N_("Not found"),
    409: N_("Changed meanwhile"),
    413: N_("Too large"),
    422: N_("Not accepted"),
    429: N_("Slow down"),
    500: N_("Something went wrong"),
    503: N_("Not available"),
}


def register(app: Flask) -> None:
    """Register the routes, the error handlers and the context that every page has."""
    app.register_blueprint(system)
    add_avatar_filters(app)
    add_message_filters(app)
    add_once(app)
    app.context_processor(page_context)
    app.register_error_handler(FunnelwrightError, answer_error)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_crash)


def translated(message_key: str, values: dict[str, object]) -> str:
    """The text of a message key in the reader's language, its placeholders filled."""
    return message(message_key, values)


def answer_error(error: FunnelwrightError) -> Response:
    """The answer to an error that a person caused: a page, a message for htmx, or JSON."""
    text = translated(error.message_key, error.values)
    problems = [(problem.place, translated(problem.message, problem.values)) for problem in error.problems]
    return _answer(error.status, text, problems)


def _answer_http(error: HTTPException) -> AnyResponse:
    status = error.code or 500
    if error.response is not None or status < 400:
        return error.get_response()
    key = _HTTP_TEXTS.get(status, _HTTP_TEXTS[500 if status >= 500 else 400])
    response = _answer(status, gettext(key), [])
    if error.code == 405 and getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _answer_crash(error: Exception) -> Response:
    _log.error("unexpected error", path=request.path, method=request.method, exc_info=error)
    if current_app.config["PROPAGATE_EXCEPTIONS"]:
        raise error
    return _answer(500, gettext(_HTTP_TEXTS[500]), [])


def _answer(status: int, text: str, problems: list[tuple[str, str]]) -> Response:
    if _wants_json():
        listed = [{"place": place, "message": message} for place, message in problems]
        return make_response(
            jsonify(error=text, status=status, problems=listed, request_id=g.get("request_id", "")), status
        )
    title = gettext(_TITLES.get(status, _TITLES[500] if status >= 500 else _TITLES[422]))
    facts = {"status": status, "title": title, "text": text, "problems": problems}
    if request.htmx and not request.htmx.boosted:
        response = make_response(render_template("errors/message.html", **facts), status)
        # The message goes to the corner of the page; what the person was working on stays as it is.
        response.headers["HX-Reswap"] = "none"
        return response
    return make_response(
        render_template("errors/page.html", request_id=g.get("request_id", ""), **facts), status
    )


def _wants_json() -> bool:
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json" and not request.htmx


@system.get("/healthz")
def healthz() -> Response:
    """For load balancers: 200 when the database answers, else 503.

    Which version of the database it is, is told to those who are signed in: others could look for its holes.
    """
    health = database_health(house.engine())
    database = {
        "system": health.system,
        "milliseconds": health.milliseconds,
        "reachable": health.reachable,
    }
    # Who asks is looked up in the database, so only where it answers.
    if health.reachable and is_signed_in():
        database["version"] = health.version
    body = {
        "status": "ok" if health.reachable else "unavailable",
        "version": __version__,
        "database": database,
    }
    return make_response(jsonify(body), 200 if health.reachable else 503)


@system.post("/preferences/language")
def choose_language() -> AnyResponse:
    """Remember the language in a cookie and go back to where the person was."""
    return _remember(LANGUAGE_COOKIE, "language", tuple(LANGUAGES))


@system.post("/preferences/theme")
def choose_theme() -> AnyResponse:
    """Remember light, dark or auto in a cookie and go back to where the person was."""
    return _remember(THEME_COOKIE, "theme", THEMES)


def _remember(cookie: str, name: str, choices: tuple[str, ...]) -> AnyResponse:
    value = request.form.get(name, "")
    if value not in choices:
        raise Invalid(N_("That is not one of the choices."), problems=(Problem(N_("Not a choice"), name),))
    back = redirect(_safe_path(request.form.get("next", "")), 303)
    back.set_cookie(
        cookie, value, max_age=_A_YEAR, samesite="Lax", httponly=True, secure=house.settings().secure_cookies
    )
    return back


def _safe_path(target: str) -> str:
    """`target` when it is a path of this site, else the front page: never an open redirect."""
    parts = urlsplit(target)
    path_only = target.startswith("/") and not target.startswith(("//", "/\\"))
    clean = not parts.scheme and not parts.netloc and target.isprintable() and "\\" not in target
    return target if path_only and clean else "/"


@system.app_errorhandler(404)
def unknown_address(error: HTTPException) -> Response:
    """No route, and every `abort(404)`: the same words as for another workspace's id."""
    return answer_error(NotFound())
