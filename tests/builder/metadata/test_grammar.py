"""The meta-schemas: valid themselves, and described well enough to be the Studio's help."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from builder.domain.permissions import RIGHTS
from builder.metadata import grammar
from builder.resources import resource_folder

NAMES = (*grammar.KINDS, *grammar.PARTS, "common")


def _properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property of a schema and of the schemas inside it, with its place."""
    if isinstance(schema, list):
        for index, inner in enumerate(schema):
            yield from _properties(inner, f"{path}/{index}")
    elif isinstance(schema, dict):
        for name, inner in schema.items():
            if name == "properties":
                for key, found in inner.items():
                    yield f"{path}/{key}", found
                    yield from _properties(found, f"{path}/{key}")
            else:
                yield from _properties(inner, f"{path}/{name}")


@pytest.mark.parametrize("name", NAMES)
def test_each_meta_schema_is_a_valid_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(dict(grammar.meta_schema(name)))


@pytest.mark.parametrize("name", NAMES)
def test_each_property_has_a_name_and_an_explanation_in_both_languages(name: str) -> None:
    for place, found in _properties(grammar.meta_schema(name)):
        for key in ("title", "description", "x-title-zh_Hans", "x-description-zh_Hans"):
            assert found.get(key), f"{name}{place} lacks {key}"
        assert re.search(r"[\u4e00-\u9fff]", found["x-description-zh_Hans"]), f"{name}{place} is not Chinese"


def test_every_meta_schema_file_is_known_to_the_program() -> None:
    files = {
        path.name.removesuffix(".schema.json")
        for path in (resource_folder("schemas") / "meta").glob("*.json")
    }
    assert files == set(NAMES)


def test_references_between_meta_schemas_lead_somewhere() -> None:
    for name in NAMES:
        for target in re.findall(r'"\$ref": "([^"]+)"', json.dumps(grammar.meta_schema(name))):
            file, _, fragment = target.removeprefix("urn:funnelwright:meta:").partition("#/$defs/")
            assert not fragment or fragment in grammar.meta_schema(file)["$defs"], target


def test_the_rights_that_a_role_can_have_are_the_rights_of_the_program() -> None:
    listed = grammar.meta_schema("role")["properties"]["rights"]["items"]["enum"]
    assert tuple(listed) == RIGHTS


def test_help_texts_are_found_through_references_and_lists() -> None:
    found = grammar.help_text("pipeline", "stages", "gate", "leave", "approval", "approver")
    assert found.title == "Approver"
    assert "supervisor" in found.description


def test_help_texts_come_in_chinese() -> None:
    assert grammar.help_text("stage", "probability", locale="zh_Hans").title == "赢率（%）"


def test_a_language_without_help_texts_gets_english() -> None:
    assert grammar.help_text("stage", "goal", locale="fr").title == "Goal"


def test_an_unknown_property_has_no_help_text() -> None:
    with pytest.raises(KeyError):
        grammar.help_text("stage", "weather")


def test_pointers_escape_as_rfc_6901_says() -> None:
    assert grammar.pointer("a/b", 0, "c~d") == "/a~1b/0/c~0d"
