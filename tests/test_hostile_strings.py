"""Hostile strings in every field and parameter: stored exactly as typed or refused in words, shown as text,
never a crash (*Bad input*)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode, urljoin

import pytest
from sqlalchemy import select

from builder.db.definitions import SavedView
from builder.db.ids import to_public
from builder.db.people import Member
from builder.db.records import Record
from builder.domain.comparison import EvaluationContext
from builder.domain.conditions import Comparison
from builder.domain.permissions import Actor
from builder.errors import FunnelwrightError, Invalid
from builder.queries.list import ListRequest, list_records
from builder.queries.search import search
from builder.services import departments, people, views
from builder.services.maintenance import verify
from builder.services.records import Entry, NewRecord, Refusal, Saved, SaveRecord, create, create_many, save
from builder.services.unit_of_work import UnitOfWork
from tests import factories
from tests.factories import World, make_world
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.hostile import OWN, Page, hostile_strings, without_spaces
from tests.fixtures.html_forms import Form, read_page
from tests.fixtures.town import Town, Visitor

OPTIONS = [{"key": "a", "label": {"en": "A"}}, {"key": "b", "label": {"en": "B"}}]


def field(kind: str, **more: Any) -> dict[str, Any]:
    return {"x-type": kind, "x-label": {"en": kind.title()}, **more}


TYPES = {
    "text": field("text", **{"x-role": "name", "x-filterable": True}),
    "line": field("text"),
    "long_text": field("long_text"),
    "email": field("email", **{"x-filterable": True}),
    "phone": field("phone"),
    "url": field("url"),
    "choice": field("choice", **{"x-options": OPTIONS, "x-filterable": True}),
    "choices": field("choices", **{"x-options": OPTIONS}),
    "integer": field("integer", **{"x-filterable": True}),
    "decimal": field("decimal"),
    "percent": field("percent"),
    "money": field("money"),
    "yes_no": field("yes_no"),
    "date": field("date", **{"x-filterable": True}),
    "datetime": field("datetime"),
    "user": field("user"),
    "reference": field("reference", **{"x-target": "client"}),
    "formula": field("formula", **{"x-formula": "integer + 1"}),
    "table": field(
        "table", items={"type": "object", "properties": {"cell": field("text"), "number": field("integer")}}
    ),
}
BOX = {
    "grammar": 1,
    "kind": "object",
    "key": "box",
    "label": {"en": "Box"},
    "label_plural": {"en": "Boxes"},
    "search": ["text", "long_text", "email"],
    "list": {"columns": ["text", "line", "long_text", "email", "url"], "sort": ["text"]},
    "fields": {"type": "object", "required": ["text"], "properties": TYPES},
}
TEXTS = ("text", "line", "long_text")
STRINGS: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def strings() -> list[str]:
    STRINGS[:] = hostile_strings()
    return STRINGS


def some(share: int, offset: int = 0) -> list[str]:
    """Every ``share``-th string from a place that depends on ``offset``: together the tests see all."""
    return STRINGS[offset % share :: share]


def is_unicode(text: str) -> bool:
    """Whether the text can be said in UTF-8 at all: half a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@pytest.fixture
def world(database_url: FreshDatabase) -> Iterator[World]:
    made = make_world(database_url.url, documents=(*factories.DOCUMENTS, BOX))
    yield made
    made.engine.dispose()


def context(uow: UnitOfWork) -> EvaluationContext:
    return EvaluationContext(uow.clock.now(), uow.workspace.time_zone, uow.actor.member_id, ())


def reasons_are_words(refusal: Refusal) -> bool:
    texts = [
        fault.message_key % fault.values if fault.values else fault.message_key for fault in refusal.faults
    ]
    return bool(texts) and all(len(text) < 400 for text in texts)


def test_a_text_is_stored_exactly_as_it_came_or_refused_in_words(world: World) -> None:
    with world.work() as uow:
        sent: dict[int, tuple[str, str]] = {}
        refused: Counter[str] = Counter()
        for key in TEXTS:
            news = [NewRecord({"text": f"{key} {n}", key: text}) for n, text in enumerate(STRINGS)]
            for new, text, result in zip(news, STRINGS, create_many(uow, "box", news), strict=True):
                if isinstance(result, Saved):
                    sent[new.id] = (key, text)
                else:
                    assert reasons_are_words(result)
                    assert {fault.field for fault in result.faults} == {key}
                    refused[key] += 1
        uow.commit()
    with world.work() as uow:
        stored = {row.id: row.data for row in uow.session.execute(select(Record.id, Record.data))}
        assert len(stored) == len(sent)
        assert {number: stored[number][key] for number, (key, _) in sent.items()} == {
            number: text for number, (_, text) in sent.items()
        }
        assert not verify(uow).differences
    # Only what cannot be stored or is too long was refused.
    longest = sum(len(text) > 255 for text in STRINGS)
    lines = sum("\n" in text or "\r" in text for text in STRINGS)
    unstorable = sum("\0" in text or not is_unicode(text) for text in STRINGS)
    assert refused["long_text"] == unstorable
    assert refused["text"] <= unstorable + longest + lines


def test_other_types_refuse_what_is_no_value_and_never_crash(sqlite_database: FreshDatabase) -> None:
    world = make_world(sqlite_database.url, documents=(*factories.DOCUMENTS, BOX))
    never = ("choice", "choices", "yes_no", "user", "reference")
    for place, key in enumerate(key for key in TYPES if key not in TEXTS):
        values: list[Any] = list(some(8, place))
        if key == "choices":
            values = [[text] for text in values]
        if key == "table":
            values = [[{"cell": text}] for text in values] + [[{"number": text}] for text in values[:30]]
        with world.work() as uow:
            news = [NewRecord({"text": "x", key: value}) for value in values]
            results = create_many(uow, "box", news)
            uow.commit()
        with world.work() as uow:
            for new, value, result in zip(news, values, results, strict=True):
                if isinstance(result, Refusal):
                    assert reasons_are_words(result)
                elif key != "formula":
                    stored = uow.session.get_one(Record, (uow.workspace.id, new.id)).data
                    assert stored[key] == value
                assert key not in never or isinstance(result, Refusal)
    with world.work() as uow:
        assert not verify(uow).differences
    world.engine.dispose()


def test_a_record_is_found_by_its_hostile_name_and_by_a_condition_on_it(world: World) -> None:
    names = [text for text in some(6, 1) if len(text) <= 255 and text.isprintable() and is_unicode(text)]
    with world.work() as uow:
        made = create_many(uow, "box", [NewRecord({"text": text}) for text in names])
        uow.commit()
    with world.work() as uow:
        actor = world.admin()
        for text, result in zip(names, made, strict=True):
            if not isinstance(result, Saved):
                continue
            asked = ListRequest("box", filter=Comparison("text", "eq", text))
            page = list_records(uow.session, uow.catalog, actor, asked, context(uow))
            assert result.record_id in {row.id for row in page.rows}, text
        for text in some(4):
            search(uow.session, uow.catalog, actor, text[:200].strip())


def test_any_string_may_be_the_value_of_a_condition(world: World) -> None:
    with world.work() as uow:
        create(uow, "box", NewRecord({"text": "only"}))
        actor = world.admin()
        for place, text in enumerate(some(2)):
            op = ("eq", "contains", "starts_with")[place % 3]
            asked = ListRequest("box", filter=Comparison("text", op, text))
            try:
                page = list_records(uow.session, uow.catalog, actor, asked, context(uow))
            except FunnelwrightError:
                continue
            assert len(page.rows) == int(text.casefold() in "only" if op == "contains" else False)


def test_views_people_and_departments_keep_their_names_or_refuse_them(world: World) -> None:
    with world.work() as uow:
        uow.begin()
        kept: dict[str, dict[int, str]] = {"view": {}, "member": {}, "department": {}}
        for text in some(6):
            plain = " ".join(text.split())
            keep(uow, kept["view"], plain, partial(views.save_view, uow, views.SaveView("box", text)))
            person = people.PersonFacts(text, "rep")
            keep(uow, kept["member"], plain, partial(lambda p: people.add(uow, p).member_id, person))
            keep(uow, kept["department"], plain, partial(departments.add, uow, text))
        uow.commit()
    with world.work() as uow:
        stored = {row.id: row.name for row in uow.session.execute(select(SavedView.id, SavedView.name))}
        assert kept["view"] == stored
        stored = {row.id: row.name for row in uow.session.execute(select(Member.id, Member.name))}
        assert {number: stored[number] for number in kept["member"]} == kept["member"]
        assert min(len(names) for names in kept.values()) > len(some(6)) // 2


def keep(uow: UnitOfWork, kept: dict[int, str], text: str, make: Callable[[], int]) -> None:
    with suppress(Invalid), uow.savepoint():
        kept[make()] = text


# --- over HTTP


@pytest.fixture
def town(sqlite_town: Town) -> Town:
    from builder.services import definitions

    uow = sqlite_town.work()
    definitions.publish(uow, (BOX,))
    uow.commit()
    uow.session.close()
    return sqlite_town


def in_address(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def check(answer: Any, about: object) -> Page:
    """No crash (which the test client raises), and nothing on the page that could run."""
    assert answer.status_code < 500, (about, answer.status_code)
    page = Page(answer.get_data(as_text=True) if "html" in answer.mimetype else "")
    assert not page.faults, (about, page.faults[:3])
    return page


def actor_of(town: Town, name: str) -> Actor:
    return Actor(town.ids[name], name, "admin", frozenset(factories.RIGHTS), "all")


def matter(town: Town, values: dict[str, Any], entry: str | None = "flow") -> int:
    uow = town.work()
    uow.actor = actor_of(town, "Ada")
    saved = create(uow, "matter", NewRecord(values, Entry(entry) if entry else None))
    uow.commit()
    uow.session.close()
    return saved.record_id


PARAMETERS = {
    "/w/acme/o/matter": ("q", "sort", "after", "before", "f", "cols", "c", "view"),
    "/w/acme/o/matter/filter": ("q", "f", "mode", "group", "g0-row", "_filter", "view"),
    "/w/acme/o/matter/filter?mode=all&group=0&g0-row=0&_filter=apply": ("g0-0-field", "g0-0-op", "g0-0-raw"),
    "/w/acme/o/matter/filter?mode=all&group=0&g0-row=0&g0-0-field=title": ("g0-0-a", "g0-0-op"),
    "/w/acme/o/matter/filter?group=0&g0-row=0&g0-0-field=worth&g0-0-op=between": ("g0-0-a", "g0-0-b"),
    "/w/acme/o/matter/new": ("pipeline", "field", "from"),
    "/w/acme/search": ("q",),
    "/w/acme/lookup/records/matter": ("q",),
    "/w/acme/lookup/people": ("q",),
    "/w/acme/recycle-bin": ("after", "object"),
    "/w/acme/p/flow/board": ("q", "owner", "view", "f", "text", "mine"),
    "/w/acme/p/flow/board/a": ("after", "owner", "q", "fold"),
    "/w/acme/insights/funnel": (
        "pipeline", "view", "mode", "measure", "amounts", "preset", "from", "to", "owner", "department",
        "where", "by", "currency", "f.heat",
    ),
    "/w/acme/insights/funnel/difference": ("mode", "owner", "from", "by"),
    "/w/acme/insights/funnel/list": ("figure", "stage", "after", "mode", "group", "by"),
    "/w/acme/insights/wins": ("by", "from", "to", "owner", "department", "where", "currency", "preset"),
    "/w/acme/insights/wins/list": ("outcome", "after", "group", "by"),
    "/w/acme/insights/filter": ("report", "of", "mode"),
    "/w/acme/admin/people": ("q", "all"),
    "/w/acme/o/matter/calendar": ("date", "on", "span", "f", "q", "owner"),
    "/w/acme/o/matter/calendar/day": ("day", "date"),
    "/w/acme/p/flow/board?lanes=heat": ("lanes", "cards", "lane", "f"),
    "/w/acme/o/matter/group?group=heat": ("group", "value", "by"),
    "/w/acme/o/matter/duplicates": ("page", "state"),
    "/w/acme/o/matter/merge": ("row",),
    "/w/acme/o/matter/export": ("cols", "f", "sort"),
    "/w/acme/studio/history": ("before",),
    "/w/acme/studio/objects/matter/fields": ("field", "section", "add", "into", "at", "rule", "panel", "sample"),
    "/sign-in": ("next",),
}  # fmt: skip


def test_any_string_may_stand_in_any_parameter(town: Town) -> None:
    matter(town, {"title": "One", "worth": "5.00"})
    ada, stranger = town.as_("Ada"), town.visitor()
    number = 0
    for path, names in PARAMETERS.items():
        glue = "&" if "?" in path else "?"
        visitor = stranger if path == "/sign-in" else ada
        for name in names:
            number += 1
            for text in (OWN[number % len(OWN)], STRINGS[number * 97 % len(STRINGS)]):
                address = f"{path}{glue}{name}={in_address(text)}"
                check(visitor.get(address, htmx=number % 3 == 2), (address, text))


def test_half_and_broken_encodings_in_an_address_are_no_crash(town: Town) -> None:
    ada = town.as_("Ada")
    for raw in ("%00", "%ff%fe", "%c3%28", "%ed%a0%80", "%", "%zz", "a=b&a=c&a[]=d", "%u0041"):
        for path in list(PARAMETERS)[::3]:
            name = PARAMETERS[path][0]
            check(ada.get(f"{path}{'&' if '?' in path else '?'}{name}={raw}"), (path, raw))


def test_a_hostile_cookie_or_header_is_ignored(town: Town) -> None:
    ada = town.as_("Ada")
    for text in some(20):
        value = text.encode("utf-8", "surrogatepass").decode("latin-1")
        value = "".join(sign for sign in value if sign.isprintable() and sign not in ';,"\\ ')
        for name in ("fw_language", "fw_theme"):
            ada.client.set_cookie(name, value)
        check(
            ada.get(
                "/w/acme/o/matter", **{"Accept-Language": value, "X-Request-Id": value, "Referer": value}
            ),
            value,
        )
    ada.client.set_cookie("fw_session", "a.b.c'\"><")
    assert ada.get("/w/acme/o/matter").status_code in (302, 303)


def form_data(text: str) -> dict[str, Any]:
    return {f"f-{key}": text for key in TYPES if key not in ("table", "formula")} | {
        "_has": [f"f-{key}" for key in TYPES], "f-text": text, "f-table": "0", "f-table-rows": "0",
        "f-table-0-cell": text, "f-table-0-number": text,
    }  # fmt: skip


def test_a_form_full_of_any_string_is_refused_and_shows_it_again(town: Town) -> None:
    ada = town.as_("Ada")
    for place, text in enumerate(filter(is_unicode, some(25))):
        answer = ada.post("/w/acme/o/box/new", form_data(text), htmx=place % 2 == 1)
        page = check(answer, text)
        assert answer.status_code == 422, text
        assert without_spaces(text) in without_spaces("".join([*page.values, page.text])) or "\0" in text, (
            text
        )
    uow = town.work()
    assert uow.session.scalars(select(Record.id).where(Record.object_key == "box")).first() is None
    uow.session.close()


def test_what_a_form_saves_is_what_was_typed_and_every_page_shows_it_as_text(town: Town) -> None:
    ada = town.as_("Ada")
    typed: dict[str, str] = {}
    for text in filter(is_unicode, some(14)):
        answer = ada.post("/w/acme/o/box/new", {"f-text": text, "f-long_text": text, "f-line": "x"})
        check(answer, text)
        if answer.status_code == 303:
            typed[answer.location] = text
    assert len(typed) > 25
    uow = town.work()
    stored = {
        f"/w/acme/r/{to_public(record.id)}": record.data
        for record in uow.session.scalars(select(Record).where(Record.object_key == "box"))
    }
    uow.session.close()
    assert {place: data["text"] for place, data in stored.items()} == typed
    for place, text in list(typed.items())[::4]:
        for address in (place, f"{place}/edit", f"{place}/delete"):
            page = check(ada.get(address), text)
            shown = without_spaces("".join([*page.values, page.text]))
            assert without_spaces(text) in shown, (address, text)
    address, seen = "/w/acme/o/box", ""
    while address:
        answer = ada.get(address)
        page = check(answer, address)
        seen += without_spaces(page.text)
        address = next_page(answer.text)
    assert not [text for text in typed.values() if without_spaces(text) not in seen]


def next_page(markup: str) -> str:
    import html
    import re

    found = re.search(r'href="([^"]*[?&](?:amp;)?after=[^"]+)"', markup)
    return html.unescape(found.group(1)) if found else ""


def test_boards_cards_dialogs_and_reports_show_hostile_names_as_text(town: Town) -> None:
    uow = town.work()
    uow.actor = actor_of(town, "Ada")
    texts = [text for text in some(20, 5) if is_unicode(text) and text.isprintable() and len(text) <= 200]
    made: dict[int, str] = {}
    for text in texts:
        try:
            saved = create(uow, "matter", NewRecord({"title": text, "note": text}, Entry("flow")))
        except Invalid:
            continue
        made[saved.record_id] = text
    uow.commit()
    uow.session.close()
    ada = town.as_("Ada")
    addresses = [
        "/w/acme/p/flow/board",
        "/w/acme/o/matter",
        "/w/acme/insights/funnel/list?figure=entered&stage=a",
    ]
    for address in addresses:
        page = check(ada.get(address), address)
        newest = list(made.values())[-20:]
        if "board" in address:
            assert all(without_spaces(text) in without_spaces(page.text) for text in newest)
    for number, text in list(made.items())[::6]:
        public = to_public(number)
        for part in ("", "/move", "/move/b", "/move/lost", "/timeline"):
            page = check(ada.get(f"/w/acme/r/{public}{part}"), (part, text))
            if part != "/timeline":
                assert without_spaces(text) in without_spaces("".join([*page.values, page.text])), (
                    part,
                    text,
                )


def test_moves_take_any_string_as_text_or_refuse_it(town: Town) -> None:
    ada = town.as_("Ada")
    public = to_public(matter(town, {"title": "One", "worth": "5.00"}))
    for place, text in enumerate(filter(is_unicode, some(80))):
        data = {
            "_form": "1", "revision": "1", "board": text, "answers-address": text, "answers-mood": text,
            "tasks": text, "reason_key": text, "reason_note": text, "confirmed": text, "override_reason": "",
        }  # fmt: skip
        answer = ada.post(f"/w/acme/r/{public}/move/lost", data, htmx=place % 2 == 1)
        check(answer, text)
        assert answer.status_code in (409, 422), (answer.status_code, text)
        check(ada.post(f"/w/acme/r/{public}/move/lost", {**data, "revision": text}), text)
        check(ada.post(f"/w/acme/r/{public}/move/{in_address(text)}", {"revision": "1"}), text)
        for name in ("tasks", "marker", "feedback", "start", "delete", "edit"):
            sent = {"stay": text, "done": text, "shown": text, "seen": text, "pipeline": text,
                    "f-address": text, "f-title": ""}  # fmt: skip
            if name != "delete":
                check(ada.post(f"/w/acme/r/{public}/{name}", {**sent, "revision": "1"}), (name, text))
            if not text.isdecimal():
                check(ada.post(f"/w/acme/r/{public}/{name}", {**sent, "revision": text}), (name, text))


def test_reasons_notes_and_answers_are_kept_exactly(town: Town) -> None:
    ada = town.as_("Ada")
    texts = [text for text in some(40, 3) if is_unicode(text) and "\0" not in text and len(text) < 250]
    for text in texts:
        plain = text.strip()
        public = to_public(matter(town, {"title": "One"}, "flow"))
        data = {"_form": "1", "revision": "1", "answers-address": text, "answers-mood": "",
                "reason_key": "price", "reason_note": text}  # fmt: skip
        answer = ada.post(f"/w/acme/r/{public}/move/lost", data)
        page = check(answer, text)
        if answer.status_code == 303:
            page = check(ada.get(f"/w/acme/r/{public}"), text)
            assert without_spaces(plain) in without_spaces(page.text), text


# Pages with forms, and those that show what was sent there.
FORM_PAGES = (
    "/account/settings", "/w/acme/admin/people/new", "/w/acme/admin/departments/new", "/w/acme/o/matter",
    "/w/acme/o/matter/calendar", "/w/acme/p/flow/board", "/w/acme/imports/", "/w/acme/studio/objects/new",
    "/w/acme/studio/forms/new", "/w/acme/studio/processes/new", "/w/acme/studio/processes/flow",
    "/w/acme/studio/processes/flow/stages/a", "/w/acme/studio/objects/matter/settings",
    "/w/acme/studio/objects/matter/fields?field=heat", "/w/acme/studio/objects/matter/fields?add=text",
    "/w/acme/studio/objects/matter/fields?rule=new", "/w/acme/studio/objects/matter/fields?section=details",
    "/w/acme/studio/changes",
)  # fmt: skip
SHOWN_AFTER = ("/w/acme/admin/people", "/w/acme/admin/departments", "/w/acme/studio/objects")
_NUMBERED = re.compile(r"[0-9]+")


def forms_on(visitor: Visitor, address: str) -> list[Form]:
    answer = visitor.get(address)
    check(answer, address)
    page = read_page(address, 200, answer.text)
    return [form for form in page.forms if not re.search("sign-out|preferences", form.action)]


def test_any_string_may_be_sent_in_any_control_of_any_form(town: Town) -> None:
    """One control at a time (two or three of each form), the rest as a browser sends it: what is kept can be shown."""
    ada, sent = town.as_("Ada"), 0
    known: set[tuple[str, ...]] = set()
    for address in FORM_PAGES:
        now = forms_on(ada, address)
        for number, form in enumerate(now):
            mark = (form.action or address, *sorted(form.names))
            if mark in known:
                continue
            known.add(mark)
            # Drawn icons are asked for by name, and one that is not drawn is an error in tests alone.
            names = {_NUMBERED.sub("0", name): name for name in sorted(form.names - {"csrf_token", "icon"})}
            among = [*names.values(), *(button for button, _ in form.buttons[:1])]
            for name in among[sent % 3 :: max(1, len(among) // 2)]:
                if number >= len(now):
                    break
                sent += 1
                text = [OWN[0], *filter(is_unicode, OWN)][sent % 16]
                data = {**now[number].filled(), name: [text]}
                answer = send(ada, form, address, data, htmx=sent % 2 == 1)
                check(answer, (address, form.action, name, text))
                if 300 <= answer.status_code < 400:
                    assert answer.location.startswith("/"), (answer.location, text)
                    assert not answer.location.startswith(("//", "/\\")), (answer.location, text)
                if form.method == "post" and answer.status_code < 400:
                    # An edit names the state that it was made from, which is another now.
                    now = forms_on(ada, address)
    assert sent > 50
    for place in (*FORM_PAGES, *SHOWN_AFTER):
        check(ada.get(place), place)


def send(visitor: Visitor, form: Form, address: str, data: dict[str, list[str]], *, htmx: bool) -> Any:
    target = urljoin(address, form.action or address)
    if form.method == "post":
        return visitor.post(target, data, htmx=htmx)
    return visitor.get(f"{target.partition('?')[0]}?{urlencode(data, doseq=True)}", htmx=htmx)


def test_signing_in_with_any_string_is_only_refused(town: Town) -> None:
    town.app.extensions["limiter"]
    for text in filter(is_unicode, some(120)):
        visitor = Visitor(town.app.test_client())
        visitor.fetch_token("/sign-in")
        answer = visitor.post("/sign-in", {"email": text, "password": text, "next": text})
        check(answer, text)
        assert answer.status_code in (200, 400, 422, 429)
        assert town.app.test_client().get("/w/acme/").status_code in (302, 303)


def test_json_bodies_and_wrong_content_types_are_no_crash(town: Town) -> None:
    ada = town.as_("Ada")
    bodies: Iterable[str] = (json.dumps({"f-title": text}) for text in filter(is_unicode, some(120)))
    for body in bodies:
        for kind in (
            "application/json",
            "text/plain",
            "multipart/form-data",
            "multipart/form-data; boundary=x",
        ):
            answer = ada.client.post(
                "/w/acme/o/matter/new",
                data=body.encode(),
                content_type=kind,
                headers={"X-CSRFToken": ada.token},
            )
            check(answer, (kind, body))
            assert answer.status_code in (400, 413, 415, 422), answer.status_code


def test_saving_any_string_through_the_service_changes_only_that_field(world: World) -> None:
    with world.work() as uow:
        record_id = create(uow, "box", NewRecord({"text": "one"})).record_id
        revision = 1
        for text in some(12):
            try:
                with uow.savepoint():
                    revision = save(uow, SaveRecord(record_id, {"long_text": text}, revision)).revision
            except Invalid:
                continue
            stored = uow.session.execute(select(Record.data).where(Record.id == record_id)).scalar_one()
            assert stored == {"text": "one", "long_text": text}
        uow.commit()
        assert not verify(uow).differences
