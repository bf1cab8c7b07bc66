"""A person's browser, as far as it costs the server anything: keep-alive, cookies, compression."""

from __future__ import annotations

import gzip
import http.client
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from tests.bench.server import CPU, STATEMENTS

_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
FRESH_SECONDS = 5.0  # the server ends connections that nobody uses
HTMX = {"HX-Request": "true"}


@dataclass(frozen=True)
class Answer:
    """``elapsed`` and ``cpu`` in milliseconds, ``size`` in bytes of the body on the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: float

    @property
    def text(self) -> str:
        encoding = self.headers.get("content-encoding", "")
        if encoding == "br":
            import brotli

            return str(brotli.decompress(self.body).decode())
        return (gzip.decompress(self.body) if encoding == "gzip" else self.body).decode()

    @property
    def size(self) -> int:
        return len(self.body)

    @property
    def cpu(self) -> float:
        return float(self.headers.get(CPU.lower(), "nan"))

    @property
    def statements(self) -> int:
        return int(self.headers.get(STATEMENTS.lower(), "0"))


class Browser:
    """One connection of one person to the server."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.cookies: dict[str, str] = {}
        self._used_at = 0.0
        self.token = ""

    def sign_in(self, email: str, password: str) -> None:
        self._learn_token(self.get("/sign-in"))
        answer = self.post("/sign-in", {"email": email, "password": password})
        if answer.status != 302:
            raise SystemExit(f"{email} cannot sign in: {answer.status}")
        self._learn_token(self.get("/account/settings"))

    def _learn_token(self, answer: Answer) -> None:
        found = _TOKEN.search(answer.text)
        if found is None:
            raise SystemExit(f"no token on a page of status {answer.status}: {answer.text[:300]}")
        self.token = found.group(1)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self._ask("GET", path, headers or {}, None)

    def post(
        self,
        path: str,
        fields: Mapping[str, Any] | list[tuple[str, str]],
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        body = urlencode(fields, doseq=True)
        more = {"Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": self.token}
        return self._ask("POST", path, {**more, **(headers or {})}, body)

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: str | None) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"Accept-Encoding": "gzip, br", "Accept-Language": "en", "Cookie": cookies, **headers}
        if time.perf_counter() - self._used_at > FRESH_SECONDS:
            self._connection.close()
            self._connection.connect()
        began = time.perf_counter()
        self._connection.request(method, path, body, sent)
        response = self._connection.getresponse()
        content = response.read()
        self._used_at = time.perf_counter()
        elapsed = (self._used_at - began) * 1000
        found = {name.lower(): value for name, value in response.getheaders()}
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return Answer(response.status, found, content, elapsed)

    def close(self) -> None:
        self._connection.close()


class FormReader(HTMLParser):
    """The fields of the form of an id, as a browser would send them untouched."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._action = action
        self._is_inside = False
        self._select: str | None = None
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if tag == "form":
            self._is_inside = self._action in (facts.get("action") or "")
        if not self._is_inside:
            return
        name, value = facts.get("name") or "", facts.get("value") or ""
        if tag == "input" and name:
            is_box = facts.get("type") in ("checkbox", "radio")
            if facts.get("type") not in ("submit", "button", "file") and (not is_box or "checked" in facts):
                self.fields.append((name, value if value or not is_box else "on"))
        elif tag == "select" and name:
            self._select = name
        elif tag == "option" and self._select and "selected" in facts:
            self.fields.append((self._select, value))
        elif tag == "textarea" and name:
            self._area = name
            self.fields.append((name, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            name, value = self.fields[-1]
            self.fields[-1] = (name, (value + data).removeprefix("\n"))


def form_fields(answer: Answer, action: str) -> list[tuple[str, str]]:
    """What the form with ``action`` in its address would send."""
    reader = FormReader(action)
    reader.feed(answer.text)
    return reader.fields
