"""The measured company: its people and its loaded history, made once and kept until its parameters change."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from builder.clock import FakeClock
from builder.db.engine import make_engine
from builder.db.tenancy import WorkspaceSession
from builder.domain.stays import LoggedEntry
from builder.services import definitions, departments, maintenance, people, rollup, workspaces
from builder.services.history import LoadedRecord, load_histories
from builder.services.records import NewRecord, Saved, create_many
from builder.services.unit_of_work import UnitOfWork
from tests.bench import documents as company
from tests.bench.databases import Database, PostgresDatabases, SqliteFiles

WORKSPACE = "bench"
PASSWORD = "correct horse battery"
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
MONTHS_18 = timedelta(days=548)
BATCH = 1000
DEPARTMENTS = ("North", "East", "South", "West")


@dataclass(frozen=True)
class Parameters:
    """What the company is made from; anything else about it follows."""

    records: int = 100_000
    accounts: int = 2_000
    seed: int = 20261121

    @property
    def name(self) -> str:
        """The name of its database: a digest of parameters, definitions, tables and of this module."""
        tables = Path(__file__).parents[2] / "builder" / "db"
        code = [tables / f"{family}.py" for family in ("base", "definitions", "ledger", "people", "records")]
        parts = [json.dumps(asdict(self)), json.dumps(company.DOCUMENTS)]
        parts += [path.read_text() for path in (Path(__file__), *code)]
        return "fw_" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Person:
    email: str
    role: str
    member_id: int
    department_id: int


@dataclass
class Build:
    """How long the parts of making took."""

    records: int = 0
    stays: int = 0
    load_seconds: float = 0.0
    cpu_seconds: float = 0.0
    verify_seconds: float = 0.0


@contextmanager
def work(database: Database, clock: FakeClock | None = None) -> Iterator[UnitOfWork]:
    """A unit of work of the system in the company; the caller commits."""
    engine = make_engine(database.url)
    session = WorkspaceSession(engine, expire_on_commit=False)
    try:
        yield workspaces.open_workspace(session, clock or FakeClock(NOW), WORKSPACE)
    finally:
        session.close()
        engine.dispose()


def prepare(store: SqliteFiles | PostgresDatabases, parameters: Parameters) -> tuple[Database, Build | None]:
    """A database of its own for this run, holding the company; built and verified when there is none yet."""
    name, build = parameters.name, None
    if store.find(name) is None:
        unfinished = f"{name}_{os.getpid()}"
        made = store.make(unfinished)
        build = _build(made, parameters)
        store.settle(unfinished)
        build.verify_seconds = _verified(made)
        store.rename(unfinished, name)
    return store.copy(name, f"fw_measured_{os.getpid()}"), build


def people_of(database: Database) -> list[Person]:
    """All who can sign in."""
    from sqlalchemy import select

    from builder.db.people import DepartmentMember, Member

    with work(database) as uow:
        rows = uow.session.execute(
            select(Member.email, Member.role_key, Member.id, DepartmentMember.department_id)
            .join(DepartmentMember, DepartmentMember.member_id == Member.id)
            .where(Member.user_id.is_not(None))
            .order_by(Member.id)
        ).all()
    return [Person(*row) for row in rows]


def _verified(database: Database) -> float:
    began = time.perf_counter()
    with work(database) as uow:
        report = maintenance.verify(uow)
    if not report.is_clean:
        raise SystemExit(f"the loaded company is not sound: {report.differences} {report.examples}")
    return time.perf_counter() - began


def _build(database: Database, parameters: Parameters) -> Build:
    engine = make_engine(database.url)
    clock = FakeClock(NOW)
    with WorkspaceSession(engine, expire_on_commit=False) as session:
        facts = workspaces.WorkspaceFacts(WORKSPACE, time_zone="Asia/Shanghai", currency="CNY")
        uow = workspaces.create(session, clock, facts)
        definitions.publish(uow, company.DOCUMENTS)
        owners = _people(uow)
        chance = Random(parameters.seed)
        accounts = _accounts(uow, chance, parameters.accounts)
        uow.commit()
        build = load(uow, histories(chance, parameters.records, owners, accounts))
    engine.dispose()
    return build


def load(uow: UnitOfWork, items: Iterator[LoadedRecord]) -> Build:
    """Load the histories batch by batch, each committed, and fold the roll-up at the end."""
    build = Build()
    while batch := [item for _, item in zip(range(BATCH), items, strict=False)]:
        began, cpu = time.perf_counter(), time.process_time()
        results = load_histories(uow, company.OBJECT, company.PIPELINE, batch)
        uow.commit()
        build.load_seconds += time.perf_counter() - began
        build.cpu_seconds += time.process_time() - cpu
        refused = [result for result in results if not isinstance(result, Saved)]
        if refused:
            raise SystemExit(f"refused: {refused[0]}")
        build.records += len(batch)
        build.stays += sum(len(item.entries) for item in batch)
    rollup.fold(uow)
    uow.commit()
    return build


def _people(uow: UnitOfWork) -> list[int]:
    """20 people with a sign-in: an admin, a manager of each department, and reps."""
    ids = [departments.add(uow, name) for name in DEPARTMENTS]

    def add(name: str, role: str, department: int, manager: int | None) -> int:
        facts = people.PersonFacts(name, role, f"{name.lower()}@example.com", manager, department)
        return people.add(uow, facts, password=PASSWORD).member_id

    admin = add("Admin", "admin", ids[0], None)
    managers = [add(f"Manager{number}", "manager", ids[number], admin) for number in range(4)]
    reps = [add(f"Rep{number}", "rep", ids[number % 4], managers[number % 4]) for number in range(15)]
    return [*managers, *reps]


def _accounts(uow: UnitOfWork, chance: Random, count: int) -> list[int]:
    news = [
        NewRecord({"title": f"{_words(chance)} {number}", "city": chance.choice(company.WORDS)})
        for number in range(count)
    ]
    for start in range(0, count, BATCH):
        create_many(uow, company.ACCOUNT, news[start : start + BATCH])
        uow.flush()
    return [new.id for new in news]


def histories(
    chance: Random, count: int, owners: list[int], accounts: list[int], first: int = 0
) -> Iterator[LoadedRecord]:
    """``count`` opportunities with all fields and about five stays each over eighteen months."""
    for number in range(first, first + count):
        began = NOW - timedelta(seconds=chance.randrange(int(MONTHS_18.total_seconds())))
        new = NewRecord(values(chance, number, owners, accounts), created_at=began)
        yield LoadedRecord(new, visits(chance, began))


def values(chance: Random, number: int, owners: list[int], accounts: list[int]) -> dict[str, object]:
    """JSON values of one opportunity."""
    chosen = {key: chance.choice(options) for key, options in company.OPTIONS.items()}
    return {
        "title": f"{_words(chance)} {number}",
        "account": str(chance.choice(accounts)),
        "amount": f"{chance.randrange(100, 1_000_000)}.{chance.randrange(100):02}",
        "due": (NOW.date() + timedelta(days=chance.randrange(-300, 200))).isoformat(),
        "holder": str(chance.choice(owners)),
        **chosen,
        "rival": chance.choice(company.WORDS),
        "city": chance.choice(company.WORDS),
        "seats": chance.randrange(1, 500),
        "discount": str(chance.randrange(0, 30)),
        "budget": str(chance.randrange(1_000, 500_000)),
        "demo_on": (NOW.date() - timedelta(days=chance.randrange(500))).isoformat(),
        "is_renewal": chance.random() < 0.3,
        "need": f"They need {_words(chance)} for {_words(chance)}.",
        "plan": f"Show {_words(chance)} first.",
        "risk": "None known.",
        "mail": f"buyer{number}@example.com",
        "phone": "+8613800138000",
        "site": "https://example.com/",
        "order_number": f"O-{number:07}",
        "delivery": "By sea",
        "warranty": 12,
        "weight": "12.5",
        "called_at": "2026-05-04T08:30:00Z",
        "is_public": False,
    }


def visits(chance: Random, began: datetime) -> list[LoggedEntry]:
    """A walk through the stages: mostly on, sometimes over one or back, won or lost in the end or not yet."""
    stages, at, place = company.OPEN_STAGES, began, 0
    entries = [LoggedEntry(stages[0], at)]
    while chance.random() < 0.94:
        at += timedelta(seconds=chance.randrange(3_600, 40 * 86_400))
        if at > NOW:
            break
        luck = chance.random()
        if luck < 0.07:
            entries.append(LoggedEntry("lost", at))
            break
        place = max(0, place - 1) if luck < 0.24 else place + (2 if luck < 0.28 else 1)
        if place >= len(stages):
            entries.append(LoggedEntry("won", at))
            break
        entries.append(LoggedEntry(stages[place], at))
    return entries


def _words(chance: Random) -> str:
    return f"{chance.choice(company.WORDS)} {chance.choice(company.WORDS)}"
