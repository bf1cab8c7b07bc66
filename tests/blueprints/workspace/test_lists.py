"""Lists over HTTP: what they show, filters that travel in the address, views."""

from __future__ import annotations

import json
import re
from html import unescape
from urllib.parse import quote, urlencode

import pytest

from tests.blueprints.workspace.desk import CLIENTS, MATTERS, NOBODY, make, matter, sent_by
from tests.fixtures.town import Town, Visitor


def f(condition: object) -> str:
    return quote(json.dumps(condition, ensure_ascii=False))


def titles(text: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'class="row-link" href="[^"]+">([^<]*)<', text)]


def words(text: str) -> list[str]:
    """The filter as the list tells it."""
    return [unescape(found) for found in re.findall(r'<li class="chip">([^<]*)<', text)]


HOT = {"field": "heat", "op": "eq", "value": "hot"}
DEAR = {"field": "worth", "op": "ge", "value": "1000"}


@pytest.fixture
def stocked(sqlite_town: Town) -> Town:
    matter(sqlite_town, "Fence", worth="1500.00", heat="hot", due="2025-06-01")
    matter(sqlite_town, "Wall 华为", worth="200.00", heat="cold")
    matter(sqlite_town, "Roof", heat="hot", owner="Mia")
    return sqlite_town


def test_a_list_shows_what_the_reader_may_see(town: Town) -> None:
    matter(town, "Fence", worth="1500.00")
    matter(town, "Roof", owner="Mia")

    page = town.as_("Rita").get(MATTERS)

    assert page.status_code == 200
    assert titles(page.text) == ["Fence"]
    assert "1 record" in page.text
    assert titles(town.as_("Mia").get(MATTERS).text) == ["Roof", "Fence"]


def test_columns_come_from_the_address_and_values_are_shown_as_people_read_them(stocked: Town) -> None:
    page = (
        stocked.as_("Ada").get(f"{MATTERS}?cols=title,worth,heat,due,record.stage,holder,nonsense,%00").text
    )

    for words in ("$1,500.00", "Hot", "Jun 1, 2025", ">A<", "Rita"):
        assert words in page, words
    assert "nonsense" not in page.split("<table")[1].split("<tbody")[0]


def test_a_click_on_a_head_sorts(stocked: Town) -> None:
    ada = stocked.as_("Ada")

    assert titles(ada.get(f"{MATTERS}?cols=title,worth&sort=worth").text) == ["Wall 华为", "Fence", "Roof"]
    assert titles(ada.get(f"{MATTERS}?cols=title,worth&sort=-worth").text) == ["Fence", "Wall 华为", "Roof"]
    assert 'aria-sort="descending"' in ada.get(f"{MATTERS}?cols=title,worth&sort=-worth").text
    assert "cannot be sorted" in ada.get(f"{MATTERS}?sort=note").text


def test_a_filter_in_the_address_selects_and_is_told_in_words(town: Town) -> None:
    matter(town, "Fence", worth="1500.00", heat="hot")
    matter(town, "Roof", worth="10.00", heat="hot")

    page = town.as_("Rita").get(f"{MATTERS}?f={f({'all': [HOT, DEAR]})}").text

    assert titles(page) == ["Fence"]
    assert "Heat is Hot" in page
    assert "Worth is at least" in page


@pytest.mark.parametrize(
    "text",
    [
        "nonsense", "[]", "{}", "null", "1", '{"all":1}', '{"field":"nothing","op":"eq","value":1}',
        '{"field":"note","op":"contains","value":"x"}', '{"field":"worth","op":"ge","value":"much"}',
        '{"field":"worth","op":"is_me"}', '{"field":"due","op":"in_period","value":"never"}',
        '{"field":"record.stage","op":"between","value":[1,2]}', '{"field":"holder","op":"eq","value":"me"}',
        '{"field":"holder","op":"eq","value":"9999999999999999999"}',
        '{"field":"client","op":"in","value":["9223372036854775808"]}',
        '{"field":"title","op":"eq","value":"\\u0000"}', '{"field":"title","op":"eq","value":"\\ud800"}',
        '{"field":"worth","op":"ge","value":1e400}', '{"field":"worth","op":"ge","value":NaN}',
        '{"not":' * 50 + "{}" + "}" * 50, "[" * 5000, "9" * 5000, "x" * 20000,
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_used_is_told_and_never_500(stocked: Town, text: str) -> None:
    ada = stocked.as_("Ada")

    for path in (MATTERS, f"{MATTERS}/filter"):
        answer = ada.get(f"{path}?f={quote(text)}")
        assert answer.status_code in (200, 422), text
        if path == MATTERS and answer.status_code == 422:
            assert "This filter cannot be used" in answer.text
            assert "Show the list without it" in answer.text


def build(visitor: Visitor, **rows: str) -> str:
    """Press *Apply* in the builder; the address of the list it leads to."""
    query = "&".join(f"{name.replace('_', '-')}={quote(text)}" for name, text in rows.items())
    answer = visitor.get(f"{MATTERS}/filter?mode=all&group=0&g0-mode=all&_filter=apply&{query}")
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_the_builder_makes_a_filter_without_javascript(stocked: Town) -> None:
    ada = stocked.as_("Ada")
    rows = "&".join(["g0-row=0", "g0-row=1", "g0-0-field=heat", "g0-0-op=in", "g0-0-a=hot"])

    target = build(ada, g0_row="0", g0_0_field="worth", g0_0_op="between", g0_0_a="100", g0_0_b="300")
    assert titles(ada.get(target).text) == ["Wall 华为"]
    answer = ada.get(f"{MATTERS}/filter?mode=all&group=0&g0-mode=all&{rows}&_filter=apply")
    assert titles(ada.get(answer.headers["Location"]).text) == ["Roof", "Fence"]


def test_the_builder_adds_and_removes_rows_and_groups(stocked: Town) -> None:
    ada = stocked.as_("Ada")
    page = ada.get(f"{MATTERS}/filter?f={f({'all': [HOT, {'any': [DEAR, {'not': HOT}]}]})}")
    assert page.status_code == 200
    assert 'value="heat" selected' in page.text
    assert 'name="g1-1-raw"' in page.text
    assert "not (Heat is Hot)" in page.text

    start = f"{MATTERS}/filter?mode=all&group=0&g0-row=0&g0-0-field=title&_filter="
    assert 'name="g0-1-field"' in ada.get(start + "row:0", htmx=True).text
    assert 'name="g1-0-field"' in ada.get(start + "group", htmx=True).text
    assert 'value="title" selected' not in ada.get(start + "drop:0:0", htmx=True).text
    assert "<html" not in ada.get(start + "row:0", htmx=True).text


def test_a_condition_comes_through_the_builder_unchanged(stocked: Town) -> None:
    """What the builder shows of a filter is, applied again, the same filter."""
    ada = stocked.as_("Ada")
    conditions = [
        {"all": [HOT, DEAR]},
        {"any": [{"field": "title", "op": "contains", "value": "a"}, {"field": "due", "op": "empty"}]},
        {
            "all": [
                {"field": "due", "op": "in_period", "value": "last_n_days:12"},
                {"any": [DEAR, {"not": HOT}]},
            ]
        },
        {"field": "holder", "op": "is_me"},
        {"field": "record.created_at", "op": "ge", "value": "2025-01-01"},
        {"field": "due", "op": "between", "value": ["2025-01-01", "2025-12-31"]},
        {"all": [{"field": "record.stage", "op": "in", "value": ["a", "won"]}]},
    ]
    for condition in conditions:
        pairs = sent_by(ada.get(f"{MATTERS}/filter?f={f(condition)}").text, "filter-builder")
        answer = ada.get(f"{MATTERS}/filter?{urlencode([*pairs, ('_filter', 'apply')])}")
        assert answer.status_code == 303, (condition, pairs)
        before = ada.get(f"{MATTERS}?f={f(condition)}").text
        after = ada.get(answer.headers["Location"]).text
        assert titles(before) == titles(after), (condition, answer.headers["Location"])
        assert words(before) == words(after)


@pytest.mark.parametrize("htmx", [False, True])
def test_a_value_that_is_none_is_422_at_its_row(stocked: Town, htmx: bool) -> None:
    query = "mode=all&group=0&g0-row=0&g0-0-field=worth&g0-0-op=ge&g0-0-a=much&_filter=apply"

    answer = stocked.as_("Ada").get(f"{MATTERS}/filter?{query}", htmx=htmx)

    assert answer.status_code == 422
    assert 'value="much"' in answer.text
    assert "Worth:" in answer.text


def test_pages_lead_forth_and_back(sqlite_town: Town) -> None:
    for number in range(60):
        matter(sqlite_town, f"Case {number:02}", flow=None)
    ada = sqlite_town.as_("Ada")
    first = ada.get(f"{MATTERS}?sort=title").text
    following = unescape(re.search(r'rel="next"\s+href="([^"]+)"', first).group(1))  # type: ignore[union-attr]

    second = ada.get(following).text

    assert (len(titles(first)), len(titles(second))) == (50, 10)
    back = unescape(re.search(r'rel="prev" href="([^"]+)"', second).group(1))  # type: ignore[union-attr]
    assert titles(ada.get(back).text) == titles(first)
    assert "cannot be found any more" in ada.get(f"{MATTERS}?after=nonsense").text


def test_empty_lists_say_what_to_do(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")

    assert "Nothing here yet" in ada.get(CLIENTS).text
    assert "Nothing matches" in ada.get(f"{CLIENTS}?q=xyz").text
    assert ada.get("/w/acme/o/nothing").status_code == 404
    assert ada.get(f"{MATTERS}?view=nothing").status_code == 404


def test_words_find_chinese_in_the_list(stocked: Town) -> None:
    assert titles(stocked.as_("Rita").get(f"{MATTERS}?q=华").text) == ["Wall 华为"]


VIEWS = f"{MATTERS}/views"


def save_view(visitor: Visitor, name: str = "Dear ones", **more: str) -> str:
    answer = visitor.post(
        VIEWS, {"name": name, "f": json.dumps(DEAR), "cols": "title,worth", "sort": "-worth", **more}
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_a_view_is_saved_and_redirects_without_htmx(town: Town) -> None:
    matter(town, "Fence", worth="1500.00")
    matter(town, "Roof", worth="10.00")
    rita = town.as_("Rita")

    where = save_view(rita)

    page = rita.get(where).text
    assert titles(page) == ["Fence"]
    assert "Dear ones" in page
    assert "Dear ones" not in town.as_("Mia").get(MATTERS).text


def test_a_view_is_renamed_shared_and_deleted(sqlite_town: Town) -> None:
    ada, mia = sqlite_town.as_("Ada"), sqlite_town.as_("Mia")
    where = save_view(ada)
    address = "/w/acme/views/" + where.rsplit("=", 1)[1]

    changed = {"name": "For all", "shared": "1", "view": where.rsplit("=", 1)[1], "revision": "1"}
    assert 'name="revision" value="1"' in ada.get(where).text
    assert ada.post(address, changed).status_code == 303
    assert "For all" in mia.get(MATTERS).text
    seen = {"revision": "2"}
    assert mia.post(address, {"name": "Mine", **seen}).status_code == 403
    assert mia.post(f"{address}/delete", seen).status_code == 403
    assert ada.post(f"{address}/delete", seen).status_code == 303
    assert "For all" not in mia.get(MATTERS).text
    assert ada.post(f"{address}/delete", seen).status_code == 404


def test_a_view_that_somebody_changed_meanwhile_is_409_and_can_be_saved_again(sqlite_town: Town) -> None:
    ada = sqlite_town.as_("Ada")
    key = save_view(ada).rsplit("=", 1)[1]
    address, mine = f"/w/acme/views/{key}", {"name": "Mine", "view": key, "revision": "1"}
    assert ada.post(address, {"name": "Theirs", "view": key, "revision": "1"}).status_code == 303

    stale = ada.post(address, mine)

    assert stale.status_code == 409
    assert 'value="Mine"' in stale.text
    assert 'name="revision" value="2"' in stale.text
    assert ada.post(f"{address}/delete", {"revision": "1"}).status_code == 409
    assert ada.post(address, {"name": "Mine"}).status_code == 400
    assert "Theirs" in ada.get(MATTERS).text
    assert ada.post(address, {**mine, "revision": "2"}).status_code == 303


def test_a_view_without_a_name_is_422_and_keeps_the_filter(sqlite_town: Town) -> None:
    rita = sqlite_town.as_("Rita")

    answer = rita.post(VIEWS, {"name": " ", "f": json.dumps(DEAR)})

    assert answer.status_code == 422
    assert "view-name-error" in answer.text
    assert json.dumps(DEAR) in unescape(answer.text)
    long = rita.post(VIEWS, {"name": "typed" * 100})
    assert long.status_code == 422
    assert "typedtyped" in long.text
    assert rita.post(VIEWS, {"name": "Bad", "f": "nonsense"}).status_code == 422


def test_sharing_a_view_without_the_right_is_403(sqlite_town: Town) -> None:
    assert sqlite_town.as_("Rita").post(VIEWS, {"name": "For all", "shared": "1"}).status_code == 403


def test_anothers_view_is_404(sqlite_town: Town) -> None:
    where = save_view(sqlite_town.as_("Ada"))
    key = where.rsplit("=", 1)[1]
    rita, otto = sqlite_town.as_("Rita"), sqlite_town.as_("Otto")

    assert rita.get(where).status_code == 404
    seen = {"revision": "1"}
    assert rita.post(f"/w/acme/views/{key}", {"name": "Mine", **seen}).status_code == 404
    assert rita.post(f"/w/acme/views/{key}/delete", seen).status_code == 404
    assert otto.post(f"/w/other/views/{key}/delete", seen).status_code == 404
    assert rita.post(f"/w/acme/views/{NOBODY}/delete", seen).status_code == 404
    assert rita.get(f"/w/acme/views/{key}").status_code == 405


def test_a_page_of_a_list_costs_few_statements(sqlite_town: Town, count_statements: object) -> None:
    client = make(sqlite_town, "client", {"title": "Steel"})
    for number in range(10):
        matter(sqlite_town, f"Case {number}", client=str(client), worth="10.00")
    rita = sqlite_town.as_("Rita")
    rita.get(MATTERS)

    with count_statements(sqlite_town.app) as sent:  # type: ignore[operator]
        assert rita.get(f"{MATTERS}?f={f({'all': [DEAR]})}").status_code == 200

    assert len(sent) <= 8, sent


def test_saving_a_view_says_that_words_are_not_kept(sqlite_town: Town) -> None:
    matter(sqlite_town, "Fence")
    rita = sqlite_town.as_("Rita")
    told = "The words “fence” are not kept"
    assert told in rita.get(f"{MATTERS}?q=fence").text
    assert "are not kept" not in rita.get(MATTERS).text
