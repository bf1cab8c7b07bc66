"""A chain of three pipelines with random conversions: tip → job → care, and the clients behind them."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from sqlalchemy import update

from builder.db.records import Record
from builder.domain.labels import Label
from builder.domain.pipeline import FunnelDefinition, FunnelStep
from builder.domain.stays import LoggedEntry
from builder.metadata.catalog import Catalog, PlainRow
from builder.queries.chained import Chain
from builder.services import deletion, records
from builder.services.history import LoadedRecord, load_histories
from builder.services.records import NewRecord, Saved
from builder.services.unit_of_work import UnitOfWork
from tests.builder.queries.ledgers import SLOTS, START, documents, field

STEPS = (("tips", "new"), ("tips", "good"), ("path", "a"), ("path", "done"), ("cares", "kept"))
_STAGES = {
    "tip": ("tips", ("new", "good", "taken", "gladly", "bad")),
    "job": ("path", ("a", "b", "c", "done", "gone", "void")),
    "care": ("cares", ("kept", "more")),
}


def catalog(workspace_id: int) -> Catalog:
    job, path = documents()
    client = _object("client", {"title": job["fields"]["properties"]["title"]})
    job["fields"]["properties"]["client"] = _client()
    tip = _object("tip", {**job["fields"]["properties"]})
    care = _object("care", {"title": job["fields"]["properties"]["title"]})
    tips = _pipeline("tips", "tip", new="open", good="open", taken="won", gladly="won", bad="lost")
    cares = _pipeline("cares", "care", kept="open", more="open")
    slots = {**SLOTS, "tip": SLOTS["job"]}
    rows = [
        PlainRow(one["kind"], one["key"], place + 1, 1, f"chain-{one['key']}", one, slots.get(one["key"]))
        for place, one in enumerate([client, tip, job, care, tips, path, cares])
    ]
    return Catalog.build(workspace_id, 1, rows)


def chain(uow: UnitOfWork, unit: Any = "record", steps: tuple[tuple[str, str], ...] = STEPS) -> Chain:
    made = FunnelDefinition("all", Label(()), tuple(FunnelStep(*step) for step in steps), unit, "x")
    return Chain.of(uow.catalog, made)


def load(uow: UnitOfWork, seed: int, count: int, members: list[int]) -> list[int]:
    """So many tips with what came of them; the same for the same seed on every database."""
    dice = random.Random(seed)
    clients = [
        records.create(uow, "client", NewRecord({"title": f"Client {number}"})).record_id
        for number in range(3)
    ]
    tips = [visit(uow, dice, "tip", members, clients) for _ in range(count)]
    for place, tip in enumerate(tips):
        if place and dice.random() < 0.1:
            convert(uow, tips[dice.randrange(place)], tip)
        for _ in range(dice.choice((0, 0, 1, 1, 2))):
            job = visit(uow, dice, "job", members, clients)
            convert(uow, tip, job)
            if dice.random() < 0.5:
                convert(uow, job, visit(uow, dice, "care", members, clients))
            if dice.random() < 0.1:
                deletion.delete(uow, job)
    visit(uow, dice, "job", members, clients)
    uow.commit()
    return tips


def visit(
    uow: UnitOfWork,
    dice: random.Random,
    object_key: str,
    members: list[int],
    clients: list[int],
    stages: str = "",
    **values: Any,
) -> int:
    """A record of the object with a random history, or with this one, a day each from ``START``."""
    pipeline, keys = _STAGES[object_key]
    at = START + timedelta(days=dice.randrange(120)) if not stages else START
    entries = []
    for key in stages.split() or [dice.choice(keys) for _ in range(dice.randrange(1, 5))]:
        entries.append(LoggedEntry(key, None if not stages and dice.random() < 0.1 else at))
        at += timedelta(days=1 if stages else dice.choice([0, 5, 40]))
    facts: dict[str, Any] = {"title": f"{object_key} {dice.random()}"}
    if object_key != "care" and not stages:
        owner, client = dice.choice([*members, None]), dice.choice([*clients, None])
        facts |= {} if owner is None else {"boss": str(owner)}
        facts |= {} if client is None else {"client": str(client)}
    (saved,) = load_histories(
        uow, object_key, pipeline, [LoadedRecord(NewRecord({**facts, **values}), entries)]
    )
    assert isinstance(saved, Saved), saved
    return saved.record_id


def convert(uow: UnitOfWork, source: int, target: int) -> None:
    """As a conversion leaves it."""
    uow.session.execute(update(Record).where(Record.id == target).values(converted_from_id=source))


def _client() -> dict[str, Any]:
    return field("reference", "Client", **{"x-target": "client", "x-role": "account"})


def _object(key: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "grammar": 1,
        "kind": "object",
        "key": key,
        "label": {"en": key.title()},
        "label_plural": {"en": f"{key.title()}s"},
        "fields": {"type": "object", "properties": properties, "required": ["title"]},
        "list": {"columns": ["title"], "sort": ["title"]},
    }


def _pipeline(key: str, object_key: str, **stages: str) -> dict[str, Any]:
    return {
        "grammar": 1,
        "kind": "pipeline",
        "key": key,
        "label": {"en": key.title()},
        "object": object_key,
        "stages": [{"key": name, "label": {"en": name}, "kind": kind} for name, kind in stages.items()],
        "transitions": {"default": "any"},
    }
