"""Every part of every address holds any string: what is not there is 404, and nothing fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import cycle
from urllib.parse import quote

from flask import Flask

from builder.db.ids import to_public
from tests.blueprints.workspace.desk import make
from tests.fixtures.town import Town

BEYOND = "4294967296"
STRANGE = ("nul\0byte", "9" * 30, "-1", "%(name)s", "９９", "a'b\"<i>", "x" * 300, "half \ud800", "名")
_PART = re.compile(r"<(?:[^<>:]+(?:\([^)]*\))?:)?(\w+)>")


def known(town: Town) -> dict[str, str]:
    """What the town has in the place of the names of the parts; others are made up."""
    record_id = make(town, "matter", {"title": "One"}, "free", owner="Ada")
    return {
        "workspace_key": "acme", "object_key": "matter", "record_id": to_public(record_id), "to": "b",
        "pipeline_key": "free", "stage_key": "a", "member_id": to_public(town.ids["Ada"]), "area": "objects",
        "department_id": to_public(town.ids["east"]), "key": "matter", "kind": "object", "number": "1",
        "field_key": "title", "section_key": "details",
    }  # fmt: skip


def strange_addresses(app: Flask, parts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """(verb, address): each address once for each of its parts, in which another strange text stands each
    time; on PostgreSQL what only that refuses: NUL, and a number beyond an integer column.
    """
    texts = cycle(STRANGE) if app.extensions["funnelwright.settings"].is_sqlite else cycle(STRANGE[:1])
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        for name in sorted(rule.arguments - {"workspace_key"} or rule.arguments):
            text = BEYOND if f"<int:{name}>" in rule.rule else next(texts)
            held = {**parts, name: quote(text.encode("utf-8", "surrogatepass"), safe="")}
            path = _PART.sub(lambda found: held.get(found[1], "x"), rule.rule)  # noqa: B023
            yield from ((verb, path) for verb in ("GET", "POST") if verb in (rule.methods or ()))


def test_every_part_of_every_address_may_hold_any_string(town: Town) -> None:
    ada, asked = town.as_("Ada"), 0
    # What is written says which state it was made from; this one says a wrong one.
    sent = {"checksum": "0" * 64, "seen": "x", "draft": "x", "revision": "1"}
    for verb, path in strange_addresses(town.app, known(town)):
        answer = ada.get(path, htmx=True) if verb == "GET" else ada.post(path, sent, htmx=True)
        assert answer.status_code < 500, (verb, path)
        asked += 1
    assert asked > 150
