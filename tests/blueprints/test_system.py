"""Errors become answers, health is told, language and theme are remembered."""

from __future__ import annotations

import json
import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient

from builder.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Stale, TooLarge, Unavailable
from tests.fixtures.town import Town

HTMX = {"HX-Request": "true"}
CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
HOSTILE = "<script>alert('x')</script>%(y)s"


@pytest.fixture
def raising(own_application: None, sqlite_app: Flask) -> FlaskClient:
    """/raise/NAME raises that error."""
    errors = {
        "missing": NotFound(),
        "forbidden": Forbidden(),
        "stale": Stale(),
        "conflict": Conflict("Two of them"),
        "large": TooLarge("More than %(limit)s", limit="5 MB"),
        "away": Unavailable("The store does not answer"),
        "invalid": Invalid(
            "Not saved",
            problems=(
                Problem("%(field)s is missing", "/amount", {"field": "Amount"}),
                Problem(HOSTILE, "/name"),
            ),
        ),
    }

    @sqlite_app.get("/raise/<name>")
    def raise_error(name: str) -> str:
        if name == "bug":
            raise RuntimeError("the secret inside")
        raise errors[name]

    return sqlite_app.test_client()


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("missing", 404),
        ("forbidden", 403),
        ("stale", 409),
        ("conflict", 409),
        ("large", 413),
        ("invalid", 422),
        ("away", 503),
        ("bug", 500),
    ],
)
def test_each_error_has_its_status_as_page_and_as_fragment(
    raising: FlaskClient, name: str, status: int
) -> None:
    page = raising.get(f"/raise/{name}")
    fragment = raising.get(f"/raise/{name}", headers=HTMX)

    assert page.status_code == fragment.status_code == status
    assert page.text.startswith("<!DOCTYPE html>")
    assert fragment.text.startswith('<div hx-swap-oob="beforeend:#fw-notes">')
    assert "<html" not in fragment.text


def test_htmx_is_told_to_leave_the_page_as_it_is(raising: FlaskClient) -> None:
    assert raising.get("/raise/stale", headers=HTMX).headers["HX-Reswap"] == "none"


def test_a_boosted_link_gets_the_whole_page(raising: FlaskClient) -> None:
    answer = raising.get("/raise/missing", headers={**HTMX, "HX-Boosted": "true"})

    assert answer.text.startswith("<!DOCTYPE html>")


def test_values_fill_the_text_and_all_problems_are_listed(raising: FlaskClient) -> None:
    assert "More than 5 MB" in raising.get("/raise/large").text
    text = raising.get("/raise/invalid").text
    assert "Amount is missing" in text
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text


def test_a_program_gets_json(raising: FlaskClient) -> None:
    answer = raising.get("/raise/invalid", headers={"Accept": "application/json"})

    assert answer.get_json()["error"] == "Not saved"
    assert answer.get_json()["problems"][0] == {"place": "/amount", "message": "Amount is missing"}
    assert answer.get_json()["request_id"] == answer.headers["X-Request-ID"]
    assert raising.get("/api/nothing").get_json()["status"] == 404


def test_a_bug_is_logged_whole_and_told_without_its_inside(
    raising: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = raising.get("/raise/bug", headers={"X-Request-ID": "trace-me-1"})

    assert "the secret inside" not in answer.text
    assert "trace-me-1" in answer.text
    assert "RuntimeError" in caplog.text or any(record.exc_info for record in caplog.records)


def test_an_unknown_address_and_a_wrong_verb_are_told(client: FlaskClient) -> None:
    assert client.get("/no/such/thing").status_code == 404
    wrong = client.delete("/healthz", headers={"X-Nothing": "1"})
    assert wrong.status_code in (400, 405)


def test_health_names_the_database_on_both(app: Flask) -> None:
    answer = app.test_client().get("/healthz")

    assert answer.status_code == 200
    assert answer.get_json()["status"] == "ok"
    assert answer.get_json()["database"]["system"] in ("sqlite", "postgresql")
    assert answer.get_json()["database"]["reachable"] is True


def test_the_version_of_the_database_is_for_those_who_are_signed_in(town: Town) -> None:
    assert "version" not in town.visitor().get("/healthz").get_json()["database"]
    assert town.as_("Rita").get("/healthz").get_json()["database"]["version"]


def test_without_its_database_health_is_503(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from builder.db.engine import make_engine

    client.application.extensions["funnelwright.engine"] = make_engine("sqlite:////no/such/folder/x.db")
    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.get_json()["database"]["reachable"] is False


def csrf_token(client: FlaskClient) -> str:
    text = client.get("/nothing").text
    return text.split('name="csrf-token" content="')[1].split('"')[0]


@pytest.mark.parametrize(
    ("name", "value", "cookie"), [("language", "zh_Hans", "fw_language"), ("theme", "dark", "fw_theme")]
)
def test_a_choice_is_remembered_and_leads_back(
    client: FlaskClient, name: str, value: str, cookie: str
) -> None:
    form = {name: value, "next": "/here?a=1", "csrf_token": csrf_token(client)}
    answer = client.post(f"/preferences/{name}", data=form)

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/here?a=1"
    kept = client.get_cookie(cookie)
    assert kept is not None
    assert (kept.value, kept.same_site, kept.http_only) == (value, "Lax", True)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "/a\nb",
        "\\\\evil",
    ],
)
def test_a_choice_never_leads_to_another_site(client: FlaskClient, target: str) -> None:
    form = {"theme": "light", "next": target, "csrf_token": csrf_token(client)}

    assert client.post("/preferences/theme", data=form).headers["Location"] == "/"


def test_an_unknown_choice_is_refused(client: FlaskClient) -> None:
    form = {"theme": HOSTILE, "csrf_token": csrf_token(client)}
    answer = client.post("/preferences/theme", data=form)

    assert answer.status_code == 422
    assert client.get_cookie("fw_theme") is None


def test_a_form_without_the_token_is_refused(client: FlaskClient) -> None:
    answer = client.post("/preferences/theme", data={"theme": "dark"})

    assert answer.status_code == 400
    assert client.get_cookie("fw_theme") is None


def test_the_chosen_theme_is_set_by_the_server(client: FlaskClient) -> None:
    assert "data-bs-theme" not in client.get("/nothing").text.split(">")[1]
    client.set_cookie("fw_theme", "dark")
    assert 'data-bs-theme="dark"' in client.get("/nothing").text
    client.set_cookie("fw_theme", HOSTILE)
    assert "data-bs-theme" not in client.get("/nothing").text.split(">")[1]


def test_the_answer_is_json_without_escapes(client: FlaskClient) -> None:
    assert json.loads(client.get("/api/nothing").text)["status"] == 404
