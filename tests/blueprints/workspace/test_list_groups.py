"""A list in groups with totals, and its columns as somebody has arranged them, over HTTP."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest

from tests.blueprints.workspace.desk import MATTERS, matter
from tests.fixtures.town import Town

COLUMNS, WIDTHS = f"{MATTERS}/columns", f"{MATTERS}/widths"


@pytest.fixture
def town(sqlite_town: Town) -> Town:
    for number, heat in enumerate(("hot", "hot", "cold", None)):
        more = {"heat": heat} if heat else {}
        matter(sqlite_town, f"M{number}", "free", "Ada", worth=f"{number + 1}.50", due="2026-03-04", **more)
    return sqlite_town


def heads(page: str) -> list[str]:
    return re.findall(r'data-column="([^"]+)"', page)


def test_groups_have_counts_and_sums_and_unfold(town: Town) -> None:
    ada = town.as_("Ada")
    page = ada.get(f"{MATTERS}?cols=title,worth&group=heat").text
    told = re.sub(r"<[^>]+>|\s+", " ", page)
    assert re.search(r"Cold\s+1\s+\D*3\.50\s+Hot\s+2\s+\D*4\.00\s+Without a value\s+1", told)
    assert re.search(r"All\s+4\s+\D*12\.00", told)
    assert "M0" not in told
    rows = unescape(re.findall(r'data-fold="([^"]+in=hot[^"]*)"', page)[0])
    fragment = ada.get(rows, htmx=True).text
    assert fragment.lstrip().startswith("<tbody")
    assert set(re.findall(r"M\d", re.sub(r"<[^>]+>", "", fragment))) == {"M0", "M1"}
    plain = ada.get(rows)
    assert (plain.status_code, "in=hot" in plain.location) == (303, True)
    opened = ada.get(plain.location).text
    assert 'aria-expanded="true"' in opened
    assert "M0" in opened


@pytest.mark.parametrize(
    "name", ["due", "holder", "client", "record.stage", "record.outcome", "record.department"]
)
def test_every_kind_of_group_is_drawn(town: Town, name: str) -> None:
    page = town.as_("Ada").get(f"{MATTERS}?group={name}")
    assert page.status_code == 200
    assert "group-head" in page.text
    assert {"due": "March 2026", "holder": "Ada", "record.stage": ">A<"}.get(name, "") in page.text


def test_totals_of_the_whole_list_come_when_asked(town: Town) -> None:
    ada = town.as_("Ada")
    assert "list-total" in ada.get(MATTERS).text
    assert re.search(
        r"4 records\s+· Worth: \D*12\.00", ada.get(f"{MATTERS}/totals?cols=title,worth", htmx=True).text
    )
    plain = ada.get(f"{MATTERS}/totals?cols=title,worth")
    assert plain.status_code == 303
    assert "12.00" in ada.get(plain.location).text


def test_nonsense_in_the_address_is_told(town: Town) -> None:
    ada, otto = town.as_("Ada"), town.as_("Otto")
    for name in ("note", "none", "\x00", "record.created_at", "x" * 500, "title"):
        page = ada.get(f"{MATTERS}?group={quote(name)}")
        assert page.status_code == 200
        assert "cannot be grouped by" in page.text
        assert "M0" in page.text
    for value in ("2026-13", "\x00", "x" * 999, "9" * 30, "%ff"):
        for name in ("due", "holder", "record.owner", "heat", "record.stage"):
            for page in (
                ada.get(f"{MATTERS}?group={name}&in={quote(value)}"),
                ada.get(f"{MATTERS}/group?group={name}&in={quote(value)}&after=zzz", htmx=True),
            ):
                assert page.status_code in (200, 422), (name, value)
    assert ada.get(f"{MATTERS}/group?group=none&in=x", htmx=True).status_code == 422
    assert ada.get("/w/acme/o/none/group", htmx=True).status_code == 404
    for part in ("group", "totals"):
        assert otto.get(f"{MATTERS}/{part}").status_code == 404
        assert ada.post(f"{MATTERS}/{part}").status_code == 405


def test_columns_and_widths_are_kept_for_the_person_and_the_view(town: Town) -> None:
    matter(town, "Hers", "free", "Mia")
    ada, mia = town.as_("Ada"), town.as_("Mia")
    answer = ada.post(COLUMNS, {"c": ["worth", "title", "heat"]})
    assert (answer.status_code, answer.location) == (303, MATTERS)
    assert heads(ada.get(MATTERS).text) == ["worth", "title", "heat"]
    assert heads(mia.get(MATTERS).text) != ["worth", "title", "heat"]
    ada.post(COLUMNS, {"c": ["worth", "title", "heat"], "up": "heat"})
    assert heads(ada.get(MATTERS).text) == ["worth", "heat", "title"]
    assert ada.post(WIDTHS, {"column": ["worth", "title"], "width": ["210", "300"]}).status_code == 204
    assert 'data-column="worth" data-width="210"' in ada.get(MATTERS).text
    assert heads(ada.get(f"{MATTERS}?cols=title").text) == ["title"], "what the address says comes first"

    saved = ada.post(f"{MATTERS}/views", {"name": "Mine", "shared": "1", "group": "heat"})
    theirs = mia.get(saved.location).text
    assert heads(theirs) == ["worth", "heat", "title"]
    assert 'data-width="210"' in theirs
    assert "group-head" in theirs
    ada.post(COLUMNS, {"reset": "1"})
    assert heads(ada.get(MATTERS).text) != ["worth", "heat", "title"]
    assert heads(ada.get(saved.location).text) == ["worth", "heat", "title"]


def test_columns_that_cannot_be_are_refused(town: Town) -> None:
    ada, otto = town.as_("Ada"), town.as_("Otto")
    wrong: list[dict[str, Any]] = [
        {}, {"c": ["none", "\x00"]}, {"c": []},
    ]  # fmt: skip
    for sent in wrong:
        assert ada.post(COLUMNS, sent).status_code == 422
    for sent in ({}, {"column": "worth", "width": "9999"}, {"column": "worth", "width": "-5"},
                 {"column": "none", "width": "100"}, {"column": "worth", "width": "１００"}):  # fmt: skip
        assert ada.post(WIDTHS, sent).status_code == 422
    for place in (COLUMNS, WIDTHS):
        assert ada.get(place).status_code == 405
        assert otto.post(place, {"c": ["title"]}).status_code == 404
        assert ada.post(place, {"view": "AAAAAAAAAAA", "c": ["title"]}).status_code == 404
    many = [f"record.{name}" for name in ("owner", "stage", "created_at")] * 40
    assert ada.post(COLUMNS, {"c": many}).status_code == 303
