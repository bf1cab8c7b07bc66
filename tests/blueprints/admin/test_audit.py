"""The audit page: what was done stands in it, in words; it is filtered and leaves as a harmless file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from html import unescape
from typing import Any

from builder.db.ids import to_public
from tests.blueprints.workspace.desk import matter
from tests.fixtures.town import Town

AUDIT = "/w/acme/admin/audit"


def test_writes_stand_in_it_with_who_what_where_and_values(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    made = ada.post("/w/acme/o/matter/new", {"f-title": "=Audited", "f-worth": "5.00", "pipeline": "free"})
    place = made.location
    ada.post(f"{place}/edit", {"f-title": "=Audited", "f-worth": "6.50", "revision": "1"})
    assert ada.post(f"{place}/notes", {"text": "Seen"}).status_code == 303
    page = unescape(ada.get(AUDIT).text)
    assert "changed a record" in page
    assert "created a record" in page
    assert f'href="{place}"' in page
    assert "127.0.0.1" in page
    assert "5.00" in page
    assert "6.50" in page
    assert "wrote a note" in page
    assert "[]" not in page

    narrowed = unescape(ada.get(f"{AUDIT}?kind=record.changed").text)
    assert "6.50" in narrowed
    assert ">created a record</td>" not in narrowed
    assert "Nothing fits" in ada.get(f"{AUDIT}?from=1999-01-01&to=1999-12-31").text

    answer = ada.get("/w/acme/admin/audit.csv?kind=record.changed")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert rows[0][:3] == ["When (UTC)", "Who", "What"]
    assert rows[1][1:5] == ["Ada", "changed a record", "'=Audited", "127.0.0.1"]
    assert '"6.50"' in rows[1][5]


def test_moves_tell_the_stages_and_the_reason(sqlite_town: Town) -> None:
    record = matter(sqlite_town)
    ada, place = sqlite_town.as_("Ada"), f"/w/acme/r/{to_public(record)}/move/lost"
    form = {"_form": "1", "revision": "1", "reason_key": "price", "reason_note": "Far too dear"}
    assert ada.post(place, form).status_code == 303

    page = unescape(ada.get(f"{AUDIT}?kind=record.moved").text)

    told = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "Stage: A → Lost" in told
    assert "Reason: – → Price · Far too dear" in told


def test_changes_of_people_are_told_by_names(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    form = {"name": "Nora New", "role_key": "rep", "is_active": "y"}
    assert ada.post("/w/acme/admin/people/new", form).status_code == 303
    page = unescape(ada.get(f"{AUDIT}?kind=member.added").text)
    assert "Nora New" in page


def test_nonsense_in_the_address_is_no_error(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    for query in ("from=x&to=9999-12-31", "who=zzz", "kind=%00", "before=1.x", "object=none&from=0001-01-01"):
        assert ada.get(f"{AUDIT}?{query}").status_code == 200, query


def test_only_for_those_who_keep_the_people(sqlite_town: Town) -> None:
    for path in (AUDIT, "/w/acme/admin/audit.csv"):
        assert sqlite_town.as_("Rita").get(path).status_code == 403
        assert sqlite_town.as_("Otto").get(path).status_code == 404
        assert sqlite_town.as_("Ada").post(path).status_code == 405


def test_the_number_of_statements_does_not_grow_with_the_page(
    sqlite_town: Town, count_statements: Callable[[Any], Any]
) -> None:
    ada = sqlite_town.as_("Ada")

    def sent() -> int:
        with count_statements(sqlite_town.app) as statements:
            assert ada.get(AUDIT).status_code == 200
        return len(statements)

    ada.post("/w/acme/o/matter/new", {"f-title": "One", "pipeline": "free"})
    first = sent()
    for number in range(8):
        ada.post("/w/acme/o/matter/new", {"f-title": f"Case {number}", "pipeline": "free"})
    assert sent() <= first
