"""A workspace with random histories, for tests that count: two departments, three owners, four channels."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from builder.clock import FakeClock
from builder.db.conditions_sql import compile_condition
from builder.db.ids import new_id
from builder.db.people import Department, Member
from builder.db.tenancy import WorkspaceSession
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import ALWAYS
from builder.domain.permissions import Actor
from builder.domain.stays import EntryFacts, LoggedEntry
from builder.metadata.catalog import Catalog, PlainRow
from builder.queries.population import Population
from builder.services.history import LoadedRecord, load_histories
from builder.services.records import NewRecord, Saved
from builder.services.unit_of_work import UnitOfWork
from builder.services.workspaces import WorkspaceFacts, create
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.engines import engine_for

ZONE = "Europe/Berlin"
START = datetime(2024, 12, 28, 9, tzinfo=UTC)
STAGES = (("a", "open"), ("b", "open"), ("c", "open"), ("done", "won"), ("gone", "lost"), ("void", "invalid"))
CHANNELS = ("web", "fair", "phone", None)


def field(kind: str, label: str, **more: Any) -> dict[str, Any]:
    return {"x-type": kind, "x-label": {"en": label}, **more}


def documents(*, has_owner: bool = True) -> list[dict[str, Any]]:
    """The object *job*, whose boss owns it or is just somebody, and the pipeline *path*."""
    owner = {"x-role": "owner"} if has_owner else {}
    job = {
        "grammar": 1,
        "kind": "object",
        "key": "job",
        "label": {"en": "Job"},
        "label_plural": {"en": "Jobs"},
        "icon": "briefcase",
        "color": "blue",
        "fields": {
            "type": "object",
            "properties": {
                "title": field("text", "Title", **{"x-role": "name"}),
                "worth": field("money", "Worth", **{"x-role": "amount"}),
                "coin": field("text", "Coin", **{"x-role": "currency"}),
                "boss": field("user", "Boss", **{**owner, "x-filterable": True}),
                "city": field("text", "City", **{"x-filterable": True}),
                "channel": field(
                    "choice",
                    "Channel",
                    **{
                        "x-filterable": True,
                        "x-options": [
                            {"key": key, "label": {"en": key.title()}} for key in CHANNELS if key is not None
                        ],
                    },
                ),
            },
            "required": ["title"],
        },
        "list": {"columns": ["title"], "sort": ["title"]},
    }
    path = {
        "grammar": 1,
        "kind": "pipeline",
        "key": "path",
        "label": {"en": "Path"},
        "object": "job",
        "stages": [
            {"key": key, "label": {"en": key.upper()}, "kind": kind, "probability": 10 * place}
            for place, (key, kind) in enumerate(STAGES)
        ],
        "transitions": {"default": "any"},
    }
    return [job, path]


SLOTS = {"job": {"boss": "t01", "city": "t02", "channel": "t03"}}


def catalog(workspace_id: int, *, has_owner: bool = True) -> Catalog:
    rows = [
        PlainRow(
            document["kind"],
            document["key"],
            place + 1,
            1,
            f"test-{document['key']}-{has_owner}",
            document,
            SLOTS.get(document["key"]),
        )
        for place, document in enumerate(documents(has_owner=has_owner))
    ]
    return Catalog.build(workspace_id, 1, rows)


@contextmanager
def workspace(database: FreshDatabase, key: str = "count", currency: str = "EUR") -> Iterator[UnitOfWork]:
    """A unit of work of the system in a new workspace with the object *job* and the pipeline *path*."""
    engine = engine_for(database.url)
    clock = FakeClock(datetime(2025, 9, 1, 10, tzinfo=UTC))
    with WorkspaceSession(engine, expire_on_commit=False) as session:
        uow = create(session, clock, WorkspaceFacts(key, time_zone=ZONE, currency=currency))
        uow.catalog = catalog(uow.workspace.id)
        uow.commit()
        yield uow
    engine.dispose()


def people(uow: UnitOfWork) -> tuple[list[int], list[int]]:
    """Three members (the third in no department) and two departments, the second below the first."""
    from builder.db.people import DepartmentMember

    uow.begin()
    workspace_id = uow.workspace.id
    first, second = new_id(), new_id()
    members = [new_id() for _ in range(3)]
    uow.session.add(Department(workspace_id=workspace_id, id=first, name="North", path=f"/{first}/"))
    uow.session.add(
        Department(
            workspace_id=workspace_id, id=second, name="Below", parent_id=first, path=f"/{first}/{second}/"
        )
    )
    for member, name in zip(members, ("Ada", "Bo", "Cy"), strict=True):
        uow.session.add(
            Member(
                workspace_id=workspace_id, id=member, name=name, role_key="rep", created_at=uow.clock.now()
            )
        )
    for member, department in zip(members, (first, second), strict=False):
        uow.session.add(
            DepartmentMember(
                workspace_id=workspace_id, id=new_id(), member_id=member, department_id=department
            )
        )
    uow.commit()
    return members, [first, second]


def load(uow: UnitOfWork, seed: int, count: int, members: list[int]) -> list[int]:
    """Load ``count`` random histories; the same for the same seed on every database."""
    dice = random.Random(seed)
    items = [_loaded(dice, number, members) for number in range(count)]
    results = load_histories(uow, "job", "path", items)
    assert all(isinstance(result, Saved) for result in results), results
    uow.commit()
    return [result.record_id for result in results if isinstance(result, Saved)]


def _loaded(dice: random.Random, number: int, members: list[int]) -> LoadedRecord:
    worth = dice.choice([None, "0", "10.00", "25.50", "300.00"])
    values: dict[str, Any] = {"title": f"Job {number}", "city": dice.choice(["Ulm", "ULM", "Köln", "北京"])}
    owner, channel = dice.choice([*members, None]), dice.choice(CHANNELS)
    if worth is not None:
        values["worth"] = worth
    values["coin"] = dice.choice(["EUR", "EUR", "CNY"])
    if owner is not None:
        values["boss"] = str(owner)
    if channel is not None:
        values["channel"] = channel
    return LoadedRecord(NewRecord(values=values), _entries(dice))


def _entries(dice: random.Random) -> list[LoggedEntry]:
    at = START + timedelta(days=dice.randrange(120), seconds=dice.randrange(86400))
    entries = []
    keys = [key for key, _ in STAGES]
    for _ in range(dice.randrange(1, 7)):
        key = dice.choice(keys[:3]) if dice.random() < 0.75 else dice.choice(keys)
        minor, coin = dice.choice([(None, None), (1000, "EUR"), (7700, "EUR"), (500, "CNY")])
        known = None if dice.random() < 0.1 else at
        entries.append(LoggedEntry(key, known, EntryFacts(None, None, minor, coin)))
        at += timedelta(days=dice.choice([0, 1, 5, 20, 45]), seconds=dice.randrange(9))
    return entries


def everything(uow: UnitOfWork, **more: object) -> Population:
    known = {"actor": uow.actor, "time_zone": ZONE}
    return Population(("path",), "job", **{**known, **more})  # type: ignore[arg-type]


def free(uow: UnitOfWork, population: Population) -> Population:
    """The same records, asked for with a condition that is always true: never answered by the roll-up."""
    context = EvaluationContext(uow.clock.now(), ZONE)
    fields = uow.catalog.object("job").fields.by_key
    return replace(population, condition=compile_condition(ALWAYS, fields, context))


def narrowings(uow: UnitOfWork, members: list[int], departments: list[int]) -> dict[str, Population]:
    rep = Actor(members[0], "Ada", "rep", frozenset(), "own")
    manager = Actor(members[1], "Bo", "m", frozenset(), "subtree", (departments[1],), (departments[1],))
    return {
        "all": everything(uow),
        "an owner": everything(uow, owner_id=members[2]),
        "no owner": everything(uow, owner_id=-1),
        "a department": everything(uow, department_ids=(departments[0],)),
        "a subtree": everything(uow, department_ids=tuple(departments)),
        "no department": everything(uow, department_ids=(-1,)),
        "own records": everything(uow, actor=rep),
        "a manager's records": everything(uow, actor=manager),
        "a manager and an owner": everything(uow, actor=manager, owner_id=members[0]),
    }
