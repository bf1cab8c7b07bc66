"""Imports, changes of many, single acts and undoing, mixed at random: copies, sums and totals stay exact."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.batches import Batch
from builder.db.records import Record
from builder.errors import FunnelwrightError
from builder.exchange.blobs import FolderBlobStore
from builder.exchange.profile import profile
from builder.services import batches, deletion, import_undo, imports, records
from builder.services.bulk import Chosen, delete_many, edit_many
from builder.services.entries import Entry
from builder.services.import_choices import Choices
from builder.services.import_runs import run
from builder.services.import_setup import carry_out, plan_import
from builder.services.maintenance import verify
from builder.services.records import NewRecord, SaveRecord
from builder.services.transitions import MoveRecord, move
from builder.services.unit_of_work import UnitOfWork
from tests.factories import ACCOUNT, CASE, DOCUMENTS, World, make_world
from tests.fixtures.databases import FreshDatabase

L = {"en": "Field"}
COUNTED = {"x-from": "matter", "x-by": "client", "x-label": L}
TOTALS = {
    "matters": {"x-type": "rollup", "x-function": "count", "x-filterable": True, **COUNTED},
    "sum": {"x-type": "money_rollup", "x-function": "sum", "x-of": "worth", **COUNTED},
    "most": {"x-type": "rollup", "x-function": "max", "x-of": "hours", **COUNTED},
}
MORE = {
    "hours": {"x-type": "decimal", "x-label": L},
    "extra": {"x-type": "decimal", "x-label": L},
    "twice": {"x-type": "formula", "x-label": L, "x-formula": "hours * 2 + extra", "x-filterable": True},
    "nr": {"x-type": "auto_number", "x-label": L, "x-format": "M-{number:4}"},
}
NAMES = ("Acme", "Bolt", "Cogs", "")
SEED, STEPS = 11, 45


def with_fields(document: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    fields = document["fields"]
    return {**document, "fields": {**fields, "properties": {**fields["properties"], **more}}}


@pytest.fixture
def world(database_url: FreshDatabase) -> Iterator[World]:
    own = (with_fields(ACCOUNT, TOTALS), with_fields(CASE, MORE))
    rest = [document for document in DOCUMENTS if document["key"] not in ("client", "matter")]
    made = make_world(database_url.url, documents=(*own, *rest))
    yield made
    made.engine.dispose()


class Mixer:
    """Does one thing at random at a time; whatever refuses is left out, as a person would."""

    def __init__(self, world: World, blobs: FolderBlobStore, seed: int) -> None:
        self.world, self.blobs, self.dice = world, blobs, random.Random(seed)
        self.clients: list[int] = []
        self.jobs: list[int] = []
        self.done: dict[str, int] = {}

    def step(self) -> None:
        single = (self.create, self.save, self.move, self.bin)
        acts = (*single, self.bring, self.many, self.undo, self.there_and_back)
        act = self.dice.choices(acts, (3, 4, 3, 3, 2, 5, 5, 4))[0]
        try:
            with self.world.work() as uow:
                act(uow)
                uow.commit()
            self.done[act.__name__] = self.done.get(act.__name__, 0) + 1
        except FunnelwrightError:
            pass

    def values(self) -> dict[str, Any]:
        dice = self.dice
        offered = {
            "worth": dice.choice(["1.50", "20.00", None]),
            "hours": dice.choice(["1", "2.5", None]),
            "client": dice.choice([*map(str, self.clients), None]),
            "heat": dice.choice(["hot", "cold", None]),
            "due": dice.choice(["2026-03-01", None]),
        }
        return {key: offered[key] for key in dice.sample(sorted(offered), 2)}

    def some(self, uow: UnitOfWork, count: int, *, is_deleted: bool = False) -> list[Chosen]:
        found = uow.session.execute(
            select(Record.id, Record.revision)
            .where(Record.object_key == "matter", Record.deleted_at.is_not(None) == is_deleted)
            .order_by(Record.id)
        ).all()
        return [Chosen(*row) for row in self.dice.sample(found, min(count, len(found)))]

    def create(self, uow: UnitOfWork) -> None:
        entry = Entry("free") if self.dice.random() < 0.7 else None
        records.create(uow, "matter", NewRecord({"title": "Own", **self.values()}, entry))

    def save(self, uow: UnitOfWork) -> None:
        for one in self.some(uow, 1):
            records.save(uow, SaveRecord(one.record_id, self.values()))

    def move(self, uow: UnitOfWork) -> None:
        for one in self.some(uow, 1):
            move(uow, MoveRecord(one.record_id, self.dice.choice(["a", "b", "c", "won"])))

    def bin(self, uow: UnitOfWork) -> None:
        is_deleted = self.dice.random() < 0.5
        for one in self.some(uow, 1, is_deleted=is_deleted):
            (deletion.restore if is_deleted else deletion.delete)(uow, one.record_id)

    def bring(self, uow: UnitOfWork) -> int:
        dice = self.dice
        rows = [
            f"{key},T{dice.randrange(9)},{dice.randrange(50)}.50,{dice.choice(NAMES)},{dice.randrange(5)}"
            for key in dice.sample("ABCDEF", 4)
        ]
        text = "\n".join(("ref,title,worth,client,hours", *rows, ""))
        job = imports.receive(uow, self.blobs, io.BytesIO(text.encode()), "file.csv", "matter")
        with imports.OpenFile(self.blobs, job) as table:
            columns = profile(table)
        choices = Choices(key_column="ref", create_references=True, entry_pipeline="free")
        proposal = plan_import(uow, columns, imports.format_of(job), "matter", choices)
        imports.set_plan(uow, job, carry_out(uow, proposal), columns.rows)
        imports.queue(uow, job)
        uow.commit()
        run(uow, self.blobs, job.id, batch_rows=2)
        self.jobs.append(job.id)
        return job.id

    def many(self, uow: UnitOfWork) -> int | None:
        rows = self.some(uow, self.dice.randrange(1, 6))
        if self.dice.random() < 0.4:
            return delete_many(uow, "matter", rows).batch_id
        return edit_many(uow, "matter", rows, self.values()).batch_id

    def undo(self, uow: UnitOfWork) -> None:
        if self.jobs and self.dice.random() < 0.4:
            self.undo_job(uow, self.dice.choice(self.jobs))
            return
        found = uow.session.scalars(select(Batch.id).where(Batch.job_id.is_(None)).order_by(Batch.id)).all()
        if found:
            batches.undo_own(uow, self.dice.choice(found))

    def undo_job(self, uow: UnitOfWork, job_id: int) -> None:
        import_undo.begin_undo(uow, imports.find(uow, job_id))
        uow.commit()
        import_undo.undo(uow, job_id)

    def there_and_back(self, uow: UnitOfWork) -> None:
        """Whatever is undone at once leaves nothing behind."""
        before = live(self.world)
        if self.dice.random() < 0.4:
            self.undo_job(uow, self.bring(uow))
        else:
            batch_id = self.many(uow)
            uow.commit()
            if batch_id is not None:
                batches.undo_own(uow, batch_id)
        uow.commit()
        assert live(self.world) == before


def live(world: World) -> dict[int, Any]:
    with world.work() as uow:
        rows = uow.session.scalars(select(Record).where(Record.deleted_at.is_(None)))
        return {row.id: (row.name, row.data, row.amount_minor, row.stage_key) for row in rows}


def test_mixed_at_random_all_copies_and_totals_stay_exact(world: World, tmp_path: Path) -> None:
    mixer = Mixer(world, FolderBlobStore(tmp_path / "files"), SEED)
    with world.work() as uow:
        for name in ("Acme", "Bolt"):
            mixer.clients.append(records.create(uow, "client", NewRecord({"title": name})).record_id)
        uow.commit()
    for _step in range(STEPS):
        mixer.step()
    with world.work() as uow:
        assert not verify(uow).examples
    assert {"bring", "many", "undo", "there_and_back"} <= mixer.done.keys(), mixer.done


def test_what_is_computed_from_another_field_too_hinders_nobody(world: World) -> None:
    with world.work() as uow:
        record_id = records.create(uow, "matter", NewRecord({"title": "Own", "hours": "1"})).record_id
        batch_id = edit_many(uow, "matter", [Chosen(record_id, 1)], {"hours": "5"}).batch_id
        records.save(uow, SaveRecord(record_id, {"extra": "7"}))
        uow.commit()
    assert batch_id is not None
    with world.work() as uow:
        assert batches.undo_own(uow, batch_id) == batches.Outcome(restored=1)
        uow.commit()
    ((_name, data, *_rest),) = live(world).values()
    assert {key: data[key] for key in ("hours", "extra", "twice")} == {
        "hours": "1", "extra": "7", "twice": "9.00",
    }  # fmt: skip
