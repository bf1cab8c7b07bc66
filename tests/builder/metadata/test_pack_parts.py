"""Parts of packs come with what they need (B9)."""

from __future__ import annotations

import pytest

from builder.metadata import packs
from builder.metadata.pack_parts import by_name, closure, dependants, name_of, needs, part_of

SHIPPED = {key: packs.load(packs.locate(key)) for key in packs.shipped()}


@pytest.mark.parametrize("key", SHIPPED)
def test_parts_of_a_shipped_pack_can_be_installed_with_what_they_need_alone(key: str) -> None:
    pack = SHIPPED[key]
    documents = by_name(packs.documents(pack))
    parts = sorted(
        {closure({name}, documents) for name in documents}, key=lambda part: (len(part), sorted(part))
    )
    assert len(parts) > 3
    # The smallest lack the most; the largest are nearly the whole, which is checked elsewhere.
    for names in (parts[0], parts[len(parts) // 3], parts[len(parts) // 2]):
        part = part_of(pack, names)
        assert [str(problem) for problem in packs.check(part) if problem.is_error] == [], names


def test_a_part_draws_in_what_it_needs_however_far_and_nothing_else() -> None:
    documents = by_name(
        [
            {
                "kind": "view",
                "key": "v",
                "object": "a",
                "filter": {"field": "role", "op": "eq", "value": {"role": "x"}},
            },
            {
                "kind": "object",
                "key": "a",
                "fields": {"properties": {"role": {"x-type": "reference", "x-target": "b"}}},
            },
            {"kind": "object", "key": "b", "fields": {"properties": {"role": {"x-label": {"role": "x"}}}}},
            {"kind": "role", "key": "x", "rights": []},
        ]
    )
    assert closure({("view", "v")}, documents) == {("view", "v"), ("object", "a"), ("object", "b")}
    assert closure({("view", "gone")}, documents) == frozenset()


def test_what_others_need_is_named_unless_these_go_as_well() -> None:
    documents = by_name(
        [
            {"kind": "role", "key": "boss", "fields": {"a": {"x": "hidden"}}},
            {"kind": "object", "key": "a"},
            {
                "kind": "pipeline",
                "key": "p",
                "object": "a",
                "stages": [{"gate": {"leave": {"roles": ["boss"], "feedback": "block"}}}],
            },
        ]
    )
    assert needs(documents["pipeline", "p"]) >= {("object", "a"), ("role", "boss")}
    assert dependants({("object", "a")}, documents) == {
        ("object", "a"): (("pipeline", "p"), ("role", "boss"))
    }
    assert dependants({("object", "a"), ("pipeline", "p")}, documents) == {
        ("object", "a"): (("role", "boss"),)
    }
    assert dependants(set(documents), documents) == {}


def test_a_part_is_a_pack_in_canonical_form() -> None:
    pack = next(iter(SHIPPED.values()))
    assert packs.combined(part_of(pack, {name_of(each) for each in packs.documents(pack)})) == packs.combined(
        pack
    )
