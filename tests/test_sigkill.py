"""A loaded server is killed at random points: nothing is half-written, and what was said to be saved is."""

from __future__ import annotations

import http.client
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

import pytest
from flask import Flask
from sqlalchemy import select

from builder.clock import FakeClock
from builder.db.ids import to_public
from builder.db.records import Record
from builder.domain.permissions import RIGHTS, Actor
from builder.jobs.tables import migrate
from builder.services.entries import Entry
from builder.services.maintenance import verify
from builder.services.records import NewRecord, create_many
from builder.settings import Settings
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.postgres import APP_ROLE
from tests.fixtures.served import HttpPerson, Served
from tests.fixtures.town import PASSWORD, Town, build_town

pytestmark = pytest.mark.usefixtures("own_database")

# Kills in all, half of them on each database. FUNNELWRIGHT_KILLS=50 does what the acceptance asks for.
KILLS = int(os.environ.get("FUNNELWRIGHT_KILLS", "6"))
RECORDS = 30
WRITERS = 4
ANSWERS = (8, 40)  # a kill comes after so many answers, and a moment of up to a twentieth of a second
STAGES = ("a", "b", "c", "won", "lost")


@dataclass
class Told:
    """What the server said it had done: names of records made, and how often each status came."""

    made: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: int, made: str = "") -> None:
        with self.lock:
            self.statuses[status] += 1
            if made and status == 303:
                self.made.add(made)


@pytest.fixture
def settings(database_url: FreshDatabase, settings_for: Callable[..., Settings]) -> Settings:
    made = settings_for(database_url)
    migrate(made.database_owner_url, None if made.is_sqlite else APP_ROLE)
    return made


@pytest.fixture
def town(app: Flask, clock: FakeClock, settings: Settings) -> Town:
    return build_town(app, clock)


@pytest.fixture
def served(settings: Settings, town: Town) -> Iterator[Served]:
    made = Served(settings)
    yield made
    made.kill()


def records(town: Town) -> list[int]:
    uow = town.work()
    uow.actor = Actor(town.ids["Ada"], "Ada", "admin", frozenset(RIGHTS), "all")
    news = [NewRecord({"title": f"Case {n}", "worth": f"{n}.00"}, Entry("free")) for n in range(RECORDS)]
    made = [saved.record_id for saved in create_many(uow, "matter", news)]
    uow.commit()
    uow.session.close()
    return made


def revision_on(page: str, key: str = "") -> str:
    """The revision that the page's form sends; in the recycle bin that of the record with this key."""
    _, _, page = page.partition(f'id="restore-{key}"') if key else ("", "", page)
    found = re.search(r'name="revision" value="(\d+)"', page)
    return found.group(1) if found else "1"


def load(person: HttpPerson, ids: list[int], seed: str, told: Told, ended: threading.Event) -> None:
    """Move, change, make, delete and restore at random until the server is gone."""
    random = Random(seed)
    number = 0
    while not ended.is_set():
        key = to_public(random.choice(ids))
        place = f"/w/acme/r/{key}"
        number += 1
        what, made = random.random(), ""
        try:
            page = "/w/acme/recycle-bin" if what >= 0.95 else f"{place}/edit"
            seen = {"revision": revision_on(person.get(page)[2], key if what >= 0.95 else "")}
            if what < 0.5:
                reason = {"_form": "1", "reason_key": ""} if what < 0.1 else {}
                answer = person.post(f"{place}/move/{random.choice(STAGES)}", {**reason, **seen})
            elif what < 0.75:
                worth = f"{random.randrange(10_000)}.50"
                answer = person.post(f"{place}/edit", {"f-worth": worth, "f-title": f"Case {worth}", **seen})
            elif what < 0.9:
                made = f"New {seed} {number}"
                sent = {"f-title": made, "f-worth": "7", "pipeline": "free"}
                answer = person.post("/w/acme/o/matter/new", sent)
            else:
                answer = person.post(f"{place}/{'delete' if what < 0.95 else 'restore'}", seen)
        except (OSError, http.client.HTTPException):
            return
        told.note(answer[0], made)


def differences(town: Town) -> dict[str, list[str]]:
    uow = town.work()
    try:
        return verify(uow).examples
    finally:
        uow.session.close()


def names(town: Town) -> set[str]:
    uow = town.work()
    try:
        return set(uow.session.scalars(select(Record.name).where(Record.object_key == "matter")))
    finally:
        uow.session.close()


def test_a_killed_server_leaves_nothing_half_written(served: Served, town: Town) -> None:
    ids = records(town)
    random = Random(20_261_121)
    told = Told()
    people = [HttpPerson(served.port) for _ in range(WRITERS)]
    for point in range(max(1, KILLS // 2)):
        served.start()
        if not point:
            for person in people:
                person.sign_in("ada@example.com", PASSWORD)
        ended = threading.Event()
        threads = [
            threading.Thread(target=load, args=(person, ids, f"{point}-{number}", told, ended))
            for number, person in enumerate(people)
        ]
        before = sum(told.statuses.values())
        for thread in threads:
            thread.start()
        enough = before + random.randint(*ANSWERS)
        while sum(told.statuses.values()) < enough and any(thread.is_alive() for thread in threads):
            time.sleep(0.002)
        time.sleep(random.random() / 20)
        served.kill()
        ended.set()
        for thread in threads:
            thread.join()
        assert not differences(town), (point, differences(town))
        assert told.made <= names(town), point
    assert told.made
    assert told.statuses[303] > KILLS
    assert not [status for status in told.statuses if status >= 500], (told.statuses, served.said())
    answer = served.command("verify", "-w", "acme")
    assert answer.returncode == 0, answer.stdout + answer.stderr
