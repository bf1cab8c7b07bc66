"""Handing over what a person owns, over HTTP (S117)."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import select

from builder.db.ids import to_public
from builder.db.ledger import EventRow
from builder.db.people import Member
from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.services.handover import carry_out_as
from builder.services.maintenance import verify
from builder.services.workspaces import open_workspace
from tests.blueprints.workspace.desk import make, matter
from tests.fixtures.town import Town


class InlineHandovers:
    """Carries out what was enqueued when its transaction has committed."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.waiting: list[tuple[str, int, int]] = []
        self.is_held = False

    def enqueue_handover(self, session: Any, workspace_key: str, member_id: int, actor_id: int) -> None:
        self.waiting.append((workspace_key, member_id, actor_id))

    def committed(self) -> None:
        if not self.is_held:
            self.work()

    def work(self) -> None:
        engine = self.town.app.extensions["funnelwright.engine"]
        for key, member_id, actor_id in self.waiting:
            with closing(WorkspaceSession(engine, expire_on_commit=False)) as session:
                carry_out_as(open_workspace(session, self.town.clock, key), member_id, actor_id)
        self.waiting = []

    def close(self) -> None:
        pass


@pytest.fixture
def queue(sqlite_town: Town) -> InlineHandovers:
    return _with_queue(sqlite_town)


def _with_queue(town: Town) -> InlineHandovers:
    made = town.app.extensions["funnelwright.queue"] = InlineHandovers(town)
    return made


def page(town: Town, name: str) -> str:
    return f"/w/acme/admin/people/{to_public(town.ids[name])}/hand-over"


def to(town: Town, name: str, revision: int = 1) -> dict[str, str]:
    return {"successor_id": to_public(town.ids[name]), "revision": str(revision)}


def members(town: Town) -> dict[str, Any]:
    uow = town.work()
    try:
        return {row.name: row for row in uow.session.scalars(select(Member))}
    finally:
        uow.session.close()


def owners(town: Town) -> dict[str, int | None]:
    uow = town.work()
    try:
        return dict(uow.session.execute(select(Record.name, Record.owner_id)).all())  # type: ignore[arg-type]
    finally:
        uow.session.close()


def test_everything_changes_hands_and_figures_stay_right(town: Town) -> None:
    _with_queue(town)
    matter(town, "Fence", worth="100.00")
    matter(town, "Roof", flow=None)
    matter(town, "Other", owner="Ada")
    ada = town.as_("Ada")
    assert "What Rita owns" in ada.get(page(town, "Rita")).text

    answer = ada.post(page(town, "Rita"), to(town, "Mia"))

    assert (answer.status_code, answer.headers["Location"]) == (303, page(town, "Rita"))
    assert owners(town) == {"Fence": town.ids["Mia"], "Roof": town.ids["Mia"], "Other": town.ids["Ada"]}
    assert "owns no records and manages nobody" in ada.get(page(town, "Rita")).text
    uow = town.work()
    assert verify(uow).is_clean
    event = uow.session.scalars(select(EventRow).where(EventRow.kind == "member.handed_over")).one()
    assert event.data["records"] == 2
    uow.session.close()


def test_reports_get_the_successor_as_their_manager(queue: InlineHandovers) -> None:
    town = queue.town

    assert town.as_("Ada").post(page(town, "Mia"), to(town, "Rita")).status_code == 303

    known = members(town)
    assert (known["Rita"].manager_id, known["Rita"].revision) == (town.ids["Ada"], 2)
    assert (known["Mia"].successor_id, known["Mia"].revision) == (None, 2)


def test_while_it_goes_on_the_page_says_so_and_nobody_begins_again(queue: InlineHandovers) -> None:
    town = queue.town
    matter(town, "Fence")
    queue.is_held = True
    ada = town.as_("Ada")
    assert ada.post(page(town, "Rita"), to(town, "Mia")).status_code == 303

    text = ada.get(page(town, "Rita"), htmx=True).text

    assert "It is being handed over to Mia" in text
    assert 'hx-trigger="every 1s"' in text
    assert ada.post(page(town, "Rita"), to(town, "Mia", 2)).status_code == 409
    queue.work()
    assert owners(town) == {"Fence": town.ids["Mia"]}
    assert "every 1s" not in ada.get(page(town, "Rita"), htmx=True).text


def test_who_asked_and_lost_the_right_meanwhile_hands_nothing_over(queue: InlineHandovers) -> None:
    town = queue.town
    matter(town, "Fence")
    queue.is_held = True
    town.as_("Ada").post(page(town, "Rita"), to(town, "Mia"))
    town.take_right("admin", "record.reassign")

    queue.work()

    assert owners(town) == {"Fence": town.ids["Rita"]}
    assert members(town)["Rita"].successor_id is None


@pytest.mark.parametrize("successor", ["", "nonsense", "Rita", "Otto"])
def test_a_wrong_successor_is_422(queue: InlineHandovers, successor: str) -> None:
    town = queue.town
    matter(town, "Fence")
    chosen = to_public(town.ids[successor]) if successor in town.ids else successor

    answer = town.as_("Ada").post(page(town, "Rita"), {"successor_id": chosen, "revision": "1"}, htmx=True)

    assert answer.status_code == 422
    assert "successor_id-error" in answer.text
    assert "<html" not in answer.text
    assert owners(town) == {"Fence": town.ids["Rita"]}


def test_stale_is_409_and_without_a_revision_400(queue: InlineHandovers) -> None:
    town = queue.town
    assert town.as_("Ada").post(page(town, "Rita"), to(town, "Mia", 2)).status_code == 409
    assert town.as_("Ada").post(page(town, "Rita"), {"successor_id": ""}).status_code == 400


def test_forbidden_missing_and_wrong_verbs(queue: InlineHandovers) -> None:
    town = queue.town
    rita, ada, missing = town.as_("Rita"), town.as_("Ada"), to_public(99)
    assert rita.get(page(town, "Mia")).status_code == 403
    assert rita.post(page(town, "Mia"), to(town, "Ada")).status_code == 403
    assert ada.get(f"/w/acme/admin/people/{missing}/hand-over").status_code == 404
    assert ada.post(f"/w/acme/admin/people/{missing}/hand-over", to(town, "Mia")).status_code == 404
    foreign = to_public(town.ids["Otto"])
    assert ada.post(f"/w/acme/admin/people/{foreign}/hand-over", to(town, "Mia")).status_code == 404
    town.take_right("admin", "record.reassign")
    make(town, "matter", {"title": "Fence"}, owner="Rita")
    assert ada.post(page(town, "Rita"), to(town, "Mia")).status_code == 403
