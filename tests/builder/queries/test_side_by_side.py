"""Statements that are read from the report's index."""

from __future__ import annotations

import pytest
from sqlalchemy import ColumnElement, and_, false, func, or_, select

from builder.db.records import Record
from builder.queries.side_by_side import side_by_side
from tests.builder.queries.world import World

LIVE = (Record.object_key == "opportunity", Record.deleted_at.is_(None))
NOTHING = (false(), and_(Record.owner_id == 1, or_(false())), and_(Record.owner_id == 1, false()))


@pytest.mark.parametrize("nothing", NOTHING)
def test_what_asks_for_nothing_is_answered_as_well(world: World, nothing: ColumnElement[bool]) -> None:
    asked = select(func.count()).select_from(Record).where(*LIVE, nothing)
    assert world.session.scalar(side_by_side(asked)) == 0


def test_what_asks_for_something_names_the_index(world: World) -> None:
    asked = side_by_side(select(func.count()).select_from(Record).where(*LIVE, Record.owner_id == 1))
    assert world.session.scalar(asked) == 0
    is_named = "INDEXED BY ix_record_report" in str(asked.compile(world.engine))
    assert is_named is (world.engine.dialect.name == "sqlite")
