"""A small company for tests of reads: accounts, contacts and opportunities, three people, two departments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event, insert

from builder.clock import FakeClock
from builder.db.ids import new_id
from builder.db.people import Department, Member, Workspace
from builder.db.records import RecordShare
from builder.db.tenancy import WorkspaceSession
from builder.domain.comparison import EvaluationContext
from builder.domain.permissions import RIGHTS, Actor, Visibility
from builder.domain.workspaces import WorkspaceInfo
from builder.metadata.catalog import Catalog, PlainRow
from builder.metadata.documents import checksum
from builder.services import records
from builder.services.entries import Entry
from builder.services.records import NewRecord
from builder.services.unit_of_work import UnitOfWork
from tests.fixtures.engines import engine_for

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NORTH, SOUTH = 71, 72
ANN, BEN, EVA = 51, 52, 53


def _text(key: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "x-type": "text", "x-label": {"en": key.title()}, **more}


ACCOUNT = {
    "grammar": 1,
    "kind": "object",
    "key": "account",
    "label": {"en": "Account"},
    "label_plural": {"en": "Accounts"},
    "position": 1,
    "fields": {
        "type": "object",
        "properties": {
            "name": _text("name", **{"x-role": "name", "x-filterable": True}),
            "phone": {"type": "string", "x-type": "phone", "x-label": {"en": "Phone"}},
        },
        "required": ["name"],
    },
    "list": {"columns": ["name", "phone"], "sort": ["name"]},
    "search": ["name", "phone"],
}
OPPORTUNITY = {
    "grammar": 1,
    "kind": "object",
    "key": "opportunity",
    "label": {"en": "Opportunity"},
    "label_plural": {"en": "Opportunities"},
    "position": 2,
    "fields": {
        "type": "object",
        "properties": {
            "title": _text("title", **{"x-role": "name"}),
            "account": {
                "type": "string",
                "x-type": "reference",
                "x-target": "account",
                "x-role": "account",
                "x-filterable": True,
                "x-label": {"en": "Account"},
            },
            "amount": {
                "type": "string",
                "x-type": "money",
                "x-role": "amount",
                "x-filterable": True,
                "x-label": {"en": "Amount"},
            },
            "source": {
                "type": "string",
                "x-type": "choice",
                "x-filterable": True,
                "x-label": {"en": "Source"},
                "x-options": [{"key": key, "label": {"en": key}} for key in ("web", "fair", "mail")],
            },
            "due": {"type": "string", "x-type": "date", "x-filterable": True, "x-label": {"en": "Due"}},
            "city": _text("city", **{"x-filterable": True}),
            "owner": {"type": "string", "x-type": "user", "x-role": "owner", "x-label": {"en": "Owner"}},
            "helper": {"type": "string", "x-type": "user", "x-label": {"en": "Helper"}},
        },
        "required": ["title"],
    },
    "list": {"columns": ["title", "account", "amount"], "sort": ["-amount"]},
    "search": ["title", "city"],
}
PATH = {
    "grammar": 1,
    "kind": "pipeline",
    "key": "path",
    "label": {"en": "Path"},
    "object": "opportunity",
    "stages": [
        {"key": key, "label": {"en": key}, "kind": kind, "probability": probability}
        for key, kind, probability in (
            ("first", "open", 10),
            ("second", "open", 30),
            ("third", "open", 50),
            ("fourth", "open", 70),
            ("done", "won", 100),
            ("gone", "lost", 0),
            ("void", "invalid", 0),
        )
    ],
}
SLOTS = {
    "account": {"name": "t01"},
    "opportunity": {"account": "t01", "source": "t02", "city": "t03", "amount": "n01", "due": "n02"},
    "path": None,
}


def catalog(workspace_id: int) -> Catalog:
    documents: list[dict[str, Any]] = [ACCOUNT, OPPORTUNITY, PATH]
    rows = [
        PlainRow(
            document["kind"], document["key"], number, 1, checksum(document), document, SLOTS[document["key"]]
        )
        for number, document in enumerate(documents, start=100)
    ]
    return Catalog.build(workspace_id, 1, rows)


def actor(
    member_id: int = ANN,
    visibility: Visibility = "all",
    departments: tuple[int, ...] = (),
    rights: frozenset[str] = frozenset(RIGHTS),
) -> Actor:
    return Actor(member_id, f"Member {member_id}", "rep", rights, visibility, departments, departments)


@dataclass
class Statements:
    """The statements that the database was sent, without those of transactions and the wall."""

    texts: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)


@contextmanager
def counted(engine: Engine) -> Iterator[Statements]:
    """Collect the statements sent while the block runs."""
    found = Statements()

    def note(_c: Any, _cursor: Any, statement: str, _p: Any, _context: Any, _many: bool) -> None:
        if not statement.startswith(("BEGIN", "SELECT set_config", "PRAGMA")):
            found.texts.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


class World:
    """One workspace in a fresh database, and another one beside it that must never show."""

    def __init__(self, url: str) -> None:
        self.engine = engine_for(url)
        self.clock = FakeClock(NOON)
        self.info = WorkspaceInfo(7, "acme", "Acme", "en", "Asia/Shanghai", "CNY")
        self.catalog = catalog(self.info.id)
        self.session = self.open(self.info.id)
        self.context = EvaluationContext(NOON, "Asia/Shanghai", ANN)
        self.shares = 0

    def open(self, workspace_id: int) -> WorkspaceSession:
        session = WorkspaceSession(self.engine)
        session.bind_workspace(workspace_id)
        return session

    def close(self) -> None:
        self.session.close()
        self.engine.dispose()

    def populate(self) -> None:
        """The workspaces and their people, without any record."""
        session = self.session
        session.begin_write()
        rows = [
            {"id": id, "key": key, "name": key, "created_at": NOON, "definitions_stamp": 0, "settings": {}}
            | {"locale": "en", "time_zone": "Asia/Shanghai", "currency": "CNY"}
            for id, key in ((7, "acme"), (8, "other"))
        ]
        session.execute(insert(Workspace), rows)
        people = ((ANN, "Ann Lee"), (BEN, "Ben 李明"), (EVA, "Éva Kiss"))
        for member_id, name in people:
            session.add(
                Member(
                    workspace_id=7,
                    id=member_id,
                    name=name,
                    email=f"{member_id}@acme.example",
                    role_key="rep",
                    is_active=member_id != EVA,
                    created_at=NOON,
                )
            )
        for department_id, name in ((NORTH, "North"), (SOUTH, "South")):
            session.add(Department(workspace_id=7, id=department_id, name=name, path=f"/{department_id}/"))
        session.commit()

    def uow(self, who: Actor | None = None, session: WorkspaceSession | None = None) -> UnitOfWork:
        info = self.info
        if session is not None:
            info = replace(info, id=session.workspace_id)
        return UnitOfWork(session or self.session, info, who or actor(), self.catalog, self.clock)

    def create(self, object_key: str, *values: dict[str, Any], stage: str | None = None) -> list[int]:
        """Records with these values, created one second after another."""
        made = []
        for value in values:
            self.clock.advance(timedelta(seconds=1))
            uow = self.uow()
            entry = Entry("path", stage) if stage else None
            made.append(records.create(uow, object_key, NewRecord(value, entry=entry)).record_id)
            uow.commit()
        return made

    def account(self, name: str, **values: Any) -> int:
        return self.create("account", {"name": name, **values})[0]

    def opportunity(self, title: str, *, stage: str | None = None, **values: Any) -> int:
        return self.create("opportunity", {"title": title, **values}, stage=stage)[0]

    def share(self, record_id: int, member_id: int, *, can_edit: bool = False) -> None:
        self.session.begin_write()
        self.session.add(
            RecordShare(
                workspace_id=7,
                id=new_id(),
                record_id=record_id,
                member_id=member_id,
                can_edit=can_edit,
                created_at=NOON,
            )
        )
        self.session.commit()
