"""What a role hides is nowhere (S118): not in a page, a fragment, a file, an order, a filter or a total.

One walk over every address of a workspace as somebody from whom amounts and a secret are hidden; then the
hidden values change, and the walk must look the same.
"""

from __future__ import annotations

import copy
import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from flask import Flask
from sqlalchemy import delete, func, select, update
from werkzeug.routing import Rule

from builder.db.ids import to_public
from builder.db.ledger import EventRow
from builder.db.records import Record
from builder.domain.permissions import RIGHTS
from builder.services import people
from builder.services.transitions import MoveRecord, move
from tests import factories
from tests.blueprints.workspace.desk import change, make, page_of
from tests.fixtures.town import PASSWORD, Town, Visitor

AMOUNTS = ("987654.32", "123456.78", "55.55")
SECRETS = ("ZEBRA-QUARTZ", "LLAMA-BASALT", "GNU-GRANITE")
OTHERS = (("1.11", "AARDVARK"), ("777777.77", "YAK-OPAL"), ("42424.24", "ZEBRA-TIN"))
# As pages write them: with or without marks, without decimals, in the files, doubled by a formula, summed.
TRACES = re.compile(
    r"987.?654|123.?456.?78|123,?457|55\.55|1.?975.?308|246.?913|1.?111.?1[16]|ZEBRA|QUARTZ|LLAMA|BASALT|GRANITE",
    re.I,
)
HIDDEN_NAMES = ("worth", "twice", "secret", "sum_worth")


def documents() -> list[dict[str, Any]]:
    """Matters with an amount, what is computed from it, a secret that is searched, and a total of amounts."""
    case, client = copy.deepcopy(factories.CASE), copy.deepcopy(factories.ACCOUNT)
    fields = case["fields"]["properties"]
    fields["secret"] = factories.text_field("Secret", **{"x-filterable": True})
    fields["twice"] = {
        "x-type": "formula",
        "x-label": {"en": "Twice"},
        "x-formula": "worth * 2",
        "x-scale": 2,
        "x-filterable": True,
    }
    fields["client"]["x-role"] = "account"
    case["search"] = ["title", "secret"]
    case["list"] = {"columns": ["title", "worth", "secret", "twice"], "sort": ["-worth"]}
    client["fields"]["properties"]["sum_worth"] = {
        "x-type": "money_rollup",
        "x-label": {"en": "All worth"},
        "x-from": "matter",
        "x-by": "client",
        "x-function": "sum",
        "x-of": "worth",
    }
    view = {
        "grammar": 1,
        "kind": "view",
        "key": "dear",
        "label": {"en": "Dear ones"},
        "object": "matter",
        "layout": "list",
        "columns": ["title", "worth"],
        "filter": {"field": "worth", "op": "gt", "value": "1000"},
    }
    clerk = {**factories.role("clerk", RIGHTS), "fields": {"matter": {"worth": "hidden", "secret": "hidden"}}}
    return [case, client, view, clerk]


def settled(town: Town) -> tuple[int, list[int]]:
    """Three matters of a client, one won and one lost, and Clara, who is a clerk."""
    uow = town.work()
    factories.publish(uow, documents())
    facts = people.PersonFacts("Clara", "clerk", "clara@example.com", town.ids["Ada"])
    town.ids["Clara"] = people.add(uow, facts, password=PASSWORD).member_id
    uow.commit()
    uow.session.close()
    client = make(town, "client", {"title": "Client"})
    matters = []
    for number, (amount, secret) in enumerate(zip(AMOUNTS, SECRETS, strict=True)):
        values = {"title": f"Case {number}", "worth": amount, "secret": secret, "client": str(client)}
        matters.append(make(town, "matter", values, "free", owner="Clara"))
    for record_id, stage, reason in ((matters[1], "won", None), (matters[2], "lost", None)):
        uow = town.work()
        move(uow, MoveRecord(record_id, stage, reason_key=reason))
        uow.commit()
        uow.session.close()
    change(town, matters[0], "Ada", worth="55.56")
    change(town, matters[0], "Ada", worth=AMOUNTS[0])
    return client, matters


def addresses(app: Flask, town: Town, client: int, matters: list[int]) -> Iterator[str]:
    """Every address of the workspace that can be read, with what the town has in the place of its names."""
    known = {
        "object_key": ("matter", "client"),
        "record_id": tuple(to_public(one) for one in (matters[0], client)),
        "pipeline_key": ("free",),
        "stage_key": ("a", "won"),
        "to": ("b", "lost"),
        "member_id": (to_public(town.ids["Ada"]),),
        "department_id": (to_public(town.ids["east"]),),
        "key": ("worth", "matter"),
        "area": ("objects",),
    }
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        names = sorted(rule.arguments - {"workspace_key"})
        if "GET" not in (rule.methods or ()) or not rule.rule.startswith("/w/<workspace_key>"):
            continue
        if all(name in known for name in names):
            yield from _filled(rule, names, known)


def _filled(rule: Rule, names: list[str], known: dict[str, tuple[str, ...]]) -> Iterator[str]:
    texts = [rule.rule.replace("<workspace_key>", "acme")]
    for name in names:
        pattern = re.compile(rf"<(?:[^<>:]+:)?{name}>")
        texts = [pattern.sub(value, text) for text in texts for value in known[name]]
    yield from texts


def asked_for_by_name(names: tuple[str, ...] = HIDDEN_NAMES) -> Iterator[str]:
    """Orders, filters, columns, words, groups and figures that name what is hidden."""
    for name in names:
        yield f"/w/acme/o/matter?sort=-{name}"
        yield f"/w/acme/o/matter?sort={name}&cols=title,{name}"
        yield f"/w/acme/o/matter?group={name}"
        yield f"/w/acme/o/matter/group?group={name}&value=1"
        yield f"/w/acme/p/free/board?lanes={name}&cards=title,{name}"
        yield f"/w/acme/o/matter/export?cols=title,{name}&sort={name}"
        condition = json.dumps({"field": name, "op": "not_empty"})
        for place in ("/o/matter?f=", "/p/free/board?f=", "/insights/funnel?where=", "/o/matter/filter?f="):
            yield f"/w/acme{place}{condition}"
        yield f"/w/acme/insights/wins?by={name}"
    yield "/w/acme/o/matter?group=heat"
    yield "/w/acme/o/matter/totals"
    yield "/w/acme/p/free/board?lanes=client"
    yield "/w/acme/o/matter?view=dear"
    yield "/w/acme/o/client?cols=title,sum_worth&sort=sum_worth"
    for words in ("ZEBRA", "QUARTZ", "LLAMA"):
        yield f"/w/acme/search?q={words}"
        yield f"/w/acme/o/matter?q={words}"
        yield f"/w/acme/lookup/records/matter?q={words}"
    for query in (
        "measure=amount",
        "view=snapshot",
        "view=snapshot&measure=amount",
        "amounts=now",
        "by=owner",
    ):
        yield f"/w/acme/insights/funnel?pipeline=free&{query}"
        yield f"/w/acme/insights/wins?pipeline=free&{query}"
        yield f"/w/acme/insights/reasons?pipeline=free&{query}"
    for figure in ("now", "entered", "denominator"):
        yield f"/w/acme/insights/funnel/list?pipeline=free&figure={figure}&stage=a"
    yield "/w/acme/insights/wins/list?pipeline=free&outcome=all"
    yield "/w/acme/insights/reasons/list?pipeline=free&outcome=lost"


def files(clara: Visitor) -> Iterator[tuple[str, str]]:
    for kind in ("csv", "xlsx"):
        for which in ("shown", "all"):
            answer = clara.post("/w/acme/o/matter/export", {"format": kind, "columns": which, "which": which})
            yield f"export {kind} {which}", _text_of(answer.data)
        answer = clara.post("/w/acme/insights/wins/list?pipeline=free&outcome=all", {"format": kind})
        yield f"figure {kind}", _text_of(answer.data)


def _text_of(data: bytes) -> str:
    if not data.startswith(b"PK"):
        return data.decode()
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return "\n".join(packed.read(name).decode() for name in packed.namelist() if name.endswith(".xml"))


_CHANGING = re.compile(
    r'csrf[-_]token[^>]*>|name="once"[^>]*>|nonce="[^"]*"|<dcterms:created.*</dcterms:modified>'
)


def newest_event(town: Town) -> int:
    with town.work().session as session:
        return session.scalar(select(func.max(EventRow.id))) or 0


def hide_others(town: Town, matters: list[int], last: int) -> None:
    """Other hidden values, and nothing else: the number of changes is not what is to be hidden. What happened
    after the event ``last`` is forgotten.
    """
    uow = town.work()
    revisions = dict(uow.session.execute(select(Record.id, Record.revision)).all())
    uow.session.close()
    for record_id, (amount, secret) in zip(matters, OTHERS, strict=True):
        change(town, record_id, "Ada", worth=amount, secret=secret)
    uow = town.work()
    uow.session.execute(delete(EventRow).where(EventRow.id > last))
    for record_id in matters:
        uow.session.execute(
            update(Record).where(Record.id == record_id).values(revision=revisions[record_id])
        )
    uow.commit()
    uow.session.close()


def walk(town: Town, client: int, matters: list[int], *, htmx: bool = False) -> dict[str, str]:
    """Everything that Clara can be shown, as text by address."""
    clara, found = town.as_("Clara"), {}
    clara.get("/w/acme/")  # takes away what is still to be told from before
    for path in (*addresses(town.app, town, client, matters), *asked_for_by_name(("worth", "secret"))):
        answer = clara.get(path, htmx=htmx)
        assert answer.status_code < 500, (path, answer.status_code)
        found[path] = _CHANGING.sub("", f"{answer.status_code} {answer.location} {answer.text}")
    if not htmx:
        found.update((name, _CHANGING.sub("", text)) for name, text in files(clara))
    return found


def test_a_walk_over_all_pages_finds_no_trace_of_what_is_hidden(town: Town) -> None:
    client, matters = settled(town)
    seen = town.as_("Ada").get(page_of(matters[0])).text
    assert TRACES.search(seen)
    assert "ZEBRA-QUARTZ" in seen

    # What differs between the databases is not in the templates.
    is_sqlite = town.app.extensions["funnelwright.settings"].is_sqlite
    fragments = walk(town, client, matters, htmx=True) if is_sqlite else {}
    last = newest_event(town)
    first = walk(town, client, matters)
    assert len(first) > 100
    for place, text in (*fragments.items(), *first.items()):
        # What was asked for is told back; nobody learns anything from it.
        asked = re.search(r"q=(\w+)", place)
        trace = TRACES.search(text.replace(asked.group(1), "") if asked else text)
        assert trace is None, (place, trace, text[max(0, trace.start() - 200) : trace.end() + 100])
    assert "Case 0" in first["/w/acme/o/matter"]
    assert "Case 0" not in first["/w/acme/search?q=ZEBRA"]
    assert "Case 0" in town.as_("Ada").get("/w/acme/search?q=ZEBRA").text

    hide_others(town, matters, last)
    for place, text in walk(town, client, matters).items():
        assert text == first[place], place


def test_what_names_a_hidden_field_is_answered_as_for_one_that_does_not_exist(sqlite_town: Town) -> None:
    settled(sqlite_town)
    clara = sqlite_town.as_("Clara")
    for path in asked_for_by_name(("worth", "secret", "twice")):
        if any(name in path for name in ("worth", "secret", "twice")) and "sum_worth" not in path:
            other = re.sub("worth|secret|twice", "nowhere", path)
            mine, theirs = clara.get(path), clara.get(other)
            assert mine.status_code == theirs.status_code, path
            spoken = re.sub("worth|secret|twice", "nowhere", _CHANGING.sub("", mine.text))
            assert spoken == _CHANGING.sub("", theirs.text), path


def test_a_hidden_value_survives_a_save_and_is_refused_when_it_is_sent(sqlite_town: Town) -> None:
    _, matters = settled(sqlite_town)
    clara = sqlite_town.as_("Clara")
    revision = _revision(clara, matters[0])
    sent = {"f-title": "Renamed", "f-worth": "1.00", "f-secret": "mine", "revision": revision}
    assert (
        clara.post(page_of(matters[0], "/edit"), sent).status_code == 422
    )  # like any field that is not there
    assert "Renamed" not in sqlite_town.as_("Ada").get(page_of(matters[0])).text
    seen = {key: sent[key] for key in ("f-title", "revision")}
    assert clara.post(page_of(matters[0], "/edit"), seen).status_code == 303
    page = sqlite_town.as_("Ada").get(page_of(matters[0])).text
    assert "Renamed" in page
    assert "ZEBRA-QUARTZ" in page
    assert "987,654.32" in page


def _revision(visitor: Visitor, record_id: int) -> str:
    found = re.search(r'name="revision" value="(\d+)"', visitor.get(page_of(record_id, "/edit")).text)
    assert found
    return found.group(1)


def test_pairs_that_a_hidden_field_tells_of_and_formulas_over_one_are_not_shown(sqlite_town: Town) -> None:
    settled(sqlite_town)
    case = next(one for one in documents() if one["key"] == "matter")
    uow = sqlite_town.work()
    factories.publish(uow, [{**case, "duplicate_keys": ["title", "secret"]}])
    uow.commit()
    uow.session.close()
    ada, clara = sqlite_town.as_("Ada"), sqlite_town.as_("Clara")
    pairs = "/w/acme/o/matter/duplicates"
    assert ada.get(pairs).status_code == 200
    assert "/duplicates" in ada.get("/w/acme/o/matter").text
    for answer in (clara.get(pairs), clara.post(pairs), clara.get("/w/acme/duplicates")):
        assert answer.status_code in (403, 404)
    assert "/duplicates" not in clara.get("/w/acme/o/matter").text
    tried = "/w/acme/studio/objects/matter/fields?field=twice"
    assert TRACES.search(ada.get(tried).text)
    assert not TRACES.search(clara.get(tried).text)


def test_a_gate_over_a_hidden_field_does_not_ask_for_it_in_the_dialog(sqlite_town: Town) -> None:
    settled(sqlite_town)
    free = copy.deepcopy(factories.FREE)
    condition = {"field": "secret", "op": "eq", "value": "GREEN"}
    free["stages"][0]["gate"] = {
        "leave": {"conditions": [{"when": condition, "message": {"en": "Not yet"}, "severity": "block"}]}
    }
    uow = sqlite_town.work()
    factories.publish(uow, [free])
    uow.commit()
    uow.session.close()
    record_id = make(sqlite_town, "matter", {"title": "New", "secret": SECRETS[0]}, "free", owner="Clara")
    dialog = page_of(record_id, "/move/b")
    assert SECRETS[0] in sqlite_town.as_("Ada").get(dialog).text
    clara = sqlite_town.as_("Clara")
    sent = {"_form": "1", "revision": "1", "_has": "values-secret", "_action": "refresh"}
    for answer in (clara.get(dialog), clara.post(dialog, sent), clara.post(dialog, sent, htmx=True)):
        assert "New" in answer.text
        assert "Not yet" in answer.text
        assert "values-secret" not in answer.text
        assert not TRACES.search(answer.text)
