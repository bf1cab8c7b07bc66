"""Invitations and the preferences of a person."""

from __future__ import annotations

from flask import Flask

from blueprints.account import invitations, settings


def register(app: Flask) -> None:
    """Register the area and keep language and theme of a sign-in in this browser."""
    app.register_blueprint(settings.account)
    invitations.register(app)
    settings.keep_preferences(app)
