"""Records shared for reading only, over HTTP: one sees them, and finds no way to change them."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from builder.db.ids import new_id
from builder.db.records import RecordShare
from tests.blueprints.workspace.desk import matter, page_of, stored
from tests.fixtures.town import Town


def share(town: Town, record_id: int, name: str, *, can_edit: bool) -> None:
    uow = town.work()
    uow.session.add(
        RecordShare(
            workspace_id=uow.workspace.id,
            id=new_id(),
            record_id=record_id,
            member_id=town.ids[name],
            can_edit=can_edit,
            created_at=town.clock.now(),
        )
    )
    uow.commit()
    uow.session.close()


def test_the_next_list_shows_what_was_just_shared_and_no_more_once_it_is_taken_back(town: Town) -> None:
    """Whether anything is shared with a person is read with their sign-in: never remembered."""
    record = matter(town, flow="free", owner="Ada")
    rita = town.as_("Rita")
    address = page_of(record)
    seen = [address in rita.get("/w/acme/o/matter").text for _ in range(2)]
    share(town, record, "Rita", can_edit=False)
    seen += [address in rita.get("/w/acme/o/matter").text for _ in range(2)]
    uow = town.work()
    uow.session.execute(delete(RecordShare))
    uow.commit()
    uow.session.close()
    seen.append(address in rita.get("/w/acme/o/matter").text)
    assert seen == [False, False, True, True, False]


@pytest.mark.parametrize("part", ["/edit", "/move", "/move/b", "/delete"])
def test_the_ways_to_change_a_record_shared_for_reading_are_403(sqlite_town: Town, part: str) -> None:
    record, rita = matter(sqlite_town, flow="free", owner="Ada"), None
    share(sqlite_town, record, "Rita", can_edit=False)
    rita = sqlite_town.as_("Rita")

    assert rita.get(page_of(record, part)).status_code == 403
    if part != "/move":
        answer = rita.post(page_of(record, part), {"revision": "1", "f-title": "Taken"})
        assert answer.status_code == 403
    assert (stored(sqlite_town, record).revision, stored(sqlite_town, record).name) == (1, "Fence")


def test_the_page_of_a_record_shared_for_reading_offers_no_change(sqlite_town: Town) -> None:
    record = matter(sqlite_town, flow="free", owner="Ada")
    share(sqlite_town, record, "Rita", can_edit=False)

    page = sqlite_town.as_("Rita").get(page_of(record))

    assert page.status_code == 200
    assert page_of(record, "/edit") not in page.text
    assert page_of(record, "/move") not in page.text


def test_a_record_shared_for_changing_is_edited_and_moved(sqlite_town: Town) -> None:
    record = matter(sqlite_town, flow="free", owner="Ada", holder=str(sqlite_town.ids["Ada"]))
    share(sqlite_town, record, "Rita", can_edit=True)
    rita = sqlite_town.as_("Rita")

    assert page_of(record, "/edit") in rita.get(page_of(record)).text
    assert rita.post(page_of(record, "/move/b"), {"revision": "1"}).status_code == 303
    assert stored(sqlite_town, record).stage_key == "b"
