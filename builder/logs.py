"""Structured logs: one JSON object a line on standard error, each with the id of its request."""

from __future__ import annotations

import logging
import re
import sys
import time
import uuid

import structlog
from flask import Flask, Response, g, request

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_log = structlog.get_logger("funnelwright.http")


def configure_logs(level: str) -> None:
    """Send the standard library's and structlog's records through one JSON renderer.

    `level` is a name of `logging`. May be called again; the last call counts.
    """
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    handler.set_name("funnelwright")
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if other.get_name() != "funnelwright"]
    root.addHandler(handler)
    root.setLevel(level)


def log_requests(app: Flask) -> None:
    """Give each request an id (the caller's X-Request-ID when it is well formed) and a line in the log."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        g.request_began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        if "request_id" not in g:  # refused before the first handler ran
            return response
        response.headers["X-Request-ID"] = g.request_id
        _log.info(
            "request",
            method=request.method,
            path=_path(),
            status=response.status_code,
            milliseconds=round((time.perf_counter() - g.request_began) * 1000, 1),
        )
        return response


def _path() -> str:
    """The address without what is a key: whoever reads the log must not be able to use a link of a mail."""
    if "token" in (request.view_args or {}) and request.url_rule is not None:
        return request.url_rule.rule
    return request.path
