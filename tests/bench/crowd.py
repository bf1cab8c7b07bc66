"""Eight people at once: reading lists, and moving cards, each on a connection of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from random import Random

from tests.bench import documents as company
from tests.bench.client import HTMX
from tests.bench.databases import Database
from tests.bench.measures import ROOT, Known, Visitor, WrongAnswerError, visitors

CROWD = {"rep": 8}
SECONDS = 6.0


def reading(database: Database, port: int) -> tuple[float, float]:
    """Lists a second that one person gets, and that eight get together."""
    people = visitors(database, port, CROWD)
    return tuple(_rate(people[:count]) for count in (1, 8))  # type: ignore[return-value]


def _rate(people: list[Visitor]) -> float:
    counts = [0] * len(people)
    ends_at = time.perf_counter() + SECONDS

    def read(number: int) -> None:
        browser = people[number].browser
        while time.perf_counter() < ends_at:
            answer = browser.get(f"{ROOT}/o/{company.OBJECT}")
            if answer.status != 200:
                raise WrongAnswerError(f"{answer.status}: {answer.text[:1000]}")
            counts[number] += 1

    _together(len(people), read)
    return sum(counts) / SECONDS


def moving(database: Database, port: int, count: int) -> float:
    """Moves a second by eight people, each of their own records; every one must happen."""
    people = visitors(database, port, CROWD)
    each = count // len(people)
    work = [_open(visitor, each) for visitor in people]
    form = {
        "_form": "1",
        "board": company.PIPELINE,
        "answers-mood": "Keen",
        "tasks": "call",
        "confirmed": "1",
    }

    def move(number: int) -> None:
        visitor, records = people[number], work[number]
        for record in records:
            to = company.OPEN_STAGES[company.OPEN_STAGES.index(record.stage_key) + 1]
            fields = {**form, "revision": record.revision}
            answer = visitor.browser.post(f"{record.address}/move/{to}", fields, HTMX)
            if answer.status != 200 or '"moved"' not in answer.headers.get("hx-trigger", ""):
                raise WrongAnswerError(f"{answer.status}: {answer.text[:1000]}")
            visitor.moved[record.id] = to

    seconds = _together(len(people), move)
    return sum(map(len, work)) / seconds


def _open(visitor: Visitor, count: int) -> list[Known]:
    before = company.OPEN_STAGES[:-1]
    found = [record for record in visitor.records if record.stage_key in before]
    Random(7).shuffle(found)
    return found[:count]


def _together(count: int, work: Callable[[int], None]) -> float:
    """Run ``work`` in threads; seconds until all are done. The first error of any is raised."""
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except (AssertionError, OSError) as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return time.perf_counter() - began
