"""Packs that people bring are checked as a whole before anything of them is kept (*Bad input*)."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from builder.errors import FunnelwrightError
from builder.metadata import packs
from builder.services.library import MAX_BYTES, read_pack
from tests import factories

HEAD = {
    "grammar": 1,
    "kind": "pack",
    "key": "law",
    "label": {"en": "Law firms"},
    "version": "1.0.0",
    "locales": ["en"],
}
PACK = packs.assemble(HEAD, factories.DOCUMENTS)


def broken(**parts: Any) -> dict[str, Any]:
    return {**copy.deepcopy(PACK), **parts}


def with_field(field: dict[str, Any]) -> dict[str, Any]:
    made = copy.deepcopy(PACK)
    made["objects"][0]["fields"]["properties"]["extra"] = {"x-type": "text", "x-label": {"en": "X"}, **field}
    return made


MANY = {f"f{number}": factories.text_field("F") for number in range(10_000)}
HOSTILE: dict[str, tuple[dict[str, Any] | bytes, str]] = {
    "no JSON": (b"{", "not JSON"),
    "wrong types": (broken(objects="all"), "pack.json#/objects"),
    "wrong types inside": (broken(objects=[{**factories.ACCOUNT, "label": 7}]), "objects/client.json#/label"),
    "10,000 fields": (
        broken(objects=[{**factories.ACCOUNT, "fields": {"type": "object", "properties": MANY}}]),
        "10000 entries",
    ),
    "a recursive reference": (with_field({"$ref": "#"}), "“$ref”"),
    "a remote reference": (with_field({"$ref": "http://example.com/x.json"}), "“$ref”"),
    "a catastrophic pattern": (with_field({"pattern": "(a+)+$"}), "/fields/properties/extra/pattern"),
    "a key twice": (b'{"objects": [{}, {"fields": {"a": 1, "a": 2}}]}', "/objects/1/fields/a"),
    "an unknown version": (broken(grammar=99), "grammar version 99"),
    "another kind": (dict(factories.ACCOUNT), "object"),
    "a missing reference": (broken(objects=[factories.CASE]), "client"),
    "deeply nested": (b'{"a":' * 3000 + b"1" + b"}" * 3000, "nested"),
    "too large": (b" " * 5_000_001, "bytes"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_refused_with_the_place_and_the_reason(what: str) -> None:
    source, words = HOSTILE[what]
    with pytest.raises(FunnelwrightError) as refused:
        read_pack(source if isinstance(source, bytes) else json.dumps(source).encode())
    places = [f"{getattr(each, 'file', '')}#{each.place}" for each in refused.value.problems]
    assert any(words in text for text in [str(refused.value), *places]), (str(refused.value), places)


def test_a_sound_file_comes_in_canonical_form() -> None:
    assert packs.combined(read_pack(json.dumps(PACK).encode())) == packs.combined(PACK)
    assert MAX_BYTES < 20_000_000
