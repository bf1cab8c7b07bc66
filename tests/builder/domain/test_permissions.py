"""What an actor may do and whose records they see."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from builder.domain.permissions import Actor

ME, OTHER, NORTH, SOUTH = 1, 2, 71, 72
REP = Actor(ME, "Rep", "rep", frozenset({"record.edit"}), "own", open_objects=frozenset({"ware"}))
BOSS = replace(REP, visibility="department", department_ids=(NORTH,), visible_department_ids=(NORTH,))
READER = replace(REP, rights=frozenset(), visibility="all")
SYSTEM = replace(REP, rights=frozenset(), is_system=True)


@pytest.mark.parametrize(
    ("who", "owner", "department", "is_shared", "is_seen"),
    [
        (REP, ME, None, False, True),
        (REP, OTHER, NORTH, False, False),
        (REP, None, None, False, False),
        (REP, OTHER, NORTH, True, True),
        (BOSS, OTHER, NORTH, False, True),
        (BOSS, OTHER, SOUTH, False, False),
        (BOSS, OTHER, None, False, False),
        (BOSS, ME, SOUTH, False, True),
        (READER, OTHER, None, False, True),
        (SYSTEM, OTHER, None, False, True),
    ],
)
def test_records_of_an_object_with_an_owner_are_seen_by_row_visibility(
    who: Actor, owner: int | None, department: int | None, is_shared: bool, is_seen: bool
) -> None:
    assert who.can_see("deal", owner, department, is_shared=is_shared) is is_seen


@pytest.mark.parametrize("who", [REP, BOSS, READER, SYSTEM])
def test_records_of_an_object_without_an_owner_are_seen_by_everybody(who: Actor) -> None:
    for owner, department in product((None, ME, OTHER), (None, NORTH, SOUTH)):
        assert who.can_see("ware", owner, department)
    assert who.sees_all_of("ware")
    assert who.sees_all_of("deal") is (who in (READER, SYSTEM))


def test_seeing_the_companys_records_gives_no_right() -> None:
    assert (REP.can("record.edit"), REP.can("record.delete"), READER.can("record.edit")) == (
        True,
        False,
        False,
    )
    assert SYSTEM.can("record.delete")
