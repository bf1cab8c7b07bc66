"""Sample companies over HTTP: ordered, made by a worker, entered; and all that can go wrong (S18, S114)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import func, select, update

from builder.db.ids import from_public
from builder.db.ledger import StayRow
from builder.db.people import Workspace
from builder.db.tenancy import WorkspaceSession
from builder.services.maintenance import verify
from builder.services.samples import carry_out
from tests.fixtures.town import Town

SAMPLE = "/w/acme/studio/templates/classic/sample"
SENT = {"key": "sample-one", "name": "Sample One"}


class HeldSamples:
    """Keeps what was enqueued until the test lets a worker begin."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, int]] = []

    def enqueue_sample(self, session: Any, workspace_key: str, order_id: int) -> None:
        self.waiting.append((workspace_key, order_id))

    def committed(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def work() -> Callable[[Town], list[bool]]:
    """work(town): orders are held from now on; each call carries out what waits."""

    def begin(town: Town) -> list[bool]:
        extensions = town.app.extensions
        queue = extensions.get("funnelwright.queue")
        if not isinstance(queue, HeldSamples):
            extensions["funnelwright.queue"] = HeldSamples()
            return []
        waiting, queue.waiting = queue.waiting, []
        engine = extensions["funnelwright.engine"]
        return [carry_out(engine, town.clock, key, order_id, months=1) for key, order_id in waiting]

    return begin


def test_a_sample_company_is_made_and_entered(town: Town, work: Callable[[Town], list[bool]]) -> None:
    work(town)
    ada = town.as_("Ada")
    page = ada.get(SAMPLE).text
    assert 'value="sample-classic"' in page
    answer = ada.post(SAMPLE, SENT)
    assert answer.status_code == 303
    place = answer.headers["Location"]
    assert 'hx-trigger="every 2s"' in ada.get(place, htmx=True).text
    assert work(town) == [True]
    page = ada.get(place, htmx=True).text
    assert "every 2s" not in page
    assert re.search(r"The company is there, with \d+ records", page)
    assert 'href="/w/sample-one/"' in page
    assert ada.get("/w/sample-one/studio/processes").status_code == 200
    made = town.work("sample-one")
    assert (made.session.scalar(select(func.count()).select_from(StayRow)) or 0) > 10
    assert verify(made).is_clean
    made.session.close()
    assert town.as_("Mia").get("/w/sample-one/").status_code == 404


def test_what_cannot_be_ordered_says_so_and_keeps_what_was_typed(
    sqlite_town: Town, work: Callable[[Town], list[bool]]
) -> None:
    work(sqlite_town)
    ada = sqlite_town.as_("Ada")
    wrong = ada.post(SAMPLE, {"key": "Not A Key", "name": "Kept name"})
    assert (wrong.status_code, "Kept name" in wrong.text, 'href="#key"' in wrong.text) == (422, True, True)
    taken = ada.post(SAMPLE, {**SENT, "key": "other"}, htmx=True)
    assert (taken.status_code, "There is a workspace “other” already." in taken.text) == (409, True)
    # somebody takes the key while the order waits: told there, nothing is half-written, and it may be tried again
    place = ada.post(SAMPLE, SENT, htmx=True).headers["HX-Redirect"]
    with closing(WorkspaceSession(sqlite_town.app.extensions["funnelwright.engine"])) as session:
        session.execute(update(Workspace).where(Workspace.key == "other").values(key="sample-one"))
        session.commit()
    assert work(sqlite_town) == [False]
    page = ada.get(place).text
    assert "There is a workspace “sample-one” already." in page
    assert "could not be made" in page
    assert ada.post(SAMPLE, SENT, htmx=True).status_code == 409, "the order is forgotten, the key is taken"


def test_a_company_ordered_six_times_is_made_once_and_all_are_told_of_it(
    town: Town, work: Callable[[Town], list[bool]]
) -> None:
    work(town)
    ada = town.as_("Ada")
    places = {ada.post(SAMPLE, SENT).headers["Location"] for _ in range(3)}
    assert len(places) == 1
    assert work(town) == [True]
    for _ in range(3):
        answer = ada.post(SAMPLE, {**SENT, "name": "Another name"})
        assert (answer.status_code, {answer.headers["Location"]}) == (303, places)
    page = ada.get(answer.headers["Location"]).text
    assert "was ordered before" in page
    assert "The company is there" in page
    assert 'href="/w/sample-one/"' in page
    assert work(town) == []


def test_orders_at_the_same_time_are_one(town: Town, work: Callable[[Town], list[bool]]) -> None:
    work(town)
    ada = town.as_("Ada")
    ada.get(SAMPLE)
    start, places = threading.Barrier(4), []

    def click() -> None:
        start.wait()
        places.append(ada.post(SAMPLE, SENT).headers["Location"])

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join(60)
    assert (len(places), len(set(places))) == (4, 1)
    assert work(town) == [True]


def test_whoever_waits_is_told_when_the_worker_stumbles(
    sqlite_town: Town, work: Callable[[Town], list[bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: Any, **__: Any) -> None:
        raise KeyError("stage")

    work(sqlite_town)
    ada = sqlite_town.as_("Ada")
    place = ada.post(SAMPLE, SENT).headers["Location"]
    monkeypatch.setattr("builder.services.samples.make_company", stumble)
    with pytest.raises(KeyError):
        work(sqlite_town)
    page = ada.get(place, htmx=True).text
    assert "Nothing of it was kept." in page
    assert "every 2s" not in page
    monkeypatch.undo()
    again = ada.post(SAMPLE, SENT).headers["Location"]
    assert again != place, "what failed may be ordered anew"
    assert work(sqlite_town) == [True]


def test_who_may_not_edit_definitions_is_403_strangers_and_the_missing_404(
    sqlite_town: Town, work: Callable[[Town], list[bool]]
) -> None:
    work(sqlite_town)
    ada, rita, otto = (sqlite_town.as_(name) for name in ("Ada", "Rita", "Otto"))
    place = ada.post(SAMPLE, SENT).headers["Location"]
    assert from_public(place.rsplit("/", 1)[1])
    for path in (SAMPLE, place):
        assert (rita.get(path).status_code, otto.get(path).status_code) == (403, 404), path
    assert (rita.post(SAMPLE, SENT).status_code, otto.post(SAMPLE, SENT).status_code) == (403, 404)
    assert otto.get(place.replace("/acme/", "/other/")).status_code == 404
    for path in (f"{SAMPLE}/{'A' * 11}", SAMPLE.replace("classic", "none"), f"{SAMPLE}/zzz"):
        assert ada.get(path).status_code == 404, path
    assert ada.post(SAMPLE.replace("classic", "none"), SENT).status_code == 404
    assert ada.post(place).status_code == 405
