"""What is measured over HTTP: requests on random records, and what each answer must say to count."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from random import Random
from urllib.parse import quote, urlencode

from sqlalchemy import select

from builder.db.ids import to_public
from builder.db.records import Record
from tests.bench import documents as company
from tests.bench.client import HTMX, Answer, Browser, form_fields
from tests.bench.databases import Database
from tests.bench.server import FLOOR
from tests.bench.world import PASSWORD, WORKSPACE, Person, people_of, work

ROOT = f"/w/{WORKSPACE}"
RECORDS_EACH = 3000
MODES = ("visited", "strict", "filled", "stay")


class WrongAnswerError(AssertionError):
    """A page that does not say what it should: its time is worth nothing."""


@dataclass(frozen=True)
class Known:
    """What the client knows of a record from the database."""

    id: int
    name: str
    stage_key: str
    revision: int

    @property
    def address(self) -> str:
        return f"{ROOT}/r/{to_public(self.id)}"


@dataclass
class Visitor:
    """A signed-in person, and records that they see."""

    person: Person
    browser: Browser
    records: list[Known]
    owner_id: int
    saved: dict[int, int] = field(default_factory=dict)
    moved: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measure:
    """``bar``: times the floor. ``ask`` makes the request that is timed, after whatever must precede it."""

    name: str
    bar: float
    statements: int
    ask: Callable[[Visitor, Random], Answer]


def visitors(database: Database, port: int, roles: Mapping[str, int]) -> list[Visitor]:
    """Signed-in people: so many of each role, with records that their row visibility opens."""
    people = people_of(database)
    chosen = [
        person for role, count in roles.items() for person in [p for p in people if p.role == role][:count]
    ]
    found = []
    for person in chosen:
        browser = Browser(port)
        browser.sign_in(person.email, PASSWORD)
        # The admin owns nothing: a manager's records stand for one owner's.
        owner = next(p for p in (person, *people) if p.role != "admin")
        found.append(Visitor(person, browser, _records_of(database, person), owner.member_id))
    return found


def _records_of(database: Database, person: Person) -> list[Known]:
    statement = select(Record.id, Record.name, Record.stage_key, Record.revision).where(
        Record.object_key == company.OBJECT, Record.deleted_at.is_(None)
    )
    if person.role == "rep":
        statement = statement.where(Record.owner_id == person.member_id)
    elif person.role == "manager":
        statement = statement.where(Record.department_id == person.department_id)
    with work(database) as uow:
        rows = [Known(*row) for row in uow.session.execute(statement)]
    Random(person.member_id).shuffle(rows)
    return rows[:RECORDS_EACH]


def floor(visitor: Visitor, chance: Random) -> Answer:
    answer = visitor.browser.get(f"{FLOOR}/?owner={visitor.owner_id}")
    return _says(answer, 200, "<tr>", times=50)


def _says(answer: Answer, status: int, *texts: str, times: int = 1) -> Answer:
    if answer.status != status:
        raise WrongAnswerError(f"{answer.status} instead of {status}: {answer.text[:2000]}")
    page = answer.text if texts else ""
    for text in texts:
        if page.count(text) < times:
            raise WrongAnswerError(f"{text!r} stands {page.count(text)} times, not {times}: {page[:3000]}")
    return answer


def _list(visitor: Visitor, chance: Random) -> Answer:
    answer = visitor.browser.get(f"{ROOT}/o/{company.OBJECT}")
    return _says(answer, 200, f"{ROOT}/r/", times=50)


def _filtered(visitor: Visitor, chance: Random) -> Answer:
    key = chance.choice(list(company.OPTIONS))
    condition = {"field": key, "op": "eq", "value": chance.choice(company.OPTIONS[key])}
    asked = urlencode({"f": json.dumps(condition)})
    answer = visitor.browser.get(f"{ROOT}/o/{company.OBJECT}?{asked}")
    return _says(answer, 200, f"{ROOT}/r/", key.title(), times=2)


def _edit(visitor: Visitor, chance: Random) -> Answer:
    record = chance.choice(visitor.records)
    return _says(visitor.browser.get(f"{record.address}/edit"), 200, record.name, "Warranty, months")


def _save(visitor: Visitor, chance: Random) -> Answer:
    record = chance.choice(visitor.records)
    page = visitor.browser.get(f"{record.address}/edit")
    seats = chance.randrange(1000, 9000)
    fields = [
        (name, str(seats) if name == "f-seats" else value) for name, value in form_fields(page, "/edit")
    ]
    answer = _says(visitor.browser.post(f"{record.address}/edit", fields), 303)
    visitor.saved[record.id] = seats
    return answer


def _move(visitor: Visitor, chance: Random) -> Answer:
    """Forward by one stage, with the feedback that the gate asks for, from the dialog over the board."""
    before = company.OPEN_STAGES[:-1]
    while (record := chance.choice(visitor.records)).stage_key not in before or record.id in visitor.moved:
        pass
    to = company.OPEN_STAGES[company.OPEN_STAGES.index(record.stage_key) + 1]
    address = f"{record.address}/move/{to}"
    board = f"board={company.PIPELINE}"
    page = _says(visitor.browser.get(f"{address}?{board}", HTMX), 200, "answers-mood")
    answers = {"answers-mood": "Keen", "tasks": "call", "confirmed": "1"}
    fields = [(name, value) for name, value in form_fields(page, "/move/") if name not in answers]
    answer = visitor.browser.post(address, [*fields, *answers.items()], HTMX)
    _says(answer, 200, record.name)
    if '"moved"' not in answer.headers.get("hx-trigger", ""):
        raise WrongAnswerError(answer.text[:2000])
    visitor.moved[record.id] = to
    return answer


def _search(visitor: Visitor, chance: Random) -> Answer:
    record = chance.choice(visitor.records)
    words = record.name.split()
    text = chance.choice((record.name, words[-1], f"{words[0]} {words[-1]}", f"{words[0]} {words[1]}"))
    answer = visitor.browser.get(f"{ROOT}/search?q={quote(text)}")
    return _says(answer, 200, words[0])


def _board(visitor: Visitor, chance: Random) -> Answer:
    answer = visitor.browser.get(f"{ROOT}/p/{company.PIPELINE}/board")
    is_full = len(visitor.records) == RECORDS_EACH
    return _says(answer, 200, f"{ROOT}/r/", times=7 * 50 if is_full else 1)


def _funnel(**given: str) -> Callable[[Visitor, Random], Answer]:
    def ask(visitor: Visitor, chance: Random) -> Answer:
        args = {"mode": chance.choice(MODES), **given}
        if "owner" in args:
            args["owner"] = to_public(visitor.owner_id)
        if "department" in args:
            args["department"] = to_public(visitor.person.department_id)
        if "from" in args:
            months = [date(2026, month, 1) for month in range(1, 12)]
            first, end = sorted(chance.sample(months, 2))
            args |= {"from": first.isoformat(), "to": end.isoformat()}
        if "where" in args:
            args["where"] = json.dumps({"field": "seats", "op": "gt", "value": chance.randrange(50, 400)})
        answer = visitor.browser.get(f"{ROOT}/insights/funnel?{urlencode(args)}")
        return _says(answer, 200, *(stage.title() for stage in company.OPEN_STAGES))

    return ask


MEASURES = (
    Measure("list", 10, 8, _list),
    Measure("list, filtered", 10, 8, _filtered),
    Measure("edit form, 30 fields", 12, 8, _edit),
    Measure("save", 10, 8, _save),
    Measure("move", 12, 8, _move),
    Measure("search", 15, 8, _search),
    Measure("board, 7 × 50", 30, 8 + 7, _board),
    Measure("funnel", 10, 8, _funnel()),
    Measure("funnel, amounts", 10, 8, _funnel(measure="amount")),
    Measure("funnel of an owner", 10, 8, _funnel(owner="")),
    Measure("funnel of a department", 10, 8, _funnel(department="")),
    Measure("funnel by owner", 10, 8, _funnel(by="owner")),
    Measure("funnel of months", 10, 8, _funnel(preset="custom", **{"from": "", "to": ""})),
    Measure("funnel of 90 days", 60, 8, _funnel(preset="last_n_days:90")),
    Measure("funnel, free filter", 60, 8, _funnel(where="")),
)


def check_written(database: Database, people: list[Visitor]) -> None:
    """What was saved and moved stands in the database, with a stay for each move."""
    saved = {record_id: seats for visitor in people for record_id, seats in visitor.saved.items()}
    moved = {record_id: stage for visitor in people for record_id, stage in visitor.moved.items()}
    with work(database) as uow:
        rows = uow.session.execute(
            select(Record.id, Record.data, Record.stage_key).where(Record.id.in_([*saved, *moved]))
        ).all()
    for record_id, data, stage in rows:
        if data["seats"] != saved.get(record_id, data["seats"]) or stage != moved.get(record_id, stage):
            raise WrongAnswerError(f"record {record_id}: {data['seats']}, {stage}")
