"""What the composition root hands to the routes: clock, engine, settings."""

from __future__ import annotations

from typing import Any, cast

from flask import current_app

from builder.clock import Clock
from builder.settings import Settings


def clock() -> Clock:
    return cast(Clock, current_app.extensions["funnelwright.clock"])


def settings() -> Settings:
    return cast(Settings, current_app.extensions["funnelwright.settings"])


def queue() -> Any:
    """Where background work is handed to (``builder.jobs.queue.JobQueue``)."""
    return current_app.extensions["funnelwright.queue"]


def engine() -> Any:
    """The SQLAlchemy engine, to hand on to a query or service (this row does not know SQLAlchemy)."""
    return current_app.extensions["funnelwright.engine"]
