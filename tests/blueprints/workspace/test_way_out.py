"""A check that fails offers to close the record with its reason (S32)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from builder.db.ids import to_public
from builder.metadata import packs
from builder.services import packs as services
from builder.services import people, workspaces
from builder.services.entries import Entry
from builder.services.records import NewRecord, create
from builder.services.stage_work import WorkOnStage, work
from tests.fixtures.town import PASSWORD, Town, Visitor


@pytest.fixture
def li(sqlite_town: Town) -> Visitor:
    """A rep of a workspace with machines to sell, which has one inquiry."""
    from builder.db.tenancy import WorkspaceSession

    engine = sqlite_town.app.extensions["funnelwright.engine"]
    with WorkspaceSession(engine, expire_on_commit=False) as session:
        uow = workspaces.create(session, sqlite_town.clock, workspaces.WorkspaceFacts("yard", currency="CNY"))
        services.install(uow, packs.load(packs.locate("machinery")))
        added = people.add(uow, people.PersonFacts("Li", "rep", "li@example.com"), password=PASSWORD)
        values = {"name": "Excavator", "owner": str(added.member_id)}
        made = create(uow, "opportunity", NewRecord(values, Entry("machine_sale"))).record_id
        uow.commit()
    sqlite_town.ids |= {"Li": added.member_id, "inquiry": made}
    return sqlite_town.as_("Li")


def answered(town: Town, **answers: Any) -> None:
    uow = town.work("yard")
    work(uow, WorkOnStage(town.ids["inquiry"], answers=answers))
    uow.commit()
    uow.session.close()


def offers(page: str) -> list[str]:
    return [found.replace("&amp;", "&") for found in re.findall(r'href="([^"]*/move/invalid\?[^"]*)"', page)]


def test_what_was_found_not_genuine_can_be_closed_as_invalid_with_that_reason(
    sqlite_town: Town, li: Visitor
) -> None:
    place = f"/w/yard/r/{to_public(sqlite_town.ids['inquiry'])}"
    assert not offers(li.get(place).text)  # nobody has answered yet

    answered(sqlite_town, is_genuine=False)
    (way,) = offers(li.get(place).text)
    assert way == f"{place}/move/invalid?reason=not_genuine"
    assert way in offers(li.get(f"{place}/move/survey_site").text)

    page = li.get(way).text
    assert re.search(r'<option value="not_genuine"\s+selected', page)
    revision = re.findall(r'name="revision" value="(\d+)"', page)[0]
    answer = li.post(
        f"{place}/move/invalid", {"_form": "1", "revision": revision, "reason_key": "not_genuine"}
    )
    assert answer.status_code == 303
    assert not offers(li.get(place).text)


def test_the_answer_in_the_dialog_brings_the_offer(sqlite_town: Town, li: Visitor) -> None:
    place = f"/w/yard/r/{to_public(sqlite_town.ids['inquiry'])}/move/survey_site"
    typed = {"_form": "1", "revision": "1", "_action": "refresh", "a-f-own_fit": "false"}

    names = re.findall(r'name="([^"]*own_fit)"', li.get(place).text)
    page = li.post(place, {**typed, names[0]: "false"}).text

    assert [way.rpartition("=")[2] for way in offers(page)] == ["out_of_territory"]
