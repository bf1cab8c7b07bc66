"""From the authored sections and layouts of a form to the domain's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from builder.domain.labels import Label
from builder.domain.layouts import Layout, Section


def sections(document: Mapping[str, Any]) -> Iterator[Section]:
    """The authored sections; fields that stand in none come last, in a section without a heading."""
    placed: set[str] = set()
    yield from _placed(document, document.get("x-sections", ()), placed)
    rest = tuple(key for key in document["properties"] if key not in placed)
    if rest:
        yield Section("", Label(()), rest)


def layouts(document: Mapping[str, Any]) -> Iterator[Layout]:
    """The other layouts; what stands in none of their sections is left out."""
    for source in document.get("x-layouts", ()):
        served = source["for"]
        stages = served.get("stages", {})
        yield Layout(
            source["key"],
            Label.of(source["label"]),
            tuple(_placed(document, source["sections"], set())),
            frozenset(served.get("roles", ())),
            frozenset((pipeline, stage) for pipeline, keys in stages.items() for stage in keys),
        )


def _placed(
    document: Mapping[str, Any], sections: Iterable[Mapping[str, Any]], placed: set[str]
) -> Iterator[Section]:
    """Sections with those of their fields that are there and not ``placed`` before, which grows."""
    for source in sections:
        keys = tuple(key for key in source["fields"] if key in document["properties"] and key not in placed)
        placed.update(keys)
        yield Section(
            source["key"],
            Label.of(source["label"]),
            keys,
            source.get("columns", 2),
            Label.of(source.get("help")),
        )
