"""The session of a request: Flask-SQLAlchemy-Lite with our session class, closed with the app context."""

from __future__ import annotations

from typing import Any

from flask_sqlalchemy_lite import SQLAlchemy

from builder.db.engine import engine_options
from builder.db.tenancy import WorkspaceSession

db = SQLAlchemy(
    session_options={"class_": WorkspaceSession, "expire_on_commit": False}, require_default_engine=False
)


def engine_config(url: str) -> dict[str, dict[str, Any]]:
    """The value of ``SQLALCHEMY_ENGINES`` for a database address."""
    return {"default": {"url": url, **engine_options(url)}}


def request_session() -> WorkspaceSession:
    """The session of the running app context; unbound until ``bind_workspace``."""
    session = db.session
    assert isinstance(session, WorkspaceSession)
    return session
