"""Hostile strings in every place of every document: refused with a place, or harmless text (*Bad input*)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builder.metadata import documents, packs
from builder.metadata.compiler import Uncompilable, compiled
from builder.metadata.lint import lint
from tests.builder.metadata import samples

HOSTILE = Path(__file__).parents[4] / "shared" / "data" / "hostile"


def _strings() -> list[str]:
    if not HOSTILE.is_dir():
        return []
    texts = set(json.loads((HOSTILE / "blns" / "blns.json").read_text("utf-8")))
    for path in (HOSTILE / "fuzzdb").glob("*.txt"):
        texts.update(path.read_text("utf-8", "surrogateescape").splitlines()[:20])
    return sorted(texts)


STRINGS = _strings()
needs_data = pytest.mark.skipif(not STRINGS, reason="the hostile strings are not on this machine")


def _text_places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [path] if isinstance(value, str) else []
    return found + [place for key, inner in items for place in _text_places(inner, (*path, key))]


@needs_data
@pytest.mark.parametrize("document", samples.ALL, ids=lambda document: document["key"])
def test_hostile_strings_in_any_place_never_raise(document: dict[str, Any]) -> None:
    places = _text_places(document)
    share = STRINGS[samples.ALL.index(document) :: len(samples.ALL)]  # together: every string
    for number, text in enumerate(share):
        edited = samples.changed(document, *places[number % len(places)], to=text)
        problems = documents.check(document["kind"], edited)
        assert all(problem.message % problem.values for problem in problems)
        if not problems:
            findings = lint(document["kind"], edited, samples.surroundings())
            assert all(finding.message % finding.values for finding in findings)


@needs_data
def test_hostile_strings_as_labels_are_kept_as_they_are_or_refused() -> None:
    for text in STRINGS:
        document = samples.changed(samples.ROLE, "label", "en", to=text)
        if not documents.check("role", document):
            stored = json.loads(documents.canonical(document))
            assert stored["label"]["en"] == documents.normalised(text)
            assert compiled(stored).label.text() == documents.normalised(text)  # type: ignore[union-attr]


@needs_data
def test_hostile_strings_as_keys_are_refused() -> None:
    for text in STRINGS[::4]:
        if not (text.isascii() and text.isidentifier() and text.islower()):
            document = samples.changed(
                samples.OBJECT, "fields", "properties", text, to=samples.field("text", "X")
            )
            assert documents.check("object", document), text


@needs_data
def test_hostile_files_are_refused_by_the_reader_or_by_the_check() -> None:
    for text in STRINGS:
        try:
            document = documents.read(text.encode("utf-8", "surrogateescape"))
        except documents.Invalid:
            continue
        assert [problem for problem in packs.check(document) if problem.is_error]


@needs_data
def test_hostile_formulas_are_refused_and_never_run() -> None:
    for text in STRINGS[::4]:
        document = samples.changed(samples.OBJECT, "fields", "properties", "gain", "x-formula", to=text)
        if documents.check("object", document):
            continue
        if not any(problem.is_error for problem in lint("object", document, samples.surroundings())):
            compiled(document)


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/", "file:///etc/passwd", "urn:funnelwright:meta:form", "#/properties"]
)
def test_a_schema_reference_in_a_document_is_never_followed(address: str) -> None:
    for place in (
        ("fields",),
        ("fields", "properties", "title"),
        ("fields", "properties", "title", "x-default"),
    ):
        document = (
            samples.changed(samples.OBJECT, *place, "$ref", to=address)
            if place[-1] != "x-default"
            else (samples.changed(samples.OBJECT, *place, to={"$ref": address}))
        )
        assert documents.check("object", document)


def test_a_document_past_the_checks_is_not_compiled_into_something_else() -> None:
    document = samples.changed(samples.OBJECT, "fields", "properties", "gain", "x-formula", to="().__class__")
    with pytest.raises(Uncompilable):
        compiled(document)
