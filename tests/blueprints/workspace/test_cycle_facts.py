"""The age of a record against the average cycle of its product or process, on its page (S13)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from tests import factories
from tests.blueprints.workspace.desk import make, page_of
from tests.fixtures.town import Town, Visitor

FIELDS = factories.ACCOUNT["fields"]
PACE = {"x-type": "integer", "x-label": {"en": "Pace"}, "x-role": "average_cycle"}
NOTICE = {"x-type": "integer", "x-label": {"en": "Notice"}, "x-role": "reminder_days"}
PRODUCT = {
    **factories.ACCOUNT,
    "fields": {**FIELDS, "properties": {**FIELDS["properties"], "pace": PACE, "notice": NOTICE}},
}


def prepare(town: Town, *more: dict[str, Any]) -> None:
    uow = town.work()
    flow = {**factories.FREE, "average_cycle_days": 60, "reminder_days": 5}
    factories.publish(uow, [PRODUCT, flow, *more])
    uow.commit()
    uow.session.close()


def cycle_on(visitor: Visitor, record_id: int) -> str:
    found = re.search(r'<li id="cycle">(.*?)</li>', visitor.get(page_of(record_id)).text, re.DOTALL)
    return re.sub(r"<[^>]+>", "", found.group(1)).strip() if found else ""


def test_the_more_specific_cycle_is_shown_and_the_age_compared_with_it(sqlite_town: Town) -> None:
    prepare(sqlite_town)
    digger = make(sqlite_town, "client", {"title": "Digger S", "pace": 45, "notice": 10})
    plain = make(sqlite_town, "client", {"title": "Bucket"})
    by_product = make(sqlite_town, "matter", {"title": "A", "client": str(digger)}, "free", owner="Rita")
    by_process = make(sqlite_town, "matter", {"title": "B", "client": str(plain)}, "free", owner="Rita")
    in_none = make(sqlite_town, "matter", {"title": "C", "client": str(digger)}, owner="Rita")
    sqlite_town.clock.advance(timedelta(days=38))
    rita = sqlite_town.as_("Rita")
    assert cycle_on(rita, by_product) == "Sales cycleday 38 of 45 Digger S"
    assert 'class="cycle-near"' in rita.get(page_of(by_product)).text
    assert cycle_on(rita, by_process) == "Sales cycleday 38 of 60 Free"
    assert cycle_on(rita, in_none) == ""
    sqlite_town.clock.advance(timedelta(days=8))
    assert 'class="cycle-over"' in rita.get(page_of(by_product)).text


def test_whoever_may_not_see_the_cycle_of_products_reads_that_of_the_process(sqlite_town: Town) -> None:
    blind = {**factories.ROLES[1], "fields": {"client": {"pace": "hidden"}}}
    prepare(sqlite_town, blind)
    digger = make(sqlite_town, "client", {"title": "Digger S", "pace": 45})
    record = make(sqlite_town, "matter", {"title": "A", "client": str(digger)}, "free", owner="Rita")
    assert "of 60" in cycle_on(sqlite_town.as_("Rita"), record)


def test_today_reminds_the_owner_before_the_cycle_ends(sqlite_town: Town) -> None:
    prepare(sqlite_town)
    digger = make(sqlite_town, "client", {"title": "Digger S", "pace": 45, "notice": 10})
    make(sqlite_town, "matter", {"title": "By product", "client": str(digger)}, "free", owner="Rita")
    make(sqlite_town, "matter", {"title": "By process"}, "free", owner="Rita")
    make(sqlite_town, "matter", {"title": "Of another"}, "free", owner="Mia")
    make(sqlite_town, "matter", {"title": "In none", "client": str(digger)}, owner="Rita")

    def reminded() -> list[tuple[str, ...]]:
        page = sqlite_town.as_("Rita").get("/w/acme/").text
        part = re.search(r'aria-labelledby="home-reminders".*?</section>', page, re.DOTALL)
        lines = re.findall(r"<li.*?</li>", part.group(), re.DOTALL) if part else []
        return [tuple(re.findall(r">([^<>]*\S[^<>]*)</(?:a|b|span)>", line)) for line in lines]

    sqlite_town.clock.advance(timedelta(days=34))
    assert reminded() == []
    sqlite_town.clock.advance(timedelta(days=1))
    assert reminded() == [("By product", "day 35 of 45", "Digger S")]
    sqlite_town.clock.advance(timedelta(days=20))
    assert reminded() == [
        ("By product", "day 55 of 45", "Digger S"), ("By process", "day 55 of 60", "Free"),
    ]  # fmt: skip
