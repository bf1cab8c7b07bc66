"""The timeline of a record: activities stand in it, and it can be narrowed by kind and channel (S43)."""

from __future__ import annotations

import html
import re

import pytest

from builder.db.ids import to_public
from tests import factories
from tests.blueprints.workspace.desk import change, make, matter, page_of
from tests.factories import text_field
from tests.fixtures.town import Town

VISIT = {
    "grammar": 1,
    "kind": "object",
    "key": "visit",
    "label": {"en": "Visit"},
    "label_plural": {"en": "Visits"},
    "icon": "phone",
    "fields": {
        "properties": {
            "subject": {**text_field("Subject"), "x-role": "name"},
            "case": {"x-type": "reference", "x-label": {"en": "Matter"}, "x-target": "matter"},
            "way": {
                "x-type": "choice",
                "x-label": {"en": "Way"},
                "x-role": "channel",
                "x-options": [
                    {"key": "on_foot", "label": {"en": "On foot"}},
                    {"key": "by_bike", "label": {"en": "By bike"}},
                ],
            },
            "at": {"x-type": "datetime", "x-label": {"en": "When"}, "x-role": "happened_at"},
            "minutes": {"x-type": "long_text", "x-label": {"en": "Minutes"}},
        },
        "required": ["subject"],
    },
}


@pytest.fixture
def visited(town: Town) -> Town:
    uow = town.work()
    factories.publish(uow, [VISIT])
    uow.commit()
    uow.session.close()
    return town


def entries(town: Town, path: str, who: str = "Rita") -> str:
    """What the timeline says, without the rest of the page."""
    text = town.as_(who).get(path, htmx=True).text
    found = re.search(r'<ol class="timeline">(.*)</ol>', text, re.DOTALL)
    return html.unescape(found.group(1)) if found else ""


def visit(town: Town, record: int, subject: str, way: str) -> int:
    values = {
        "subject": subject, "case": str(record), "way": way,
        "at": "2025-05-10T08:30:00Z", "minutes": "They want it soon.",
    }  # fmt: skip
    return make(town, "visit", values)


def test_activities_stand_among_events_and_are_narrowed_by_channel(visited: Town) -> None:
    record = matter(visited)
    visit(visited, record, "Fence measured", "on_foot")
    change(visited, record, "Mia", heat="hot")
    visit(visited, record, "Offer brought", "by_bike")
    visit(visited, matter(visited, "Other"), "Elsewhere", "by_bike")
    path = page_of(record, "/timeline")

    everything = entries(visited, path)
    order = [
        everything.index(text) for text in ("Offer brought", "changed values", "Fence measured", "created it")
    ]
    assert order == sorted(order)
    assert "Elsewhere" not in everything
    assert "They want it soon." in everything
    assert "May 10, 2025" in everything

    activities = entries(visited, f"{path}?show=activities")
    assert "Offer brought" in activities
    assert "Fence measured" in activities
    assert "changed values" not in activities
    by_bike = entries(visited, f"{path}?show=visit.by_bike")
    assert "Offer brought" in by_bike
    assert "Fence measured" not in by_bike
    assert "changed values" in entries(visited, f"{path}?show=values")
    assert "Offer brought" not in entries(visited, f"{path}?show=values")
    assert "created it" in entries(visited, f"{path}?show=%00nonsense")


def test_pages_of_events_and_activities_lose_nothing(visited: Town) -> None:
    record = matter(visited)
    for number in range(20):
        visit(visited, record, f"Visit no. {number}.", "on_foot")
        change(visited, record, "Mia", title=f"Fence {number}")
    path, found = page_of(record, "/timeline"), []
    while path:
        text = html.unescape(visited.as_("Rita").get(path, htmx=True).text)
        found += re.findall(r"Visit no\. \d+\.|changed values|created it", text)
        more = re.search(r'href="([^"]*before=[^"]*)"', text)
        path = more.group(1) if more else ""

    expected = [text for number in range(19, -1, -1) for text in ("changed values", f"Visit no. {number}.")]
    assert found == [*expected, "created it"]


def test_an_activity_added_from_the_timeline_leads_back_to_the_record(visited: Town) -> None:
    record, rita = matter(visited), visited.as_("Rita")
    new = f"/w/acme/o/visit/new?field=case&from={to_public(record)}"
    assert html.escape(new) in rita.get(page_of(record)).text
    assert f'action="{html.escape(new)}"' in rita.get(new).text

    answer = rita.post(new, {"f-subject": "Seen", "f-case": str(record)})

    assert (answer.status_code, answer.headers["Location"]) == (303, page_of(record))
    assert "Seen" in entries(visited, page_of(record, "/timeline"))


def test_whatever_may_be_created_can_be_added_from_anywhere(sqlite_town: Town) -> None:
    assert 'class="menu-item" href="/w/acme/o/matter/new"' in " ".join(
        sqlite_town.as_("Rita").get("/w/acme/notices").text.split()
    )
    sqlite_town.take_right("rep", "record.create")
    assert "/o/matter/new" not in sqlite_town.as_("Rita").get("/w/acme/notices").text
