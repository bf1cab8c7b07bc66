"""The product knows no pack: no stage, field, task, reason or object of one is named in code, templates or
scripts.

A word of one part proves something when it stands alone in quotes; a key of several parts (``on_lift``)
wherever it stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.domain.fields import FIELD_ROLES

ROOT = Path(__file__).parent.parent
PACKS = [
    *sorted(path.parent for path in (ROOT / "schemas" / "packs").glob("*/pack.json")),
    ROOT / "tests" / "packs" / "repair_shop",
]
TEXTS = {
    path.relative_to(ROOT): path.read_text("utf-8")
    for folder, pattern in (
        ("builder", "**/*.py"),
        ("blueprints", "**/*.py"),
        ("templates", "**/*.html"),
        ("static/js", "**/*.js"),
        ("static/css", "**/*.css"),
    )
    for path in sorted((ROOT / folder).glob(pattern))
}
# Words that the product itself uses for something of its own, which a pack happens to use as a key, too.
OWN_WORDS = {
    **dict.fromkeys(FIELD_ROLES, "a role of fields"),
    **dict.fromkeys(("won", "lost", "invalid"), "a kind of stages"),
    **dict.fromkeys(("email", "phone", "reference"), "a field type"),
    **dict.fromkeys(("description", "goal", "kind", "unit"), "a property of documents"),
    **dict.fromkeys(("price", "cost"), "a word in heads of files, for columns of money"),
    **dict.fromkeys(("cycle_days", "reached", "visited"), "a figure of Insights, a mode of the funnel"),
    "account": "a role of fields",
    "address": "where a page leads",
    "answers": "what was filled into a feedback form",
    "changes": "a module of lint rules",
    "city": "a part of an address",
    "closed": "records that are no longer open",
    "code": "a tone of type in the frame",
    "converted": "what the demo counts",
    "found": "what a search found",
    "is_active": "a member who may sign in",
    "notes": "the place of messages in the frame",
    "order": "an option of the command line, the sort of a list",
    "hours": "a unit of time that people type",
    "part": "the decimals of a number",
    "parts": "the fields of a group",
    "place": "where a problem is",
    "problems": "what a form complains about",
    "quiet": "a look of buttons",
    "region": "a landmark, the region of a telephone number",
    "result": "how a command ended",
    "sign": "whether a number may be negative",
    "size": "a constraint of documents",
    "status": "the state of an import or a version, of HTTP",
    "summary": "an element of HTML",
    "total": "the sum under a list",
}


def keys_of(folder: Path) -> Iterator[str]:
    """Keys of objects, pipelines, feedback, views, funnels; of fields, table columns, stages, milestones,
    tasks and reasons."""
    for path in folder.glob("*/*.json"):
        document = json.loads(path.read_text("utf-8"))
        if document["kind"] != "role":
            yield document["key"]
        for key, field in document.get("fields", {}).get("properties", {}).items():
            yield key
            yield from field.get("items", {}).get("properties", {})
        for stage in document.get("stages", ()):
            yield stage["key"]
            for task in stage.get("tasks", ()):
                yield task["key"]
        for reasons in document.get("reasons", {}).values():
            yield from (reason["key"] for reason in reasons)


WORDS = re.compile(r"""(["'])([a-z][a-z0-9_]*)\1|(?<![\w.%(])([a-z][a-z0-9]*_[a-z0-9_]*)\b(?!\()""", re.ASCII)


def spoken(keys: set[str]) -> list[tuple[str, str]]:
    """Where the product says one of the keys: place and key."""
    return [
        (f"{path}:{number}", word)
        for path, text in TEXTS.items()
        for number, line in enumerate(text.splitlines(), 1)
        for _, alone, parted in WORDS.findall(line)
        if (word := alone or parted) in keys
    ]


def test_there_are_packs_and_sources_to_look_at() -> None:
    assert len(PACKS) >= 2
    assert len(TEXTS) > 250


@pytest.mark.parametrize("folder", PACKS, ids=lambda folder: folder.name)
def test_no_key_of_a_pack_is_written_in_the_product(folder: Path) -> None:
    keys = set(keys_of(folder))
    assert len(keys) > 30
    found = [place for place in spoken(keys) if place[1] not in OWN_WORDS]
    assert not found, found


def test_every_word_that_is_let_through_is_one_that_the_product_says_and_a_pack_uses() -> None:
    keys = {key for folder in PACKS for key in keys_of(folder)}
    said = {word for _, word in spoken(keys)}
    assert {word for word in OWN_WORDS if word not in FIELD_ROLES} - said == set()


def test_a_key_that_is_written_somewhere_is_found() -> None:
    TEXTS[Path("builder/wrong.py")] = "if stage == 'proposal_sent':\n    x = {'arrived': 1}"
    try:
        assert [word for _, word in spoken({"proposal_sent", "arrived"})] == ["proposal_sent", "arrived"]
    finally:
        del TEXTS[Path("builder/wrong.py")]
