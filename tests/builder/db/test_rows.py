"""Rows written at once are the rows that were given, behind the wall of their workspace."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from builder.db.ids import new_id, new_ids
from builder.db.ledger import StayRow
from builder.db.records import Link, Record
from builder.db.rows import insert_rows, insertion, update_rows
from builder.services.standings import COLUMNS
from tests.factories import START, World, make_world
from tests.fixtures.databases import FreshDatabase

HOSTILE = "' \"; -- \\ {} % %s :x 华为 \U0001f600"


@pytest.fixture
def world(database_url: FreshDatabase) -> World:
    return make_world(database_url.url)


def record_row(**more: Any) -> dict[str, Any]:
    empty = dict.fromkeys(COLUMNS)
    known = {
        "workspace_id": 0,
        "id": new_id(),
        "object_key": "matter",
        "definition_version_id": 1,
        "name": HOSTILE,
        "journey": "",
        "is_loaded": True,
        "revision": 1,
        "created_at": START,
        "updated_at": START,
        "expected_close_on": date(2025, 2, 28),
        "n01": 2,
        "data": {"title": HOSTILE},
    }
    return {**empty, **known, **more}


@pytest.mark.parametrize("count", [1, 2, 700])
def test_every_kind_of_column_comes_back_as_it_was(world: World, count: int) -> None:
    rows = [record_row(n02=number + 0.5, amount_minor=1 << 40 if number else 1) for number in range(count)]
    with world.work() as uow:
        uow.begin()
        insert_rows(uow.session, Record, rows)
        uow.commit()
        wanted = [row | {"workspace_id": uow.workspace.id} for row in rows]
        columns = [getattr(Record, name) for name in rows[0]]
        found = uow.session.execute(select(*columns).order_by(Record.id)).all()
    assert [dict(row._mapping) for row in found] == wanted


def test_texts_that_mean_something_in_an_array_are_texts(world: World) -> None:
    texts = ["NULL", "null", "", " ", ",", "{}", "\\", '"', '\\"', "a\nb\tc", "'", "\\N"]
    rows = [record_row(name=text, t01=text or None, data={text: [text, None]}) for text in texts]
    with world.work() as uow:
        uow.begin()
        insert_rows(uow.session, Record, rows)
        columns = (Record.name, Record.t01, Record.data)  # type: ignore[attr-defined]
        found = uow.session.execute(select(*columns).order_by(Record.id)).all()
    assert [tuple(row) for row in found] == [(row["name"], row["t01"], row["data"]) for row in rows]


def test_the_workspace_is_that_of_the_session_whatever_the_rows_say(world: World) -> None:
    with world.work() as uow:
        uow.begin()
        insert_rows(uow.session, Record, [record_row(workspace_id=uow.workspace.id + 1) for _ in range(2)])
        assert uow.session.scalar(select(func.count()).select_from(Record)) == 2


def test_rows_without_a_workspace_are_refused(world: World) -> None:
    with world.work() as uow, pytest.raises(ValueError, match="without a workspace"):
        insert_rows(uow.session, Link, [{"id": 1, "record_id": 1, "field_key": "x", "target_id": 1}])


def test_a_conflict_updates_as_asked(world: World) -> None:
    link = {"workspace_id": 0, "id": new_id(), "record_id": 1, "field_key": "x", "target_id": 1}
    update = "ON CONFLICT (workspace_id, id) DO UPDATE SET target_id = excluded.target_id"
    with world.work() as uow:
        uow.begin()
        insert_rows(uow.session, Link, [link])
        insert_rows(
            uow.session, Link, [link | {"target_id": 2}, link | {"id": new_id(), "record_id": 2}], update
        )
        assert sorted(uow.session.scalars(select(Link.target_id))) == [1, 2]


def test_a_conflict_updates_many_as_asked(world: World) -> None:
    rows = [
        {"workspace_id": 0, "id": each, "record_id": each, "field_key": "x", "target_id": 1}
        for each in new_ids(777)
    ]
    update = "ON CONFLICT (workspace_id, id) DO UPDATE SET target_id = excluded.target_id"
    with world.work() as uow:
        uow.begin()
        insert_rows(uow.session, Link, rows)
        insert_rows(uow.session, Link, [row | {"target_id": row["id"]} for row in rows], update)
        assert sorted(uow.session.scalars(select(Link.target_id))) == [row["id"] for row in rows]


@pytest.mark.parametrize("count", [1, 2, 777])
def test_rows_of_a_list_are_changed_where_all_else_is_equal(world: World, count: int) -> None:
    ids = new_ids(count + 2)
    rows = [record_row(id=each) for each in ids]
    rows[0]["revision"] = 2
    with world.work() as uow:
        uow.begin()
        insert_rows(uow.session, Record, rows)
        values = {"deleted_at": START, "name": HOSTILE * 2, "revision": 2}
        # The first is at another revision, the last one is not listed.
        assert update_rows(uow.session, Record, values, {"id": ids[:-1], "revision": 1}) == count
        changed = uow.session.scalars(select(Record.id).where(Record.deleted_at == START)).all()
        assert sorted(changed) == ids[1:-1]
        assert set(uow.session.scalars(select(Record.name).where(Record.id.in_(changed)))) == {HOSTILE * 2}


def test_rows_made_ready_are_written_into_their_workspace_alone(world: World) -> None:
    with world.work() as uow:
        ready = insertion(uow.session, Link, {"workspace_id": [0], "id": [1]})
        with pytest.raises(ValueError, match="another workspace"):
            ready._replace(workspace_id=uow.workspace.id + 1).write(uow.session)


def test_nothing_is_written_for_no_rows(world: World) -> None:
    with world.work() as uow:
        insert_rows(uow.session, StayRow, [])
        assert uow.session.scalar(select(func.count()).select_from(StayRow)) == 0


def test_many_ids_rise_and_are_beyond_those_before() -> None:
    first = new_id()
    many = new_ids(3000)
    ids = [first, *many, new_id()]
    assert ids == sorted(set(ids))
    assert new_ids(0) == []
