"""The composition root of the web application: `create_app` puts all parts together, and nothing imports it
but the command line and the tests."""

from __future__ import annotations

import inspect

import jinja2
from flask import Flask, request
from flask_compress import Compress
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from htmx_flask import Htmx
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as AnyResponse

import blueprints.account
import blueprints.addresses
import blueprints.admin
import blueprints.insights
import blueprints.scope
import blueprints.studio
import blueprints.system
import blueprints.workspace
import blueprints.workspace.board
import blueprints.workspace.exports
import blueprints.workspace.imports
import blueprints.workspace.moves
from blueprints.languages import add_languages
from builder.assets import add_assets
from builder.clock import Clock, SystemClock
from builder.db.engine import prepare
from builder.db.extension import db, engine_config
from builder.errors import N_, FunnelwrightError
from builder.headers import secure_headers
from builder.jobs.queue import JobQueue
from builder.logs import configure_logs, log_requests
from builder.resources import resource_folder
from builder.security import add_security
from builder.settings import Settings
from builder.template_context import SharedContext

_COMPRESSED = ["text/html", "text/css", "text/csv", "application/json", "image/svg+xml"]


def create_app(settings: Settings, *, clock: Clock | None = None) -> Flask:
    """Build the WSGI application for `settings`. Does not touch the database until a request comes.

    `clock` is what all services read the time from (tests and the demo give a fake one).
    """
    configure_logs(settings.log_level)
    app = Flask(
        "funnelwright",
        root_path=str(resource_folder("templates").parent),
        template_folder=str(resource_folder("templates")),
        static_folder=None,  # WhiteNoise serves /static/
    )
    _configure(app, settings)
    app.extensions["funnelwright.settings"] = settings
    app.extensions["funnelwright.clock"] = clock or SystemClock()
    _database(app, settings)
    app.extensions["funnelwright.queue"] = JobQueue(settings)
    log_requests(app)
    secure_headers(app, https=settings.secure_cookies)
    limiter = _extensions(app, settings)
    blueprints.system.register(app)
    blueprints.addresses.add_converters(app)
    add_security(app, settings, limiter)
    blueprints.scope.add_scope(app)
    _add_areas(app)
    add_assets(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.config.from_mapping(
        SECRET_KEY=settings.secret_key,
        TESTING=settings.testing,
        MAX_CONTENT_LENGTH=settings.max_upload,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        MAX_FORM_PARTS=10_000,
        SESSION_COOKIE_NAME="fw_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a form left open over lunch is no attack
        WTF_CSRF_HEADERS=["X-CSRFToken"],
        COMPRESS_MIMETYPES=_COMPRESSED,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=3,  # half of the time of 4, and five hundredths more to send
        COMPRESS_LEVEL=5,
        COMPRESS_MIN_SIZE=600,
        RATELIMIT_HEADERS_ENABLED=True,  # says when to try again
    )
    app.jinja_env.undefined = jinja2.StrictUndefined
    app.jinja_env.context_class = SharedContext
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.json.ensure_ascii = False  # type: ignore[attr-defined]


def _database(app: Flask, settings: Settings) -> None:
    app.config["SQLALCHEMY_ENGINES"] = engine_config(settings.database_url)
    db.init_app(app)
    # The extension also closes asynchronous sessions after each request, which makes and drops an event loop
    # every time; we have none.
    app.teardown_appcontext_funcs[:] = [
        close for close in app.teardown_appcontext_funcs if not inspect.iscoroutinefunction(close)
    ]
    with app.app_context():
        app.extensions["funnelwright.engine"] = prepare(db.engine)


def _extensions(app: Flask, settings: Settings) -> Limiter:
    Htmx(app)
    CSRFProtect(app)
    Compress(app)
    add_languages(app, settings)
    limiter = Limiter(get_remote_address, app=app, storage_uri=settings.limits_storage, default_limits=[])

    @app.errorhandler(CSRFError)
    def csrf_refused(error: CSRFError) -> AnyResponse:
        # Who is signed out lost the token with the session: then only signing in again helps.
        if not blueprints.scope.is_signed_in() and request.blueprint not in ("security", "system", None):
            return blueprints.scope.sign_in_first()
        return blueprints.system.answer_error(
            FunnelwrightError(N_("This page has expired. Reload it and try again."))
        )

    return limiter


def _add_areas(app: Flask) -> None:
    """The blueprints of the areas are registered here."""
    blueprints.account.register(app)
    blueprints.admin.register(app)
    blueprints.insights.register(app)
    blueprints.studio.register(app)
    blueprints.workspace.register(app)
    blueprints.workspace.imports.register(app)
    blueprints.workspace.exports.register(app)
    blueprints.workspace.board.register(app)
    blueprints.workspace.moves.register(app)
