"""A form that makes something carries a key, by which it makes it once however often it is sent."""

from __future__ import annotations

import hashlib

from flask import Flask
from htmx_flask import request

from blueprints import house
from builder.services.postings import new_key, posting_key

NAME = "once"
_OURS = ("csrf_token", NAME)


def add_once(app: Flask) -> None:
    """Templates write ``once_key()``: the key that a shown form keeps, or a new one."""
    app.jinja_env.globals["once_key"] = once_key


def once_key(is_new: bool = False) -> str:
    """The key of the form that is shown again with what was typed, or of one that ``is_new``."""
    sent = request.form.get(NAME, "") if request.method == "POST" and not is_new else ""
    return sent or new_key()


def sent_posting() -> str:
    """Which posting was sent, by the form's key, what was typed and which files came with it; empty for a
    form without a key. The installation's secret is in it: what is stored must not be a quick way to try
    passwords that were typed.
    """
    typed = [
        (name, text) for name in request.form if name not in _OURS for text in request.form.getlist(name)
    ]
    for name in request.files:
        for upload in request.files.getlist(name):
            contents = hashlib.file_digest(upload.stream, "sha256").hexdigest()
            upload.stream.seek(0)
            typed.append((name, f"{upload.filename}/{contents}"))
    secret = house.settings().secret_key
    return posting_key(request.form.get(NAME, ""), [("", request.path), ("", secret), *typed])
