"""Web and worker as processes of their own on PostgreSQL: what the web enqueues, the worker carries out."""

from __future__ import annotations

import http.cookiejar
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from builder.db.imports import ImportJob
from builder.db.records import Record
from builder.jobs.tables import migrate
from builder.services import people
from builder.settings import Settings
from tests.factories import World, make_world
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.postgres import APP_ROLE
from tests.fixtures.town import PASSWORD

pytestmark = pytest.mark.usefixtures("own_database")

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60
ROWS = 30
TEXT = "ref,title,worth\n" + "".join(f"R{n},Title {n},{n}.50\n" for n in range(ROWS))
Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def settings(postgres_database: FreshDatabase, settings_for: Callable[..., Settings]) -> Settings:
    migrate(postgres_database.owner_url, APP_ROLE)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return settings_for(postgres_database, port=port)


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    made = make_world(settings.database_url)
    with made.work() as uow:
        people.add(uow, people.PersonFacts("Eva", "admin", "eva@example.com"), password=PASSWORD)
        uow.commit()
    yield made
    made.engine.dispose()


@pytest.fixture
def start(settings: Settings) -> Iterator[Start]:
    """start("serve"): a command of ours as a process, ended at the end of the test."""
    started: list[subprocess.Popen[bytes]] = []
    env = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "FUNNELWRIGHT_DATA": str(settings.data_folder),
        "SECRET_KEY": settings.secret_key,
        "PORT": str(settings.port),
    }

    def run(command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "builder.cli", command],
            cwd=ROOT,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.terminate()
    for process in started:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Browser:
    """Cookies, forms with their token, redirects followed."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar)

    def get(self, path: str) -> tuple[str, str]:
        """Where it led, and the page."""
        with self.opener.open(self.base + path, timeout=30) as answer:
            return answer.url.removeprefix(self.base), answer.read().decode()

    def post(self, path: str, data: dict[str, str], at: str) -> tuple[str, str]:
        """Send a form with the token of the page ``at``."""
        body = urllib.parse.urlencode({**data, "csrf_token": self.token(at)}).encode()
        return self._send(path, body, "application/x-www-form-urlencoded")

    def upload(self, path: str, text: str, object_key: str, at: str) -> tuple[str, str]:
        parts = {"csrf_token": self.token(at), "object": object_key}
        lines = [
            f'--x\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in parts.items()
        ]
        lines.append(
            '--x\r\nContent-Disposition: form-data; name="file"; filename="cases.csv"\r\n'
            f"Content-Type: text/csv\r\n\r\n{text}\r\n--x--\r\n"
        )
        return self._send(path, "".join(lines).encode(), "multipart/form-data; boundary=x")

    def token(self, at: str) -> str:
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.get(at)[1])
        assert found, at
        return found.group(1)

    def _send(self, path: str, body: bytes, kind: str) -> tuple[str, str]:
        request = urllib.request.Request(self.base + path, body, {"Content-Type": kind})
        with self.opener.open(request, timeout=30) as answer:
            return answer.url.removeprefix(self.base), answer.read().decode()


def waited(holds: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError(f"waited in vain: {what}")


def answers(browser: Browser) -> bool:
    try:
        return bool(browser.get("/healthz"))
    except (urllib.error.URLError, ConnectionError):
        return False


def status_of(world: World) -> list[str]:
    with world.work() as uow:
        return list(uow.session.scalars(select(ImportJob.status)))


def test_an_import_started_in_the_web_is_carried_out_by_the_worker(
    world: World, settings: Settings, start: Start
) -> None:
    web = start("serve")
    browser = Browser(settings.port)
    waited(lambda: answers(browser), "the web process answers")
    browser.post("/sign-in", {"email": "eva@example.com", "password": PASSWORD}, "/sign-in")
    place, page = browser.upload("/w/acme/imports/", TEXT, "matter", "/w/acme/imports/new")
    place = place.removesuffix("/mapping")
    fields = re.findall(r'name="(field-\d+)"', page)
    assert len(fields) == 3
    chosen = dict(zip(fields, ("", "key:title", "key:worth"), strict=True))
    browser.post(f"{place}/mapping", {**chosen, "key_column": "ref"}, f"{place}/mapping")
    browser.post(f"{place}/start", {}, f"{place}/check")
    # Nobody works the queue yet: the web only enqueued it, in the transaction of the job's row.
    assert status_of(world) == ["queued"]

    start("worker")
    waited(lambda: status_of(world) == ["done"], "the worker carries out the import")
    with world.work() as uow:
        names = uow.session.scalars(select(Record.name).where(Record.object_key == "matter")).all()
    assert sorted(names) == sorted(f"Title {n}" for n in range(ROWS))
    assert str(ROWS) in browser.get(place)[1]
    assert web.poll() is None
