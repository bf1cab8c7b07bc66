"""Every answer carries the security headers, and no template needs more than they allow."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from builder.app import create_app
from builder.resources import resource_folder
from builder.settings import Settings
from tests.fixtures.databases import FreshDatabase


@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/api/nothing"])
def test_every_answer_has_them(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers

    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "HX-Request" in headers["Vary"]


def test_https_is_insisted_on_only_where_it_is_spoken(
    client: FlaskClient, sqlite_database: FreshDatabase, settings_for: Callable[..., Settings]
) -> None:
    assert "Strict-Transport-Security" not in client.get("/healthz").headers
    secure = create_app(settings_for(sqlite_database, secure_cookies=True)).test_client()
    answer = secure.get("/nothing")
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    assert "Secure" in answer.headers["Set-Cookie"]


def test_pages_are_compressed_and_vary_by_it(styleguide_app: Flask) -> None:
    answer = styleguide_app.test_client().get("/styleguide", headers={"Accept-Encoding": "br"})

    assert answer.headers["Content-Encoding"] == "br"
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_no_template_has_an_inline_script_or_style() -> None:
    offences = []
    for path in resource_folder("templates").rglob("*.html"):
        if "emails" in path.parts:  # mail programs know nothing but inline style
            continue
        text = re.sub(r"{#.*?#}", "", path.read_text("utf-8"), flags=re.DOTALL)
        for pattern in (
            r"<script(?![^>]*\bsrc=)",
            r"<style\b",
            r"\sstyle=",
            r"\son[a-z]+=",
            r"javascript:",
            r"\bhx-on",
        ):
            offences += [
                f"{path.name}: {found.group()}" for found in re.finditer(pattern, text, re.IGNORECASE)
            ]
    assert offences == []
