"""Logs are one JSON object a line with the id of the request."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from builder.logs import configure_logs


def test_a_given_request_id_is_echoed_and_logged(
    client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("INFO")
    answer = client.get("/healthz", headers={"X-Request-ID": "abc.DEF-1_2"})

    line = json.loads(capsys.readouterr().err.strip().splitlines()[-1])
    assert answer.headers["X-Request-ID"] == line["request_id"] == "abc.DEF-1_2"
    assert (line["method"], line["path"], line["status"], line["level"]) == ("GET", "/healthz", 200, "info")
    assert line["milliseconds"] >= 0
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "中文", '"}{', "a;b"])
def test_a_malformed_request_id_is_replaced(client: FlaskClient, given: str) -> None:
    answer = client.get("/healthz", environ_overrides={"HTTP_X_REQUEST_ID": given.encode().decode("latin-1")})

    assert answer.headers["X-Request-ID"] != given
    assert len(answer.headers["X-Request-ID"]) == 32


def test_two_requests_have_two_ids(client: FlaskClient) -> None:
    assert client.get("/healthz").headers["X-Request-ID"] != client.get("/healthz").headers["X-Request-ID"]


def test_chinese_stays_readable_in_the_log(client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO")
    client.get("/华为")

    assert "华为" in capsys.readouterr().err
