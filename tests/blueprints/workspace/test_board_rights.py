"""Fields that a role hides or locks stay so on boards with lanes, on cards and on calendars (S118)."""

from __future__ import annotations

import pytest

from builder.db.ids import to_public
from builder.services import definitions
from tests import factories
from tests.blueprints.workspace.desk import page_of
from tests.fixtures.boards import Boards

BOARD, CALENDAR = "/w/acme/p/free/board", "/w/acme/o/matter/calendar"


def limited(boards: Boards, **rights: str) -> None:
    """From now on the role of managers (Mia) has these rights over fields of matters."""
    role = factories.role("manager", (*factories.REP_RIGHTS, "record.reassign"), "all")
    uow = boards.town.work()
    definitions.publish(uow, [{**role, "fields": {"matter": rights}}])
    uow.commit()
    uow.session.close()


@pytest.fixture
def case(sqlite_boards: Boards) -> int:
    return sqlite_boards.new("Iron", "free", worth="4321", heat="hot", due="2025-05-20")


def test_what_is_hidden_divides_shows_and_places_nothing(sqlite_boards: Boards, case: int) -> None:
    limited(sqlite_boards, heat="hidden", due="hidden", worth="hidden")
    mia = sqlite_boards.town.as_("Mia")

    board = mia.get(f"{BOARD}?lanes=heat&cards=heat,worth").text
    assert "cannot be divided by" in board
    assert "4,321" not in board
    assert "Hot" not in board
    calendar = mia.get(f"{CALENDAR}?by=due&on=2025-05-12").text
    assert "cannot place records by" in calendar
    assert 'value="due"' not in calendar
    by_owner = mia.get(f"{BOARD}?lanes=holder").text
    assert "4,321" not in by_owner
    moved = {"day": "2025-05-23", "by": "due", "revision": "1"}
    assert mia.post(page_of(case, "/day"), moved).status_code == 422
    lane = {"lane": "cold", "revision": "1", "board": "free?lanes=heat"}
    assert mia.post(page_of(case, "/lane"), lane).status_code == 422
    assert (sqlite_boards.row(case).data["heat"], sqlite_boards.row(case).revision) == ("hot", 1)
    asked = mia.get("/w/acme/p/free/board/a/new").text
    assert "f-worth" not in asked


def test_what_is_locked_is_not_changed_by_dragging(sqlite_boards: Boards, case: int) -> None:
    limited(sqlite_boards, heat="read_only", due="read_only")
    mia = sqlite_boards.town.as_("Mia")

    assert "cal-move" not in mia.get(f"{CALENDAR}?on=2025-05-12").text
    moved = {"day": "2025-05-23", "by": "due", "revision": "1"}
    assert mia.post(page_of(case, "/day"), moved).status_code == 422
    lane = {"lane": "cold", "left": "hot", "revision": "1", "board": "free?lanes=heat"}
    refused = mia.post(page_of(case, "/lane"), lane, htmx=True)
    assert refused.status_code == 422
    assert "cannot be changed here" in refused.text
    along = mia.post(sqlite_boards.address("b", case), lane, htmx=True)
    assert along.status_code == 422
    row = sqlite_boards.row(case)
    assert (row.data["heat"], row.stage_key, row.revision) == ("hot", "a", 1)
    assert to_public(case) in mia.get(f"{BOARD}?lanes=heat").text
