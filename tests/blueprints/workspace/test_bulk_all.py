"""All that a list has, over HTTP: asked, counted, done at once or in the background, moved through the gate."""

from __future__ import annotations

import json
import re
from contextlib import closing
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from builder.db.records import Record
from builder.db.tenancy import WorkspaceSession
from builder.domain.permissions import RIGHTS, Actor
from builder.services import bulk_runs
from builder.services.entries import Entry
from builder.services.records import NewRecord, create_many
from builder.services.workspaces import open_workspace
from tests.fixtures.town import Town

LIST = "/w/acme/o/matter"
EDIT, MOVE, DELETE = f"{LIST}/bulk/edit", f"{LIST}/bulk/move", f"{LIST}/bulk/delete"
RICH = json.dumps({"field": "worth", "op": "gt", "value": "1.50"})


class InlineBulk:
    """Carries out what was enqueued when its transaction has committed."""

    def __init__(self, town: Town) -> None:
        self.town, self.waiting = town, []  # type: ignore[var-annotated]

    def enqueue_bulk(self, _session: Any, key: str, batch_id: int) -> None:
        self.waiting.append((bulk_runs.run_as_owner, key, batch_id))

    def enqueue_bulk_undo(self, _session: Any, key: str, batch_id: int) -> None:
        self.waiting.append((bulk_runs.undo_as_asker, key, batch_id))

    def committed(self) -> None:
        engine = self.town.app.extensions["funnelwright.engine"]
        for work, key, batch_id in self.waiting:
            with closing(WorkspaceSession(engine, expire_on_commit=False)) as session:
                work(open_workspace(session, self.town.clock, key), batch_id)
        self.waiting = []

    def close(self) -> None:
        pass


@pytest.fixture
def town(sqlite_town: Town) -> Town:
    uow = sqlite_town.work()
    uow.actor = Actor(sqlite_town.ids["Ada"], "Ada", "admin", frozenset(RIGHTS), "all")
    values = [{"title": f"Bulk {number}", "worth": f"{number}.00"} for number in range(4)]
    create_many(uow, "matter", [NewRecord(each, Entry("free")) for each in values])
    uow.commit()
    uow.session.close()
    sqlite_town.app.extensions["funnelwright.queue"] = InlineBulk(sqlite_town)
    return sqlite_town


def stored(town: Town) -> dict[str, tuple[str, str | None]]:
    with closing(town.work().session) as session:
        rows = session.execute(
            select(Record.name, Record.data, Record.stage_key).where(
                Record.name.like("Bulk %"), Record.deleted_at.is_(None)
            )
        )
        return {name: (data.get("worth", ""), stage) for name, data, stage in rows}


def marks(page: str) -> list[str]:
    return re.findall(r'name="row"\s+value="([^"]+)"', page)


def every(count: int, **more: str) -> dict[str, str]:
    return {"every": "1", "count": str(count), "f": RICH, **more}


def test_all_that_match_are_counted_and_changed_by_several_fields(town: Town) -> None:
    ada = town.as_("Ada")
    page = ada.get(f"{EDIT}?{urlencode({'every': 1, 'f': RICH})}").text
    assert "All 2 records that match the list with its filter." in page
    assert 'name="count" value="2"' in page
    assert "Bulk 2, Bulk 3" in page
    both = {"field": ["worth", "note"], "f-worth": "9.50", "f-note": "told"}
    shown = ada.post(EDIT, {**every(2), **both, "_action": "refresh"}).text
    assert 'name="f-worth"' in shown
    assert 'name="f-note"' in shown
    without = ada.post(EDIT, {**every(2), **both, "drop": "note"}).text
    assert 'name="f-note"' not in without
    assert ada.post(EDIT, {**every(2), **both}).status_code == 303
    assert [worth for worth, _ in stored(town).values()] == ["0.00", "1.00", "9.50", "9.50"]


def test_another_number_than_was_seen_is_told_before_anything_happens(town: Town) -> None:
    ada = town.as_("Ada")
    answer = ada.post(DELETE, every(3))
    assert answer.status_code == 409
    assert "There are 2 records now, not 3." in unescape(answer.text)
    assert 'name="count" value="2"' in answer.text
    assert len(stored(town)) == 4
    assert ada.post(DELETE, every(2)).status_code == 303
    assert list(stored(town)) == ["Bulk 0", "Bulk 1"]


def test_many_are_done_in_the_background_and_undone_there(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_runs, "AT_ONCE", 1)
    ada = town.as_("Ada")
    before = stored(town)
    sent = {**every(2), "field": "worth", "f-worth": "9.50"}
    queue, waiting = town.app.extensions["funnelwright.queue"], []  # type: ignore[var-annotated]
    monkeypatch.setattr(queue, "committed", lambda: waiting.append(1))
    answer = ada.post(EDIT, sent)
    page = ada.get(answer.location).text
    assert "Waiting for its turn." in page
    assert f'hx-get="{answer.location}" hx-trigger="every 1s"' in page
    assert ada.post(f"{answer.location}/undo").status_code == 409
    monkeypatch.undo()
    monkeypatch.setattr(bulk_runs, "AT_ONCE", 1)
    queue.committed()
    fragment = ada.get(answer.location, htmx=True).text
    assert fragment.lstrip().startswith("<section")
    assert "every 1s" not in fragment
    assert stored(town)["Bulk 3"][0] == "9.50"
    assert ada.post(f"{answer.location}/stop").status_code == 409
    assert ada.post(f"{answer.location}/undo").status_code == 303
    assert stored(town) == before


def test_a_queued_one_is_stopped_by_whoever_asked(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_runs, "AT_ONCE", 1)
    queue = town.app.extensions["funnelwright.queue"]
    monkeypatch.setattr(queue, "committed", lambda: None)
    ada, rita = town.as_("Ada"), town.as_("Rita")
    place = ada.post(DELETE, every(2)).location
    assert rita.post(f"{place}/stop").status_code == 404
    assert ada.get(f"{place}/stop").status_code == 405
    assert ada.post(f"{place}/stop").status_code == 303
    assert "It was stopped before its end" in ada.get(place).text
    assert len(stored(town)) == 4


def test_rows_are_moved_through_the_gate(town: Town) -> None:
    ada = town.as_("Ada")
    rows = marks(ada.get(f"{LIST}?q=Bulk").text)
    assert "bulk/move" in ada.get(LIST).text
    page = ada.get(f"{MOVE}?" + "&".join(f"row={row}" for row in rows)).text
    assert "Moves are not undone" in page
    assert 'value="free/b"' in page
    assert ada.post(MOVE, {"row": rows, "to": ""}).status_code == 422
    assert ada.post(MOVE, {"row": rows, "to": "free/nowhere"}).status_code == 422
    reasons = ada.post(MOVE, {"row": rows, "to": "flow/lost", "_action": "refresh"}, htmx=True).text
    assert 'value="price"' in reasons
    assert ada.post(MOVE, {"row": rows, "to": "flow/lost"}).status_code == 422
    other = ada.post(MOVE, {"row": rows, "to": "flow/b"})
    assert other.status_code == 422
    assert "It is not in this process." in other.text
    answer = ada.post(MOVE, {"row": rows, "to": "free/b"})
    assert answer.status_code == 303
    assert {stage for _, stage in stored(town).values()} == {"b"}
    done = ada.get(answer.location).text
    assert "/undo" not in done
    assert ada.post(f"{answer.location}/undo").status_code == 409


def test_what_gates_ask_is_asked_once_for_all_and_may_be_set_aside(town: Town) -> None:
    uow = town.work()
    uow.actor = Actor(town.ids["Ada"], "Ada", "admin", frozenset(RIGHTS), "all")
    create_many(uow, "matter", [NewRecord({"title": f"Gated {n}"}, Entry("flow")) for n in range(2)])
    uow.commit()
    uow.session.close()
    ada = town.as_("Ada")
    rows = marks(ada.get(f"{LIST}?q=Gated").text)
    assert len(rows) == 2
    sent = {"row": rows, "to": "flow/b"}
    asked = ada.post(MOVE, sent)
    assert asked.status_code == 422
    assert 'name="answers-talk-address"' in asked.text
    assert 'name="override_reason"' in asked.text
    typed = {**sent, "answers-talk-address": "Market 1"}
    still = ada.post(MOVE, typed)
    assert (still.status_code, 'value="Market 1"' in still.text) == (422, True)
    assert "Call" in still.text, "the task is left"
    bad = ada.post(MOVE, {**typed, "answers-talk-address": "x" * 3000})
    assert (bad.status_code, "is-invalid" in bad.text) == (422, True)
    done = ada.post(MOVE, {**typed, "override_reason": "The fair is tomorrow"})
    assert done.status_code == 303
    assert "2" in ada.get(done.location).text


def test_giving_to_somebody_is_a_change_of_the_owner(town: Town) -> None:
    ada, rita = town.as_("Ada"), town.as_("Rita")
    rows = marks(ada.get(f"{LIST}?q=Bulk").text)[:1]
    page = ada.get(f"{LIST}/bulk/reassign?row={rows[0]}").text
    assert 'name="f-holder"' in page
    assert rita.get(f"{LIST}/bulk/reassign?row={rows[0]}").status_code == 403
    assert ada.get(f"/w/acme/o/client/bulk/reassign?row={rows[0]}").status_code == 404
    sent = {"row": rows, "field": "holder", "f-holder": str(town.ids["Rita"])}
    assert ada.post(EDIT, sent).status_code == 303
    assert len(marks(rita.get(f"{LIST}?q=Bulk").text)) == 1


def test_nonsense_is_told_and_never_an_accident(town: Town) -> None:
    ada, rita, otto = town.as_("Ada"), town.as_("Rita"), town.as_("Otto")
    for place in (EDIT, MOVE, DELETE):
        assert ada.get(f"{place}?every=1&f=%7Bnonsense").status_code == 422
        assert ada.get(f"{place}?every=1&view=AAAAAAAAAAA").status_code == 404
        assert ada.get(f"{place}?every=1&q=nothing-matches-this").status_code == 303
        assert otto.get(f"{place}?every=1").status_code == 404
        assert ada.post(place, {"every": "1", "count": "x"}).status_code == 400
        assert ada.post(place, {"every": "1", "count": "9" * 99}).status_code == 400
        assert ada.client.put(place, headers={"X-CSRFToken": ada.token}).status_code == 405
    assert ada.post(MOVE, {**every(2), "to": "\x00/\x00" * 999, "warnings": "<"}).status_code == 422
    assert rita.post(DELETE, every(2)).status_code == 403
    answer = rita.post(MOVE, {**every(2), "to": "free/b"})
    assert answer.status_code == 409, "she sees none of them"
    assert {stage for _, stage in stored(town).values()} == {"a"}
