"""Small worlds for tests: a workspace with definitions, people and records, made through the services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from builder.clock import FakeClock
from builder.db.definitions import Definition, DefinitionVersion
from builder.db.ids import new_id
from builder.db.people import Department, DepartmentMember, Member
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import RIGHTS, Actor, Visibility
from builder.metadata.catalog import Catalog, PlainRow
from builder.metadata.documents import checksum
from builder.metadata.record_schema import compile_fields
from builder.metadata.slots import assign_slots
from builder.services import workspaces
from builder.services.unit_of_work import UnitOfWork
from tests.fixtures.engines import engine_for

START = datetime(2025, 5, 12, 9, 0, tzinfo=UTC)
Document = dict[str, Any]


def text_field(label: str, **keys: Any) -> Document:
    return {"x-type": "text", "x-label": {"en": label}, **keys}


ACCOUNT: Document = {
    "grammar": 1,
    "kind": "object",
    "key": "client",
    "label": {"en": "Client"},
    "label_plural": {"en": "Clients"},
    "fields": {
        "type": "object",
        "required": ["title"],
        "properties": {
            "title": text_field("Title", **{"x-role": "name", "x-filterable": True}),
            "sector": {
                "x-type": "choice",
                "x-label": {"en": "Sector"},
                "x-filterable": True,
                "x-options": [
                    {"key": "retail", "label": {"en": "Retail"}},
                    {"key": "steel", "label": {"en": "Steel"}},
                ],
            },
        },
    },
}
CASE: Document = {
    "grammar": 1,
    "kind": "object",
    "key": "matter",
    "label": {"en": "Matter"},
    "label_plural": {"en": "Matters"},
    "search": ["title", "note"],
    "fields": {
        "type": "object",
        "required": ["title"],
        "properties": {
            "title": text_field("Title", **{"x-role": "name", "x-filterable": True}),
            "worth": {
                "x-type": "money",
                "x-label": {"en": "Worth"},
                "x-role": "amount",
                "x-filterable": True,
            },
            "due": {
                "x-type": "date",
                "x-label": {"en": "Due"},
                "x-role": "expected_close",
                "x-filterable": True,
            },
            "holder": {
                "x-type": "user",
                "x-label": {"en": "Holder"},
                "x-role": "owner",
                "x-filterable": True,
            },
            "client": {
                "x-type": "reference",
                "x-label": {"en": "Client"},
                "x-target": "client",
                "x-filterable": True,
            },
            "note": {"x-type": "long_text", "x-label": {"en": "Note"}},
            "heat": {
                "x-type": "choice",
                "x-label": {"en": "Heat"},
                "x-filterable": True,
                "x-options": [
                    {"key": "cold", "label": {"en": "Cold"}},
                    {"key": "hot", "label": {"en": "Hot"}},
                ],
            },
        },
    },
}
TALK: Document = {
    "grammar": 1,
    "kind": "feedback",
    "key": "talk",
    "label": {"en": "Talk"},
    "object": "matter",
    "fields": {
        "type": "object",
        "required": ["address"],
        "properties": {"address": text_field("Address"), "mood": text_field("Mood")},
    },
}


def stage(key: str, probability: int = 0, kind: str = "open", **more: Any) -> Document:
    return {"key": key, "label": {"en": key.title()}, "kind": kind, "probability": probability, **more}


FLOW: Document = {
    "grammar": 1,
    "kind": "pipeline",
    "key": "flow",
    "label": {"en": "Flow"},
    "object": "matter",
    "stages": [
        stage(
            "a", 10, feedback="talk", tasks=[{"key": "call", "label": {"en": "Call"}, "severity": "block"}]
        ),
        stage("b", 40),
        stage("c", 80),
        stage("won", 100, "won"),
        stage("lost", 0, "lost"),
        stage("invalid", 0, "invalid"),
    ],
    "transitions": {"default": "any", "allow": [["won", "c"]]},
    "reasons": {"lost": [{"key": "price", "label": {"en": "Price"}}]},
}
FREE: Document = {
    **FLOW,
    "key": "free",
    "label": {"en": "Free"},
    "stages": [stage("a", 10), stage("b", 40), stage("c", 80), *FLOW["stages"][3:]],
    "reasons": {},
}


def role(key: str, rights: Iterable[str] = RIGHTS, visibility: Visibility = "all") -> Document:
    return {
        "grammar": 1,
        "kind": "role",
        "key": key,
        "label": {"en": key.title()},
        "rights": list(rights),
        "visibility": visibility,
    }


REP_RIGHTS = ("record.create", "record.edit", "move", "insights.view")
ROLES = (
    role("admin"),
    role("rep", REP_RIGHTS, "own"),
    role("manager", (*REP_RIGHTS, "record.reassign"), "subtree"),
)
DOCUMENTS = (ACCOUNT, CASE, TALK, FLOW, FREE, *ROLES)


@dataclass
class World:
    """One workspace on one database, with a clock that the test moves."""

    engine: Engine
    clock: FakeClock
    key: str
    admin_id: int

    @contextmanager
    def work(self, actor: Actor | None = None) -> Iterator[UnitOfWork]:
        """A unit of work; the test commits."""
        session = WorkspaceSession(self.engine, expire_on_commit=False)
        try:
            yield workspaces.open_workspace(session, self.clock, self.key, actor or self.admin())
        finally:
            session.close()

    def admin(self) -> Actor:
        return Actor(self.admin_id, "Ada", "admin", frozenset(RIGHTS), "all")


def make_world(
    url: str, key: str = "acme", documents: Iterable[Document] = DOCUMENTS, zone: str = "UTC"
) -> World:
    """Create the workspace ``key`` with the documents published and one admin."""
    engine = engine_for(url)
    clock = FakeClock(START)
    session = WorkspaceSession(engine, expire_on_commit=False)
    uow = workspaces.create(session, clock, workspaces.WorkspaceFacts(key, time_zone=zone))
    publish(uow, documents)
    admin_id = add_member(uow, "Ada", "admin")
    uow.commit()
    session.close()
    return World(engine, clock, key, admin_id)


def publish(uow: UnitOfWork, documents: Iterable[Document]) -> None:
    """Publish the documents straight into the tables, as version 1 or the next one."""
    from sqlalchemy import select, update

    from builder.db.people import Workspace

    for document in documents:
        fields = document.get("fields")
        slots: Mapping[str, str] = {}
        known = uow.session.scalars(
            select(Definition).where(Definition.kind == document["kind"], Definition.key == document["key"])
        ).one_or_none()
        if fields and document["kind"] == "object":
            before: Mapping[str, str] = {}
            if known is not None:
                before = uow.session.scalars(
                    select(DefinitionVersion.slots).where(DefinitionVersion.id == known.live_version_id)
                ).one()
            slots = assign_slots(compile_fields(fields).fields, before)
        number = 1
        if known is None:
            known = Definition(
                workspace_id=uow.workspace.id,
                id=new_id(),
                kind=document["kind"],
                key=document["key"],
                created_at=uow.clock.now(),
            )
            uow.session.add(known)
        else:
            old = uow.session.get_one(DefinitionVersion, (uow.workspace.id, known.live_version_id))
            old.status = "retired"
            number = old.number + 1
        version = DefinitionVersion(
            workspace_id=uow.workspace.id,
            id=new_id(),
            definition_id=known.id,
            number=number,
            status="published",
            grammar=1,
            document=document,
            schema=None,
            slots=dict(slots),
            checksum=checksum(document),
            created_at=uow.clock.now(),
            published_at=uow.clock.now(),
        )
        uow.session.add(version)
        known.live_version_id = version.id
        uow.session.flush()
    stamp = new_id()
    uow.session.execute(
        update(Workspace).where(Workspace.id == uow.workspace.id).values(definitions_stamp=stamp)
    )
    from builder.queries.definitions import live_rows

    uow.catalog = Catalog.build(uow.workspace.id, stamp, live_rows(uow.session))
    uow.workspace = replace(uow.workspace, definitions_stamp=stamp)


def add_member(
    uow: UnitOfWork, name: str, role_key: str, manager_id: int | None = None, department_id: int | None = None
) -> int:
    member_id = new_id()
    scope = {"workspace_id": uow.workspace.id}
    uow.session.add(
        Member(
            **scope,
            id=member_id,
            name=name,
            role_key=role_key,
            manager_id=manager_id,
            created_at=uow.clock.now(),
        )
    )
    if department_id:
        uow.session.add(
            DepartmentMember(**scope, id=new_id(), member_id=member_id, department_id=department_id)
        )
    uow.session.flush()
    return member_id


def add_department(uow: UnitOfWork, name: str, parent: Department | None = None) -> Department:
    made = Department(
        workspace_id=uow.workspace.id,
        id=new_id(),
        name=name,
        parent_id=parent.id if parent else None,
        path="",
    )
    made.path = f"{parent.path if parent else '/'}{made.id}/"
    uow.session.add(made)
    uow.session.flush()
    return made


__all__ = ["PlainRow", "World", "make_world", "publish"]
